import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unknownRestrictions } from '../../../../src/smtpd/restrictions/program.ts';

const read = (text: string): readonly string[] =>
  unknownRestrictions(
    text.split(/[\s,]+/).map((word) => ({ text: word, origin: { file: 'main.cf', line: 1 } })),
    ['my_class'],
  ).map(({ element, nearest }) => `${element.text} -> ${nearest ?? ''}`);

describe('names of restrictions that there are not', () => {
  it('are found with the nearest one', () => {
    assert.deepEqual(read('permit_mynetwork, rejekt_unauth_destination, qqqq, constructor'), [
      'permit_mynetwork -> permit_mynetworks',
      'rejekt_unauth_destination -> reject_unauth_destination',
      'qqqq -> ',
      'constructor -> ',
    ]);
  });

  it('are not arguments, tables, classes, modifiers, old names or names in capitals', () => {
    const lists = [
      'check_client_access hash:/x, reject_rbl_client bl.example, sleep 3',
      'hash:/y, my_class, warn_if_reject reject',
      'reject_unknown_client, check_relay_domains, Reject_Unauth_Destination',
    ];
    for (const list of lists) assert.deepEqual(read(list), [], list);
  });
});
