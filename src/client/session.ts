/**
 * One session with a server: commands one after another, and transfers with their data connections. It is leased from
 * the pool to one call at a time; after a failure it is either in order again or says that it is lost.
 */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type { DataTerms } from "../net/data-connection.ts";
import type { DataPath } from "../net/data-path.ts";
import type { DataTransport } from "../net/transport.ts";
import type { ControlLink } from "./control.ts";
import { OUTCOMES } from "./data-advice.ts";
import { type DataRoute, type ModeTerms, blockedHint, noteWorked, routeAhead, routeData } from "./data-modes.ts";
import { type DataMode, FtpError, type FtpErrorDetails, type FtpReply, shownCommand, withDetails } from "./errors.ts";
import { ABORT_WAIT_MS, FINISH_WAIT_MS, FINISH_WHOLE_MS, REFUSAL_WAIT_MS } from "./limits.ts";
import { orNothing } from "./or-nothing.ts";
import { ownReply, replyError } from "./reply-errors.ts";
import { Ahead } from "./ahead.ts";
import { dataFault, unlessRefused } from "./data-faults.ts";
import { dropping } from "./dropping.ts";
import { type AskOptions, HARMLESS, type SessionParts } from "./session-parts.ts";
import type { ClientTls } from "./tls.ts";
import type { TransferEnd, TransferPlan } from "./transfer-plan.ts";
import { transportOf } from "./transport-of.ts";
import type { ServerInfo } from "./types.ts";
import { unquotePath } from "../protocol/reply.ts";

export class FtpSession {
  readonly link: ControlLink;
  readonly info: ServerInfo;
  readonly #parts: SessionParts;
  #type: "A" | "I" | undefined;
  #folder: string;
  readonly #ahead: Ahead;
  readonly #terms: Omit<ModeTerms, "path">;
  #isTainted = false;
  #life: AbortController | undefined;

  constructor(parts: SessionParts) {
    this.link = parts.link;
    this.info = parts.info;
    this.#parts = parts;
    this.#folder = parts.info.home;
    this.#ahead = new Ahead(parts.link, () => parts.modes.memory.pipelining);
    this.#terms = { ...parts.modes, externalAddress: async () => await parts.externalAddress(this) };
  }

  get isPrivate(): boolean {
    return this.#parts.isPrivate;
  }

  get tls(): ClientTls | undefined {
    return this.#parts.tls;
  }

  /** Of no use any longer. */
  get isLost(): boolean {
    return this.link.fault !== undefined;
  }

  /** Its folder is not the one after login, or a command of the caller's own may have left something in force. */
  get isElsewhere(): boolean {
    return this.#isTainted || this.#folder !== this.info.home;
  }

  /** Sends one command. @returns its last reply, whatever it says. @throws {FtpError} of the connection. */
  async ask(line: string, { signal, phase, ms, isForeign = false }: AskOptions = {}): Promise<FtpReply> {
    this.link.settle();
    this.link.write(line);
    const folder = this.#folder;
    const isMove = /^(?:cwd|cdup|xcwd|xcup)\b/i.test(line);
    if (isMove || /^(?:user|rein)\b/i.test(line)) this.#folder = "";
    if (isForeign && !HARMLESS.test(line)) this.#isTainted = true;
    if (/^type/i.test(line)) this.#type = undefined;
    // What was asked for early is not in force any longer.
    if (/^(?:epsv|pasv|eprt|port|rein)/i.test(line)) this.#ahead.begin();
    try {
      // A preliminary reply is followed by another (RFC 959 §4.2.1).
      const reply = await this.link.finalReply({ phase, signal, ms });
      // Who may not go elsewhere is where he was.
      if (isMove && reply.code >= 400) this.#folder = folder;
      return reply;
    } catch (error) {
      // A reply that comes later would be taken for that of the next command.
      this.link.destroy("a command was given up before its reply");
      throw error;
    }
  }

  /** As `ask`, but 4xx and 5xx are errors. */
  async send(line: string, options: AskOptions & { readonly what?: string } = {}): Promise<FtpReply> {
    const reply = await this.ask(line, options);
    if (reply.code < 400) return reply;
    const command = shownCommand(line);
    throw replyError(options.what ?? command, reply, { phase: options.phase ?? "command", command });
  }

  /** The client is closed: whatever runs here ends. */
  stop(reason: FtpError): void {
    this.link.destroy(reason.message);
    this.#life?.abort(reason);
  }

