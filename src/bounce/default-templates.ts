/** The texts of notices where bounce_template_file has none. bounce(5) */

const GREETING = 'This is the mail system at host $myhostname.\n\n';
const ADVICE = `For further assistance, please send mail to postmaster.

If you do so, please include this problem report. You can
delete your own text from the attached returned message.
`;
const SIGNATURE = '\n                   The mail system\n';

/** From: of a notice, by header_from_format. */
export const mailerDaemon = {
  standard: 'Mail Delivery System <MAILER-DAEMON>',
  obsolete: 'MAILER-DAEMON (Mail Delivery System)',
} as const;

const linesOf = (text: string): readonly string[] => text.replace(/\n$/, '').split('\n');

export const defaultTemplates = {
  failure: {
    subject: 'Undelivered Mail Returned to Sender',
    postmasterSubject: 'Postmaster Copy: Undelivered Mail',
    body: linesOf(`${GREETING}I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

${ADVICE}${SIGNATURE}`),
  },
  delay: {
    subject: 'Delayed Mail (still being retried)',
    postmasterSubject: 'Postmaster Warning: Delayed Mail',
    body: linesOf(`${GREETING}####################################################################
# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #
####################################################################

Your message could not be delivered for more than $delay_warning_time_hours hour(s).
It will be retried until it is $maximal_queue_lifetime_days day(s) old.

${ADVICE}${SIGNATURE}`),
  },
  success: {
    subject: 'Successful Mail Delivery Report',
    body: linesOf(`${GREETING}Your message was successfully delivered to the destination(s)
listed below. If the message was delivered to mailbox you will
receive no further notifications. Otherwise you may still receive
notifications of mail delivery errors from other systems.
${SIGNATURE}`),
  },
  verify: {
    subject: 'Mail Delivery Status Report',
    body: linesOf(`${GREETING}Enclosed is the mail delivery report that you requested.
${SIGNATURE}`),
  },
} as const;
