/**
 * Passive data ports. Listeners stay open and are leased, one per session: no listen and close per transfer, no
 * drained range (perf.md, finding 4). Which port a session gets is random (attack 7), and a connection from any
 * other address than the lease's is dropped without harm to the rightful one (attack 5).
 */
import { randomInt } from "node:crypto";
import { type Endpoint, sameAddress } from "./addresses.ts";
import type { DataEnd } from "./data-end.ts";
import { type DataPath, chooseDataPath } from "./data-path.ts";
import { DATA_BACKLOG, DYNAMIC_PORTS, LISTENERS_KEPT, RANDOM_PICKS, WAKE_MS } from "./limits.ts";
import { type PassiveListener, openPassive } from "./passive-listener.ts";

export type PortRange = { readonly first: number; readonly last: number };

/** No port of the range is free on this address. */
export class NoPassivePort extends Error {
  override readonly name = "NoPassivePort";
}

export type LeaseTerms = {
  /** Our own address that the client reached us on; the port is opened there alone. */
  readonly address: string;
  /** The one address that may connect; undefined: any (the option `fxp`). */
  readonly from: string | undefined;
  /** Told of each connection from elsewhere, which was dropped. */
  readonly onStranger: (stranger: Endpoint) => void;
};

/** One port, one session. Disposing gives it back and drops a connection that nobody took. */
export class PassiveLease implements Disposable {
  readonly #terms: LeaseTerms;
  readonly #place: OpenPort;
  readonly #giveBack: (place: OpenPort) => void;
  #arrived: DataEnd | undefined;
  #waiting: ((end: DataEnd) => void) | undefined;
  #over = false;

  constructor(place: OpenPort, terms: LeaseTerms, giveBack: (place: OpenPort) => void) {
    this.#place = place;
    this.#terms = terms;
    this.#giveBack = giveBack;
  }

  get port(): number {
    return this.#place.port;
  }

  /** The pool's own: a connection came in while this lease holds the port. @returns whether it is the client's. */
  arrive(end: DataEnd): boolean {
    const { from } = this.#terms;
    if (from !== undefined && !sameAddress(end.remote.address, from)) {
      end.destroy();
      this.#terms.onStranger(end.remote);
      return false;
    }
    if (this.#waiting !== undefined) {
      this.#waiting(end);
      return true;
    }
    // Of several from the right address the first counts: a later one cannot push it out.
    if (this.#arrived !== undefined && !this.#arrived.gone) {
      end.destroy();
      return false;
    }
    this.#arrived?.destroy();
    this.#arrived = end;
    return true;
  }

  /** The client's connection, if it is here already. */
  take(): DataEnd | undefined {
    for (let looks = 0; looks <= DATA_BACKLOG; looks++) {
      if (this.#arrived === undefined) this.#place.listener.look();
      const here = this.#arrived;
      this.#arrived = undefined;
      if (here?.gone !== true) return here;
      // One that is gone again (reset) is as good as none, and the client may have come a second time.
      here.destroy();
    }
    return undefined;
  }

  /** The client's connection, of which nobody has read. @throws the signal's reason when it is aborted first. */
  async accept(signal: AbortSignal): Promise<DataEnd> {
    signal.throwIfAborted();
    const here = this.take();
    if (here !== undefined) return here;
    this.#place.listener.listen();
    return new Promise((resolve, reject) => {
      const give = (): void => {
        this.#waiting = undefined;
        reject(signal.reason);
      };
      signal.addEventListener("abort", give, { once: true });
      this.#waiting = (end) => {
        this.#waiting = undefined;
        signal.removeEventListener("abort", give);
        resolve(end);
      };
    });
  }

  [Symbol.dispose](): void {
    if (this.#over) return;
    this.#over = true;
    this.#arrived?.destroy();
    this.#giveBack(this.#place);
  }
}

/** An open port; `lease` is whom its next connection belongs to. */
type OpenPort = {
  readonly listener: PassiveListener;
  readonly port: number;
  lease: PassiveLease | undefined;
  /** Its place among those without a lease, while it has none. */
  at: number;
  /** Whether it is among those that do not listen by themselves, and was leased since these were looked through. */
  resting: boolean;
  fresh: boolean;
};
/** The ports that are open on one of our addresses, by number; `idle` are those without a lease. */
type Ports = { readonly open: Map<number, OpenPort>; readonly idle: OpenPort[] };

export type PoolOptions = {
  readonly range?: PortRange;
  /** Listeners that stay open on each address when nobody leases them. */
  readonly kept?: number | undefined;
  readonly path?: DataPath;
  /** Of connections that come in, on the native path; absent: the system's. */
  readonly congestionControl?: string | undefined;
};

export class PassivePool {
  readonly #range: PortRange;
  #kept: number;
  readonly #path: DataPath;
  readonly #congestionControl: string | undefined;
  readonly #byAddress = new Map<string, Ports>();
  /** Ports that do not listen by themselves, and what makes those listen that stay so. */
  #resting: OpenPort[] = [];
  #waker: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ range = DYNAMIC_PORTS, kept = LISTENERS_KEPT, path, congestionControl }: PoolOptions = {}) {
    this.#range = range;
    this.#kept = kept;
    this.#path = path ?? chooseDataPath();
    this.#congestionControl = congestionControl;
  }

