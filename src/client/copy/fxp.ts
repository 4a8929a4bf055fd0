/**
 * A file straight from one server to another (RFC 959 §2.3, "FXP"): one listens, the other is told to connect there. Over
 * TLS both would wait for the other to begin, as each is used to be the server of its data connections (RFC 4217 §7);
 * SSCN ON and CPSV, which some servers have, make one of them begin.
 */
import { type Endpoint, familyOf } from "../../net/addresses.ts";
import { formatEprt, formatPort, parse227, parse229 } from "../../protocol/host-port.ts";
import { FtpError, type FtpReply, shownReply } from "../errors.ts";
import { ABORT_WAIT_MS, FINISH_WAIT_MS } from "../limits.ts";
import type { FtpSession } from "../session.ts";
import { seconds } from "../waits.ts";
import { FXP_MOST_MS } from "./limits.ts";
import type { Pair } from "./two-sessions.ts";

export type FxpPlan = Pair & {
  readonly fromPath: string;
  readonly toPath: string;
  /** Which of them listens. */
  readonly listens: keyof Pair;
  /** The caller's, or that nothing moves any longer. */
  readonly signal: AbortSignal;
  /** Milliseconds for the two to come together. */
  readonly waitMs: number;
  /** Told when both servers have begun. */
  readonly begun: () => void;
};

/** `hasBegun`: the target may have a part of the file. */
export type FxpEnd =
  | { readonly isDone: true; readonly reply: FtpReply | undefined; readonly hasBegun: true }
  | { readonly isDone: false; readonly why: string; readonly hasBegun: boolean };

type Verb = "PASV" | "EPSV" | "CPSV";
type Way = { readonly verb: Verb; readonly switched: FtpSession | undefined };

/** @throws {FtpError} where a connection is lost before it begins; the signal's reason. */
export async function transferBetween(plan: FxpPlan): Promise<FxpEnd> {
  const { from, to, listens, signal } = plan;
  const [listener, dialler] = listens === "to" ? [to, from] : [from, to];
  const way = wayOf(listener, dialler);
  if (typeof way === "string") return refused(way);
  await from.setType("I", signal);
  await to.setType("I", signal);
  const { switched } = way;
  if (switched !== undefined) {
    const reply = await switched.ask("SSCN ON", { signal });
    if (reply.code >= 300) return refused(`${switched.info.host} refused SSCN ON: ${shownReply(reply)}`);
  }
  try {
    const endpoint = await listen(listener, way.verb, signal);
    if (typeof endpoint === "string") return refused(endpoint);
    const reply = await dialler.ask(portCommand(endpoint), { signal });
    if (reply.code >= 300) {
      return refused(`${dialler.info.host} refused to connect to ${endpoint.address}: ${shownReply(reply)}`);
    }
    return await carry(plan);
  } finally {
    if (switched !== undefined) await switchOff(switched);
  }
}

function refused(why: string): FxpEnd {
  return { isDone: false, why, hasBegun: false };
}

/** A session that stayed switched could not talk to us. */
async function switchOff(session: FtpSession): Promise<void> {
  if (session.isLost) return;
  try {
    await session.send("SSCN OFF", { ms: ABORT_WAIT_MS });
  } catch {
    session.link.destroy("its side of TLS could not be switched back");
  }
}

/** @returns how they can come together, or why not. */
function wayOf(listener: FtpSession, dialler: FtpSession): Way | string {
  const [at, by] = [listener.info.address, dialler.info.address];
  if (familyOf(at) !== familyOf(by)) return "one of the servers is reached by IPv4 and the other one by IPv6";
  if (isLoopback(at) && !isLoopback(by))
    return `${listener.info.host} is this machine, as the other server does not see it`;
  const plain = familyOf(at) === "IPv4" ? "PASV" : "EPSV";
  if (!listener.isPrivate && !dialler.isPrivate) return { verb: plain, switched: undefined };
  if (listener.isPrivate !== dialler.isPrivate) {
    return "data connections are private with one of the servers and clear with the other one";
  }
  if (plain === "PASV" && listener.info.features.has("CPSV")) return { verb: "CPSV", switched: undefined };
  const switched = [listener, dialler].find(({ info }) => info.features.has("SSCN"));
  if (switched !== undefined) return { verb: plain, switched };
  return "over TLS each server waits for the other one to begin, and neither of them has SSCN or CPSV";
}

