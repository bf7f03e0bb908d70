/** Configuration: main.cf, master.cf, expansion, the parameter registry, typed settings. */
export {
  ConfigError,
  type Configuration,
  type ListElement,
  type Origin,
  type ServiceEntry,
  type Settings,
} from './settings.ts';
