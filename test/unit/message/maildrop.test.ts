import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatMaildropEnvelope, type MaildropEnvelope, parseMaildropEnvelope } from '#message';
import { plainEnvelope as envelope } from './maildrop-envelope.ts';

describe('the envelope of a maildrop file', () => {
  it('is read as it was written', () => {
    const lists: readonly MaildropEnvelope['recipients'][] = [
      [],
      [{ address: 'b', notify: ['never'], dsnOriginal: '' }],
      [
        { address: 'b', notify: ['success', 'delay'], dsnOriginal: '' },
        { address: 'c', notify: ['success', 'delay'], dsnOriginal: '' },
      ],
      [
        { address: 'b', notify: ['never'], dsnOriginal: '' },
        { address: 'c', notify: [], dsnOriginal: 'rfc822;o' },
      ],
    ];
    for (const recipients of lists) {
      const line = formatMaildropEnvelope({ ...envelope, recipients });
      assert.deepEqual(parseMaildropEnvelope(line)?.recipients, recipients);
    }
  });

  it('may be of a sendmail that knew one NOTIFY for all', () => {
    const line = '{"format":1,"createdAt":0,"sender":"a","recipients":["b","c"],"notify":["delay","never"]}';
    const notify = ['never', 'delay'];
    assert.deepEqual(parseMaildropEnvelope(line)?.recipients, [
      { address: 'b', notify, dsnOriginal: '' },
      { address: 'c', notify, dsnOriginal: '' },
    ]);
  });

  it('asks for nothing in words that make no sense', () => {
    const dsn = '[{"notify":["x"],"original":"no type"},null,{"notify":"never","original":"rfc822;o\\np"}]';
    const line = `{"format":1,"createdAt":0,"sender":"a","recipients":["b","c","d","e"],"dsn":${dsn}}`;
    assert.deepEqual(
      parseMaildropEnvelope(line)?.recipients.map(({ dsnOriginal, notify }) => [dsnOriginal, ...notify]),
      [[''], [''], ['rfc822;o p'], ['']],
    );
    for (const other of ['', 'null', '[]', '{}', '7']) assert.equal(parseMaildropEnvelope(other), undefined);
  });
});