/** Where the listener listens, by the address at which we reach it: one that it names may be anybody's (attack 64). */
async function listen(session: FtpSession, verb: Verb, signal: AbortSignal): Promise<Endpoint | string> {
  let reply = await session.ask(verb, { signal });
  let isExtended = verb === "EPSV";
  if (reply.code >= 400 && verb === "PASV") {
    reply = await session.ask("EPSV", { signal });
    isExtended = true;
  }
  const text = reply.lines.join(" ");
  const port = isExtended ? parse229(text) : parse227(text)?.port;
  if (reply.code < 300 && port !== undefined) return { address: session.info.address, port };
  return `${session.info.host} does not listen for data: ${shownReply(reply)}`;
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^127\.\d+\.\d+\.\d+$/.test(address);
}

function portCommand({ address, port }: Endpoint): string {
  const hostPort = { family: familyOf(address), address, port };
  return hostPort.family === "IPv4" ? `PORT ${formatPort(hostPort)}` : `EPRT ${formatEprt(hostPort)}`;
}

type SideEnd = { readonly reply: FtpReply | undefined; readonly fault: unknown };

/** Both commands at once: a server may say nothing before it has its data connection. */
async function carry(plan: FxpPlan): Promise<FxpEnd> {
  const { from, to, fromPath, toPath, signal, waitMs } = plan;
  from.link.settle();
  to.link.settle();
  to.link.write(`STOR ${toPath}`);
  from.link.write(`RETR ${fromPath}`);
  let waiting = 2;
  const started = (): void => {
    waiting -= 1;
    if (waiting === 0) plan.begun();
  };
  const stop = new AbortController();
  const joined = AbortSignal.any([signal, stop.signal]);
  const timers: NodeJS.Timeout[] = [];
  const watch = async (session: FtpSession): Promise<SideEnd> => {
    const end = await sideEnd(session, { signal: joined, started, waitMs });
    const isGood = end.reply !== undefined && end.reply.code < 400;
    // When one has failed, or has ended before the other began, the other has little time left; else it has to write.
    timers.push(setTimeout(() => stop.abort(LATE), isGood && waiting === 0 ? FINISH_WAIT_MS : ABORT_WAIT_MS));
    return end;
  };
  const [target, source] = await Promise.all([watch(to), watch(from)]);
  for (const timer of timers) clearTimeout(timer);
  for (const [session, { reply }] of [[to, target] as const, [from, source] as const]) {
    // What it says later would be taken for an answer to something else.
    if (reply === undefined) session.link.destroy("a transfer between servers was given up");
  }
  if (signal.aborted) throw signal.reason;
  const why = [faultOf(to, target, waitMs), faultOf(from, source, waitMs)].filter((text) => text !== undefined);
  if (why.length === 0) return { isDone: true, reply: target.reply, hasBegun: true };
  return { isDone: false, why: why.join("; "), hasBegun: waiting === 0 };
}

const LATE = new FtpError("TIMEOUT", "the other server has ended and this one has not", { phase: "finish" });

async function sideEnd(
  session: FtpSession,
  { signal, started, waitMs }: { readonly signal: AbortSignal; readonly started: () => void; readonly waitMs: number },
): Promise<SideEnd> {
  let [ms, isFirst] = [waitMs, true];
  try {
    for (;;) {
      const reply = await session.link.reply({ phase: "transfer", ms, signal });
      if (isFirst && reply.code < 400) started();
      if (reply.code >= 200) return { reply, fault: undefined };
      [ms, isFirst] = [FXP_MOST_MS, false];
    }
  } catch (error) {
    return { reply: undefined, fault: error };
  }
}

function faultOf({ info }: FtpSession, { reply, fault }: SideEnd, waitMs: number): string | undefined {
  if (reply !== undefined) return reply.code < 400 ? undefined : `${info.host}: ${shownReply(reply)}`;
  const isLate = fault instanceof FtpError && fault.code === "TIMEOUT" && fault !== LATE;
  if (isLate) return `${info.host}: no data connection came about within ${seconds(waitMs)}`;
  return `${info.host}: ${fault instanceof Error ? fault.message : "it was lost"}`;
}
