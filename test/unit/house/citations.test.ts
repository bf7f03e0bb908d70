import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { allParameters } from '../../../src/config/parameters/index.ts';
import { commentsOf, lostCitations, readSources } from './citations.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folders = ['src', 'test', 'lint', 'docs', 'bench', 'scripts', 'bin', 'conf'];
const parameters = new Set(allParameters.map(([name]) => name));
const sources = readSources(root, folders, parameters);

describe('citations in comments', () => {
  it('lead somewhere', () => {
    const lost = [...sources.files]
      .filter((path) => path.endsWith('.ts') && !path.startsWith('test/unit/house/citations'))
      .flatMap((path) => lostCitations(path, readFileSync(join(root, path), 'utf8'), sources));
    assert.deepEqual(lost, []);
  });

  it('that lead nowhere are found, over ends of lines, too', () => {
    const text = `/**
 * One thing (architecture, section 5). docs/nosuch.md; ARCHITECTURE.md, "The
 * queue"; ARCHITECTURE.md, "Nothing"
 */
const a = 'inventory a.1'; // inventory, b.2
// postconf(5) smtpd_delay_reject, postconf(5) smtpd_nosuch_thing, #cleanup/submission.ts, resubmit.ts
`;
    assert.deepEqual(lostCitations('src/cleanup/x.ts', text, sources), [
      'src/cleanup/x.ts: docs/nosuch.md',
      'src/cleanup/x.ts: ARCHITECTURE.md, "Nothing"',
      'src/cleanup/x.ts: architecture, section 5',
      'src/cleanup/x.ts: inventory, b.2',
      'src/cleanup/x.ts: postconf(5) smtpd_nosuch_thing',
    ]);
  });

  it('are looked for in each comment', () => {
    assert.deepEqual(commentsOf('/** a */\nb(); // c\n  // d\nconst e = "http://f";'), ['/** a */', '// c', '// d']);
  });
});
