/** The command's arguments, with `$name` filled in; those about recipients are repeated for each. pipe(8) */
import { splitAddress, splitExtension, toExternal } from '#address';
import type { DeliveryRequest, RequestRecipient } from '#message';
import type { PipeSettings } from './settings.ts';

const recipientNames: ReadonlySet<string> = new Set([
  'recipient',
  'original_recipient',
  'user',
  'extension',
  'mailbox',
  'domain',
]);
const reference = /\$(?:\$|\{(\w+)\}|\((\w+)\)|(\w+))/g;

/** An address as the flags want it: local part folded or quoted, domain folded. */
function shaped(address: string, { flags }: PipeSettings): string {
  const { localPart, domain } = splitAddress(address);
  const local = flags.has('u') ? localPart.toLowerCase() : localPart;
  const host = flags.has('h') ? domain.toLowerCase() : domain;
  const whole = host === '' ? local : `${local}@${host}`;
  return flags.has('q') ? toExternal(whole) : whole;
}

function messageValues(request: DeliveryRequest, settings: PipeSettings): ReadonlyMap<string, string> {
  const { client, sasl, sender, envid } = request.envelope;
  const { flags, nullSender } = settings;
  return new Map([
    // senders are quoted, never folded
    ['sender', sender === '' ? nullSender : flags.has('q') ? toExternal(sender) : sender],
    ['nexthop', flags.has('h') ? request.nexthop.toLowerCase() : request.nexthop],
    ['queue_id', request.queueId],
    ['size', String(request.sizeBytes)],
    ['envid', envid],
    ['client_address', client.address],
    ['client_helo', client.heloName],
    ['client_hostname', client.name],
    ['client_port', client.port],
    ['client_protocol', client.protocol],
    ['sasl_method', sasl?.method ?? ''],
    ['sasl_sender', sasl?.sender ?? ''],
    ['sasl_username', sasl?.username ?? ''],
  ]);
}

function recipientValues(recipient: RequestRecipient, settings: PipeSettings): ReadonlyMap<string, string> {
  const address = shaped(recipient.address, {
    ...settings,
    flags: new Set([...settings.flags].filter((f) => f !== 'q')),
  });
  const { localPart, domain } = splitAddress(address);
  const { user, extension } = splitExtension(localPart, settings.delimiters, settings.split);
  return new Map([
    ['recipient', shaped(recipient.address, settings)],
    ['original_recipient', shaped(recipient.original, settings)],
    ['user', user],
    ['extension', extension],
    ['mailbox', localPart],
    ['domain', domain],
  ]);
}

function fill(template: string, values: ReadonlyMap<string, string>): string {
  return template.replaceAll(reference, (whole, braced?: string, round?: string, plain?: string) =>
    whole === '$$' ? '$' : (values.get(braced ?? round ?? plain ?? '') ?? ''),
  );
}

const namesIn = (template: string): readonly string[] =>
  [...template.matchAll(reference)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');

export function commandArguments(request: DeliveryRequest, settings: PipeSettings): readonly string[] {
  const common = messageValues(request, settings);
  return settings.argv.flatMap((template) => {
    if (!namesIn(template).some((name) => recipientNames.has(name))) return [fill(template, common)];
    return request.recipients.map((recipient) =>
      fill(template, new Map([...common, ...recipientValues(recipient, settings)])),
    );
  });
}
