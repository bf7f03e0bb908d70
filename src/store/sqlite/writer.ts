/**
 * The only connection that changes the queue. It gets batches of operations and gives one result each, after the commit
 * that holds them has reached the disk.
 */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { thrownText } from '#native';
import { DiskReserve, isFull, withRoomFor } from './disk-reserve.ts';
import { addsMail, type Operation, type OperationResult, type WriterReport } from './operations.ts';
import { checkSmallFile, damageError, isDamage } from './damage.ts';
import { finishSalvage, isHalfSalvaged, salvage } from './salvage.ts';
import { SalvageLock } from './salvage-lock.ts';
import { writerPragmas } from './schema.ts';
import { Statements } from './statements.ts';
import { upgrade } from './upgrade.ts';

/** Somebody has removed the file of the queue, or has put it elsewhere. */
class FileGone extends Error {}

interface OpenFile {
  readonly database: DatabaseSync;
  readonly inode: number;
  readonly statements: Statements;
}

export class Writer {
  readonly #path: string;
  readonly #report: (report: WriterReport) => void;
  readonly #reserve: DiskReserve;
  readonly #lock: SalvageLock;
  #file: OpenFile;
  /** What a salvaged database must know even when its own record was lost. */
  #registration: Operation | undefined;
  #serialEnd = 0;

  constructor(path: string, report: (report: WriterReport) => void) {
    this.#path = path;
    this.#report = report;
    this.#reserve = new DiskReserve(path);
    this.#lock = new SalvageLock(path);
    try {
      this.#file = this.#openWhole();
    } finally {
      this.#lock.release();
    }
  }

