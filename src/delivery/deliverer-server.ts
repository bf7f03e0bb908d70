/** The loop of the process that runs as a receiving user. */
import type { Duplex } from 'node:stream';
import { Roster } from '#message';
import { ContentGarbage } from '#native';
import { PieceSink } from './deliverer-content.ts';
import { type Frame, FrameReader, FrameWriter, requestLimits } from './deliverer-frames.ts';
import { type DelivererAnswer, failedResult, isNumbered, parseRequest, parseShape } from './deliverer-protocol.ts';
import { DelivererWork } from './deliverer-work.ts';
import { callsInPlace } from './file-calls.ts';
import { shapedCopy } from './shaped-copy.ts';
import { isWithin, type RootLimits } from './root-limits.ts';

/**
 * Serves requests until the stream ends, and no mailbox is being written to any more: a delivery whose outcome nobody is
 * left to hear is taken back. `limits`: what is served at all, for root.
 */
export async function serveDeliverer(channel: Duplex, limits?: RootLimits): Promise<void> {
  const requests = new DelivererWork(callsInPlace());
  const reader = new FrameReader(requestLimits);
  const writer = new FrameWriter(channel);
  const garbage = new ContentGarbage();
  const open = new Roster<number, PieceSink>();
  const writes = new Set<Promise<void>>();
  const abandoned = new AbortController();
  const answer = (text: DelivererAnswer): void => {
    if (!channel.destroyed) writer.send(text);
  };

  function take({ json, content }: Frame): void {
    if (!isNumbered(json)) return;
    const { id } = json;
    const piece = { bytes: content, hasMore: json['more'] === true };
    const known = open.get(id);
    if (json['broken'] === true) known?.fail();
    else if (json['request'] === undefined) known?.take(piece);
    else begin(id, json, new PieceSink(piece, () => answer({ id, want: true })));
  }

  function begin(id: number, json: Readonly<Record<string, unknown>>, content: PieceSink): void {
    const request = parseRequest(json['request']);
    const shape = parseShape(json['shape']);
    if (request === undefined) return answer({ id, result: failedResult('4.3.0', 'malformed request') });
    if (limits !== undefined && !isWithin(limits, request))
      return answer({ id, result: failedResult('4.3.0', 'delivery as root is refused') });
    open.set(id, content);
    const copy = shape === undefined ? content : shapedCopy({ shape, content });
    const work = requests.run(request, copy, abandoned.signal).then((result) => {
      open.delete(id);
      writes.delete(work);
      answer({ id, result });
    });
    // commands come to their end without us
    if (request.kind === 'mailbox' || request.kind === 'maildir') writes.add(work);
  }

  channel.on('data', (chunk: Buffer) => {
    const frames = reader.push(chunk);
    if (frames === undefined) return void channel.destroy();
    for (const frame of frames) take(frame);
    garbage.add(chunk.length);
  });
  channel.on('error', () => channel.destroy());
  await new Promise<void>((resolve) => channel.once('close', () => resolve()));
  abandoned.abort();
  for (const content of open.values()) content.fail();
  await Promise.all(writes);
}
