import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serviceProblem } from '#smtpd';
import { withBench } from './bench.ts';

const problemOf = async (mainCf: string): Promise<ReturnType<typeof serviceProblem>> => {
  let problem: ReturnType<typeof serviceProblem>;
  await withBench(mainCf, async ({ settings }) => {
    problem = serviceProblem(settings);
  });
  return problem;
};

const openRelay =
  'in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working instance of: ' +
  'reject_unauth_destination, defer_unauth_destination, reject, defer, defer_if_permit or check_relay_domains';

describe('settings that nobody can be served with', () => {
  it('are lists that refuse nobody', async () => {
    assert.deepEqual(await problemOf(''), { warnings: [], fatal: openRelay });
    assert.deepEqual(await problemOf('smtpd_recipient_restrictions = warn_if_reject reject'), {
      warnings: [],
      fatal: openRelay,
    });
    assert.deepEqual(await problemOf('smtpd_relay_restrictions = permit, reject'), {
      warnings: ["restriction `reject' after `permit' is ignored"],
      fatal: openRelay,
    });
  });

  it('are not lists that refuse, in a class or at once', async () => {
    assert.equal(await problemOf('smtpd_relay_restrictions = permit_mynetworks, defer_unauth_destination'), undefined);
    assert.equal(
      await problemOf('smtpd_restriction_classes = one\none = two, reject\nsmtpd_recipient_restrictions = one'),
      undefined,
    );
  });

  it('do not go by capitals, but in the names of classes', async () => {
    const serves = async (list: string): Promise<boolean> =>
      (await problemOf(`smtpd_relay_restrictions = ${list}`)) === undefined;
    assert.equal(await serves('Permit_MyNetworks, Reject_Unauth_Destination'), true);
    assert.equal(await serves('Warn_If_Reject REJECT'), false);
    assert.equal(await serves('PERMIT, reject'), false);
    assert.equal(await serves('One\nsmtpd_restriction_classes = one\none = reject'), false);
  });

  it('are classes without a definition, and words that mean nothing', async () => {
    const fatal = async (mainCf: string): Promise<string | undefined> =>
      (await problemOf(`smtpd_relay_restrictions = reject\n${mainCf}`))?.fatal;
    assert.equal(await fatal('smtpd_restriction_classes = one'), "restriction class `one' needs a definition");
    assert.equal(
      await fatal('reject_tempfail_action = later'),
      'bad configuration: unknown_helo_hostname_tempfail_action = later',
    );
  });
});
