import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { badSetting, ConfigError, entryOf, formatFields, loadConfiguration } from '#config';
import { splitOverrides } from '../../../src/config/master-cf.ts';

/** Problems that refuse the start, or else the warnings, with the directory's name taken out. */
function said(main: string, master = ''): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-refusals-'));
  const bare = (texts: readonly string[]): readonly string[] =>
    texts.map((text) => text.replaceAll(`${directory}/`, ''));
  try {
    writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\n${main}\n`);
    writeFileSync(join(directory, 'master.cf'), `smtp inet n - n - - smtpd\n${master}`);
    return bare(loadConfiguration(directory).warnings);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return bare(error.problems);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a bad value', () => {
  it('is told of with its place and what is expected, whoever reads it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-refusals-'));
    try {
      writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\nsmtpd_proxy_options = fast\n');
      writeFileSync(join(directory, 'master.cf'), 'smtp inet n - n - - smtpd\n');
      const { settings } = loadConfiguration(directory);
      assert.deepEqual(badSetting(settings, 'smtpd_proxy_options', 'known is speed_adjust').problems, [
        `${directory}/main.cf, line 2: smtpd_proxy_options = fast: known is speed_adjust`,
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('is told of once, where it is written, and not again for each default that refers to it', () => {
    assert.deepEqual(said('mydestination = ${bad'), [
      'main.cf, line 2: bad value for parameter mydestination: "${bad": truncated macro reference: "${bad"',
    ]);
  });

  it('may be a time beyond a hundred days', () => {
    assert.deepEqual(said('maximal_queue_lifetime = 200d'), [
      'main.cf, line 2: bad value for parameter maximal_queue_lifetime: "200d": invalid: it must be at most 8640000 seconds',
    ]);
  });
});

describe('a setting behind white space', () => {
  it('is told of, as it is part of the setting before it', () => {
    const text =
      'home_mailbox = Maildir/\n# or\n    relayhost = [x]\n\tsmtp_sasl_auth_enable = yes\n    PATH=/bin\nmydomain = x';
    assert.deepEqual(said(text), [
      'main.cf, line 4: relayhost stands behind white space and is read as part of home_mailbox; put it at the start of the line',
      'main.cf, line 5: smtp_sasl_auth_enable stands behind white space and is read as part of home_mailbox; put it at the start of the line',
    ]);
  });
});

describe('the queue directory', () => {
  it('is not relative to where the operator stands', () => {
    assert.deepEqual(said('queue_directory = relative/x'), [
      'main.cf, line 2: bad value for parameter queue_directory: "relative/x": it must be an absolute path, that begins with "/"',
    ]);
  });
});

describe('master.cf', () => {
  it('says which of two entries of a service is used', () => {
    assert.deepEqual(said('', 'smtp inet n - n - 5 smtpd\nsmtp unix - - n - - smtp\n'), [
      'master.cf, line 2: duplicate master.cf entry for service "smtp" (smtp) -- using the last entry',
    ]);
  });

  it('refuses words that its program has no use for: access rules would be cut short', () => {
    assert.deepEqual(said('', 'rules unix n - n - - smtpd -o smtpd_client_restrictions=permit_mynetworks, reject\n'), [
      'master.cf, line 2: service rules/unix: unexpected argument "reject" of smtpd; remove it, or put a value with ' +
        'blanks in braces: -o { smtpd_client_restrictions = permit_mynetworks, reject }',
    ]);
    assert.deepEqual(said('', 'b unix - - n - - bounce x\nout unix - - n - - smtp -v y -o a=b\n'), [
      'master.cf, line 2: service b/unix: unexpected argument "x" of bounce; remove it, or put a value with blanks in ' +
        'braces: -o { name = a, b }',
      'master.cf, line 3: service out/unix: unexpected argument "y" of smtp; remove it, or put a value with blanks in ' +
        'braces: -o { name = a, b }',
    ]);
    assert.deepEqual(said('', 'lda unix - - n - - lmtp flags=DR -o lmtp_bind_address=127.0.0.1\n'), [
      'master.cf, line 2: service lda/unix: unexpected argument "-o" of lmtp; options have to stand before all other words',
    ]);
    assert.match(said('', '25 inet n - n - 1 postscreen x\n').join(), /^master\.cf, line 2: .*"x" of postscreen/);
  });

  it('says what an entry that cannot be read should be', () => {
    const remedies: Readonly<Record<string, string>> = {
      'a inet n - n - smtpd':
        'bad field count; write service type private unprivileged chroot wakeup process_limit command; ' +
        'a line that goes on with the entry before it begins with white space',
      'a tcp n - n - - smtpd':
        'invalid type field "tcp" in "a tcp n - n - - smtpd"; write one of inet, unix, unix-dgram, fifo, pass',
      'a inet n - n - x smtpd':
        'invalid process_limit field "x" in "a inet n - n - x smtpd"; write a whole number or -',
      'a inet n - n - - smtpd -o b = c': `service a/inet: -o b: missing '=' after attribute name: "b"; write -o name=value, or -o { name = value }`,
    };
    for (const [entry, problem] of Object.entries(remedies))
      assert.deepEqual(said('', `${entry}\n`), [`master.cf, line 2: ${problem}`]);
  });

  it('refuses options that no program has', () => {
    const hint = 'write settings as -o name=value, or -o { name = value }';
    assert.deepEqual(said('', 'a unix n - n - - smtpd -x foo\n'), [
      `master.cf, line 2: service a/unix: invalid option "-x"; ${hint}`,
    ]);
    assert.deepEqual(said('', 'a unix n - n - - smtpd -o\n'), [
      'master.cf, line 2: service a/unix: option "-o" without a value; write -o name=value',
    ]);
  });

  it('takes all options that Postfix takes, and the arguments of programs that have some', () => {
    const options =
      '-vD -S -vo soft_bounce=no -o { smtpd_banner = $myhostname x } { -o myorigin=$mydomain } -m 3 -z --';
    const command = 'flags=Rq user=nobody argv=/bin/cat -x ${recipient} {a b}';
    const services = [
      `a unix n - n - - smtpd ${options}`,
      'out unix - - n - - smtp -o soft_bounce=no flags=DORX',
      'lmtp unix - - n - - lmtp {flags=D}',
      `p unix - n n - - pipe -v ${command}`,
      `s unix - n n - - spawn ${command}`,
    ];
    assert.deepEqual(said('', `${services.join('\n')}\n`), []);
    assert.deepEqual(splitOverrides(['-vo', 'a=b', '-oc=d', '{ -o e=f g }', '-m', '3', 'h', '-o', 'i=j']), {
      overrides: new Map([
        ['a', 'b'],
        ['c', 'd'],
        ['e', 'f g'],
      ]),
      args: ['h', '-o', 'i=j'],
    });
  });

  it('is shown in columns, where a long name takes the blanks of the next ones', () => {
    const shown = (text: string): string => {
      const entry = entryOf(text);
      return 'problem' in entry ? entry.problem : formatFields(entry);
    };
    assert.equal(shown('smtp inet n - n - - smtpd'), 'smtp       inet  n       -       n       -       -       smtpd');
    assert.equal(
      shown('127.0.0.1:10587 inet n - n - - smtpd'),
      '127.0.0.1:10587 inet n   -       n       -       -       smtpd',
    );
  });
});

describe('a program of master.cf', () => {
  it('is one of Postfix, which a script around it is not', () => {
    assert.deepEqual(said('', 'smtp unix - - n - - smtp_socks\nqmqp inet n - n - - qmqpd\n'), [
      'master.cf, line 2: service smtp/unix: unknown program "smtp_socks"; a script around one of Postfix\'s programs is not run: name the program itself, or comment out the service',
      'master.cf, line 3: service qmqp/inet: QMQP is not in this version; remove or comment out the service',
    ]);
  });
});
