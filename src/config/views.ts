/** The different settings that one configuration has. */
import type { ServiceEntry, Settings } from './settings.ts';

/** The settings of main.cf, then those of each service that has `-o` options. */
export function settingsViews({
  settings,
  services,
  settingsFor,
}: {
  readonly settings: Settings;
  readonly services: readonly ServiceEntry[];
  readonly settingsFor: (entry: ServiceEntry) => Settings;
}): readonly Settings[] {
  return [settings, ...services.filter(({ overrides }) => overrides.size > 0).map(settingsFor)];
}
