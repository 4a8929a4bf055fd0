/**
 * TLS engines' contexts (certificate, key, ciphers), lent for one handshake each. A context takes 30 KiB and a third of a
 * millisecond to make, so no session has one of its own; but its ticket keys are what tells sessions apart (attack 6).
 * So a context belongs to one handshake alone, with the keys of that handshake's session; tickets are made and opened
 * during handshakes only, as renegotiation is off (decision 016).
 */
import { randomBytes } from "node:crypto";
import type { SecureContext } from "node:tls";
import { CONTEXTS_KEPT, TICKET_KEYS } from "./limits.ts";

export type ContextLoan = {
  readonly context: SecureContext;
  /** After the handshake; of one that failed the context is forgotten instead. Its keys are wiped. */
  readonly giveBack: () => void;
};

/** Contexts that differ in nothing but their ticket keys. */
export class ContextPool {
  readonly #make: (ticketKeys: Buffer) => SecureContext;
  readonly #free: SecureContext[] = [];

  constructor(make: (ticketKeys: Buffer) => SecureContext) {
    this.#make = make;
  }

  /** Contexts that wait for their next handshake. */
  get size(): number {
    return this.#free.length;
  }

  /** For one handshake, with these ticket keys. */
  lend(ticketKeys: Buffer): ContextLoan {
    const used = this.#free.pop();
    const context = used !== undefined && setTicketKeys(used, ticketKeys) ? used : this.#make(ticketKeys);
    let isOver = false;
    const giveBack = (): void => {
      if (isOver) return;
      isOver = true;
      // Should a handshake ever go on with a context that was given back, then nothing is resumed, or for nobody else.
      if (this.#free.length < CONTEXTS_KEPT && setTicketKeys(context, randomBytes(TICKET_KEYS))) {
        this.#free.push(context);
      }
    };
    return { context, giveBack };
  }
}

/**
 * What Node's `tls.Server` does in its `setTicketKeys`; there is no way to it without a server.
 * @returns whether the keys are in force: false where a Node to come has them elsewhere.
 */
function setTicketKeys({ context }: SecureContext, keys: Buffer): boolean {
  const engine: unknown = context;
  if (typeof engine !== "object" || engine === null) return false;
  if (!("setTicketKeys" in engine) || typeof engine.setTicketKeys !== "function") return false;
  if (!("getTicketKeys" in engine) || typeof engine.getTicketKeys !== "function") return false;
  Reflect.apply(engine.setTicketKeys, engine, [keys]);
  const inForce: unknown = Reflect.apply(engine.getTicketKeys, engine, []);
  return Buffer.isBuffer(inForce) && inForce.equals(keys);
}
