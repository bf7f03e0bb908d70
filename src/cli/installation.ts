/** Where this program is installed: seen from here, and as well from where scripts/compile.sh puts its code. */
import { join } from 'node:path';

export const installation = join(import.meta.dirname, '../..');