  /** Also a file that is damaged, or whose swap was cut short. */
  #openWhole(): OpenFile {
    this.#lock.share();
    if (!isHalfSalvaged(this.#path)) {
      try {
        return this.#open();
      } catch (error) {
        if (!isDamage(error)) throw error;
      }
    }
    this.#lock.take();
    finishSalvage(this.#path);
    try {
      // another process may have made it anew while this one waited
      return this.#open();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#report({ kind: 'salvaged', lines: salvage(this.#path, thrownText(error), 0) });
      return this.#open();
    }
  }

  #open({ isChecked } = { isChecked: true }): OpenFile {
    // the files beside the database take room, too: with a full disk all would stand still until somebody clears it
    return withRoomFor(() => this.#openFile(isChecked), this.#reserve);
  }

  #openFile(isChecked: boolean): OpenFile {
    const database = new DatabaseSync(this.#path);
    try {
      database.exec(writerPragmas);
      database.exec(`PRAGMA wal_autocheckpoint = ${this.#reserve.logPages()}`);
      upgrade(database);
      if (isChecked) checkSmallFile(database, this.#path);
    } catch (error) {
      database.close();
      throw error;
    }
    return { database, inode: statSync(this.#path).ino, statements: new Statements(database) };
  }

  /**
   * Makes the file anew when it is damaged indeed, with the lock taken meanwhile. Throws when that can't be done now; then
   * the old one is still open.
   */
  #salvage(cause: string): void {
    this.#lock.take();
    if (!this.#isMended()) this.#makeAnew(cause);
    this.#lock.share();
    // the next one may have come between
    this.#followFile();
  }

  /** Another process may have made it anew while this one waited. */
  #isMended(): boolean {
    try {
      this.#followFile();
      return this.#isSound();
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }

  #makeAnew(cause: string): void {
    this.#closeFile();
    try {
      this.#report({ kind: 'salvaged', lines: salvage(this.#path, cause, this.#serialEnd) });
    } finally {
      this.#file = this.#open({ isChecked: false });
    }
    if (this.#registration !== undefined) this.#run(this.#registration);
  }

  /** A connection can meet nonsense where the file has none: after a disk failed, or another process changed the file. */
  #isSound(): boolean {
    try {
      return this.#file.database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] === 'ok';
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }

  /**
   * Another process may have made the file anew; or it could not be opened the last time. Throws FileGone when nobody
   * finds it any more.
   */
  #followFile(): void {
    const facts = statSync(this.#path, { throwIfNoEntry: false });
    if (facts === undefined) throw new FileGone(`${this.#path} is gone`);
    if (facts.ino === this.#file.inode && this.#file.database.isOpen) return;
    this.#closeFile();
    this.#file = this.#open();
    if (this.#registration !== undefined) this.#run(this.#registration);
    this.#report({ kind: 'salvaged', lines: [] });
  }

  /**
   * One commit for all; when that fails, each alone, so that one that can't be written does not fail the others. Throws
   * FileGone: what was committed then would be lost with this process.
   */
  runBatch(operations: readonly Operation[]): readonly OperationResult[] {
    try {
      this.#lock.share();
      return this.#runShared(operations);
    } catch (error) {
      if (error instanceof FileGone) throw error;
      return operations.map(() => failure(error));
    } finally {
      this.#lock.release();
    }
  }

  #runShared(operations: readonly Operation[]): readonly OperationResult[] {
    try {
      this.#followFile();
      if (!this.#reserve.isUsedUp() || !operations.some(addsMail)) return this.#transaction(operations);
      return operations.map((operation) => this.#runAlone(operation));
    } catch (error) {
      if (error instanceof FileGone) throw error;
      if (isDamage(error)) this.#salvage(thrownText(error));
      if (!this.#file.database.isOpen) return operations.map(() => failure(error));
      return operations.map((operation) => this.#runAlone(operation));
    }
  }

  #runAlone(operation: Operation): OperationResult {
    const isMail = addsMail(operation);
    if (isMail && this.#reserve.isUsedUp() && !this.#refillReserve())
      return { kind: 'failed', full: true, reason: 'database or disk is full' };
    try {
      return this.#transaction([operation])[0] ?? { kind: 'ok', serials: [] };
    } catch (error) {
      if (isMail || !isFull(error)) return failure(error);
    }
    try {
      this.#reserve.release();
      this.#checkpoint();
      const [result] = this.#transaction([operation]);
      this.#refillReserve();
      return result ?? { kind: 'ok', serials: [] };
    } catch (error) {
      return failure(error);
    }
  }

  /** Moves the log into the file and empties it, as far as readers and the disk let it. */
  #checkpoint(): void {
    this.#file.database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  }

  /** False where that can't be now: no room, no inode, no descriptor. */
  #fillReserve(): boolean {
    try {
      const isThere = this.#reserve.fill();
      this.#file.database.exec(`PRAGMA wal_autocheckpoint = ${this.#reserve.logPages()}`);
      return isThere;
    } catch {
      return false; // it is looked after again when the disk is full
    }
  }

  #refillReserve(): boolean {
    try {
      this.#checkpoint();
    } catch {
      return false; // not even the log could be moved
    }
    return this.#fillReserve();
  }

  /** Between batches: nobody waits for it. */
  prepare(): void {
    this.#fillReserve();
  }

  #transaction(operations: readonly Operation[]): readonly OperationResult[] {
    this.#file.database.exec('BEGIN IMMEDIATE');
    try {
      const results = operations.map((operation): OperationResult => ({ kind: 'ok', serials: this.#run(operation) }));
      this.#file.database.exec('COMMIT');
      return results;
    } catch (error) {
      if (this.#file.database.isTransaction) this.#file.database.exec('ROLLBACK');
      throw error;
    }
  }

  #run(operation: Operation): readonly number[] {
    if (operation.kind === 'salvage') {
      if (operation.inode === this.#file.inode && !this.#isSound()) throw damageError(operation.cause);
      return [];
    }
    const serials = this.#file.statements.run(operation);
    if (operation.kind === 'register') this.#registration = operation;
    if (operation.kind === 'reserveSerials') this.#serialEnd = Math.max(this.#serialEnd, ...serials);
    return serials;
  }

  close(): void {
    // damage to the log would cost all that was committed after it: nothing stays there longer than needed
    try {
      // who makes the file anew reads it as it is
      this.#lock.share();
      this.#checkpoint();
    } catch {
      // the disk is full: the next start reads the log
    }
    this.#closeFile();
    this.#lock.close();
  }

  #closeFile(): void {
    if (this.#file.database.isOpen) this.#file.database.close();
  }
}

function failure(error: unknown): OperationResult {
  return { kind: 'failed', full: isFull(error), reason: thrownText(error) };
}
