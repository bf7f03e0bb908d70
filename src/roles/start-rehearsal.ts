/**
 * Whether a start would be refused: everything is put together as for a start, with a queue of its own, and nothing of it
 * begins to work. `postfix check`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Configuration, ConfigError } from '#config';
import { createLocalPool } from '#delivery';
import { EventLog } from '#events';
import { tryToSupervise } from '#master';
import { openStore } from '#store';
import { openMailServers } from './mail-servers.ts';
import { openMessageCore } from './message-core.ts';
import { createServiceTools } from './service-tools.ts';
import { readTlsFiles } from './tls-services.ts';

/** The services of the mail process. Throws ConfigError. */
async function tryToServe(configuration: Configuration): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-check-'));
  let store: Awaited<ReturnType<typeof openStore>> | undefined;
  try {
    store = await openStore({ directory, longQueueIds: false, warn: () => undefined });
    // what is only worth a warning is said by others
    const tools = createServiceTools(configuration, new EventLog([]));
    const deliverers = createLocalPool(process.getuid?.() ?? 0);
    const core = openMessageCore(tools, { store, deliverers });
    await openMailServers(tools, core, readTlsFiles(configuration));
    for (const agent of core.agents.values()) await agent.close?.();
    core.verifier?.close();
  } finally {
    await store?.close();
    await rm(directory, { recursive: true });
  }
}

/** Why a start would be refused, one line each; none when it would not be. */
export async function startRefusals(configuration: Configuration): Promise<readonly string[]> {
  // both may meet the same: addresses to listen at, for example
  const found = new Set<string>();
  for (const attempt of [tryToSupervise, tryToServe]) {
    try {
      await attempt(configuration);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) found.add(problem);
    }
  }
  return [...found];
}
