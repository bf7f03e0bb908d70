import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { type CommandEnd, runCommand } from '../../../src/delivery/command.ts';

describe('a command that a message is written to', () => {
  async function run(command: string): Promise<CommandEnd> {
    async function* content(): AsyncGenerator<Buffer> {
      yield Buffer.from('x\n');
    }
    return await runCommand({ command, shell: '', environment: {}, directory: '', limitMs: 60_000 }, content());
  }

  it('ends with its status, or with the signal that ended it', async () => {
    const { status, signal } = await run('cat > /dev/null; exit 3');
    assert.deepEqual([status, signal], [3, 0]);
    for (const name of ['SIGTERM', 'SIGBUS', 'SIGXCPU', 'SIGUSR1'] as const) {
      const end = await run(`kill -${name.slice(3)} $$`);
      assert.deepEqual([end.status, end.signal], [undefined, constants.signals[name]]);
    }
  });
});
