/**
 * How a data connection comes about: EPSV, PASV, EPRT, PORT, each with a short wait before the next one joins, beginning
 * with what worked for this host before. A passive port that a firewall drops in silence then costs seconds once, and
 * nothing afterwards (nat.md; row D7).
 */
import { type Socket, isIPv6 } from "node:net";
import { familyOf, plainAddress, sameAddress, showEndpoint } from "../net/addresses.ts";
import { SocketEnd, type DataEnd } from "../net/data-end.ts";
import type { DataPath } from "../net/data-path.ts";
import { formatEprt, formatPort, parse227, parse229 } from "../protocol/host-port.ts";
import { type ActiveListener, listenActive } from "./active-listener.ts";
import type { ControlLink } from "./control.ts";
import { DATA_MODES, type DataAttempt, type DataMode, FtpError, type FtpReply, shownReply } from "./errors.ts";
import {
  ACTIVE_WAIT_MS,
  KNOWN_MODE_WAIT_MS,
  MODE_WAIT_MS,
  PATIENCE_FACTOR,
  ROUNDS_MOST,
  SECOND_MODE_WAIT_MS,
} from "./limits.ts";
import type { DataOptions } from "./types.ts";

/** What is known of a host's modes; shared by all control connections of a client. */
export type ModeMemory = {
  /** Worked last. */
  preferred: DataMode | undefined;
  /** The server has refused their commands as unknown. */
  readonly refused: Set<DataMode>;
  /** Modes whose connections did not come about since the last that did. */
  readonly failed: Set<DataMode>;
  /** How often all modes have failed since the last that came about. */
  rounds: number;
  /** This server bears the next EPSV while a transfer runs. */
  pipelining: boolean;
  /** From now on sessions are made with TLS 1.2 at most: this server does not see that TLS 1.3 resumes. */
  readonly cap: () => void;
};

export type ModeTerms = {
  readonly options: DataOptions;
  readonly memory: ModeMemory;
  readonly path: DataPath;
  /** To where a passive port is: straight, or through a proxy. */
  readonly dial: (
    port: number,
    host: string,
    wait: { readonly ms: number; readonly signal: AbortSignal },
  ) => Promise<Socket>;
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
  for (const mode of modesFor(link, terms)) {
    signal.throwIfAborted();
    const begun = performance.now();
    const planned = mode === "epsv" || mode === "pasv" ? passive(mode) : active(mode);
    const outcome = await planned(link, ask, terms, signal);
    if (typeof outcome !== "string" && "arrive" in outcome) {
      if (tried.length > 0) terms.note(`${tried.map(shownAttempt).join("; ")}: going on with ${mode.toUpperCase()}`);
      return outcome;
    }
    const { endpoint, why } = typeof outcome === "string" ? { endpoint: undefined, why: outcome } : outcome;
    tried.push({
      mode,
      outcome: why,
      ms: Math.round(performance.now() - begun),
      ...(endpoint === undefined ? {} : { endpoint }),
    });
  }
  throw blocked(mayTryAgain(terms.memory), tried);
}

/** To a port that the server has named already. @returns undefined if it does not take us: then it is asked anew. */
export async function routeAhead(
  link: ControlLink,
  port: number,
  terms: ModeTerms,
  signal: AbortSignal,
): Promise<DataRoute | undefined> {
  const connected = await connectPassive("epsv", { host: link.remote, port }, terms, signal);
  return "why" in connected ? undefined : connected;
}

/** All have failed: once more, with more patience, as the way may just be long; then no more. */
function mayTryAgain(memory: ModeMemory): boolean {
  memory.rounds += 1;
  return memory.rounds < ROUNDS_MOST;
}

/** Every mode has failed, or was not allowed. */
function blocked(isAnyLeft: boolean, tried: readonly DataAttempt[]): FtpError {
  const list = tried.length === 0 ? "no data mode is allowed here" : tried.map(shownAttempt).join("; ");
  return new FtpError("DATA_BLOCKED", `no data connection: ${list}`, {
    phase: "data-open",
    connection: "data",
    tried,
    retryable: isAnyLeft,
    hint: "a firewall or NAT lets the control connection through and not the data connection: the server must open its passive ports, or forward them and say its public address; `ferryman doctor` tells more",
  });
}

function shownAttempt({ mode, endpoint, outcome, ms }: DataAttempt): string {
  return `${mode.toUpperCase()}${endpoint === undefined ? "" : ` to ${endpoint}`}: ${outcome} (${ms} ms)`;
}

