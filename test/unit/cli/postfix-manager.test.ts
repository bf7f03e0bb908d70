import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { managerOf, runManager } from '../../../src/cli/postfix/manager.ts';
import { loadConfiguration } from '../../../src/config/index.ts';

describe('multi_instance_wrapper', () => {
  it('that can not be run is told of', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-manager-'));
    const main = join(directory, 'main.cf');
    const log = join(directory, 'mail.log');
    try {
      for (const [program, why] of [
        [join(directory, 'nosuch'), 'No such file or directory'],
        [main, 'Permission denied'],
      ] as const) {
        writeFileSync(
          main,
          `myhostname = mail.example.com\nmulti_instance_directories = ${directory}/x\nmulti_instance_wrapper = ${program} -p\nmaillog_file = ${log}\nmaillog_file_prefixes = ${directory}\n`,
        );
        const configuration = loadConfiguration(directory, { mainOnly: true });
        const words = managerOf(configuration, [], {});
        assert.deepEqual(words, [program, '-p']);
        let text = '';
        const io = {
          stdout: () => assert.fail(),
          stderr: (piece: string) => void (text += piece),
          stdin: Readable.from([]),
          env: {},
          uid: 0,
        };
        assert.equal(await runManager([...words, 'status'], configuration, io), 1);
        assert.equal(text, `postfix: fatal: ${program}: ${why}\n`);
        assert.ok(readFileSync(log, 'utf8').endsWith(`: fatal: ${program}: ${why}\n`));
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
