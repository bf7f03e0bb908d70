/** The values of one service, read from main.cf, master.cf and the defaults, with their checks. */
import { placeOf } from './place.ts';
import { hostNameProblem } from '#address';
import { longestTimerMs } from '#message';
import { wrongWord } from './closed-values.ts';
import { expandValue, type ValueSource } from './expand.ts';
import type { MainFile } from './main-cf.ts';
import { readOriginFile } from './origin-file.ts';
import type { Parameter, ParameterRegistry } from './registry.ts';
import { ConfigError, type ListElement, type Origin, type ServiceEntry, type Settings } from './settings.ts';
import { parseBool, parseInteger, parseTime } from './values.ts';
import { splitList, splitListWithIndex } from './words.ts';

/** Defaults that are computed: name → value, unexpanded. */
export type ComputedDefaults = (name: string, values: SettingValues) => string | undefined;

export interface SettingSources {
  readonly main: MainFile;
  readonly registry: ParameterRegistry;
  readonly computed: ComputedDefaults;
  /** `-o name=value` of the command line; over everything. */
  readonly overrides: ReadonlyMap<string, string>;
  /** What runs, when it is no service. */
  readonly processName: string;
}

export class SettingValues implements Settings {
  readonly service: string;
  readonly #sources: SettingSources;
  readonly #entry: ServiceEntry | undefined;
  readonly #expanded = new Map<string, string>();
  readonly #elements = new Map<string, readonly ListElement[]>();
  /** Defaults that are being worked out. */
  readonly #computing = new Set<string>();

  constructor(sources: SettingSources, entry?: ServiceEntry) {
    this.#sources = sources;
    this.#entry = entry;
    this.service = entry === undefined ? '' : `${entry.name}/${entry.type}`;
  }

  /** What the service, or whoever reads main.cf alone, runs. postconf(5) process_name */
  get processName(): string {
    return this.#entry?.command ?? this.#sources.processName;
  }

  /** As master.cf names it; '' for main.cf alone. postconf(5) service_name */
  get serviceName(): string {
    return this.#entry?.name ?? '';
  }

  /** Unexpanded value; undefined for a name that is neither set nor known. */
  raw(name: string): string | undefined {
    return this.#written(name) ?? this.defaultValue(name);
  }

  /** Unexpanded default; undefined for unknown names. */
  defaultValue(name: string): string | undefined {
    const parameter = this.#sources.registry.get(name);
    if (parameter === undefined) return undefined;
    // one that leads to itself by way of a value that is set stands for nothing there, as with Postfix
    if (this.#computing.has(name)) return '';
    this.#computing.add(name);
    try {
      return this.#sources.computed(name, this) ?? parameter.defaultValue;
    } finally {
      this.#computing.delete(name);
    }
  }

  #written(name: string): string | undefined {
    if (this.#sources.registry.isReadOnly(name)) return undefined;
    return (
      this.#sources.overrides.get(name) ??
      this.#entry?.overrides.get(name) ??
      this.#sources.main.byName.get(name)?.value
    );
  }

  string(name: string): string {
    const known = this.#expanded.get(name);
    if (known !== undefined) return known;
    const raw = this.raw(name);
    if (raw === undefined) throw new Error(`no such parameter: ${name}`);
    const text = this.#sources.registry.get(name)?.kind === 'raw' ? raw : this.#expand(name, raw);
    const value = name === 'myorigin' && text.startsWith('/') ? this.#originIn(text) : text;
    this.#expanded.set(name, value);
    return value;
  }

  #originIn(path: string): string {
    const found = readOriginFile(path);
    if (found.kind === 'failed') throw this.#problem('myorigin', path, found.reason);
    return found.name;
  }