/** In the order of trying: what worked last, then what has not failed of late. */
function modesFor(link: ControlLink, { options, memory, isActivePossible }: ModeTerms): readonly DataMode[] {
  const isIpv6 = isIPv6(link.remote);
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
type Miss = string | { readonly endpoint: string; readonly why: string };
type Way = (link: ControlLink, ask: Ask, terms: ModeTerms, signal: AbortSignal) => Promise<DataRoute | Miss>;

/** A command that the server does not know is not sent again (5xx); other refusals may pass. */
function refusal(reply: FtpReply, mode: DataMode, memory: ModeMemory): string {
  if (reply.code >= 500) memory.refused.add(mode);
  return `refused (${shownReply(reply)})`;
}

function passive(mode: "epsv" | "pasv"): Way {
  return async (link, ask, terms, signal) => {
    const { memory } = terms;
    const reply = await ask(mode.toUpperCase());
    if (reply.code >= 400) return refusal(reply, mode, memory);
    const target = mode === "epsv" ? target229(link, reply) : target227(link, reply, terms);
    if (target === undefined) {
      memory.failed.add(mode);
      return `no port in the reply (${shownReply(reply)})`;
    }
    const connected = await connectPassive(mode, target, terms, signal);
    if ("why" in connected) memory.failed.add(mode);
    return connected;
  };
}

async function connectPassive(
  mode: "epsv" | "pasv",
  { host, port }: Target,
  terms: ModeTerms,
  signal: AbortSignal,
): Promise<DataRoute | { readonly endpoint: string; readonly why: string }> {
  const endpoint = showEndpoint({ address: host, port });
  let socket: Socket;
  try {
    socket = await terms.dial(port, host, { ms: waitFor(mode, terms), signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FtpError)) throw error;
    return { endpoint, why: error.code === "TIMEOUT" ? "no answer" : missOf(error) };
  }
  const end = new SocketEnd(socket, terms.path.kind === "native" ? terms.path.calls : undefined);
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

function missOf(error: FtpError): string {
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "no way there";
  return error.message;
}

/** Milliseconds for a connection to a passive port. One that worked before is given longer, as it may just be slow. */
function waitFor(mode: DataMode, { options, memory }: ModeTerms): number {
  const wait = (options.waitMs ?? MODE_WAIT_MS) * (memory.rounds > 0 ? PATIENCE_FACTOR : 1);
  if (memory.preferred === mode && !memory.failed.has(mode)) return Math.max(wait, KNOWN_MODE_WAIT_MS);
  if (memory.failed.size > 0) return Math.min(wait, SECOND_MODE_WAIT_MS * (memory.rounds > 0 ? PATIENCE_FACTOR : 1));
  return wait;
}

type Target = { readonly host: string; readonly port: number };

/** EPSV names a port alone: the address is that of the control connection (RFC 2428 §3). */
function target229(link: ControlLink, reply: FtpReply): Target | undefined {
  const port = parse229(reply.lines.join(" "));
  return port === undefined ? undefined : { host: link.remote, port };
}

/**
 * The address of a 227 is not believed where it is another than that of the control connection: it is private behind a
 * NAT, or somebody wants us to connect elsewhere (attack 64, CVE-2020-8284).
 */
function target227(link: ControlLink, reply: FtpReply, { options, note }: ModeTerms): Target | undefined {
  const said = parse227(reply.lines.join(" "));
  if (said === undefined) return undefined;
  const host = link.remote;
  if (sameAddress(said.address, host) || options.trustPasvAddress === true) {
    return { host: said.address, port: said.port };
  }
  note(
    `the server named ${said.address} for the data connection; ${host} is used, which it has for the control connection`,
  );
  return { host, port: said.port };
}

function active(mode: "eprt" | "port"): Way {
  return async (link, ask, terms, signal) => {
    const { options, memory } = terms;
    const local = plainAddress(link.socket.localAddress ?? "");
    const family = familyOf(local);
    const server = link.remote;
    const listener = await listenActive(local, { server, ports: options.activePorts });
    let isKept = false;
    try {
      const address = options.activeAddress ?? (await terms.externalAddress()) ?? local;
      const hostPort = { family, address, port: listener.port };
      const reply = await ask(mode === "eprt" ? `EPRT ${formatEprt(hostPort)}` : `PORT ${formatPort(hostPort)}`);
      if (reply.code >= 400) return refusal(reply, mode, memory);
      isKept = true;
      // Another try is of use where there is a mode that has not failed yet.
      const isAnyLeft = (): boolean =>
        modesFor(link, terms).some((each) => !memory.failed.has(each)) || mayTryAgain(memory);
      return activeRoute(mode, {
        isAnyLeft,
        listener,
        endpoint: showEndpoint({ address, port: listener.port }),
        terms,
        signal,
      });
    } finally {
      if (!isKept) await listener[Symbol.asyncDispose]();
    }
  };
}

function activeRoute(
  mode: "eprt" | "port",
  {
    listener,
    endpoint,
    terms,
    isAnyLeft,
  }: { listener: ActiveListener; endpoint: string; terms: ModeTerms; signal: AbortSignal; isAnyLeft: () => boolean },
): DataRoute {
  const begun = performance.now();
  return {
    mode,
    endpoint,
    async arrive(signal) {
      const limit = AbortSignal.timeout(ACTIVE_WAIT_MS);
      try {
        const socket = await listener.accept(AbortSignal.any([signal, limit]));
        return new SocketEnd(socket, terms.path.kind === "native" ? terms.path.calls : undefined);
      } catch (error) {
        if (!limit.aborted) throw error;
        terms.memory.failed.add(mode);
        const others = [...listener.strangers].join(", ");
        throw blocked(isAnyLeft(), [
          {
            mode,
            endpoint,
            outcome: others === "" ? "the server did not connect" : `${others} connected, the server did not`,
            ms: Math.round(performance.now() - begun),
          },
        ]);
      } finally {
        await listener[Symbol.asyncDispose]();
      }
    },
    async dispose() {
      await listener[Symbol.asyncDispose]();
    },
  };
}
