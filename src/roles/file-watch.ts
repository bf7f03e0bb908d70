/** Files that are read once: tells when one of them is another. */
import { statSync } from 'node:fs';

export interface FileWatch {
  /** The files as they are named now. */
  readonly paths: () => readonly string[];
  readonly intervalMs: number;
  readonly onChange: () => void;
}

function versionOf(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    // one that is gone for a moment is being replaced
    return '';
  }
}

/**
 * Looks at the files again and again; a change counts when the next look finds the same, so that nothing half-written
 * is read. Other files than before are no change. Does not keep the process alive.
 */
export function watchFiles({ paths, intervalMs, onChange }: FileWatch): { stop(): void } {
  const look = (): ReadonlyMap<string, string> => new Map(paths().map((path) => [path, versionOf(path)]));
  const text = (versions: ReadonlyMap<string, string>): string => JSON.stringify([...versions]);
  let known = look();
  let last = known;
  const timer = setInterval(() => {
    const now = look();
    const rests = text(now) === text(last);
    last = now;
    if (!rests || text(now) === text(known)) return;
    const isChanged = [...now].some(([path, version]) => version !== '' && (known.get(path) ?? version) !== version);
    known = now;
    if (isChanged) onChange();
  }, intervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
