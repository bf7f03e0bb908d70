/** The few C library calls that Node lacks, through koffi, the words for what fails, giving up root, and what the engine is told about memory. */
export { trimAllocator } from './allocator.ts';
export { becomeMailOwner, becomeUser } from './become-user.ts';
export { ContentGarbage } from './content-garbage.ts';
export { duplicateDescriptor, keepDescriptorsPrivate } from './descriptors.ts';
export { errnoOf, errnoText, textOfErrno, thrownText } from './errno.ts';
export { type FileLockKind, tryLockFile, tryShareFile, unlockFile } from './file-locks.ts';
export {
  getGroupByName,
  getUserById,
  getUserByName,
  type SystemGroup,
  type SystemUser,
  UserDatabaseError,
} from './libc-users.ts';
export { type ListenerResult, openListener, sharePort } from './listeners.ts';
export { lookupTexts, textOfLookupError } from './lookup-errors.ts';
export { peerUserOf } from './peer.ts';
export { openReplacement } from './replacement-file.ts';
export { returnMemoryWhenQuiet } from './quiet-memory.ts';
export { openSocketPair, passDescriptor, type SocketPair, takeDescriptor } from './passed-descriptors.ts';
export { openPipe, type PipeEnds } from './pipes.ts';
export { MatchFailure } from './bounded-search.ts';
export { compilePerlExpression, hasPerlExpressions, type PerlOptions } from './perl-expression.ts';
export { compilePosixExpression, type NativeExpression } from './posix-expression.ts';
export { signalNumberOf } from './signals.ts';
export { openSyslog, type SyslogWriter } from './syslog.ts';
