/** check_policy_service: asks a server and does what it says. SMTPD_POLICY_README */
import { tcpPorts } from '#config';
import { isTrusted, type TlsFacts } from '#message';
import { encodeXtext } from '#smtp';
import { applyAction } from './access-actions.ts';
import { PolicyClient } from './policy-client.ts';
import { readPolicyServer } from './policy-options.ts';
import { configurationError, type Constructor, type Decision, type Evaluation, type Toolbox } from './restriction.ts';

const stageNames: Readonly<Record<Evaluation['stage'], string>> = {
  connect: 'CONNECT',
  helo: 'HELO',
  mail: 'MAIL',
  rcpt: 'RCPT',
  data: 'DATA',
  endOfData: 'END-OF-MESSAGE',
  vrfy: 'VRFY',
  etrn: 'ETRN',
};

/** Of a default action that asks a server again whose default action is asked for. */
const finalAction = '451 4.3.5 Server configuration problem';

function requestOf({ facts, stage }: Evaluation, toolbox: Toolbox, context: string): string {
  const { stress, compatibilityLevel, mailVersion } = toolbox.compiled.policyAttributes;
  // BDAT is asked about as DATA
  const state = stage === 'connect' || stage === 'helo' ? facts.command : stageNames[stage];
  const countsRecipients = stage === 'data' || stage === 'endOfData';
  const attributes: readonly (readonly [string, string | number])[] = [
    ['request', 'smtpd_access_policy'],
    ['protocol_state', state],
    ['protocol_name', facts.protocol],
    ['client_address', facts.client.address],
    ['client_name', facts.client.name],
    ['client_port', facts.client.port],
    ['reverse_client_name', facts.client.reverseName],
    ['server_address', facts.client.serverAddress],
    ['server_port', facts.client.serverPort],
    ['helo_name', facts.helo ?? ''],
    ['sender', facts.sender ?? ''],
    ['recipient', facts.recipient ?? ''],
    ['recipient_count', countsRecipients ? facts.recipientCount : 0],
    ['queue_id', facts.queueId],
    ['instance', facts.instance],
    ['size', facts.sizeBytes],
    ['etrn_domain', facts.etrnDomain ?? ''],
    ['stress', stress],
    ['sasl_method', facts.saslMethod ?? ''],
    ['sasl_username', facts.saslUsername],
    ['sasl_sender', facts.saslSender ?? ''],
    ...certificateAttributes(facts.tls),
    ['encryption_protocol', facts.tls?.protocol ?? ''],
    ['encryption_cipher', facts.tls?.cipher ?? ''],
    ['encryption_keysize', facts.tls?.keyBits ?? 0],
    ...(facts.tls === undefined ? [] : [['tls_sni', facts.tls.serverName] as const]),
    ['policy_context', context],
    ['compatibility_level', compatibilityLevel],
    ['mail_version', mailVersion],
  ];
  return `${attributes.map(([name, value]) => `${name}=${oneLine(String(value))}\n`).join('')}\n`;
}

/** A quoted local-part may hold a CR, what XCLIENT tells anything: neither may begin an attribute of its own. */
function oneLine(value: string): string {
  return value.replaceAll(/[\0\r\n]/g, '?');
}

/** Names only of a certificate that an authority vouches for: anybody can write them into his own. */
function certificateAttributes(tls: TlsFacts | undefined): readonly (readonly [string, string])[] {
  const peer = tls?.peer;
  const named = tls !== undefined && isTrusted(tls) ? peer : undefined;
  return [
    ['ccert_subject', encodeXtext(named?.commonName ?? '')],
    ['ccert_issuer', encodeXtext(named?.issuerName ?? '')],
    ['ccert_fingerprint', peer?.fingerprint ?? ''],
    ['ccert_pubkey_fingerprint', peer?.keyFingerprint ?? ''],
  ];
}

const check: Constructor = (toolbox, argument, program) => {
  const { settings } = toolbox;
  const options = readPolicyServer(argument, settings);
  if (typeof options === 'string') {
    return ({ warn }) => {
      warn(`check_policy_service: ${options}`);
      return configurationError;
    };
  }
  const { defaultAction, context } = options;
  const client = new PolicyClient(options, {
    queueDirectory: settings.string('queue_directory'),
    portOf: tcpPorts(settings),
  });
  return async (evaluation): Promise<Decision> => {
    const answer = await client.ask(requestOf(evaluation, toolbox, context), evaluation.warn);
    const isText = answer?.includes('\uFFFD') !== true;
    if (!isText) evaluation.warn(`malformed UTF-8 in policy server ${argument} response: "${answer}"`);
    const source = { place: argument, datum: 'policy query', program };
    if (answer !== undefined && isText) return applyAction(answer, evaluation, toolbox, source);
    const standard = applyAction(defaultAction, evaluation, toolbox, source);
    return standard.kind === 'list' && evaluation.depth > 1
      ? applyAction(finalAction, evaluation, toolbox, source)
      : standard;
  };
};

export const policyService: Readonly<Record<string, Constructor>> = { check_policy_service: check };
