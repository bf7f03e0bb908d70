import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { biffPort, createBiff } from '../../../../src/delivery/local/biff.ts';

describe('the notice of new mail', () => {
  it('says whose mailbox it is and where the message begins, ended by a null', async () => {
    const comsat = createSocket('udp4');
    const heard = new Promise<string>((resolve) =>
      comsat.once('message', (bytes) => resolve(bytes.toString('latin1'))),
    );
    await new Promise<void>((resolve) => comsat.bind(0, '127.0.0.1', resolve));
    const biff = createBiff(comsat.address().port);
    biff.tell('alice', 396);
    assert.equal(await heard, 'alice@396\0');
    biff.close();
    comsat.close();
  });

  it('goes to the port of services(5), or the standard one', () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-biff-'));
    writeFileSync(join(directory, 'services'), 'exec\t512/tcp\nbiff\t\t1512/udp\tcomsat\n');
    assert.equal(biffPort(join(directory, 'services')), 1512);
    assert.equal(biffPort(join(directory, 'missing')), 512);
    rmSync(directory, { recursive: true });
  });
});
