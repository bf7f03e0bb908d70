/** Sessions that clients may go on with by their number. postconf(5) smtpd_tls_session_cache_database */
import type { Server } from 'node:tls';
import { BoundedMemory } from '#message';

/** Sessions are kept in memory, whatever file Postfix would keep them in, and so end with the process. */
export const maxSessions = 5000;

/** Keeps the sessions of a server. */
export function keepSessions(server: Server, ttlMs: number, now: () => number): void {
  const sessions = new BoundedMemory<Buffer>({ ttlMs, maxEntries: maxSessions, now });
  server.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
    sessions.set(id.toString('latin1'), data);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: Error | null, data: Buffer | null) => void) => {
    done(null, sessions.get(id.toString('latin1')) ?? null);
  });
}
