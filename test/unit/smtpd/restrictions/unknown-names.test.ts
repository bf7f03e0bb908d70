import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultyRestrictions } from '../../../../src/smtpd/restrictions/program.ts';

const read = (text: string): readonly string[] =>
  faultyRestrictions(
    text.split(/[\s,]+/).map((word) => ({ text: word, origin: { file: 'main.cf', line: 1 } })),
    ['my_class'],
  ).map(({ problem, isSkipped }) => `${problem}${isSkipped ? ' (skipped)' : ''}`);

describe('restrictions that cannot work', () => {
  it('are found with the nearest one', () => {
    assert.deepEqual(read('permit_mynetwork, rejekt_unauth_destination, qqqq, constructor'), [
      'unknown restriction "permit_mynetwork"; did you mean "permit_mynetworks"?',
      'unknown restriction "rejekt_unauth_destination"; did you mean "reject_unauth_destination"?',
      'unknown restriction "qqqq"',
      'unknown restriction "constructor"',
    ]);
  });

  it('are told of where an argument is missing, or a name has gone', () => {
    const needsTable = 'need maptype:mapname';
    assert.deepEqual(read('check_sender_access /etc/x, check_relay_domains, reject_rbl_client'), [
      `restriction check_sender_access: bad argument "/etc/x": ${needsTable}`,
      'support for restriction "check_relay_domains" has been removed in Postfix 3.9; instead, specify "reject_unauth_destination"',
      'restriction reject_rbl_client requires domain name argument (skipped)',
    ]);
  });

  it('are not arguments, tables, classes, modifiers, old names or names in capitals', () => {
    const lists = [
      'check_client_access hash:/x, reject_rbl_client bl.example, sleep 3',
      'hash:/y, my_class, warn_if_reject reject',
      'reject_unknown_client, Reject_Unauth_Destination',
    ];
    for (const list of lists) assert.deepEqual(read(list), [], list);
  });
});
