/**
 * How a data connection comes about: EPSV, PASV, EPRT, PORT, each with a short wait before the next one joins, beginning
 * with what worked for this host before. A passive port that a firewall drops in silence then costs seconds once, and
 * nothing afterwards (nat.md; row D7).
 */
import { type Socket, isIPv6 } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { systemCode } from "../base/system-code.ts";
import { type Endpoint, familyOf, plainAddress, sameAddress, showEndpoint } from "../net/addresses.ts";
import { SocketEnd, type DataEnd } from "../net/data-end.ts";
import type { DataPath } from "../net/data-path.ts";
import { connectNatively } from "../net/native-connect.ts";
import type { PortMapping } from "../net/port-mapping/port-mapping.ts";
import { DataCallError } from "../sys/data-calls.ts";
import { formatEprt, formatPort, parse227, parse229 } from "../protocol/host-port.ts";
import { type ActiveListener, listenActive } from "./active-listener.ts";
import type { ControlLink } from "./control.ts";
import { OUTCOMES, adviceOn } from "./data-advice.ts";
import { DATA_MODES, type DataAttempt, type DataMode, FtpError, type FtpReply, shownReply } from "./errors.ts";
import {
  ACTIVE_WAIT_MS,
  KNOWN_MODE_TRIPS,
  KNOWN_MODE_WAIT_MS,
  MODE_WAIT_MS,
  PATIENCE_FACTOR,
  ROUNDS_MOST,
  SECOND_MODE_WAIT_MS,
} from "./limits.ts";
import { type RouterPorts, isBehindRouter } from "./router-ports.ts";
import type { DataOptions } from "./types.ts";

/** What is known of a host's modes; shared by all control connections of a client. */
export type ModeMemory = {
  /** Worked last. */
  preferred: DataMode | undefined;
  /** The server has refused their commands as unknown. */
  readonly refused: Set<DataMode>;
  /** Modes whose connections did not come about since the last that did. */
  readonly failed: Set<DataMode>;
  /** The last attempt of each of them, and of those that the server refused. */
  readonly attempts: Map<DataMode, DataAttempt>;
  /** How often all modes have failed since the last that came about. */
  rounds: number;
  /** This server bears the next EPSV while a transfer runs. */
  pipelining: boolean;
  /** It answers whatever is sent, one line after the other. */
  inOrder: boolean;
  /** From now on sessions are made with TLS 1.2 at most: this server does not see that TLS 1.3 resumes. */
  readonly cap: () => void;
};

export type ModeTerms = {
  readonly options: DataOptions;
  readonly memory: ModeMemory;
  readonly path: DataPath;
  /** Its address on the control connection; behind a proxy what the proxy was told, which may be a name. */
  readonly server: string;
  /** The control connection is TLS. */
  readonly isTls: boolean;
  readonly router: RouterPorts;
  /** To where a passive port is: straight, or through a proxy. */
  readonly dial: (
    port: number,
    host: string,
    wait: { readonly ms: number; readonly signal: AbortSignal },
  ) => Promise<Socket>;
  /** No proxy stands between, so that we may connect by ourselves. */
  readonly isStraight: boolean;
  /** Nobody can connect to us through a proxy. */
  readonly isActivePossible: boolean;
  /** One line to a person. */
  readonly note: (what: string) => void;
  /** Keeps what worked for the next time. */
  readonly worked: (mode: DataMode) => void;
  /** Our address as the server sees it, where there is reason to ask; undefined: not known. */
  readonly externalAddress: () => Promise<string | undefined>;
};

/** A data connection that is there, or that the server will make once it has its command. */
export type DataRoute = {
  readonly mode: DataMode;
  /** Where it goes to, or is awaited. */
  readonly endpoint: string;
  /** At once for passive modes. @throws {FtpError} DATA_BLOCKED. */
  arrive(signal: AbortSignal): Promise<DataEnd>;
  /**
   * Of active modes: the server has connected already. pyftpdlib does so at EPRT or PORT, and resets a connection on which
   * TLS begins before it has the command.
   */
  isThere?(): Promise<boolean>;
  /** Gives it up, if it was not taken. */
  dispose(): Promise<void>;
};

type Ask = (line: string) => Promise<FtpReply>;

/**
 * @param link the control connection, for the addresses of both ends.
 * @param ask sends a command and gives its reply back, whatever it is.
 * @throws {FtpError} DATA_BLOCKED with every attempt in `tried`.
 */
