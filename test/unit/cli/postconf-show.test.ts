import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { run } from '../../../src/cli/postconf.ts';

describe('postconf, showing master.cf', () => {
  const directory = mkdtempSync(join(tmpdir(), 'postconf-show-'));
  after(() => rmSync(directory, { recursive: true }));

  async function shown(...args: readonly string[]): Promise<string> {
    let text = '';
    const status = await run(['-c', directory, ...args], {
      stdout: (chunk) => void (text += String(chunk)),
      stderr: (chunk) => void (text += chunk),
      stdin: Readable.from([]),
      env: {},
      uid: 0,
    });
    assert.equal(status, 0);
    return text;
  }

  it('expands the name of the service and that of its program', async () => {
    writeFileSync(join(directory, 'main.cf'), '');
    writeFileSync(
      join(directory, 'master.cf'),
      'relay unix - - n - - smtp -o syslog_name=postfix/$service_name -o { myorigin = $process_name }\n',
    );
    assert.equal(
      await shown('-Px', 'relay/unix'),
      'relay/unix/myorigin = smtp\nrelay/unix/syslog_name = postfix/relay\n',
    );
    assert.match(await shown('-Mx', 'relay/unix'), /smtp -o syslog_name=postfix\/relay -o myorigin=smtp\n$/);
    assert.match(await shown('-Fx', 'relay/unix/command'), /-o syslog_name=postfix\/relay -o/);
    assert.match(await shown('-P', 'relay/unix/syslog_name'), /= postfix\/\$service_name\n$/);
  });

  it('counts no assignment to what only the program knows', async () => {
    writeFileSync(join(directory, 'main.cf'), 'process_name = a\nrelayhost = $process_name\n');
    writeFileSync(
      join(directory, 'master.cf'),
      'b unix - - n - - smtp -o process_name=c -o { myorigin = $process_name }\n',
    );
    const warnings = [
      'master.cf: read-only parameter assignment: process_name=c',
      'main.cf: read-only parameter assignment: process_name=a',
    ];
    const told = warnings.map((text) => `postconf: warning: ${directory}/${text}\n`).join('');
    assert.equal(
      await shown('-x', 'relayhost', 'process_name'),
      `${told}relayhost = postconf\nprocess_name = postconf\n`,
    );
    assert.equal(await shown('-n', 'process_name'), told);
    assert.equal(await shown('-Px'), `${told}b/unix/myorigin = smtp\n`);
  });

  it('folds lines at any white space, in braces, too', async () => {
    writeFileSync(join(directory, 'main.cf'), `relayhost = \${{a} == {a} ? {${'word '.repeat(15)}}}\n`);
    writeFileSync(join(directory, 'master.cf'), '');
    const first = `relayhost = \${{a} == {a} ? {${'word '.repeat(9)}`;
    assert.equal(await shown('-f', 'relayhost'), `${first}word\n    word word word word word }}\n`);
  });

  it('says with -b, and not with -t, what is odd about the texts of notices', async () => {
    writeFileSync(join(directory, 'main.cf'), 'delay_warning_time = 1s\n');
    assert.match(
      await shown('-b'),
      /warning: \[built-in\]: zero result in delay template conversion of parameter "delay_warning_time_hours"\n/,
    );
    assert.doesNotMatch(await shown('-t'), /warning: /);
  });

  it('shows with -n the directory that is named, whichever it is', async () => {
    writeFileSync(join(directory, 'main.cf'), 'relayhost = gw\n');
    writeFileSync(join(directory, 'master.cf'), '');
    assert.equal(await shown('-n'), `config_directory = ${directory}\nrelayhost = gw\n`);
  });

  it('minds no name of the user that leads to itself', async () => {
    writeFileSync(join(directory, 'main.cf'), 'round = $round\nrelayhost = gw\n');
    writeFileSync(join(directory, 'master.cf'), '');
    assert.equal(await shown('relayhost', 'round'), 'relayhost = gw\nround = $round\n');
  });

  it('knows classes in any case', async () => {
    writeFileSync(join(directory, 'main.cf'), 'relayhost = gw\n');
    writeFileSync(join(directory, 'master.cf'), '');
    assert.equal(await shown('-C', 'Builtin', 'relayhost'), 'relayhost = gw\n');
  });

  it('says why a file can’t be read', async () => {
    rmSync(join(directory, 'master.cf'));
    mkdirSync(join(directory, 'master.cf'));
    assert.equal(
      await shown('relayhost'),
      `postconf: warning: open ${directory}/master.cf: Is a directory\nrelayhost = gw\n`,
    );
  });
});
