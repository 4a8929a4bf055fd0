/**
 * A port of the router that leads to one of ours: asked for by PCP, and of routers that are older by NAT-PMP. It is
 * renewed for as long as it is held, and taken away afterwards. For the client's active mode behind a NAT, and for a
 * server's passive ports.
 */
import { randomBytes } from "node:crypto";
import { type Socket, createSocket } from "node:dgram";
import {
  MAPPING_PORT,
  type MapAnswer,
  type MapQuestion,
  NONCE_OCTETS,
  formatNatPmpAddress,
  formatNatPmpMap,
  formatPcpMap,
  parseNatPmpAddress,
  parseNatPmpMap,
  parsePcpMap,
} from "../../protocol/pcp.ts";
import { type Endpoint, familyOf } from "../addresses.ts";
import { defaultGateway } from "./gateway.ts";

/** Milliseconds between two sendings of a question, in turn: routers of a house answer within 40 (measured, miniupnpd). */
const REPEAT_MS = [250, 500, 1_000, 2_000] as const;
/** Milliseconds for an answer. RFC 6887 §8.1.1 would wait for minutes; nobody waits so long for a file. */
const ANSWER_MS = 3_000;
/** Seconds of a mapping: what a crash leaves is gone soon. */
const LIFETIME = 300;
/** Part of the lifetime after which it is renewed (RFC 6887 §11.2.1). */
const RENEW_AT = 0.5;
/** Seconds, whatever lifetime a router says: renewals for less would flood it, and a timer cannot wait for more than weeks. */
const [LIFETIME_LEAST, LIFETIME_MOST] = [10, 86_400];

export type MappingTerms = {
  /** What is to be reached: an address of this machine and a port. */
  readonly local: Endpoint;
  /** Whom to ask. Default: the router of the default route. */
  readonly gateway?: Endpoint | undefined;
  /** Of the router, if it is free there. Default: the same as ours. */
  readonly suggestedPort?: number | undefined;
  /** Seconds. Default `LIFETIME`. */
  readonly lifetime?: number | undefined;
  /** Milliseconds for the first answer. Default `ANSWER_MS`. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A renewal gave another address or port, or (undefined) none. */
  readonly onChange?: ((external: Endpoint | undefined) => void) | undefined;
};

/** A port of the router, until it is disposed of. */
export type PortMapping = AsyncDisposable & {
  readonly protocol: "PCP" | "NAT-PMP";
  /** Where others reach us; undefined: the router has not renewed it. */
  readonly external: Endpoint | undefined;
};

/** The router gives none. `message` says why, in one sentence without its address. */
export class NoMapping extends Error {
  override readonly name = "NoMapping";
}

/** @throws {NoMapping}, or the signal's reason. */
export async function mapPort(terms: MappingTerms): Promise<PortMapping> {
  const { local, signal } = terms;
  signal?.throwIfAborted();
  const found = terms.gateway ?? (await gatewayFor(local));
  if (found === undefined) throw new NoMapping("this machine has no default route, so that there is no router to ask");
  const router = await Router.reach(found, local);
  const mapping = new Mapping(router, terms);
  try {
    await mapping.begin();
    return mapping;
  } catch (error) {
    router.close();
    throw error;
  }
}

async function gatewayFor({ address }: Endpoint): Promise<Endpoint | undefined> {
  const router = await defaultGateway(familyOf(address));
  return router === undefined ? undefined : { address: router, port: MAPPING_PORT };
}

/** One router, by a socket that hears nobody else. */
class Router {
  readonly #socket: Socket;
  #listener: ((line: Buffer) => void) | undefined;
  #fault: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (line) => this.#listener?.(line));
    socket.on("error", (error) => this.#fault?.(error));
    socket.unref();
  }

  /** @throws {NoMapping} */
  static async reach({ address, port }: Endpoint, local: Endpoint): Promise<Router> {
    const socket = createSocket(familyOf(local.address) === "IPv4" ? "udp4" : "udp6");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("error", reject);
    try {
      // The address that the router is told must be the one that it sees (RFC 6887 §8.2).
      socket.bind({ address: local.address, port: 0 }, () => socket.connect(port, address, () => resolve()));
      await promise;
      socket.off("error", reject);
      return new Router(socket);
    } catch (error) {
      socket.close();
      throw unreachable(error);
    }
  }

