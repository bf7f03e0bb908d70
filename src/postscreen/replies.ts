/** Replies of postscreen itself: soft_bounce and the footer. postconf(5) postscreen_reject_footer */
import { formatLogTime } from '#events';
import type { ByteFilter } from '#message';
import { formatReply, type ReplyText, withFooter } from '#smtp';
import type { TableList } from '#tables';
import type { Endpoints } from './screened-socket.ts';

export interface ReplySettings {
  readonly myhostname: string;
  readonly softBounce: boolean;
  readonly rejectFooter: string;
  readonly rejectFooterMaps: TableList;
  readonly expansionFilter: ByteFilter;
}

export interface ReplyContext {
  readonly settings: ReplySettings;
  readonly endpoints: Endpoints;
  /** ms since the epoch. */
  readonly at: number;
  readonly warn: (text: string) => void;
}

/** `550 5.5.1 Protocol error` or `250-a⏎250 b`, as it goes out. */
export async function renderReply(text: string, context: ReplyContext): Promise<string> {
  const lines = text.split('\n');
  const reply: ReplyText = { code: Number(text.slice(0, 3)), lines: lines.map((line) => line.slice(4)) };
  if (reply.code < 400) return formatReply(reply.code, reply.lines);
  const { code, lines: final } = await withSettings(context.settings.softBounce ? softened(reply) : reply, context);
  return formatReply(code, final);
}

function softened({ code, lines }: ReplyText): ReplyText {
  if (code < 500) return { code, lines };
  return { code: code - 100, lines: lines.map((line) => line.replace(/^5(?=\.\d+\.\d+ )/, '4')) };
}

async function withSettings(reply: ReplyText, context: ReplyContext): Promise<ReplyText> {
  const { settings, warn } = context;
  let template = settings.rejectFooter;
  if (!settings.rejectFooterMaps.isEmpty) {
    const found = await settings.rejectFooterMaps.lookup(`${reply.code} ${reply.lines[0] ?? ''}`);
    if (found.kind === 'found') template = found.value;
    if (found.kind === 'failed') warn(`${found.table.name} lookup error for postscreen_reject_footer_maps`);
  }
  if (template === '') return reply;
  return withFooter(reply, template, settings.expansionFilter, (name) => macro(name, context));
}

function macro(name: string, { settings, endpoints, at, warn }: ReplyContext): string {
  switch (name) {
    case 'client_address':
      return endpoints.client.address;
    case 'client_port':
      return endpoints.client.port;
    case 'server_address':
      return endpoints.server.address;
    case 'server_port':
      return endpoints.server.port;
    case 'server_name':
      return settings.myhostname;
    case 'localtime':
      return formatLogTime(at);
    default:
      warn(`unknown macro name "${name}" in expansion request`);
      return '';
  }
}