export async function routeData(
  link: ControlLink,
  ask: Ask,
  terms: ModeTerms,
  signal: AbortSignal,
): Promise<DataRoute> {
  const tried: DataAttempt[] = [];
  const modes = [...modesFor(terms)];
  for (let mode = modes.shift(); mode !== undefined; mode = modes.shift()) {
    signal.throwIfAborted();
    const begun = performance.now();
    const planned = mode === "epsv" || mode === "pasv" ? passive(mode) : active(mode);
    const outcome = await planned(link, ask, terms, signal);
    if (typeof outcome !== "string" && "arrive" in outcome) {
      if (tried.length > 0) terms.note(`${tried.map(shownAttempt).join("; ")}: going on with ${mode.toUpperCase()}`);
      return outcome;
    }
    const { why, ...where } = typeof outcome === "string" ? { why: outcome } : outcome;
    const attempt = { mode, outcome: why, ms: Math.round(performance.now() - begun), ...where };
    tried.push(attempt);
    terms.memory.attempts.set(mode, attempt);
    if (mode === "epsv" && why === OUTCOMES.silent && terms.isTls) putOff(modes);
  }
  throw blocked(link, terms, mayTryAgain(terms.memory));
}

/**
 * PASV leads to the same host as EPSV. Where that was silent, PASV comes through only by what reads the 227 on the way and
 * opens the port, which over TLS nobody can: active modes are tried before it.
 */
function putOff(modes: DataMode[]): void {
  const at = modes.indexOf("pasv");
  if (at >= 0) modes.push(...modes.splice(at, 1));
}

/** To a port that the server has named already. @returns undefined if it does not take us: then it is asked anew. */
export async function routeAhead(port: number, terms: ModeTerms, signal: AbortSignal): Promise<DataRoute | undefined> {
  const connected = await connectPassive("epsv", { host: terms.server, port }, terms, signal);
  return "why" in connected ? undefined : connected;
}

/** All have failed: once more, with more patience, as the way may just be long; then no more. */
function mayTryAgain(memory: ModeMemory): boolean {
  memory.rounds += 1;
  if (memory.rounds < ROUNDS_MOST) return true;
  // What was refused, perhaps for a while only, is asked for again by later calls: nothing else is left to them.
  memory.refused.clear();
  return false;
}

/** A connection has come about: what was seen of failures before says nothing any more. */
export function noteWorked(mode: DataMode, { memory, worked }: Pick<ModeTerms, "memory" | "worked">): void {
  if (memory.preferred !== mode) {
    memory.preferred = mode;
    worked(mode);
  }
  memory.failed.clear();
  memory.attempts.clear();
  memory.rounds = 0;
}

/** Every mode has failed, or was not allowed: what was seen of each since one has worked. */
function blocked(link: ControlLink, terms: ModeTerms, isAnyLeft: boolean): FtpError {
  const tried = [...terms.memory.attempts.values()];
  const list = tried.length === 0 ? "no data mode is allowed here" : tried.map(shownAttempt).join("; ");
  return new FtpError("DATA_BLOCKED", `no data connection: ${list}`, {
    phase: "data-open",
    connection: "data",
    tried,
    retryable: isAnyLeft,
    hint: blockedHint(link, terms, tried),
  });
}

/** What is between the two, as far as attempts tell. */
export function blockedHint(
  link: ControlLink,
  { server, isTls, router }: Pick<ModeTerms, "server" | "isTls" | "router">,
  tried: readonly DataAttempt[],
): string {
  const local = plainAddress(link.socket.localAddress ?? "");
  return adviceOn({ tried, server, isTls, isBehindRouter: isBehindRouter(local, server), router: router.why });
}

function shownAttempt({ mode, endpoint, outcome, ms }: DataAttempt): string {
  return `${mode.toUpperCase()}${endpoint === undefined ? "" : ` to ${endpoint}`}: ${outcome} (${ms} ms)`;
}

/** In the order of trying: what worked last, then what has not failed of late. */
function modesFor({ options, memory, isActivePossible, server }: ModeTerms): readonly DataMode[] {
  const isIpv6 = isIPv6(server);
  const allowed = (options.modes ?? DATA_MODES).filter((mode) => {
    const isActive = mode === "eprt" || mode === "port";
    // PASV and PORT hold addresses of IPv4 alone (RFC 2428 §1).
    return (
      !memory.refused.has(mode) && !(isIpv6 && (mode === "pasv" || mode === "port")) && (!isActive || isActivePossible)
    );
  });
  const rank = (mode: DataMode): number => (memory.failed.has(mode) ? 2 : mode === memory.preferred ? 0 : 1);
  return allowed.toSorted((a, b) => rank(a) - rank(b));
}

