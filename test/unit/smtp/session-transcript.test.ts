import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type SessionNotice, SessionTranscript } from '#smtp';

function told(classes: readonly string[], commands: number): readonly SessionNotice[] {
  const notices: SessionNotice[] = [];
  const transcript = new SessionTranscript({
    peer: () => 'client[192.0.2.1]',
    classes: new Set(classes),
    notify: (notice) => notices.push(notice),
  });
  for (let at = 1; at <= commands; at += 1) {
    transcript.heard(`HELP ${at}`);
    transcript.said('214 2.0.0 Commands');
  }
  transcript.note('protocol');
  transcript.reset(0);
  return notices;
}

it('of a session that is too long its beginning and its end are told', () => {
  const [notice] = told(['protocol'], 100_000);
  const lines = notice?.lines ?? [];
  assert.equal(lines[0], 'In:  HELP 1');
  assert.deepEqual(lines.slice(-2), ['In:  HELP 100000', 'Out: 214 2.0.0 Commands']);
  assert.ok(lines.join('\n').length < 250_000);
  const mark = lines.findIndex((line) => line.endsWith('lines are left out here)'));
  const leftOut = Number(/\d+/.exec(lines[mark] ?? '')?.[0]);
  assert.equal(lines.length - 3 + leftOut, 200_000);
});

it('a transcript of a message to a thousand recipients is whole', () => {
  const [notice] = told(['protocol'], 1000);
  assert.equal(notice?.lines.length, 2000);
});

it('nothing is told where no class is asked for', () => {
  assert.deepEqual(told([], 10), []);
});
