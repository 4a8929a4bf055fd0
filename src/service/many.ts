/** A broker and its workers: this process decides and keeps what needs a privilege, they speak with clients. */
import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { Account } from "../account/account.ts";
import type { Configuration } from "../config/sections.ts";
import { EventStream } from "../base/event-stream.ts";
import { type BrokerSide, serveWorker } from "../jail/broker-side.ts";
import type { RootWish } from "../jail/roots.ts";
import { type GoneReason, Supervisor, type SupervisorLimits } from "../jail/supervisor.ts";
import { LocalAuthority } from "../server/local-authority.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import { Who } from "../workspace/who.ts";
import { Broker } from "./broker.ts";
import { type Doorkeeper, FrontDoor } from "./front-door.ts";
import { type EventInterest, NOTICES, REQUESTS, type WorkerConfiguration } from "./requests.ts";
import type { Fresh, Service, WorkerParts } from "./service.ts";
import { isThere, startWorkerProcess, startedFirst } from "./worker-process.ts";

/** Milliseconds that all workers get to open their listeners at the start. */
const START_LIMIT_MS = 30_000;
/** Milliseconds that the workers of an older configuration keep their sessions, at most: a day. */
const RETIREMENT_MS = 86_400_000;
/** Milliseconds beyond the grace in which workers say goodbye. */
const FAREWELL_MS = 4_000;
/** Milliseconds that workers get when everything is to end at once. */
const CUT_MS = 1_000;
/** Workers that may end before all of a crew listen, beyond which they do not come up. */
const EARLY_DEATHS = 4;
/** Crews of older configurations that keep their sessions; the oldest beyond must end: each is a process or more. */
const MOST_RETIRED = 8;
/** Characters of what a worker has written that are kept: the end says most. */
const WORDS_LIMIT = 4_096;

type Side = BrokerSide<typeof REQUESTS, typeof NOTICES>;

/** Workers of one configuration. A reload makes a new crew, and the old one stays with its sessions. */
type Crew = {
  readonly supervisor: Supervisor;
  readonly sides: Map<number, Side>;
  /** Resolves when one can take clients; never rejects. */
  readonly first: Promise<void>;
  /** Resolves when each can take clients; rejects when they do not come up. */
  readonly listening: Promise<void>;
};

/** Workers learn of new certificates by their broker alone. */
export type ManyService = Service & {
  renew(): void;
  /** Limits, bans or accounts are others than before: tells workers which guests need no question. */
  changed(): void;
};

export async function startMany(parts: WorkerParts): Promise<ManyService> {
  const service = new BrokerService(parts);
  await service.start();
  return service;
}

function interestOf({ log, xferlog }: Configuration["serve"]): EventInterest {
  if (log !== "off") return "all";
  return xferlog === undefined ? "presence" : "transfers";
}

