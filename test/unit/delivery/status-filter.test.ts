import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import { openStatusFilter, type StatusFilter } from '#delivery';
import { type MailEvent, renderPostfixText } from '#events';
import { TableOpener } from '#tables';

describe('a delivery status filter', () => {
  let directory = '';
  const log: string[] = [];
  const open = (table: string): StatusFilter | undefined => {
    writeFileSync(join(directory, 'main.cf'), `compatibility_level = 3.6\nlocal_delivery_status_filter = ${table}\n`);
    const { settings } = openSettings(directory);
    const warn = (text: string): number => log.push(text);
    return openStatusFilter('local_delivery_status_filter', {
      tables: new TableOpener({ settings, configDirectory: directory, warn }),
      events: { emit: (event: MailEvent) => void log.push(renderPostfixText(event)) },
    });
  };
  const failed = { code: '5.1.1', reason: 'unknown user', diagnostic: { type: 'x-unix', text: 'as it was' } };
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'filter-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('is none where the parameter is empty', () => assert.equal(open(''), undefined));

  it('makes a failure soft or hard, and keeps what the system had said', async () => {
    const filter = open('regexp:{{/^5[.]1[.]1 unknown user/ 4.7.9 not now}}');
    assert.deepEqual(await filter?.apply('bounced', failed), {
      kind: 'deferred',
      status: { ...failed, code: '4.7.9', reason: 'not now' },
    });
    assert.deepEqual(await filter?.apply('bounced', { code: '5.2.0', reason: 'other' }), {
      kind: 'bounced',
      status: { code: '5.2.0', reason: 'other' },
    });
  });

  it('makes no success of a failure, and says so', async () => {
    const filter = open('regexp:{{/^5[.]1[.]1 unknown user/ 2.0.0 fine}}');
    assert.deepEqual(await filter?.apply('bounced', failed), { kind: 'bounced', status: failed });
    assert.deepEqual(log.splice(0), ['warning: local_delivery_status_filter: bad status code: 2.0.0 fine']);
  });
});
