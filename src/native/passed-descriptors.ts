/** Open files that one process hands to another over a local socket. unix(7), SCM_RIGHTS */
import { koffi } from './koffi.ts';
import { libcCall } from './libc-call.ts';

export interface SocketPair {
  readonly ours: number;
  readonly theirs: number;
}

const AF_UNIX = 1;
const socketTypes = { stream: 1, messages: 5 };
const SOCK_CLOEXEC = 0o2_000_000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

const socketpair = libcCall<[family: number, type: number, protocol: number, ends: Buffer]>(
  'int socketpair(int family, int type, int protocol, void *ends)',
);

/** Two descriptors that no program inherits by itself; undefined when none are left. `messages`: SOCK_SEQPACKET */
export function openSocketPair(type: keyof typeof socketTypes): SocketPair | undefined {
  const ends = Buffer.alloc(8);
  if (socketpair(AF_UNIX, socketTypes[type] + SOCK_CLOEXEC, 0, ends) !== 0) return undefined;
  return { ours: ends.readInt32LE(0), theirs: ends.readInt32LE(4) };
}

interface MessageCalls {
  send(socket: number, message: unknown, flags: number): number;
  receive(socket: number, message: unknown, flags: number): number;
}

let calls: MessageCalls | undefined;

/** Bound once, on first use. */
function messageCalls(): MessageCalls {
  if (calls !== undefined) return calls;
  const libc = koffi().load('libc.so.6');
  koffi().struct('iovec', { base: 'void *', length: 'size_t' });
  koffi().struct('msghdr', {
    name: 'void *',
    nameLength: 'uint32_t',
    vectors: 'iovec *',
    vectorCount: 'size_t',
    control: 'void *',
    controlLength: 'size_t',
    flags: 'int',
  });
  const send = libc.func('int64_t sendmsg(int socket, const msghdr *message, int flags)');
  const receive = libc.func('int64_t recvmsg(int socket, msghdr *message, int flags)');
  calls = {
    send: (...args) => Number(send(...args)),
    receive: (...args) => Number(receive(...args)),
  };
  return calls;
}

/** struct cmsghdr with room for one descriptor: length, level, type, descriptor. */
const controlBytes = 24;
const controlLength = 20n;
const at = { length: 0, level: 8, type: 12, descriptor: 16 };

const messageOf = (byte: Buffer, control: Buffer): object => ({
  name: null,
  nameLength: 0,
  vectors: [{ base: byte, length: byte.length }],
  vectorCount: 1,
  control,
  controlLength: control.length,
  flags: 0,
});

/** Hands on what is open as `fd`, which stays open here. False: whoever has the other end is gone, or takes none. Never waits. */
export function passDescriptor(socket: number, fd: number): boolean {
  const control = Buffer.alloc(controlBytes);
  control.writeBigUInt64LE(controlLength, at.length);
  control.writeInt32LE(SOL_SOCKET, at.level);
  control.writeInt32LE(SCM_RIGHTS, at.type);
  control.writeInt32LE(fd, at.descriptor);
  return messageCalls().send(socket, messageOf(Buffer.alloc(1), control), MSG_DONTWAIT + MSG_NOSIGNAL) === 1;
}

/** What the other end has handed on, in its order; undefined when there is nothing, or no descriptor is left for it. Never waits. */
export function takeDescriptor(socket: number): number | undefined {
  const control = Buffer.alloc(controlBytes);
  const length = messageCalls().receive(socket, messageOf(Buffer.alloc(1), control), MSG_DONTWAIT + MSG_CMSG_CLOEXEC);
  if (length !== 1 || control.readBigUInt64LE(at.length) !== controlLength) return undefined;
  return control.readInt32LE(at.descriptor);
}