/** Why it did not come about. */
type Missed = { readonly endpoint: string; readonly named?: string; readonly why: string };
type Miss = string | Missed;
type Way = (link: ControlLink, ask: Ask, terms: ModeTerms, signal: AbortSignal) => Promise<DataRoute | Miss>;

/** A command that the server does not know is not sent again (5xx); other refusals may pass. */
function refusal(reply: FtpReply, mode: DataMode, memory: ModeMemory): string {
  if (reply.code >= 500) memory.refused.add(mode);
  return `refused (${shownReply(reply)})`;
}

function passive(mode: "epsv" | "pasv"): Way {
  return async (_link, ask, terms, signal) => {
    const { memory } = terms;
    const begun = performance.now();
    const reply = await ask(mode.toUpperCase());
    const tripMs = performance.now() - begun;
    if (reply.code >= 400) return refusal(reply, mode, memory);
    const target = mode === "epsv" ? target229(reply, terms) : target227(reply, terms);
    if (target === undefined) {
      memory.failed.add(mode);
      return `no port in the reply (${shownReply(reply)})`;
    }
    const connected = await connectPassive(mode, { ...target, tripMs }, terms, signal);
    if ("why" in connected) memory.failed.add(mode);
    return connected;
  };
}

async function connectPassive(
  mode: "epsv" | "pasv",
  { host, port, named, tripMs }: Target,
  terms: ModeTerms,
  signal: AbortSignal,
): Promise<DataRoute | Missed> {
  const endpoint = showEndpoint({ address: host, port });
  let end: DataEnd;
  try {
    end = await dialled({ address: host, port }, terms, { ms: waitFor(mode, terms, tripMs), signal });
  } catch (error) {
    signal.throwIfAborted();
    const why = missOf(error);
    if (why === undefined) throw error;
    return { endpoint, why, ...(named === undefined ? {} : { named }) };
  }
  let isTaken = false;
  return {
    mode,
    endpoint,
    async arrive() {
      isTaken = true;
      return await Promise.resolve(end);
    },
    async dispose() {
      if (!isTaken) end.destroy();
      return await Promise.resolve();
    },
  };
}

/** Without a socket of Node's where that is possible. */
async function dialled(
  remote: Endpoint,
  { path, dial, isStraight }: ModeTerms,
  wait: { readonly ms: number; readonly signal: AbortSignal },
): Promise<DataEnd> {
  const isPlain = isStraight && !remote.address.includes("%");
  if (path.kind === "native" && isPlain) return await connectNatively(remote, wait, path.calls);
  const socket = await dial(remote.port, remote.address, wait);
  return new SocketEnd(socket, path.kind === "native" ? path.calls : undefined);
}

const MISSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: OUTCOMES.closed,
  EHOSTUNREACH: OUTCOMES.noWay,
  ENETUNREACH: OUTCOMES.noWay,
  ETIMEDOUT: OUTCOMES.silent,
};

/** @returns undefined for what is no failure to connect. */
function missOf(error: unknown): string | undefined {
  if (error instanceof DataCallError) return MISSES[error.code] ?? error.code;
  if (!(error instanceof FtpError)) return undefined;
  if (error.code === "TIMEOUT") return OUTCOMES.silent;
  const { cause } = error;
  return MISSES[systemCode(cause)] ?? error.message;
}

/** Milliseconds for a connection to a passive port. One that worked before is given longer, as it may just be slow. */
function waitFor(mode: DataMode, { options, memory }: ModeTerms, tripMs = Number.POSITIVE_INFINITY): number {
  const wait = (options.waitMs ?? MODE_WAIT_MS) * (memory.rounds > 0 ? PATIENCE_FACTOR : 1);
  if (memory.preferred === mode && !memory.failed.has(mode)) {
    return Math.max(wait, Math.min(KNOWN_MODE_WAIT_MS, wait + KNOWN_MODE_TRIPS * tripMs));
  }
  if (memory.failed.size > 0) return Math.min(wait, SECOND_MODE_WAIT_MS * (memory.rounds > 0 ? PATIENCE_FACTOR : 1));
  return wait;
}

