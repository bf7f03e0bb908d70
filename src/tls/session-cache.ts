/** Sessions that clients may go on with by their number. postconf(5) smtpd_tls_session_cache_database */
import type { Server } from 'node:tls';

/** The oldest give way. */
const maxSessions = 5000;

/** Keeps the sessions of a server in memory: whatever file Postfix would keep them in, they end with the process. */
export function keepSessions(server: Server, ttlMs: number, now: () => number): void {
  const sessions = new Map<string, { readonly data: Buffer; readonly expiresAt: number }>();
  server.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
    const [oldest] = sessions.keys();
    if (sessions.size >= maxSessions && oldest !== undefined) sessions.delete(oldest);
    sessions.set(id.toString('latin1'), { data, expiresAt: now() + ttlMs });
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: Error | null, data: Buffer | null) => void) => {
    const found = sessions.get(id.toString('latin1'));
    done(null, found !== undefined && found.expiresAt > now() ? found.data : null);
  });
}
