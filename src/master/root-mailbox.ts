/**
 * Where mail may be written as root, and which files root's aliases may include: known to the supervisor, so that the
 * mail process, which asks, decides nothing.
 */
import type { Settings } from '#config';
import { getUserByName } from '#native';

export interface RootMailbox {
  readonly mailboxes: readonly string[];
  /** The directory of users' mailbox files; '' where they are elsewhere. */
  readonly spool: string;
  readonly home: string;
  /** Texts in which aliases are written. */
  readonly aliasFiles: readonly string[];
}

/** The mailbox of uid 0 as local(8) would name it; undefined where there is no such user. */
export function rootMailbox(settings: Settings): RootMailbox | undefined {
  const root = getUserByName('root');
  if (root?.uid !== 0) return undefined;
  const box = settings.string('home_mailbox');
  const spool = settings.string('mail_spool_directory');
  const path = box === '' ? `${spool}${spool.endsWith('/') ? '' : '/'}${root.name}` : `${root.home}/${box}`;
  const files = box === '' && !spool.endsWith('/') ? spool : '';
  return { mailboxes: [path.replace(/\/$/, '')], spool: files, home: root.home, aliasFiles: aliasFiles(settings) };
}

/** Sources of alias_maps; what stands in main.cf itself (`inline:`) counts too. */
function aliasFiles(settings: Settings): readonly string[] {
  const sources = settings
    .elements('alias_maps')
    .flatMap(({ text }) => /^(?:proxy:)?[a-z]+:(\/.*)$/.exec(text)?.[1] ?? []);
  return [...sources, `${settings.string('config_directory')}/main.cf`];
}
