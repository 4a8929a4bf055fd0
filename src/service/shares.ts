/** How the workers part the rates that their transfers share: each has as much of a rate as it has of its transfers. */
import type { Account } from "../account/account.ts";

/** The owner of the rate of the whole server. */
const SERVER: unique symbol = Symbol("server");
type Owner = string | symbol;

/** Told of a worker's new part. @param account undefined for the server's own rate. */
export type TellShare = (worker: number, share: { readonly account?: string; readonly part: number }) => void;

export class Shares {
  readonly #tell: TellShare;
  /** Transfers by owner and worker; none: absent. */
  readonly #running = new Map<Owner, Map<number, number>>();

  constructor(tell: TellShare) {
    this.#tell = tell;
  }

  begins(worker: number, { name }: Account): void {
    for (const owner of [SERVER, name]) this.#change(owner, worker, 1);
  }

  ends(worker: number, { name }: Account): void {
    for (const owner of [SERVER, name]) this.#change(owner, worker, -1);
  }

  /** The worker is gone, its transfers with it. */
  forget(worker: number): void {
    for (const [owner, counts] of this.#running) {
      if (counts.delete(worker)) this.#spread(owner, counts);
    }
  }

  #change(owner: Owner, worker: number, by: 1 | -1): void {
    const counts = this.#running.get(owner) ?? new Map<number, number>();
    const count = (counts.get(worker) ?? 0) + by;
    if (count > 0) counts.set(worker, count);
    else counts.delete(worker);
    if (counts.size > 0) this.#running.set(owner, counts);
    else this.#running.delete(owner);
    this.#spread(owner, counts);
  }

  #spread(owner: Owner, counts: ReadonlyMap<number, number>): void {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const whose = typeof owner === "string" ? { account: owner } : {};
    for (const [worker, count] of counts) this.#tell(worker, { ...whose, part: count / total });
  }
}
