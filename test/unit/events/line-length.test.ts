import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderPostfixText } from '#events';

describe('the text of a log line', () => {
  const warned = (text: string): string => renderPostfixText({ kind: 'warning', text });

  it('has at most 2000 bytes behind the word that says how grave it is', () => {
    assert.equal(warned('x'.repeat(2000)), `warning: ${'x'.repeat(2000)}`);
    assert.equal(warned('x'.repeat(2001)), `warning: ${'x'.repeat(2000)}`);
    assert.equal(renderPostfixText({ kind: 'note', text: 'x'.repeat(5000) }), 'x'.repeat(2000));
  });

  it('ends with a whole character', () => {
    assert.equal(warned(`x${'ä'.repeat(1500)}`), `warning: x${'ä'.repeat(999)}`);
  });
});