  /** Sends until `read` makes something of what comes. @throws {NoMapping}, or the signal's reason. */
  async ask<T>(line: Buffer, read: (line: Buffer) => T | undefined, { waitMs, signal }: Waiting): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timers = new Set<NodeJS.Timeout>();
    const send = (round: number): void => {
      this.say(line);
      const pause = REPEAT_MS[round];
      if (pause !== undefined) timers.add(setTimeout(() => send(round + 1), pause));
    };
    const abort = (): void => reject(signal?.reason);
    timers.add(setTimeout(() => reject(new NoMapping("the router does not answer (PCP, NAT-PMP)")), waitMs));
    signal?.addEventListener("abort", abort, { once: true });
    this.#fault = (error) => reject(unreachable(error));
    this.#listener = (answer) => {
      const made = read(answer);
      if (made !== undefined) resolve(made);
    };
    try {
      send(0);
      return await promise;
    } finally {
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#listener = undefined;
    }
  }

  /** @param sent told when it has gone out. */
  say(line: Buffer, sent: () => void = () => {}): void {
    this.#socket.send(line, (error) => {
      if (error !== null) this.#fault?.(error);
      sent();
    });
  }

  close(): void {
    this.#fault = undefined;
    this.#socket.close();
  }
}

type Waiting = { readonly waitMs: number; readonly signal: AbortSignal | undefined };

function unreachable(error: unknown): NoMapping {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  // What ICMP says of a router without PCP.
  if (code === "ECONNREFUSED") return new NoMapping("the router knows neither PCP nor NAT-PMP");
  return new NoMapping(`the router cannot be asked (${code === "" ? "unknown fault" : code})`);
}

class Mapping implements PortMapping {
  readonly #router: Router;
  readonly #terms: MappingTerms;
  readonly #nonce = randomBytes(NONCE_OCTETS);
  readonly #end = new AbortController();
  #protocol: "PCP" | "NAT-PMP" = "PCP";
  #external: Endpoint | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(router: Router, terms: MappingTerms) {
    this.#router = router;
    this.#terms = terms;
  }

  get protocol(): "PCP" | "NAT-PMP" {
    return this.#protocol;
  }

  get external(): Endpoint | undefined {
    return this.#external;
  }

  async begin(): Promise<void> {
    const { waitMs = ANSWER_MS, signal } = this.#terms;
    const { address, port, lifetime } = await this.#ask({ waitMs, signal });
    this.#external = { address, port };
    this.#renewAfter(lifetime);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort(new NoMapping("it is not wanted any longer"));
    clearTimeout(this.#timer);
    const gone = { ...this.#question(0), suggestedPort: 0 };
    const line = this.#protocol === "PCP" ? formatPcpMap(gone, this.#nonce) : formatNatPmpMap(gone);
    // Nobody waits for the answer: where it is lost, the mapping ends by itself.
    await new Promise<void>((resolve) => this.#router.say(line, resolve));
    this.#router.close();
  }

  #question(lifetime: number): MapQuestion {
    const { local, suggestedPort = local.port } = this.#terms;
    return { ...local, suggestedPort: this.#external?.port ?? suggestedPort, lifetime };
  }

  async #ask(waiting: Waiting): Promise<Mapped> {
    const question = this.#question(this.#terms.lifetime ?? LIFETIME);
    if (this.#protocol === "PCP") {
      const read = (line: Buffer): MapAnswer | undefined => parsePcpMap(line, question, this.#nonce);
      const answer = await this.#router.ask(formatPcpMap(question, this.#nonce), read, waiting);
      if (answer.kind !== "older") return granted(answer);
      if (familyOf(question.address) === "IPv6")
        throw new NoMapping("the router knows no PCP, and NAT-PMP has no IPv6");
      this.#protocol = "NAT-PMP";
    }
    const address = await this.#router.ask(formatNatPmpAddress(), parseNatPmpAddress, waiting);
    if (typeof address !== "string") throw refused(address.why);
    const read = (line: Buffer): MapAnswer | undefined => parseNatPmpMap(line, question, address);
    return granted(await this.#router.ask(formatNatPmpMap(question), read, waiting));
  }

  #renewAfter(lifetime: number): void {
    const seconds = Math.min(Math.max(lifetime, LIFETIME_LEAST), LIFETIME_MOST);
    this.#timer = setTimeout(() => void this.#renew(seconds), seconds * RENEW_AT * 1000);
    this.#timer.unref();
  }

  async #renew(lifetime: number): Promise<void> {
    const { signal } = this.#end;
    const before = this.#external;
    let again = lifetime;
    try {
      const { address, port, lifetime: given } = await this.#ask({ waitMs: ANSWER_MS, signal });
      again = given;
      if (before?.address !== address || before.port !== port) this.#external = { address, port };
    } catch {
      if (signal.aborted) return;
      // It may come back: a router that starts anew has forgotten all.
      this.#external = undefined;
    }
    if (this.#external !== before) this.#terms.onChange?.(this.#external);
    this.#renewAfter(again);
  }
}

type Mapped = Extract<MapAnswer, { kind: "mapped" }>;

function granted(answer: MapAnswer): Mapped {
  if (answer.kind === "mapped" && answer.port > 0) return answer;
  throw refused(answer.kind === "refused" ? answer.why : "it names no port");
}

function refused(why: string): NoMapping {
  return new NoMapping(`the router gives no port: ${why}`);
}
