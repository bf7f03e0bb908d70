/**
 * Whether mail for a destination follows mail, and not only as much at once as the initial window lets through: then the
 * connections of its deliveries are worth keeping. postconf(5) smtp_connection_cache_on_demand
 */
export class BackToBack {
  #lastDoneAt = Number.NEGATIVE_INFINITY;
  #isSteady = false;

  /** Whether the connection of a delivery that starts now is worth keeping. `busy`: those under way, this one included. */
  keepsConnections(now: number, busy: number): boolean {
    this.#isSteady = this.#followsAnother(now) || (this.#isSteady && busy > 1);
    return this.#isSteady;
  }

  /** A delivery has ended, however. */
  onDone(now: number): void {
    this.#lastDoneAt = now;
  }

  /** With nothing under way: mail that comes now is still part of what went before. */
  goesOn(now: number): boolean {
    return this.#isSteady && this.#followsAnother(now);
  }

  /** Counted in whole seconds, as qmgr(8) does. */
  #followsAnother(now: number): boolean {
    return Math.floor(this.#lastDoneAt / 1000) + 1 >= Math.floor(now / 1000);
  }
}
