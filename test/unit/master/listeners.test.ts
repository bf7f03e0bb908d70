import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Configuration, ConfigError, loadConfiguration } from '#config';
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

  function configured(ports: readonly number[]): Configuration {
    writeFileSync(
      join(directory, 'master.cf'),
      ports.map((port) => `127.0.0.1:${port} inet n - n - - smtpd\n`).join(''),
    );
    return loadConfiguration(directory);
  }

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
});
