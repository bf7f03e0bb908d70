import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandText, readMasterText, withArguments } from '#config';

describe('an entry of master.cf', () => {
  it('gets braces around settings that have blanks once they are expanded', () => {
    const text = 'a inet n - n - - smtpd -o x=$list -o {y=$list}\n';
    const master = readMasterText('master.cf', text, () => assert.fail());
    assert.ok(typeof master !== 'string');
    const [placed] = master.entries;
    assert.ok(placed);
    const expanded = withArguments(placed.entry, (arg) => arg.replace('$list', 'one, two'));
    assert.equal(commandText(expanded), 'smtpd -o {x=one, two} -o {y=one, two}');
  });
});