/** `named`: what a 227 said in place of the host. `tripMs`: milliseconds that the reply took; absent: not known. */
type Target = { readonly host: string; readonly port: number; readonly named?: string; readonly tripMs?: number };

/** EPSV names a port alone: the address is that of the control connection (RFC 2428 §3). */
function target229(reply: FtpReply, { server: host }: ModeTerms): Target | undefined {
  const port = parse229(reply.lines.join(" "));
  return port === undefined ? undefined : { host, port };
}

/**
 * The address of a 227 is not believed where it is another than that of the control connection: it is private behind a
 * NAT, or somebody wants us to connect elsewhere (attack 64, CVE-2020-8284).
 */
function target227(reply: FtpReply, { options, note, server: host }: ModeTerms): Target | undefined {
  const said = parse227(reply.lines.join(" "));
  if (said === undefined) return undefined;
  if (sameAddress(said.address, host) || options.trustPasvAddress === true) {
    return { host: said.address, port: said.port };
  }
  note(
    `the server named ${said.address} for the data connection; ${host} is used, which it has for the control connection`,
  );
  return { host, port: said.port, named: said.address };
}

function active(mode: "eprt" | "port"): Way {
  return async (link, ask, terms, signal) => {
    const { options, memory } = terms;
    const local = plainAddress(link.socket.localAddress ?? "");
    const family = familyOf(local);
    const listener = await listenActive(local, { server: terms.server, ports: options.activePorts });
    let mapping: PortMapping | undefined;
    let isKept = false;
    try {
      const own = { address: local, port: listener.port };
      if (options.activeAddress === undefined) mapping = await terms.router.map(own, terms.server, signal);
      const hostPort = { family, ...(mapping?.external ?? (await announced(own, terms))) };
      const reply = await ask(mode === "eprt" ? `EPRT ${formatEprt(hostPort)}` : `PORT ${formatPort(hostPort)}`);
      if (reply.code >= 400) return refusal(reply, mode, memory);
      isKept = true;
      // Another try is of use where there is a mode that has not failed yet.
      const isAnyLeft = (): boolean => modesFor(terms).some((each) => !memory.failed.has(each)) || mayTryAgain(memory);
      return activeRoute(mode, { link, isAnyLeft, listener, mapping, endpoint: showEndpoint(hostPort), terms });
    } finally {
      if (!isKept) await Promise.all([listener[Symbol.asyncDispose](), mapping?.[Symbol.asyncDispose]()]);
    }
  };
}

/** Without a port of the router's: it is forwarded, or there is no router. */
async function announced(own: Endpoint, { options, externalAddress }: ModeTerms): Promise<Endpoint> {
  return { ...own, address: options.activeAddress ?? (await externalAddress()) ?? own.address };
}

type ActiveParts = {
  readonly link: ControlLink;
  readonly listener: ActiveListener;
  readonly mapping: PortMapping | undefined;
  readonly endpoint: string;
  readonly terms: ModeTerms;
  readonly isAnyLeft: () => boolean;
};

function activeRoute(
  mode: "eprt" | "port",
  { link, listener, mapping, endpoint, terms, isAnyLeft }: ActiveParts,
): DataRoute {
  const begun = performance.now();
  return {
    mode,
    endpoint,
    async isThere() {
      // What came before the last reply is seen by the end of this turn of the loop.
      await turn();
      return listener.hasArrived;
    },
    async arrive(signal) {
      const limit = AbortSignal.timeout(ACTIVE_WAIT_MS);
      try {
        const socket = await listener.accept(AbortSignal.any([signal, limit]));
        return new SocketEnd(socket, terms.path.kind === "native" ? terms.path.calls : undefined);
      } catch (error) {
        if (!limit.aborted) throw error;
        const { memory } = terms;
        memory.failed.add(mode);
        const others = [...listener.strangers].join(", ");
        const outcome = others === "" ? OUTCOMES.absent : `${others} connected, the server did not`;
        memory.attempts.set(mode, { mode, endpoint, outcome, ms: Math.round(performance.now() - begun) });
        throw blocked(link, terms, isAnyLeft());
      } finally {
        await listener[Symbol.asyncDispose]();
      }
    },
    async dispose() {
      await Promise.all([listener[Symbol.asyncDispose](), mapping?.[Symbol.asyncDispose]()]);
    },
  };
}
