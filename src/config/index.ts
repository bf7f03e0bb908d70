/** Configuration: main.cf, master.cf, expansion, the parameter registry, typed settings. */
export {
  ConfigError,
  type Configuration,
  type ListElement,
  type Origin,
  type ServiceEntry,
  type Settings,
} from './settings.ts';
export { openCommandSettings } from './common-values.ts';
export { loadConfiguration, type LoadOptions, openSettings } from './configuration.ts';
export { type AddressFamily, familiesOf } from './address-families.ts';
export { defaultConfigDirectory, findConfigDirectory } from './directory.ts';
export { expandValue, type Expansion } from './expand.ts';
export { type ExtensionRules, readExtensionRules } from './extension-rules.ts';
export type { HostFacts } from './host-defaults.ts';
export { readLogicalLines, strayLineWarning } from './logical-lines.ts';
export { badSetting, placeOf, placeOfService } from './place.ts';
export { syslogFacilities } from './syslog-facilities.ts';
export { settingsViews } from './views.ts';
export { type MainFile, parseMainFile, splitAssignment } from './main-cf.ts';
export { editMainText, type MainChange } from './main-cf-edit.ts';
export {
  fieldProblem,
  lacksFields,
  type MasterEntryText,
  type MasterField,
  masterFields,
  parseEntry,
} from './master-cf.ts';
export {
  argumentGroups,
  commandText,
  editMasterText,
  entryOf,
  formatFields,
  type MasterText,
  parametersOf,
  type PlacedEntry,
  readMasterText,
  withArguments,
  withField,
  withParameter,
} from './master-cf-edit.ts';
export { privilegesOf } from './command-user.ts';
export { unescape } from './escapes.ts';
export { type MailOwner, mailOwner } from './mail-owner.ts';
export { nearestName } from './nearest-name.ts';
export { type Parameter, ParameterRegistry } from './registry.ts';
export type { SettingValues } from './setting-values.ts';
export { compareLevels } from './compatibility-level.ts';
export { parseTime } from './values.ts';
export { deprecation } from './deprecated.ts';
export { commentWarning, splitList, splitListWithIndex, splitWords, trimSpace } from './words.ts';
export { splitServiceArguments, unknownAttribute } from './service-arguments.ts';
export { type PortOf, tcpPorts, wrongKnownPorts } from './tcp-ports.ts';
export { referredNames } from './undefined-names.ts';
