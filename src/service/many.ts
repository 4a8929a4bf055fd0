/** A broker and its workers: this process decides and keeps what needs a privilege, they speak with clients. */
import type { ChildProcess } from "node:child_process";
import type { Configuration } from "../config/sections.ts";
import { EventStream } from "../base/event-stream.ts";
import { type BrokerSide, serveWorker } from "../jail/broker-side.ts";
import { firstInherited, startConfined } from "../jail/confined-process.ts";
import { ownFile } from "../jail/node-paths.ts";
import { openRoots } from "../jail/roots.ts";
import { type GoneReason, Supervisor } from "../jail/supervisor.ts";
import { LocalAuthority } from "../server/local-authority.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import { Who } from "../workspace/who.ts";
import { Broker } from "./broker.ts";
import { NOTICES, REQUESTS } from "./requests.ts";
import type { Service, WorkerParts } from "./service.ts";

/** Milliseconds that all workers get to open their listeners at the start. */
const START_LIMIT_MS = 30_000;
/** Milliseconds that the workers of an older configuration keep their sessions, at most: a day. */
const RETIREMENT_MS = 86_400_000;
/** Milliseconds beyond the grace in which workers say goodbye. */
const FAREWELL_MS = 4_000;
/**
 * MiB of V8's space for young objects. File data lies outside of it; with V8's own choice 10,000 idle sessions took 32 KiB
 * each instead of 14 (`npm run bench:idle`), and transfers were no faster.
 */
const WORKER_NODE = ["--max-semi-space-size=1"];

type Side = BrokerSide<typeof REQUESTS, typeof NOTICES>;

/** Workers of one configuration. A reload makes a new crew, and the old one stays with its sessions. */
type Crew = {
  readonly supervisor: Supervisor;
  readonly sides: Map<number, Side>;
  readonly listening: Promise<void>;
};

/** Workers learn of new certificates by themselves' broker alone. */
export type ManyService = Service & { renew(): void };

export async function startMany(parts: WorkerParts): Promise<ManyService> {
  const service = new BrokerService(parts);
  await service.start();
  return service;
}