  /**
   * At once where enough ports are open already.
   * @throws {NoPassivePort} when every port of the range is leased or taken by another program.
   */
  lease(terms: LeaseTerms): PassiveLease | Promise<PassiveLease> {
    const ports = this.#portsOf(terms.address);
    const open = ports.open.size >= this.#kept && !this.#closed ? takeAny(ports.idle) : undefined;
    return open === undefined ? this.#leaseAnother(ports, terms) : this.#leased(ports, { open, terms });
  }

  async #leaseAnother(ports: Ports, terms: LeaseTerms): Promise<PassiveLease> {
    const open = (await this.#pick(ports, terms.address)) ?? (await this.#search(ports, terms.address));
    if (open === undefined || this.#closed) throw new NoPassivePort(`no passive port free on ${terms.address}`);
    return this.#leased(ports, { open, terms });
  }

  #leased(ports: Ports, { open, terms }: { open: OpenPort; terms: LeaseTerms }): PassiveLease {
    // Whoever connected for the last lease is not let into this one.
    open.listener.look();
    this.#rest(open);
    const lease = new PassiveLease(open, terms, (port) => this.#giveBack(ports, port));
    open.lease = lease;
    return lease;
  }

  /** As a rule the next command asks for the connection; what takes longer is woken for. */
  #rest(port: OpenPort): void {
    port.listener.rest();
    if (!port.resting) this.#resting.push(port);
    port.resting = true;
    port.fresh = true;
    this.#waker ??= setInterval(() => this.#wakeRested(), WAKE_MS).unref();
  }

  #wakeRested(): void {
    const resting = this.#resting;
    this.#resting = [];
    for (const port of resting) {
      port.resting = port.fresh;
      port.fresh = false;
      if (port.resting) this.#resting.push(port);
      else port.listener.listen();
    }
    if (this.#resting.length > 0) return;
    clearInterval(this.#waker);
    this.#waker = undefined;
  }

  /** Open listeners on all addresses, leased or not. */
  get size(): number {
    let count = 0;
    for (const { open } of this.#byAddress.values()) count += open.size;
    return count;
  }

  /** From now on a port is closed as soon as nobody leases it, for others who may want it. */
  keepNone(): void {
    this.#kept = 0;
    for (const { open, idle } of this.#byAddress.values()) {
      for (const { listener, port } of idle) {
        open.delete(port);
        listener.close();
      }
      idle.length = 0;
    }
  }

  /** Closes every listener; leases end with it. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#waker);
    for (const { open, idle } of this.#byAddress.values()) {
      for (const { listener } of open.values()) listener.close();
      open.clear();
      idle.length = 0;
    }
  }

  #portsOf(address: string): Ports {
    let ports = this.#byAddress.get(address);
    if (ports === undefined) {
      ports = { open: new Map(), idle: [] };
      this.#byAddress.set(address, ports);
    }
    return ports;
  }

  /** What this and `#search` return is out of `idle` already, so that two leases at once never get one port. */
  async #pick(ports: Ports, address: string): Promise<OpenPort | undefined> {
    const { first, last } = this.#range;
    for (let picks = 0; picks < RANDOM_PICKS; picks++) {
      if (ports.open.size >= this.#kept && ports.idle.length > 0) return takeAny(ports.idle);
      const port = randomInt(first, last + 1);
      const known = ports.open.get(port);
      if (known === undefined) {
        const opened = await this.#open(ports, { address, port });
        if (opened !== undefined) return opened;
      } else if (known.lease === undefined && ports.idle[known.at] === known) return take(ports.idle, known);
    }
    return undefined;
  }

  async #search(ports: Ports, address: string): Promise<OpenPort | undefined> {
    if (ports.idle.length > 0) return takeAny(ports.idle);
    const { first, last } = this.#range;
    const count = last - first + 1;
    const start = randomInt(count);
    for (let step = 0; step < count; step++) {
      const port = first + ((start + step) % count);
      if (ports.open.has(port)) continue;
      const found = await this.#open(ports, { address, port });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Opens a port; undefined if it is taken, by another program or by a lease that ran beside this one. */
  async #open(ports: Ports, { address, port }: Endpoint): Promise<OpenPort | undefined> {
    const calls = this.#path.kind === "native" ? this.#path.calls : undefined;
    let opened: OpenPort | undefined;
    const listener = await openPassive(
      { address, port },
      {
        calls,
        congestionControl: this.#congestionControl,
        onConnection: (end) => {
          if (opened?.lease !== undefined) return opened.lease.arrive(end);
          end.destroy();
          return false;
        },
      },
    );
    if (listener === undefined) return undefined;
    if (this.#closed || ports.open.has(port)) {
      listener.close();
      return undefined;
    }
    opened = { listener, port, lease: undefined, at: 0, resting: false, fresh: false };
    ports.open.set(port, opened);
    return opened;
  }

  #giveBack(ports: Ports, port: OpenPort): void {
    port.lease = undefined;
    if (this.#closed) return;
    if (ports.open.size > this.#kept) {
      ports.open.delete(port.port);
      port.listener.close();
    } else {
      port.at = ports.idle.push(port) - 1;
    }
  }
}

function takeAny(idle: OpenPort[]): OpenPort | undefined {
  if (idle.length === 0) return undefined;
  const port = idle[randomInt(idle.length)];
  return port === undefined ? undefined : take(idle, port);
}

/** Takes one out of the list; the last one comes to its place. */
function take(idle: OpenPort[], port: OpenPort): OpenPort {
  const last = idle.pop();
  if (last !== undefined && last !== port) {
    idle[port.at] = last;
    last.at = port.at;
  }
  return port;
}
