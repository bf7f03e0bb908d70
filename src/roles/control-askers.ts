/**
 * Who is connected to `public/control`, where anybody may be. They must not use up the descriptors of the mail process, and
 * one user must not keep the others out.
 */

export interface Connection {
  /** Undefined: the system does not say who it is. */
  readonly user: number | undefined;
  destroy(): void;
}

export interface Asker {
  /** Its request is in work: it neither has to ask yet, nor to hang up. */
  isServed: boolean;
}

export class ControlAskers {
  readonly #most: number;
  /** In the order of their coming. */
  readonly #present = new Map<Asker, Connection>();

  /** @param most connections at once. */
  constructor(most: number) {
    this.#most = most;
  }

  /** One too many takes a place from whoever has most of them; that may be the new one. */
  admit(connection: Connection): Asker {
    const asker: Asker = { isServed: false };
    this.#present.set(asker, connection);
    if (this.#present.size > this.#most) this.#makeRoom();
    return asker;
  }

  leave(asker: Asker): void {
    this.#present.delete(asker);
  }

  /** Of the user with the most connections: the one that has been silent longest, else the newest. */
  #makeRoom(): void {
    const byUser = Map.groupBy(this.#present, ([, { user }]) => user);
    const [heaviest = []] = [...byUser.values()].sort((one, other) => other.length - one.length);
    const leaving = heaviest.find(([{ isServed }]) => !isServed) ?? heaviest.at(-1);
    if (leaving === undefined) return;
    const [asker, connection] = leaving;
    this.leave(asker);
    connection.destroy();
  }
}
