import type { MailOwner } from '#config';

/** What a command line program reads and writes; handed in so that commands can be tested. */
export interface CliIo {
  stdout(text: string | Uint8Array): void;
  stderr(text: string): void;
  readonly stdin: AsyncIterable<Buffer>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** Whether people read it as it comes. */
  isTerminal?(stream: 'stdout' | 'stderr'): Promise<boolean>;
  /** Gives up root for good. */
  readonly become?: (user: MailOwner) => Promise<void>;
}

/** A command: arguments without its name; gives the exit status (sysexits.h where Postfix uses them). */
export type Command = (args: readonly string[], io: CliIo) => Promise<number>;