  /** TYPE A or I, if it is not in force. */
  async setType(type: "A" | "I", signal?: AbortSignal): Promise<void> {
    if (this.#type === type) return;
    await this.send(`TYPE ${type}`, { signal });
    this.#type = type;
  }

  /** Back to the folder after login, which all calls rely on. Where that fails the pool gives this session up. */
  async comeHome(signal?: AbortSignal): Promise<void> {
    const reply = await this.ask(`CWD ${this.info.home}`, { signal });
    if (reply.code < 400) this.#folder = this.info.home;
  }

  async workingFolder(signal?: AbortSignal): Promise<string> {
    const reply = await this.send("PWD", { signal });
    const path = unquotePath(this.link.names.encode(reply.lines.join(" ")));
    return path === undefined ? "" : this.link.names.decode(path);
  }

  /** One transfer, with a data connection of its own. @throws {FtpError}, or the signal's reason. */
  async transfer<T>(plan: TransferPlan<T>): Promise<TransferEnd<T>> {
    const { signal, command } = plan;
    signal?.throwIfAborted();
    await this.setType(plan.type, signal);
    const life = new AbortController();
    this.#life = life;
    const abort = (): void => life.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const path = this.#parts.path({ isShort: plan.isShort === true });
    const terms = { ...this.#terms, path };
    try {
      const route = await this.#route(terms, { signal, life: life.signal });
      try {
        return await this.#run({ ...plan, path }, route, life);
      } finally {
        await route.dispose();
      }
    } catch (error) {
      // By the caller's signal, by `stop`, or by what moved the octets.
      if (life.signal.aborted) throw life.signal.reason;
      // With a reason: without one an error is made each time, with its trace.
      life.abort(OVER);
      throw error instanceof FtpError && error.command === undefined
        ? withDetails(error, { command: shownCommand(command) })
        : error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** To the port that was asked for during the last transfer, else anew. */
  async #route(
    terms: ModeTerms,
    { signal, life }: { signal: AbortSignal | undefined; life: AbortSignal },
  ): Promise<DataRoute> {
    const port = this.#ahead.begin();
    const known = port === undefined ? undefined : await routeAhead(port, terms, life);
    return known ?? (await routeData(this.link, async (line) => await this.ask(line, { signal }), terms, life));
  }

  async #run<T>(plan: Routed<T>, route: DataRoute, life: AbortController): Promise<TransferEnd<T>> {
    const { link } = this;
    const dropped = await this.#goTo(plan);
    link.settle();
    const isEarly = plan.direction === "in" && this.#parts.modes.memory.inOrder;
    const early = isEarly ? (plan.follow?.() ?? NO_LINES) : NO_LINES;
    const next = isEarly && route.mode === "epsv" ? this.#ahead.line() : NO_LINES;
    const begun = Promise.withResolvers<void>();
    // With a passive port all is there for TLS to begin while the command is on its way; a refusal ends it.
    if (!this.isPrivate || (await route.isThere?.()) !== true) begun.resolve();
    link.write(plan.command, ...early, ...next);
    const arriving = begun.promise
      .then(async () => await this.#arrive(plan, route, life.signal))
      .then((transport) => dropping(transport, dropped));
    arriving.catch(() => {});
    let first: FtpReply;
    try {
      first = ownReply(await this.#firstReply(arriving, life), plan.what);
      if (first.code < 400) begun.resolve();
    } catch (error) {
      await this.#giveUp(arriving);
      link.destroy("a transfer was given up before its reply");
      throw error;
    }
    if (first.code >= 400) {
      await this.#giveUp(arriving);
      await this.#repliesTo(early.length, plan.signal);
      throw this.#refused(plan, route, first);
    }
    const final = first.code >= 200 ? first : undefined;
    return await this.#carry(plan, { arriving, route, final, life, early: isEarly ? early.length : undefined });
  }

  /** RANG says where it ends too (draft-bryan-ftp-range §3); REST is understood by all servers that can resume. @returns octets to drop. */
  async #goTo<T>({ offset = 0, end, what, mayDrop = false }: TransferPlan<T>): Promise<number> {
    if (end !== undefined && this.info.features.has("RANG")) {
      if ((await this.ask(`RANG ${offset} ${end - 1}`)).code < 400) return 0;
    }
    if (offset === 0) return 0;
    const command = `REST ${offset}`;
    const reply = await this.ask(command);
    if (reply.code < 400) return 0;
    if (mayDrop && (reply.code === 500 || reply.code === 502 || reply.code === 504)) return offset;
    throw replyError(`${what}: it cannot resume`, reply, { phase: "command", command });
  }

  /** The preliminary reply, or the final one if there is no other; a server that does not connect to us has none. */
  async #firstReply(arriving: Promise<DataTransport>, life: AbortController): Promise<FtpReply> {
    const failed = arriving.then(
      async () => await new Promise<never>(() => {}),
      async (error: unknown) => {
        // The server may be about to say why: ProFTPD cuts a connection over TLS before it says that there is no such file.
        await delay(REFUSAL_WAIT_MS, undefined, { signal: life.signal }).catch(() => {});
        throw error;
      },
    );
    return await Promise.race([this.link.reply({ phase: "transfer", signal: life.signal }), failed]);
  }

  async #carry<T>(plan: TransferPlan<T>, carrying: Carrying): Promise<TransferEnd<T>> {
    const { route, final, early, life } = carrying;
    const { link } = this;
    let value: T;
    try {
      const moving = this.#move(plan, carrying);
      const isOver = final !== undefined && final.code < 300;
      value =
        isOver && plan.nothing !== undefined ? await orNothing(moving, { nothing: plan.nothing, life }) : await moving;
    } catch (error) {
      if (early !== undefined && early > 0) link.destroy("a transfer broke off while there was more to be answered");
      this.#ahead.breakOff();
      throw await this.#why(error, plan, final);
    }
    const reply = final ?? (await this.#lastReply(plan));
    const isGood = reply === undefined || reply.code < 400 || (plan.isPart === true && reply.code !== 421);
    const after = await this.#afterwards(plan, { early, isGood, mode: route.mode });
    if (!isGood) throw this.#refused(plan, route, reply);
    return { value, mode: route.mode, isPrivate: this.#parts.isPrivate, reply, after };
  }

  async #move<T>(plan: TransferPlan<T>, { arriving, route, final, life, early }: Carrying): Promise<T> {
    const transport = await arriving;
    noteWorked(route.mode, this.#parts.modes);
    // Pure-FTPd answers a command that comes during an upload with a 500, which would pass for the upload's end.
    if (early === undefined && final === undefined && route.mode === "epsv" && plan.direction === "in") {
      for (const line of this.#ahead.line()) this.link.write(line);
    }
    try {
      return await unlessRefused(plan.move(transport, life), plan.direction === "out" ? this.link : undefined);
    } finally {
      await transport[Symbol.asyncDispose]();
    }
  }

  /** What was sent early is answered, or what is to follow is sent and answered. */
  async #afterwards<T>(
    { follow, signal }: TransferPlan<T>,
    { early, isGood, mode }: { early: number | undefined; isGood: boolean; mode: DataMode },
  ): Promise<readonly FtpReply[]> {
    if (this.isLost) return [];
    if (early !== undefined) return await this.#repliesTo(early, signal);
    await this.#ahead.end();
    const lines = isGood && !this.isLost ? (follow?.() ?? NO_LINES) : NO_LINES;
    if (lines.length === 0) return [];
    const { inOrder } = this.#parts.modes.memory;
    if (inOrder) {
      this.link.settle();
      this.link.write(...lines, ...(mode === "epsv" ? this.#ahead.line() : NO_LINES));
    }
    return await this.#repliesTo(lines.length, signal, inOrder ? undefined : lines);
  }

  /**
   * Of commands that have gone out already, and of the EPSV behind them; or of those that go out one by one. What has come
   * to its good end is not undone by the loss of a reply: then there are fewer of them.
   */
  async #repliesTo(
    count: number,
    signal: AbortSignal | undefined,
    lines?: readonly string[],
  ): Promise<readonly FtpReply[]> {
    const replies: FtpReply[] = [];
    try {
      while (replies.length < count) {
        const line = lines?.[replies.length];
        replies.push(line === undefined ? await this.link.finalReply({ signal }) : await this.ask(line, { signal }));
      }
    } catch (error) {
      this.link.destroy("a command was given up before its reply");
      if (signal?.aborted === true || !(error instanceof FtpError)) throw error;
    }
    if (!this.isLost) await this.#ahead.end();
    return replies;
  }

  /** Undefined: the control connection was lost, which alone says nothing of the file. */
  async #lastReply<T>(plan: TransferPlan<T>): Promise<FtpReply | undefined> {
    const ms = plan.isWhole?.() === true ? FINISH_WHOLE_MS : FINISH_WAIT_MS;
    try {
      for (;;) {
        const reply = await this.link.reply({ phase: "finish", ms, signal: plan.signal });
        if (reply.code >= 200 && !this.#ahead.takes(reply)) return ownReply(reply, plan.what);
      }
    } catch (error) {
      if (plan.signal?.aborted === true) {
        this.link.destroy("a transfer was aborted");
        throw error;
      }
      this.link.destroy("no reply came after a transfer");
      if (error instanceof FtpError && error.code !== "TIMEOUT" && error.code !== "RESET" && error.code !== "ABORTED")
        throw error;
      return undefined;
    }
  }

  /** A transfer that broke off: what the server says of it tells more than the data connection's own fault. */
  async #why<T>(error: unknown, plan: TransferPlan<T>, final: FtpReply | undefined): Promise<unknown> {
    let reply = final;
    try {
      while (reply === undefined || reply.code < 200) {
        reply = await this.link.reply({ phase: "transfer", ms: ABORT_WAIT_MS });
      }
    } catch {
      this.link.destroy("a transfer broke off and the server did not say why");
    }
    if (plan.signal?.aborted === true) return plan.signal.reason;
    const isRefusal = reply !== undefined && reply.code >= 400;
    const details = { phase: "transfer" as const, connection: "data" as const, command: shownCommand(plan.command) };
    const fault = dataFault(error, plan.what, details);
    if (!isRefusal || reply === undefined || fault === undefined) return fault ?? error;
    // 426 says no more than our own fault does, which may name a stall or a cut of TLS.
    return reply.code === 426 || plan.isPart === true
      ? fault
      : replyError(plan.what, reply, { ...details, cause: error });
  }

  #refused<T>(plan: TransferPlan<T>, { mode, endpoint }: DataRoute, reply: FtpReply): FtpError {
    const { modes } = this.#parts;
    const { memory } = modes;
    const blocked = reply.code === 425 ? this.#unused(mode, endpoint) : {};
    const error = replyError(plan.what, reply, {
      phase: reply.code === 425 ? "data-open" : "transfer",
      command: shownCommand(plan.command),
      ...blocked,
    });
    if (error.code === "DATA_BLOCKED") memory.failed.add(mode);
    if (error.code !== "TLS_RESUME_REQUIRED" || this.info.tls?.version !== "TLSv1.3") return error;
    // Some servers do not see that TLS 1.3 resumed: one more try with 1.2, by a new session.
    memory.cap();
    this.link.destroy("its TLS was not resumed as the server wants it");
    return withDetails(error, { command: shownCommand(plan.command), retryable: true });
  }

  /** The server has no data connection of a route that we had announced or made. */
  #unused(mode: DataMode, endpoint: string): Pick<FtpErrorDetails, "tried" | "hint"> {
    const { modes } = this.#parts;
    const { attempts } = modes.memory;
    attempts.set(mode, { mode, endpoint, outcome: OUTCOMES.unused, ms: 0 });
    const tried = [...attempts.values()];
    return { tried, hint: blockedHint(this.link, modes, tried) };
  }

  async #arrive<T>(plan: Routed<T>, route: DataRoute, signal: AbortSignal): Promise<DataTransport> {
    const end = await route.arrive(signal);
    const { tls, isPrivate, stallMs } = this.#parts;
    const terms: DataTerms = { stallMs, signal, throttle: plan.throttle };
    return await transportOf(end, isPrivate ? tls : undefined, { ...terms, use: plan });
  }

  async #giveUp(arriving: Promise<DataTransport>): Promise<void> {
    // It may still be on its way: whatever comes of it is closed.
    void arriving.then(
      async (transport) => await transport[Symbol.asyncDispose](),
      () => {},
    );
    await turn();
  }
}

type Routed<T> = TransferPlan<T> & { readonly path: DataPath };

type Carrying = {
  readonly arriving: Promise<DataTransport>;
  readonly route: DataRoute;
  readonly final: FtpReply | undefined;
  readonly life: AbortController;
  /** Commands that went out with it; undefined: it is not that kind of server or transfer. */
  readonly early: number | undefined;
};

const NO_LINES: readonly string[] = [];
const OVER = "the transfer is over";