class BrokerService implements ManyService {
  readonly #parts: WorkerParts;
  readonly #events = new EventStream<FerrymanEvent>();
  readonly #who: Who;
  readonly #broker: Broker;
  /** By worker number, which no two workers of this process ever share. */
  readonly #sides = new Map<number, Side>();
  #crew: Crew | undefined;
  readonly #retired = new Set<Crew>();
  #lastWorker = 0;
  readonly #awaited = new Map<number, () => void>();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#who = new Who(this.#events);
    this.#events.subscribe(parts.onEvent);
    const { configuration, guard, login } = parts;
    const authority = new LocalAuthority(guard, login);
    this.#broker = new Broker({
      authority,
      ports: () => this.bound.map(({ port }) => port),
      fxp: configuration.server.fxp,
      openTimeoutMs: configuration.server.dataOpenTimeout * 1000,
      onEvent: (event) => this.#events.emit(event),
      tellShare: (worker, share) => this.#sides.get(worker)?.tell("share", share),
      onListening: (worker) => this.#awaited.get(worker)?.(),
    });
    authority.onEnd((session, reason) => {
      const worker = this.#broker.workerOf(session);
      if (worker !== undefined) this.#sides.get(worker)?.tell("expel", { session, reason });
    });
  }

  get bound(): Service["bound"] {
    return this.#parts.listeners.map(({ socket }) => socket.bound);
  }

  who(): ReturnType<Service["who"]> {
    return this.#who.list();
  }

  /** @throws when the workers do not come up. */
  async start(): Promise<void> {
    const crew = this.#hire(this.#parts.configuration);
    this.#crew = crew;
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => limit.reject(new Error("the worker processes did not start; --workers 0 runs all in one process")),
      START_LIMIT_MS,
    );
    try {
      await Promise.race([crew.listening, limit.promise]);
    } catch (error) {
      await this.stop(0);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** New certificates for all workers. */
  renew(): void {
    const { certificates } = this.#parts;
    if (certificates !== undefined)
      for (const side of this.#sides.values()) side.tell("credentials", certificates.current);
  }

  /** New workers take the new clients; the old ones go when their last session has ended. */
  async reload(configuration: Configuration): Promise<void> {
    const before = this.#crew;
    const crew = this.#hire(configuration);
    await Promise.race([crew.listening, new Promise((resolve) => setTimeout(resolve, START_LIMIT_MS).unref())]);
    this.#crew = crew;
    if (before === undefined) return;
    this.#retired.add(before);
    for (const side of before.sides.values()) side.tell("retire", null);
    void before.supervisor.stop({ graceMs: RETIREMENT_MS }).then(() => this.#retired.delete(before));
  }

  async stop(graceSeconds: number): Promise<void> {
    const crews = [...this.#retired, ...(this.#crew === undefined ? [] : [this.#crew])];
    for (const { sides } of crews) for (const side of sides.values()) side.tell("stop", { graceSeconds });
    await Promise.all(
      crews.map(async ({ supervisor }) => supervisor.stop({ graceMs: graceSeconds * 1000 + FAREWELL_MS })),
    );
    for (const { socket } of this.#parts.listeners) socket[Symbol.dispose]();
    this.#events.emit({ type: "server.closed", at: Date.now() });
  }

  cut(): void {
    for (const side of this.#sides.values()) side.tell("stop", { graceSeconds: 0 });
  }

  #hire(configuration: Configuration): Crew {
    const sides = new Map<number, Side>();
    const numbers = new Map<number, number>();
    const { workers } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = new Set(Array.from({ length: workers }, (_, index) => index));
    const supervisor = new Supervisor({
      count: workers,
      start: (index) => {
        this.#lastWorker += 1;
        const number = this.#lastWorker;
        numbers.set(index, number);
        const child = this.#startWorker(number, sides);
        this.#awaited.set(number, () => {
          waiting.delete(index);
          if (waiting.size === 0) resolve();
        });
        return child;
      },
      onWorkerReady: (index) => {
        const side = sides.get(numbers.get(index) ?? 0);
        side?.tell("begin", this.#orders(configuration, { number: numbers.get(index) ?? 0, index }));
      },
      onWorkerGone: (index, reason) => this.#gone(numbers.get(index) ?? 0, { sides, reason }),
      onFault: (text) => this.#warn(text),
    });
    supervisor.start();
    return { supervisor, sides, listening: promise };
  }

  #startWorker(number: number, sides: Map<number, Side>): ChildProcess {
    const { user, listeners } = this.#parts;
    using roots = openRoots(this.#parts.roots);
    const options = {
      script: ownFile(import.meta.url, "worker"),
      nodeArguments: WORKER_NODE,
      ...(user === undefined ? {} : { user }),
      roots,
      inherit: listeners.map(({ socket }) => socket.descriptor),
    };
    const child = startConfined(options);
    const side = serveWorker(child, {
      requests: REQUESTS,
      notices: NOTICES,
      handlers: this.#broker.handlers(number),
      onFault: ({ text }) => this.#warn(`worker ${number}: ${text}`),
    });
    sides.set(number, side);
    this.#sides.set(number, side);
    return child;
  }

  #orders(
    configuration: Configuration,
    { number, index }: { number: number; index: number },
  ): Parameters<Side["tell"]>[1] {
    const { listeners, certificates, workers, roots } = this.#parts;
    const first = firstInherited({
      roots: { list: roots.map((root) => ({ ...root, descriptor: 0 })), [Symbol.dispose]() {} },
    });
    return {
      number,
      index,
      workers,
      configuration,
      listeners: listeners.map(({ how }, at) => ({ ...how, descriptor: first + at })),
      ...(certificates === undefined ? { credentials: [] } : certificates.current),
    };
  }

  #gone(number: number, { sides, reason }: { sides: Map<number, Side>; reason: GoneReason }): void {
    sides.delete(number);
    this.#sides.delete(number);
    this.#awaited.delete(number);
    const why = wordsOf(reason);
    this.#broker.workerGone(number, `its worker process ended (${why})`);
    if (reason.code !== 0) this.#events.emit({ type: "worker.gone", worker: number, reason: why, at: Date.now() });
  }

  #warn(text: string): void {
    this.#events.emit({ type: "server.warning", text, at: Date.now() });
  }
}

function wordsOf({ code, signal, stuck, fault }: GoneReason): string {
  if (fault !== undefined) return fault;
  if (stuck) return "it gave no sign of life and was killed";
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
