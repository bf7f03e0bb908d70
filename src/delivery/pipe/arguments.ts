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
  // mail of this machine has no client worth telling of
  const isRemote = client.protocol !== '';
  return new Map([
    // senders are quoted, never folded
    ['sender', sender === '' ? nullSender : flags.has('q') ? toExternal(sender) : sender],
    ['nexthop', flags.has('h') ? request.nexthop.toLowerCase() : request.nexthop],
    ['queue_id', request.queueId],
    ['size', String(request.sizeBytes)],
    ['envid', envid],
    ['client_address', isRemote ? client.address : ''],
    ['client_helo', client.heloName],
    ['client_hostname', isRemote ? client.name : ''],
    ['client_port', isRemote ? client.port : ''],
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
  const { user, extension } = splitExtension(localPart, settings.split.recipientDelimiter, settings.split);
  return new Map([
    ['recipient', shaped(recipient.address, settings)],
    ['original_recipient', shaped(recipient.original, settings)],
    ['user', user],
    ['extension', extension],
    ['mailbox', localPart],
    ['domain', domain],
  ]);
}

type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'name'; readonly name: string };

/** `$name`, `${name}`, `$(name)` and `$$` in an argument; or what is wrong with it. */
function piecesOf(template: string): readonly Piece[] | string {
  const pieces: Piece[] = [];
  let at = 0;
  for (;;) {
    const dollar = template.indexOf('$', at);
    if (dollar < 0) return [...pieces, { kind: 'text', text: template.slice(at) }];
    pieces.push({ kind: 'text', text: template.slice(at, dollar) });
    const open = template.charAt(dollar + 1);
    if (open === '$') {
      pieces.push({ kind: 'text', text: '$' });
      at = dollar + 2;
      continue;
    }
    const isBraced = open === '{' || open === '(';
    const end = isBraced ? template.indexOf(open === '{' ? '}' : ')', dollar) : -1;
    if (isBraced && end < 0) return `truncated macro reference: "${template}"`;
    const plain = /^\w*/.exec(template.slice(dollar + 1))?.[0] ?? '';
    const name = isBraced ? template.slice(dollar + 2, end) : plain;
    if (name === '') return `empty macro name: "${template}"`;
    pieces.push({ kind: 'name', name });
    at = isBraced ? end + 1 : dollar + 1 + plain.length;
  }
}

const filled = (pieces: readonly Piece[], values: ReadonlyMap<string, string>): string =>
  pieces.map((piece) => (piece.kind === 'text' ? piece.text : (values.get(piece.name) ?? ''))).join('');

/** The arguments, or what is wrong with the command in master.cf. */
export function commandArguments(request: DeliveryRequest, settings: PipeSettings): readonly string[] | string {
  const common = messageValues(request, settings);
  const words: string[] = [];
  for (const template of settings.argv) {
    const pieces = piecesOf(template);
    if (typeof pieces === 'string') return pieces;
    const names = pieces.flatMap((piece) => (piece.kind === 'name' ? [piece.name] : []));
    const unknown = names.find((name) => !common.has(name) && !recipientNames.has(name));
    if (unknown !== undefined) {
      return `file ${settings.masterFile}: service ${settings.service}: unknown macro name: "${unknown}"`;
    }
    const isRepeated = names.some((name) => recipientNames.has(name));
    const sets = isRepeated
      ? request.recipients.map((recipient) => new Map([...common, ...recipientValues(recipient, settings)]))
      : [common];
    words.push(...sets.map((values) => filled(pieces, values)));
  }
  return words;
}
