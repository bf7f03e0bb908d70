import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Configuration, ConfigError, loadConfiguration } from '#config';
import { openListener } from '#native';
import { Listeners } from '../../../src/master/listeners.ts';

async function listenAnywhere(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

describe('listening sockets', () => {
  const directory = mkdtempSync(join(tmpdir(), 'listeners-'));
  let taken: Server;
  let free = 0;
  let takenPort = 0;

  function configuredAt(places: readonly string[]): Configuration {
    writeFileSync(join(directory, 'master.cf'), places.map((place) => `${place} inet n - n - - smtpd\n`).join(''));
    return loadConfiguration(directory);
  }
  const configured = (ports: readonly number[]): Configuration =>
    configuredAt(ports.map((port) => `127.0.0.1:${port}`));

  before(async () => {
    writeFileSync(join(directory, 'main.cf'), `queue_directory = ${directory}\ndata_directory = ${directory}\n`);
    const other = await listenAnywhere();
    free = other.port;
    await closed(other.server);
    ({ server: taken, port: takenPort } = await listenAnywhere());
  });
  after(async () => {
    if (taken.listening) await closed(taken);
    rmSync(directory, { recursive: true });
  });

  it('are closed again when another one can not be opened, and can be opened later', async () => {
    const listeners = new Listeners();
    const both = configured([free, takenPort]);
    await assert.rejects(listeners.open(both), ConfigError);
    await closed(taken);
    const opened = await listeners.open(both);
    assert.equal(opened.all.length, 2);
    opened.drop();
    (await listeners.open(both)).keep();
    const fewer = await listeners.open(configured([takenPort]));
    assert.equal(fewer.all.length, 1);
    fewer.keep();
    (await listeners.open(configured([]))).keep();
  });

  it('of one address stand beside those of all addresses, whichever comes first', async () => {
    const other = await listenAnywhere();
    await closed(other.server);
    for (const order of [
      [`0.0.0.0:${other.port}`, `127.0.0.3:${other.port}`],
      [`127.0.0.3:${other.port}`, `0.0.0.0:${other.port}`],
    ]) {
      const opened = await new Listeners().open(configuredAt(order));
      assert.equal(opened.all.length, 2);
      opened.drop();
    }
  });

  it('of all addresses can give way to one address over a reload', async () => {
    const other = await listenAnywhere();
    await closed(other.server);
    const listeners = new Listeners();
    (await listeners.open(configuredAt([`0.0.0.0:${other.port}`]))).keep();
    (await listeners.open(configuredAt([`127.0.0.3:${other.port}`]))).keep();
    (await listeners.open(configured([]))).keep();
  });

  it('share no port with another system, though Postfix would', async () => {
    const other = await listenAnywhere();
    await closed(other.server);
    const theirs = openListener('0.0.0.0', other.port, 1, true);
    assert.ok(theirs.kind === 'ok');
    const wanted = configuredAt([`127.0.0.3:${other.port}`, `0.0.0.0:${other.port}`]);
    await assert.rejects(new Listeners().open(wanted), /Address already in use/);
    closeSync(theirs.fd);
  });
});
