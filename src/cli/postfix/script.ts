/** What every command of postfix(1) is given. */
import type { Configuration } from '#config';
import type { CliIo } from '../io.ts';
import type { ScriptLog } from '../script-log.ts';

export interface Script {
  readonly io: CliIo;
  readonly configuration: Configuration;
  readonly queueDirectory: string;
  readonly say: ScriptLog;
}
