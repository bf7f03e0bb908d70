/** Why a flush is refused while nobody is there to refuse it: first what would be refused anyway. postqueue(1) */
import type { Settings } from '#config';

const isDown = 'Cannot flush mail queue - mail system is down';

const refusal = (text: string): { readonly text: string; readonly isDown: boolean } => ({
  text,
  isDown: text === isDown,
});

/** `site`: of -s; undefined for other flushes. */
export async function refusalWhileDown(
  uid: number,
  site: string | undefined,
  settings: Settings,
): Promise<{ readonly text: string; readonly isDown: boolean }> {
  const { refusedUser, TableOpener } = await import('#tables');
  const configDirectory = settings.string('config_directory');
  const tables = new TableOpener({ settings, configDirectory, warn: () => undefined });
  try {
    const refused = await refusedUser('authorized_flush_users', uid, settings, tables);
    if (refused !== undefined) return refusal(`User ${refused} is not allowed to flush the mail queue`);
    if (site === undefined) return refusal(isDown);
    const name = 'fast_flush_domains';
    const answer = await tables.matchList(name, 'domain', settings.elements(name)).matches(site);
    return refusal(answer === 'no' ? `Flush service is not configured for destination "${site}"` : isDown);
  } finally {
    tables.closeAll();
  }
}
