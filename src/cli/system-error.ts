/** What the system says when it refuses something. */
import { errnoText } from '#native';

/** As strerror(3) says it. Throws what is no error of the system. */
export function systemErrorText(error: unknown): string {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') throw error;
  return errnoText(error);
}
