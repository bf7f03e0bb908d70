/** What a client is told whom a DNS list knows. postconf(5) rbl_reply_maps, default_rbl_reply */
import { expandValue } from '#config';
import { cleanMacro } from '#smtp';
import { replyMacro, unknownMacro } from '../reply-macros.ts';
import { configurationError, type Decision, type Evaluation, type Toolbox } from './restriction.ts';
import { codeFor } from './subjects.ts';

/** What was looked up, and the words for it. */
export interface Listed {
  readonly what: string;
  readonly replyClass: string;
}

export interface Hit {
  /** As written, with its filter, and without. */
  readonly list: { readonly text: string; readonly domain: string };
  readonly listed: Listed;
  readonly reason: string;
}

/** A template with its macros; undefined, after a warning, when it can't be read. */
function expand(template: string, evaluation: Evaluation, { compiled }: Toolbox, hit: Hit): string | undefined {
  const { list, listed, reason } = hit;
  const { code, filter, myhostname } = compiled.dnsListReply;
  const own = new Map([
    ['rbl_code', String(code)],
    ['rbl_domain', list.domain],
    ['rbl_reason', reason],
    ['rbl_txt', reason],
    ['rbl_what', listed.what],
    ['rbl_class', listed.replyClass],
  ]);
  const facts = { ...evaluation.facts, myhostname, at: Date.now() };
  const expansion = expandValue(template, (name) => {
    const value = own.get(name) ?? replyMacro(name, facts);
    if (value === undefined) evaluation.warn(unknownMacro(name));
    return value === undefined ? undefined : cleanMacro(value, filter);
  });
  if (expansion.kind === 'ok') return expansion.undefinedNames.length === 0 ? expansion.text : undefined;
  evaluation.warn(expansion.reason);
  return undefined;
}

export async function refuseListed(evaluation: Evaluation, toolbox: Toolbox, hit: Hit): Promise<Decision> {
  const { standard } = toolbox.compiled.dnsListReply;
  const found = await toolbox.replyMaps.lookup(hit.list.text);
  if (found.kind === 'failed') return configurationError;
  const own = found.kind === 'found' ? found.value : undefined;
  const said = own === undefined ? undefined : expand(own, evaluation, toolbox, hit);
  if (own !== undefined && said === undefined)
    evaluation.warn(`rbl_reject_reply: bad rbl reply template for domain ${hit.list.text}: ${own}`);
  const text = said ?? expand(standard, evaluation, toolbox, hit);
  if (text === undefined)
    return { kind: 'abandon', fatal: `rbl_reject_reply: bad default rbl reply template: ${standard}` };
  return asRefusal(text, evaluation, hit.listed);
}

/** `554 5.7.1 Service unavailable; …`, its two codes made to agree. */
function asRefusal(text: string, { warn, note }: Evaluation, { replyClass, what }: Listed): Decision {
  const [, code, dsn, words = ''] = /^([45]\d\d) (?:\s*([245]\.\d{1,3}\.\d{1,3})(?!\S))?\s*([^]*)$/.exec(text) ?? [];
  if (code === undefined) {
    warn(`rbl response code configuration error: ${text}`);
    return { kind: 'reject', code: 450, dsn: '4.7.1', text: 'Service unavailable' };
  }
  return {
    kind: 'reject',
    code: Number(code),
    dsn: codeFor(dsn ?? '4.7.1', { replyClass, datum: what }, note),
    text: words === '' ? 'Service unavailable' : words,
  };
}
