/** Looks at the lines of one message with the tables of header and body checks, and logs what they say. cleanup(8) */
import { setImmediate } from 'node:timers/promises';
import type { EventChannel } from '#events';
import type { MimePlace, MimeProblem, SubmissionAction } from '#message';
import { type CheckAction, readCheckAction } from './check-action.ts';
import { isMimeField } from './header-fields.ts';
import { type Refusal, refuse, refuseContent } from './refusal.ts';
import type { CleanupSettings, NamedTables } from './settings.ts';
import { ready, type Steps } from './steps.ts';

/** Who the log says a line came from. */
export interface InspectedMessage {
  readonly queueId: string;
  /** `name[address]`, `local` for mail of this system. */
  readonly origin: string;
  readonly protocol: string;
  readonly helo: string;
  /** In standard form, as is the last recipient; '' when there is none. */
  readonly sender: string;
  readonly recipient: string;
}

export interface InspectorOptions {
  readonly settings: CleanupSettings;
  readonly events: EventChannel;
  /** Whether checks apply to this message at all. */
  readonly isOn: boolean;
  readonly message: () => InspectedMessage;
  /** Whether an access table or an earlier line has put the message on hold: another HOLD is not told of. */
  readonly isHeld: () => boolean;
  readonly apply: (action: SubmissionAction) => void;
  readonly refuse: (refusal: Refusal) => void;
}

/** A line after its check; `text` is undefined when it goes away. */
export interface CheckedLine {
  readonly before?: string;
  readonly text: string | undefined;
}

/** Which of several strict checks the reply names. */
const mimeErrorOrder = [
  'MIME nesting exceeds safety limit',
  'improper use of 8-bit data in message header',
  'improper use of 8-bit data in message body',
];

/** Expressions can take long with some lines: after such a one others have their turn. */
const longLookupMs = 10;

export class Inspector {
  readonly #options: InspectorOptions;
  #isOn: boolean;
  /** Found so far, each kind once. */
  readonly #mimeErrors = new Set<string>();

  constructor(options: InspectorOptions) {
    this.#options = options;
    this.#isOn = options.isOn;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Whether the body has to be read line by line; `hasParts`: it may hold headers. */
  readsBody(hasParts: boolean): boolean {
    const { settings } = this.#options;
    if (!this.#isOn) return false;
    if (!settings.bodyChecks.list.isEmpty || settings.strict7bitBody) return true;
    if (!hasParts) return false;
    const hasTables = !settings.mimeHeaderChecks.list.isEmpty || !settings.nestedHeaderChecks.list.isEmpty;
    return hasTables || settings.strict7bitHeaders || settings.strictEncodingDomain;
  }

  /** Whether nesting that is too deep is refused: only where a table or check relies on seeing all header sections. */
  get needsAllParts(): boolean {
    const { settings } = this.#options;
    if (settings.strict7bitHeaders || settings.strict7bitBody || settings.strictEncodingDomain) return true;
    return [settings.headerChecks, settings.mimeHeaderChecks, settings.nestedHeaderChecks].some(
      ({ list }) => !list.isEmpty,
    );
  }

  /** One logical header field with its folding as CRLF; `name` is '' for one that was made here: it goes by its place. */
  *header(name: string, text: string, place: MimePlace): Steps<CheckedLine> {
    if (!this.#isOn) return { text };
    const tables = this.#headerTables(name, place);
    if (tables.list.isEmpty) return { text };
    return yield* this.#check(tables, text, text.replaceAll('\r\n', '\n'), 'header');
  }

  #headerTables(name: string, place: MimePlace): NamedTables {
    const { settings } = this.#options;
    if (place === 'part' || isMimeField(name)) return settings.mimeHeaderChecks;
    return place === 'nested' ? settings.nestedHeaderChecks : settings.headerChecks;
  }

  /** One line of the body, or a piece of a long one. */
  *body(text: string): Steps<CheckedLine> {
    if (!this.#isOn) return { text };
    return yield* this.#check(this.#options.settings.bodyChecks, text, text, 'body');
  }

  *#check(tables: NamedTables, text: string, key: string, part: 'header' | 'body'): Steps<CheckedLine> {
    const { events, message } = this.#options;
    const askedAt = performance.now();
    const found = yield* ready(tables.list.lookup(key));
    if (performance.now() - askedAt > longLookupMs) yield* ready(setImmediate());
    if (found.kind === 'missing') return { text };
    if (found.kind === 'failed') {
      const { queueId } = message();
      const reason = `${tables.name} map lookup problem -- message not accepted, try again later`;
      events.emit({ kind: 'warning', text: `${queueId}: ${reason}` });
      this.#options.refuse(refuse('write'));
      return { text };
    }
    const action = readCheckAction(found.value, { title: tables.name, isHeader: part === 'header' }, (warning) =>
      events.emit({ kind: 'warning', text: warning }),
    );
    return this.#perform(action, { part, key, text });
  }

  #perform(
    action: CheckAction,
    { part, key, text }: { readonly part: 'header' | 'body'; readonly key: string; readonly text: string },
  ): CheckedLine {
    switch (action.kind) {
      case 'none':
        return { text };
      case 'keep':
      case 'last':
        if (action.action?.kind === 'hold' && this.#options.isHeld()) return { text };
        this.#log(action.word, part, key, action.text);
        if (action.kind === 'last') this.#isOn = false;
        if (action.action !== undefined) this.#options.apply(action.action);
        return { text };
      case 'drop':
        if (action.word !== '') this.#log(action.word, part, key, action.text);
        return { text: undefined };
      case 'replace':
        this.#log('replace', part, key, action.text);
        return { text: action.text };
      case 'prepend':
        this.#log('prepend', part, key, action.text);
        return { before: action.text, text };
      case 'reject':
        this.#log('reject', part, key, `${action.dsn} ${action.text}`);
        this.#isOn = false;
        this.#options.refuse(refuseContent(action));
        return { text };
    }
  }

  /** A strict check failed: told once for each kind, and reading goes on, so that the log tells all of it. */
  mimeError(problem: MimeProblem): void {
    const { text, detail } = problem;
    if (!this.#isOn || this.#mimeErrors.has(text)) return;
    this.#mimeErrors.add(text);
    const { queueId, origin, sender, recipient } = this.#options.message();
    this.#options.events.emit({
      kind: 'mimeError',
      queueId,
      problem: text,
      line: detail.replaceAll('\r\n', '\n'),
      origin,
      sender,
      recipient,
    });
  }

  /** The content is all here: a failed check refuses the message, the gravest by name. */
  end(): void {
    const text = mimeErrorOrder.find((each) => this.#mimeErrors.has(each)) ?? [...this.#mimeErrors][0];
    if (text !== undefined) this.#options.refuse(refuseContent({ dsn: '5.6.0', text }));
  }

  /** Content holds one of message_reject_characters. */
  disallowedCharacter(line: string): void {
    const rejection = { dsn: '5.7.1', text: 'disallowed character' };
    this.#log('reject', 'content', line, `${rejection.dsn} ${rejection.text}`);
    this.#isOn = false;
    this.#options.refuse(refuseContent(rejection));
  }

  #log(word: string, part: 'header' | 'body' | 'content', line: string, text: string): void {
    this.#options.events.emit({ kind: 'contentCheck', ...this.#options.message(), word, part, line, text });
  }
}
