import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSettings, type PortOf, tcpPorts } from '#config';

function portsOf(main: string): PortOf {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-ports-'));
  try {
    writeFileSync(join(directory, 'main.cf'), main);
    return tcpPorts(openSettings(directory).settings);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the port of a service', () => {
  it('has the names that main.cf gives it, several for one port too', () => {
    const portOf = portsOf('known_tcp_ports = mine = other = 2999, smtp=2525\n');
    assert.deepEqual(['mine', 'other', 'smtp'].map(portOf), [2999, 2999, 2525]);
    assert.deepEqual(['smtps', 'submissions', 'lmtp'].map(portsOf('')), [465, 465, 24]);
  });

  it('may be a number', () => {
    assert.deepEqual(['25', '0', '65535', '65536'].map(portsOf('')), [25, 0, 65_535, undefined]);
  });

  it('is nothing for a name that nobody knows', () => {
    assert.equal(portsOf('known_tcp_ports =\n')('no-such-service'), undefined);
  });
});
