/**
 * What services see of the configuration: values by Postfix parameter name, expanded, checked, with where they were
 * written. Each service reads its settings once into plain fields (ARCHITECTURE.md, "Rules that hold everywhere"), never per message.
 */

/** Where a value was written. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

/** One element of a list value, with the place it was written at (through `$` expansion). */
export interface ListElement {
  readonly text: string;
  readonly origin?: Origin;
}

/** Values for one service: master.cf `-o` over main.cf over the default (postconf(5), master(5)). */
export interface Settings {
  /** Service name for messages, such as `smtp/inet`; '' for main.cf alone. */
  readonly service: string;
  /** Expanded text. Unknown names are a bug of the caller and throw. */
  string(name: string): string;
  bool(name: string): boolean;
  int(name: string): number;
  /** A time value in ms, whatever unit it was written in. */
  ms(name: string): number;
  /** As `ms`, for what a timer is set to: longer than it can wait (24.8 days) it would not wait at all. */
  timerMs(name: string): number;
  /** Elements separated by comma or white space; `{…}` protects. */
  list(name: string): readonly string[];
  /** As `list`, with origins, for restrictions and match lists. */
  elements(name: string): readonly ListElement[];
  /** Where the value was written; undefined when it is the default. */
  origin(name: string): Origin | undefined;
  /** Whether main.cf or `-o` sets it. */
  isSet(name: string): boolean;
  /** The value of any name, also user-defined ones (restriction classes, `$name` in tables); undefined when not set. */
  userValue(name: string): string | undefined;
  /** Expands `$name` forms in a text, with further names known only to the caller taking precedence. */
  expand(text: string, extra?: (name: string) => string | undefined): string;
}

/** One service of master.cf (master(5)). */
export interface ServiceEntry {
  readonly name: string;
  readonly type: 'inet' | 'unix' | 'unix-dgram' | 'fifo' | 'pass';
  readonly isPrivate: boolean;
  readonly isUnprivileged: boolean;
  readonly isChrooted: boolean;
  /** 0: never. */
  readonly wakeupSeconds: number;
  /** Trailing `?`: not before the service was used. */
  readonly wakeupOnDemand: boolean;
  /** Concurrent sessions or deliveries; 0: unlimited. */
  readonly processLimit: number;
  /** The limit is written down, in master.cf or as default_process_limit: it is more than a default. */
  readonly isLimitChosen: boolean;
  /** Program name: smtpd, smtp, local, pipe, … */
  readonly command: string;
  /** Arguments without `-o`; `-v` kept. */
  readonly args: readonly string[];
  /** `-o name=value`, in order. */
  readonly overrides: ReadonlyMap<string, string>;
  /** Lines of master.cf where overrides stand; of others the entry's own. */
  readonly overrideLines?: ReadonlyMap<string, number>;
  readonly origin: Origin;
}

/** A configuration directory, read and checked. */
export interface Configuration {
  readonly directory: string;
  /** main.cf alone. */
  readonly settings: Settings;
  /** Services that are not disabled (master_service_disable), in order. */
  readonly services: readonly ServiceEntry[];
  settingsFor(service: ServiceEntry): Settings;
  /** The same under `stress = yes`. STRESS_README */
  stressedSettingsFor(service: ServiceEntry): Settings;
  /** What would refuse the start, for commands that only look (`allowsUnsupported`); otherwise empty. */
  readonly unsupported: readonly string[];
  /** What a reader should know: unknown names with the nearest known one, overridden entries, what is deprecated or has no effect. */
  readonly warnings: readonly string[];
}

/** Bad input from people: what was read, where, what is allowed, what to do. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
