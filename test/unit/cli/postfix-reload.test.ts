import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { pidFilePath } from '#master';
import { reload } from '../../../src/cli/postfix/running.ts';

describe('postfix reload', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-reload-'));
  mkdirSync(join(directory, 'pid'));
  writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\nqueue_directory = ${directory}\n`);
  writeFileSync(join(directory, 'master.cf'), '');
  after(() => rmSync(directory, { recursive: true }));

  /** What is said, and the status, with a master that does this when it is asked. */
  const saidWhen = async (onReload: string): Promise<readonly [said: readonly string[], status: number]> => {
    const program = `process.on('SIGHUP', () => { ${onReload} }); setInterval(() => {}, 1000); console.log('up');`;
    const master = spawn(process.execPath, ['-e', program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(master.stdout, 'data');
    writeFileSync(pidFilePath(directory), String(master.pid));
    const said: string[] = [];
    const io = { stdout: () => undefined, stderr: () => undefined, stdin: master.stdout, env: {}, uid: 0 };
    const say = (text: string, severity = 'info'): void => void said.push(`${severity}: ${text}`);
    const script = { io, configuration: loadConfiguration(directory), queueDirectory: directory, say };
    const status = await reload(script, onReload === '' ? 100 : 60_000);
    master.kill('SIGKILL');
    await once(master, 'exit');
    return [said, status];
  };
  const refreshing = 'info: refreshing the Postfix mail system';
  const isOpen = 'concern: the new configuration is not in force yet: the log will tell of it';

  it('ends when master has done it', async () => {
    const touch = `require('fs').utimesSync('${pidFilePath(directory)}', 1, 1)`;
    assert.deepEqual(await saidWhen(touch), [[refreshing], 0]);
  });

  it('warns when master has not done it after a while', async () => {
    assert.deepEqual(await saidWhen(''), [[refreshing, isOpen], 0]);
  });
});