  /** What `$name` stands for. */
  #referred(name: string): string | undefined {
    return name === 'myorigin' ? this.string(name) : this.raw(name);
  }

  #expand(name: string, raw: string, source: ValueSource = (other) => this.#referred(other)): string {
    const expansion = expandValue(raw, source);
    if (expansion.kind === 'failed') throw this.#problem(name, raw, expansion.reason);
    return expansion.text;
  }

  /** An error that names parameter, place, text and what is expected. */
  #problem(name: string, text: string, expected: string): ConfigError {
    return new ConfigError([`${placeOf(this.origin(name))}bad value for parameter ${name}: "${text}": ${expected}`]);
  }

  bool(name: string): boolean {
    const text = this.string(name);
    const value = parseBool(text);
    if (value === undefined) throw this.#problem(name, text, 'bad boolean configuration; write "yes" or "no"');
    return value;
  }

  int(name: string): number {
    const text = this.string(name);
    const value = parseInteger(text);
    if (value === undefined) throw this.#problem(name, text, 'bad numerical configuration; write a whole number');
    return this.#inBounds(name, text, value, '');
  }

  ms(name: string): number {
    const text = this.string(name);
    const kind = this.#sources.registry.get(name)?.kind ?? 'time:s';
    const unit = kind.startsWith('time:') ? kind.slice('time:'.length) : 's';
    const seconds = parseTime(text, unit);
    if (seconds === undefined) {
      throw this.#problem(name, text, 'bad time value; write a number with s, m, h, d or w behind it, such as "5d"');
    }
    return this.#inBounds(name, text, seconds, ' seconds') * 1000;
  }

  timerMs(name: string): number {
    return Math.min(this.ms(name), longestTimerMs);
  }

  #inBounds(name: string, text: string, value: number, unit: string): number {
    const { min, max } = this.#sources.registry.get(name) ?? {};
    if (min !== undefined && value < min) throw this.#problem(name, text, `invalid: it must be at least ${min}${unit}`);
    if (max !== undefined && value > max) throw this.#problem(name, text, `invalid: it must be at most ${max}${unit}`);
    return value;
  }

  list(name: string): readonly string[] {
    return splitList(this.string(name));
  }

  elements(name: string): readonly ListElement[] {
    let elements = this.#elements.get(name);
    if (elements === undefined) this.#elements.set(name, (elements = this.#elementsOf(name, 0)));
    return elements;
  }

  #elementsOf(name: string, depth: number): readonly ListElement[] {
    const raw = this.raw(name);
    if (raw === undefined) return [];
    if (depth > 100) throw this.#problem(name, raw, 'its value refers to itself');
    return this.#splitWithOrigins(name, raw).flatMap(({ text, origin }) => {
      const reference = /^\$(?:(\w+)|\{(\w+)\}|\((\w+)\))$/.exec(text);
      const inner = reference?.[1] ?? reference?.[2] ?? reference?.[3];
      if (inner !== undefined && this.raw(inner) !== undefined) return this.#elementsOf(inner, depth + 1);
      return splitList(this.#expand(name, text)).map((word) =>
        origin === undefined ? { text: word } : { text: word, origin },
      );
    });
  }

  /** Elements of an unexpanded value with the line each begins on. */
  #splitWithOrigins(name: string, raw: string): readonly ListElement[] {
    const entry = this.#sources.main.byName.get(name);
    const fromMain = entry !== undefined && entry.value === raw;
    const origin = this.origin(name);
    if (!fromMain || origin === undefined) {
      return splitList(raw).map((text) => (origin === undefined ? { text } : { text, origin }));
    }
    const joined = entry.pieces.map((piece) => piece.text).join('\n');
    // both go forward only: a list may have tens of thousands of elements
    let before = 0;
    let end = joined.indexOf('\n');
    return splitListWithIndex(joined).map(({ text, at }) => {
      for (; end >= 0 && end < at; end = joined.indexOf('\n', end + 1)) before += 1;
      return { text, origin: { file: origin.file, line: entry.pieces[before]?.line ?? origin.line } };
    });
  }

  origin(name: string): Origin | undefined {
    if (this.#sources.overrides.has(name)) return { file: 'command line', line: 1 };
    if (this.#entry?.overrides.has(name) === true) {
      const { origin, overrideLines } = this.#entry;
      return { file: origin.file, line: overrideLines?.get(name) ?? origin.line };
    }
    const entry = this.#sources.main.byName.get(name);
    return entry === undefined ? undefined : { file: this.#sources.main.path, line: entry.line };
  }

  isSet(name: string): boolean {
    return this.#written(name) !== undefined;
  }

  userValue(name: string): string | undefined {
    const raw = this.raw(name);
    return raw === undefined ? undefined : this.#expand(name, raw);
  }

  expand(text: string, extra?: (name: string) => string | undefined): string {
    return this.#expand('(text)', text, (name) => extra?.(name) ?? this.#referred(name));
  }

  /** Reads a parameter by its kind, for the check at start. Throws ConfigError when the value is bad. */
  check(parameter: Parameter): void {
    const { name, kind } = parameter;
    if (kind === 'bool') this.bool(name);
    else if (kind === 'int') this.int(name);
    else if (kind.startsWith('time:')) this.ms(name);
    else if (parameter.nonEmpty === true && this.isSet(name) && this.string(name) === '') {
      throw this.#problem(name, '', 'it must not be empty');
    } else if (name === 'queue_directory' && !this.string(name).startsWith('/')) {
      // it would be another one wherever the operator stands
      throw this.#problem(name, this.string(name), 'it must be an absolute path, that begins with "/"');
    } else {
      const problem =
        name === 'myhostname' || name === 'mydomain'
          ? hostNameProblem(this.string(name))
          : wrongWord(name, this.list(name));
      if (problem !== undefined) throw this.#problem(name, this.string(name), problem);
    }
  }
}
