import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openSettings } from '#config';
import { runTls } from '../../../src/cli/postfix-tls.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe('postfix tls', { skip: hasOpenssl ? false : 'needs openssl(1)' }, () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'postfix-tls-'));
    writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\n');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  interface Ran {
    readonly status: number;
    readonly said: readonly string[];
    readonly output: string;
  }
  function tls(...words: readonly string[]): Ran {
    const said: string[] = [];
    let output = '';
    const io = {
      stdout: (text: string | Uint8Array) => void (output += String(text)),
      stderr: () => assert.fail(),
      stdin: (async function* (): AsyncGenerator<Buffer> {})(),
      env: {},
      uid: 0,
    };
    const { settings } = openSettings(directory);
    const say = (text: string, severity = 'info'): void =>
      void said.push(severity === 'info' ? text : `${severity}: ${text}`);
    return { status: runTls(words, { io, directory, settings, say }), said, output };
  }
  const main = (): string => readFileSync(join(directory, 'main.cf'), 'utf8');
  const files = (prefix: string): readonly string[] =>
    readdirSync(directory).flatMap((name) => (name.startsWith(prefix) ? [join(directory, name)] : []));

  it('turns TLS on in a client that has nothing of its own about it, once', () => {
    assert.equal(tls('all-default-client').status, 0);
    assert.equal(tls('enable-client').status, 0);
    assert.match(main(), /^smtp_tls_security_level = may\nsmtp_tls_loglevel = 1\n/m);
    assert.equal(tls('all-default-client').status, 1);
    const again = tls('enable-client');
    assert.deepEqual(
      [again.status, again.said[0]],
      [1, '*** Non-default SMTP client TLS settings detected, no changes made.'],
    );
  });

  it('gives the server a key that only root reads, and a certificate for its names', () => {
    assert.equal(tls('enable-server', '-a', 'ecdsa', 'a.example', 'b.example').status, 0);
    const [key = ''] = files('eckey-');
    const [certificate = ''] = files('eccert-');
    assert.ok(main().includes(`smtpd_tls_eccert_file = ${certificate}\nsmtpd_tls_eckey_file = ${key}\n`), main());
    assert.deepEqual([statSync(key).mode & 0o777, statSync(certificate).mode & 0o777], [0o600, 0o644]);
    const read = new X509Certificate(readFileSync(certificate));
    assert.deepEqual([read.subject, read.subjectAltName], ['CN=a.example', 'DNS:a.example, DNS:b.example']);
    const tlsa = tls('output-server-tlsa', '-h', 'mx.example').output;
    assert.match(tlsa, /^; \S+eckey-\S+\n_25\._tcp\.mx\.example\. IN TLSA 3 1 1 [0-9A-F]{64}\n$/);
    assert.match(tls('output-server-csr', '-k', 'ecdsa').output, /^-----BEGIN CERTIFICATE REQUEST-----\n/);
  });

  it('deploys a certificate with its key only', () => {
    tls('new-server-key', '-a', 'ecdsa');
    const [key = ''] = files('eckey-');
    const [certificate = ''] = files('eccert-');
    const other = join(directory, 'other.pem');
    writeFileSync(other, spawnSync('openssl', ['genrsa', '2048']).stdout);
    const refused = tls('deploy-server-cert', certificate, other);
    assert.deepEqual(refused.said, [`fatal: Certificate in ${certificate} does not match key in ${other}`]);
    assert.equal(main(), 'myhostname = mail.example.com\n');
    assert.equal(tls('deploy-server-cert', certificate, key).status, 0);
    assert.match(main(), /smtpd_tls_eccert_file = /);
  });

  it('says what is wrong with the command line', () => {
    assert.deepEqual(tls('deploy-server-cert').said, ['fatal: usage: postfix tls deploy-server-cert certfile keyfile']);
    assert.deepEqual(tls('new-server-key', '-a', 'foo').said, ['fatal: Unsupported private key algorithm: foo']);
    assert.equal(tls('foo').said[0], "error: unknown tls command: 'foo'");
    assert.deepEqual(tls('output-server-csr').said, ['fatal: No usable keyfile specified or configured']);
  });
});