class BrokerService implements ManyService {
  readonly #parts: WorkerParts;
  readonly #events = new EventStream<FerrymanEvent>();
  readonly #who: Who;
  readonly #broker: Broker;
  readonly #door: FrontDoor;
  #configuration: Configuration;
  /** By worker number, which no two workers of this process ever share. */
  readonly #sides = new Map<number, Side>();
  /** That which takes new clients. */
  #crew: Crew | undefined;
  /** All whose workers are not gone, in the order in which they came. */
  readonly #crews = new Set<Crew>();
  #lastWorker = 0;
  readonly #awaited = new Map<number, () => void>();
  /** Workers that can take clients. */
  readonly #listening = new Set<number>();
  /** What each of them was told last of guests. */
  readonly #told = new Map<number, Account | undefined>();
  readonly #guests: () => Account | undefined;
  #stopping = false;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#configuration = parts.configuration;
    this.#who = new Who(this.#events);
    this.#events.subscribe(parts.onEvent);
    const { guard, login } = parts;
    const authority = new LocalAuthority(guard, login);
    this.#broker = new Broker({
      authority,
      ports: () => this.bound.map(({ port }) => port),
      configuration: () => this.#configuration,
      onEvent: (event) => this.#events.emit(event),
      tellShare: (worker, share) => this.#sides.get(worker)?.tell("share", share),
      expel: (session, reason) => this.#expel(session, reason),
      onListening: (worker) => {
        this.#listening.add(worker);
        this.changed();
        this.#awaited.get(worker)?.();
        this.#door.look();
      },
    });
    this.#door = new FrontDoor({
      listeners: parts.listeners,
      workers: () => this.#doorkeepers(),
      sessionsOf: (worker) => this.#broker.sessionsOf(worker),
      admit: (session, client) => this.#broker.admit(session, client),
      onEvent: (event) => this.#events.emit(event),
    });
    authority.onEnd((session, reason) => this.#expel(session, reason));
    this.#guests = () => authority.guest();
    guard.events.subscribe(() => this.changed());
  }

  get bound(): Service["bound"] {
    return this.#parts.listeners.map(({ socket }) => socket.bound);
  }

  who(): ReturnType<Service["who"]> {
    return this.#who.list();
  }

  /** Clients come in as soon as one worker can take them. @returns when all can. @throws when they do not come up. */
  async start(): Promise<void> {
    const { configuration, roots, waiting } = this.#parts;
    try {
      await this.#hire({ configuration, roots }, (crew) => {
        this.#crew = crew;
        this.#door.open();
      });
      waiting?.[Symbol.dispose]();
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  /** New certificates for all workers. */
  renew(): void {
    const { certificates } = this.#parts;
    if (certificates !== undefined)
      for (const side of this.#sides.values()) side.tell("credentials", certificates.current);
  }

  #expel(session: string, reason: string): void {
    const worker = this.#broker.workerOf(session);
    if (worker !== undefined) this.#sides.get(worker)?.tell("expel", { session, reason });
  }

  changed(): void {
    const account = this.#guests();
    for (const number of this.#listening) {
      if (this.#told.get(number) === account) continue;
      this.#told.set(number, account);
      this.#sides.get(number)?.tell("guests", account === undefined ? {} : { account });
    }
  }

  /** New workers take the new clients; the old ones go when their last session has ended. */
  async reload(fresh: Fresh): Promise<void> {
    if (this.#stopping) return;
    const before = this.#crew;
    try {
      this.#crew = await this.#hire(fresh);
    } catch (error) {
      // Its workers went with all the others.
      if (this.#stopping) return;
      throw error;
    }
    this.#configuration = fresh.configuration;
    if (this.#stopping || before === undefined) return;
    for (const side of before.sides.values()) side.tell("retire", null);
    void before.supervisor.stop({ graceMs: RETIREMENT_MS }).then(() => this.#crews.delete(before));
    for (const crew of [...this.#crews].slice(0, -1 - MOST_RETIRED)) this.#end(crew);
  }

  async stop(graceSeconds: number): Promise<void> {
    this.#stopping = true;
    this.#door[Symbol.dispose]();
    const crews = [...this.#crews];
    for (const { sides } of crews) for (const side of sides.values()) side.tell("stop", { graceSeconds });
    const graceMs = graceSeconds * 1000 + FAREWELL_MS;
    await Promise.all(crews.map(async ({ supervisor }) => supervisor.stop({ graceMs })));
    this.#events.emit({ type: "server.closed", at: Date.now() });
  }

  cut(): void {
    for (const side of this.#sides.values()) side.tell("cut", null);
    for (const { supervisor } of this.#crews) void supervisor.stop({ graceMs: CUT_MS });
  }

  /** Sessions of a configuration that is long gone: as at a stop. */
  #end({ sides, supervisor }: Crew): void {
    const graceSeconds = this.#configuration.server.graceTimeout;
    for (const side of sides.values()) side.tell("stop", { graceSeconds });
    void supervisor.stop({ graceMs: graceSeconds * 1000 + FAREWELL_MS });
  }

  /**
   * @param onFirst called when the first one can take clients.
   * @returns when all can. @throws in words when they do not come up; then they are gone again.
   */
  async #hire(fresh: Fresh, onFirst: (crew: Crew) => void = () => {}): Promise<Crew> {
    this.#tellMissing(fresh.roots);
    const crew = this.#makeCrew(fresh);
    this.#crews.add(crew);
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => limit.reject(noStart("they do not listen")), START_LIMIT_MS);
    try {
      await Promise.race([crew.first, crew.listening, limit.promise]);
      onFirst(crew);
      await Promise.race([crew.listening, limit.promise]);
      return crew;
    } catch (error) {
      await crew.supervisor.stop({ graceMs: CUT_MS });
      this.#crews.delete(crew);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #makeCrew(fresh: Fresh): Crew {
    const sides = new Map<number, Side>();
    const numbers = new Map<number, number>();
    const { workers } = this.#parts;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Whoever waits for it may have given up before.
    promise.catch(() => {});
    const first = Promise.withResolvers<void>();
    const waiting = new Set(Array.from({ length: workers }, (_, index) => index));
    let deaths = 0;
    const supervisor = new Supervisor({
      count: workers,
      start: (index) => {
        this.#lastWorker += 1;
        const number = this.#lastWorker;
        numbers.set(index, number);
        const child = this.#startWorker(number, { sides, roots: fresh.roots });
        this.#awaited.set(number, () => {
          waiting.delete(index);
          first.resolve();
          supervisor.startOthers();
          if (waiting.size === 0) resolve();
        });
        return child;
      },
      onWorkerReady: (index) => {
        const number = numbers.get(index) ?? 0;
        sides.get(number)?.tell("begin", this.#orders(fresh.configuration, { number, index }));
      },
      onWorkerGone: (index, reason) => {
        deaths += 1;
        this.#gone(numbers.get(index) ?? 0, { sides, reason });
        if (reason.fault !== undefined || deaths > EARLY_DEATHS || this.#stopping) reject(noStart(wordsOf(reason)));
      },
      onFault: (text) => this.#warn(text),
      limits: testLimits(),
    });
    supervisor.start(startedFirst(workers));
    return { supervisor, sides, first: first.promise, listening: promise };
  }

  /** Accounts whose home is not there cannot sign in; all others can. */
  #tellMissing(roots: readonly RootWish[]): void {
    for (const { path } of roots.filter((root) => !isThere(root))) {
      this.#warn(
        `The folder ${path} is not there or closed: whoever has it as home cannot sign in. Make it, then reload (SIGHUP).`,
      );
    }
  }

  #startWorker(
    number: number,
    { sides, roots }: { sides: Map<number, Side>; roots: readonly RootWish[] },
  ): ChildProcess {
    const { user, waiting } = this.#parts;
    const child = waiting?.take() ?? startWorkerProcess({ user, roots });
    for (const stream of [child.stdout, child.stderr]) this.#hearWords(number, stream);
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

  /** The workers of the present configuration, as soon as they listen. */
  #doorkeepers(): readonly Doorkeeper[] {
    if (this.#crew === undefined) return [];
    return [...this.#crew.sides]
      .filter(([number]) => this.#listening.has(number))
      .map(([number, side]) => ({
        number,
        give: (client, { handle }, sent) => side.give("client", client, { handle, sent }),
      }));
  }

  #orders(
    configuration: Configuration,
    { number, index }: { number: number; index: number },
  ): Parameters<Side["tell"]>[1] {
    const { listeners, certificates, workers } = this.#parts;
    return {
      number,
      index,
      workers,
      configuration: sessionsPart(configuration),
      interest: interestOf(configuration.serve),
      listeners: listeners.map(({ how }) => how),
      ...(certificates === undefined ? { credentials: [] } : certificates.current),
    };
  }

  #gone(number: number, { sides, reason }: { sides: Map<number, Side>; reason: GoneReason }): void {
    sides.delete(number);
    this.#sides.delete(number);
    this.#awaited.delete(number);
    this.#listening.delete(number);
    this.#told.delete(number);
    const why = wordsOf(reason);
    this.#broker.workerGone(number, `its worker process ended (${why})`);
    this.#door.forget(number);
    if (reason.code !== 0) this.#events.emit({ type: "worker.gone", worker: number, reason: why, at: Date.now() });
  }

  /** What a worker writes of its own accord is a fault; a log that it could write itself, it could wipe or forge. */
  #hearWords(number: number, stream: Readable | null): void {
    let text = "";
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-WORDS_LIMIT);
    });
    stream?.on("close", () => {
      if (text.trim() !== "") this.#warn(`worker ${number} said: ${text.trim()}`);
    });
  }

  #warn(text: string): void {
    this.#events.emit({ type: "server.warning", text, at: Date.now() });
  }
}

/** Nothing else goes to a worker: what is not in its memory cannot be read there. */
function sessionsPart({ server, limits, tls }: Configuration): WorkerConfiguration {
  return {
    server,
    limits,
    tls: {
      ...tls,
      cert: undefined,
      key: undefined,
      certificates: [],
      clientCa: undefined,
      clientRevocations: undefined,
    },
  };
}

function wordsOf({ code, signal, stuck, fault }: GoneReason): string {
  if (fault !== undefined) return fault;
  if (stuck) return "it gave no sign of life and was killed";
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

function noStart(why: string): Error {
  return new Error(
    `the worker processes do not come up: ${why}. The lines above may say more; --workers 0 does without`,
  );
}

/** Tests do not wait half a minute for a worker to count as stuck. */
function testLimits(): Partial<SupervisorLimits> {
  const [pongMs, pingEveryMs] = [process.env["FERRYMAN_TEST_PONG_MS"], process.env["FERRYMAN_TEST_PING_MS"]].map(
    Number,
  );
  return pongMs === undefined || pingEveryMs === undefined || !(pongMs > 0 && pingEveryMs > 0)
    ? {}
    : { pongMs, pingEveryMs };
}
