import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSettings } from '#config';
import { createScriptLog } from '../../../src/cli/script-log.ts';

interface Said {
  readonly printed: string;
  readonly logged: string;
}

/** What is printed and logged of a piece of news and a warning. */
async function said(main: string, isTerminal: boolean, concern = 'trouble'): Promise<Said> {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-script-'));
  const path = join(directory, 'mail.log');
  writeFileSync(
    join(directory, 'main.cf'),
    `myhostname = mail.example.com\nmail_owner = daemon\nmaillog_file = ${path}\nmaillog_file_prefixes = ${directory}\n${main}\n`,
  );
  let printed = '';
  try {
    const io = {
      stdout: () => assert.fail(),
      stderr: (text: string) => void (printed += text),
      stdin: (async function* (): AsyncGenerator<Buffer> {})(),
      env: {},
      uid: 0,
      isTerminal: () => Promise.resolve(isTerminal),
    };
    const say = await createScriptLog(io, openSettings(directory).settings);
    say('news');
    say(concern, 'concern');
    say('usual', 'warning');
    return { printed, logged: readFileSync(path, 'utf8').replaceAll(/^.{15} mail |\[\d+\]/gm, '') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('what postfix(1) says', () => {
  it('stands in the log; a terminal shows all of it, a script hears of trouble with the configuration only', async () => {
    const lines =
      'postfix/postfix-script: news\npostfix/postfix-script: warning: trouble\npostfix/postfix-script: warning: usual\n';
    const level = 'compatibility_level = 3.11';
    assert.deepEqual(await said(level, true), { printed: lines, logged: lines });
    assert.deepEqual(await said(level, false), {
      printed: 'postfix/postfix-script: warning: trouble\n',
      logged: lines,
    });
  });

  it('tells a script of a failure where the log is the standard output of the system that runs', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-script-'));
    writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\nmaillog_file = /dev/stdout\n');
    let printed = '';
    const io = {
      stdout: () => assert.fail(),
      stderr: (text: string) => void (printed += text),
      stdin: (async function* (): AsyncGenerator<Buffer> {})(),
      env: {},
      uid: 0,
    };
    const say = await createScriptLog(io, openSettings(directory).settings);
    say('news');
    say('usual', 'warning');
    say('it does not run', 'fatal');
    rmSync(directory, { recursive: true });
    assert.equal(printed, 'postfix/postfix-script: fatal: it does not run\n');
  });

  it('shows what can not be seen of a file that was pasted', async () => {
    assert.equal((await said('', false, 'a\u00a0b\ufeff')).printed, 'postfix/postfix-script: warning: a?b?\n');
  });

  it('goes by its own name where it is not a script that speaks, whatever the name of the system', async () => {
    const { logged } = await said('syslog_name = mta', false);
    assert.match(logged, /^postfix: Postfix is using backwards-compatible default settings$/m);
    assert.match(logged, /^mta\/postfix-script: news$/m);
  });

  it('begins with the notice that older defaults are in use', async () => {
    for (const [main, isTold] of [
      ['', true],
      ['compatibility_level = 3.6', true],
      ['compatibility_level = 3.11', false],
    ] as const) {
      const { printed, logged } = await said(main, true);
      assert.equal(printed.startsWith('postfix: Postfix is using backwards-compatible default settings\n'), isTold);
      assert.equal(
        /^postfix: To disable .* "postconf compatibility_level=3\.11" and "postfix reload"$/m.test(logged),
        isTold,
      );
    }
  });
});
