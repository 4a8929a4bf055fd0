/**
 * One client from greeting to farewell. The only place that writes to the control socket: handlers say replies, this
 * sends them. One ordinary command at a time; urgent ones run beside a transfer and cannot change the session.
 */
import { faultDetail } from "../base/fault-text.ts";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { CommandRate } from "../guard/rates.ts";
import type { Account } from "../account/account.ts";
import { type ByteString, bytesOfText } from "../base/bytes.ts";
import { ControlConnection, type ControlInput, type Told } from "../net/control-connection.ts";
import type { SessionThrottles } from "../net/throttles.ts";
import type { Wire } from "../net/wire.ts";
import { type Reply, encodeReply, reply } from "../protocol/reply.ts";
import { Workspace } from "../workspace/workspace.ts";
import type { Settings } from "./context.ts";
import { type Order, dispatch, readOrder } from "./dispatch.ts";
import { RunningTransfer } from "./running-transfer.ts";
import type { Listener, Services } from "./server.ts";
import { ratesOf } from "./transfer-share.ts";
import { type ClockOwner, SessionClock } from "./session-clock.ts";
import { SessionContext, type SessionOwner } from "./session-context.ts";
import type { Session } from "./session.ts";
import { TlsChannel, type TlsFacts } from "./tls-channel.ts";
import { certificateUser } from "./tls-policy.ts";
import { TlsFailed } from "../net/tls/handshake.ts";
import type { StorageLease } from "../workspace/storages.ts";

/** Why a session ended for which nobody gave another reason. */
const STAYED = "the client closed the connection";
/** One for all sessions: each of its own would cost a stack trace, a tenth of a login. */
const OVER = new DOMException("the session is over", "AbortError");
/** Commands of one session in a row, beyond which others are let in: some 20 µs each. */
const COMMANDS_A_TURN = 32;

export class Connection implements SessionOwner, ClockOwner, Told {
  readonly id: string;
  readonly services: Services;
  readonly #settings: Settings;
  readonly control: ControlConnection;
  readonly #listener: Listener;
  readonly tls: TlsChannel;
  readonly #context: SessionContext;
  readonly running: RunningTransfer;
  readonly #stop = new AbortController();
  readonly #rate: CommandRate;
  session: Session = { step: "greeted" };
  workspace: Workspace | undefined;
  #files: StorageLease | undefined;
  throttles: SessionThrottles | undefined;
  readonly clock: SessionClock;
  #busy = false;
  #commands = 0;
  #reason = STAYED;
  #urgent: Promise<void> | undefined;
  /** Commands run without a pause for others. */
  #inThisTurn = 0;
  /** Set when the server is told to stop: the session ends after the command under way. */
  #leaving: string | undefined;

  constructor(wire: Wire, { id, listener, services }: { id: string; listener: Listener; services: Services }) {
    this.id = id;
    this.#listener = listener;
    this.services = services;
    this.#settings = services.settings;
    this.#rate = new CommandRate(services.commandRate);
    this.clock = new SessionClock(this, {
      loginSeconds: this.#settings.loginTimeout,
      idleSeconds: this.#settings.idleTimeout,
    });
    this.control = new ControlConnection(wire, this);
    // Whoever decides about admission may take its time, and the ClientHello is not for us to read meanwhile.
    if (listener.implicit) this.control.hold();
    this.tls = new TlsChannel(this.control, {
      service: services.tls,
      listener,
      onSecured: (facts) => this.#noteSecured(facts),
    });
    this.running = new RunningTransfer(() => this.control.look());
    this.#context = new SessionContext(this);
  }

  /** Aborted when the session is over. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** For the idle clock, which does not count while a command is being run. */
  get isBusy(): boolean {
    return this.#busy;
  }

  now(): number {
    return this.services.now();
  }

  onOver(clock: "login" | "idle", text: string): void {
    if (clock === "login") this.services.authority.offence(this.id, "login-timeout");
    this.#sayGoodbye(text);
  }

  onActivity(): void {
    this.clock.touch();
  }

  onClosed(): void {
    this.#stop.abort(OVER);
  }

  /** Serves until either side ends it. Never rejects. */
  async run(): Promise<void> {
    this.#context.emit({ ...this.#context.facts(), type: "session.opened", at: this.now() });
    try {
      this.clock.start();
      if (!(await this.#admit())) return;
      if (this.#listener.implicit) await this.#secureFirst();
      this.#greet();
      await this.#serve();
    } catch (error) {
      // The client has gone, or was told to, in the middle of a handshake.
      if (error === this.#stop.signal.reason) return;
      if (error instanceof TlsFailed) {
        this.services.authority.offence(this.id, "tls-failed");
        this.#reason = error.message;
        this.#context.emit({ ...this.#context.facts(), type: "tls.failed", reason: error.message, at: this.now() });
        return;
      }
      const detail = faultDetail(error);
      this.#context.emit({ type: "server.fault", detail, session: this.id, at: this.now() });
      this.#reason = "a fault of the server";
    } finally {
      this.clock[Symbol.dispose]();
      this.#stop.abort(OVER);
      this.#context.data[Symbol.dispose]();
      await this.#urgent?.catch(() => {});
      this.control.end();
      const facts = this.#context.facts();
      // No `signOut` of its own: the release ends that too.
      await this.#closeWorkspace();
      this.services.authority.release(this.id);
      const commands = this.#commands;
      this.#context.emit({ ...facts, type: "session.closed", reason: this.#reason, commands, at: this.now() });
    }
  }

  /** Lets the transfer under way end, then says 421. */
  leave(reason: string): void {
    this.#leaving = reason;
    if (!this.#busy) this.#sayGoodbye(reason);
  }

  /** Ends the session now, for whoever is to leave at once and yet hear why. */
  expel(reason: string): void {
    this.leave(reason);
    this.abortTransfer();
  }

  /** Ends the transfer under way; the 421 follows it. */
  abortTransfer(): void {
    void this.running.abort();
  }

  /** Closes at once. */
  drop(): void {
    this.control.drop();
  }

  /** Limits and bans, before anything else is spent on a client. */
  async #admit(): Promise<boolean> {
    const verdict = await this.services.authority.admit(this.id, this.control);
    if (verdict.ok) return true;
    this.#reason = verdict.rule;
    this.#context.emit({ ...this.#context.facts(), type: "session.refused", reason: verdict.rule, at: this.now() });
    // Whoever waits for TLS could not read it.
    if (this.#listener.implicit) this.control.drop();
    else this.#say(reply(421, verdict.text));
    return false;
  }

  #greet(): void {
    const [first = "", ...rest] = this.#settings.banner.split(/\r?\n/).map(bytesOfText);
    this.#say(reply(220, first, ...rest));
  }

  #noteSecured({ protocol, cipher }: TlsFacts): void {
    const user = certificateUser(this.#context);
    const shown = user === undefined ? {} : { user };
    const at = this.now();
    this.#context.emit({ ...this.#context.facts(), type: "session.secured", protocol, cipher, ...shown, at });
  }

  /** Implicit FTPS: TLS before the greeting, and data connections are private unless PROT C is said. */
  async #secureFirst(): Promise<void> {
    await this.tls.start({ hostName: undefined, signal: this.#stop.signal });
    this.session = { step: "greeted", security: { control: "private", pbsz: true, prot: "private" } };
  }

  async #serve(): Promise<void> {
    this.control.watch((input, ahead) => this.#takeUrgent(input, ahead));
    while (this.session.step !== "closing") {
      if (this.#leaving !== undefined) {
        this.#sayGoodbye(this.#leaving);
        return;
      }
      const input = this.control.take() ?? (await this.control.next());
      if (input === undefined) return;
      const waited = this.#execute(input);
      if (waited !== undefined) await waited;
      // Replies of urgent commands go out before the next command's.
      if (this.#urgent !== undefined) await this.#urgent;
      const pause = this.control.room() ?? this.#turnOfOthers();
      if (pause !== undefined) await pause;
      this.clock.touch();
    }
    if (this.#reason === STAYED) this.#reason = "QUIT";
  }

  /** Lets other sessions in beside one that sends many commands at once; undefined: there is no need. */
  #turnOfOthers(): Promise<void> | undefined {
    this.#inThisTurn = this.control.waiting > 0 ? this.#inThisTurn + 1 : 0;
    if (this.#inThisTurn < COMMANDS_A_TURN) return undefined;
    this.#inThisTurn = 0;
    return nextTurn();
  }

  /** @returns undefined when the command is done already, as those are that wait for nothing. */
  #execute(input: ControlInput): Promise<void> | undefined {
    this.#busy = true;
    const done = (): void => {
      this.#busy = false;
      this.running.settle();
    };
    const next = this.#runOne(input);
    if (!(next instanceof Promise)) {
      this.session = next;
      done();
      return undefined;
    }
    return next
      .then((session) => {
        this.session = session;
      })
      .finally(done);
  }

  #runOne(input: ControlInput): Session | Promise<Session> {
    this.#commands += 1;
    const allowed = this.#rate.command(this.control.waiting, this.now());
    if (!allowed.ok) {
      this.services.authority.offence(this.id, "command-flood");
      this.#reason = allowed.rule;
      this.#say(reply(421, allowed.text));
      return { step: "closing" };
    }
    if (allowed.delayMs === 0) return this.#runAdmitted(input);
    return (
      delay(allowed.delayMs, undefined, { signal: this.#stop.signal })
        .then(() => this.#runAdmitted(input))
        // The client has gone meanwhile: what he had sent is not run.
        .catch((error: unknown) => {
          if (!this.#stop.signal.aborted) throw error;
          return { step: "closing" };
        })
    );
  }

  #runAdmitted(input: ControlInput): Session | Promise<Session> {
    if (input.kind === "too-long") {
      this.services.authority.offence(this.id, "not-ftp");
      this.#say(reply(500, "Line too long; the whole of it was dropped."));
      return this.session;
    }
    const order = readOrder(input.line);
    let code = 0;
    const say = (answer: Reply): void => {
      code = answer.code;
      this.#say(answer);
    };
    const noted = (next: Session): Session => {
      this.#note(order, code);
      return next;
    };
    const next = dispatch(this.session, order, { context: this.#context, say });
    return next instanceof Promise ? next.then(noted) : noted(next);
  }

  /** While a transfer runs: takes what may run beside it (RFC 959 §4.1.3 ABOR, §5.4 STAT). */
  #takeUrgent(input: ControlInput, ahead: number): boolean {
    if (!this.running.active || input.kind !== "line") return false;
    const kind = readOrder(input.line)?.command?.urgent;
    if (kind === undefined) return false;
    if (kind === "in-turn" && (ahead > 0 || !this.running.announced)) return false;
    const urgent = (this.#urgent ?? Promise.resolve()).then(async () => {
      await this.#runOne(input);
      if (this.#urgent === urgent) this.#urgent = undefined;
    });
    this.#urgent = urgent;
    return true;
  }

  #say(answer: Reply): void {
    const octets = encodeReply(answer);
    if (answer.code < 200) this.control.writeSoon(octets);
    else this.control.write(octets);
  }

  #note(order: Order | undefined, code: number): void {
    if (order === undefined) return;
    const hidden = order.command === undefined || order.command.secret === true;
    const argument: ByteString = hidden ? bytesOfText("") : order.argument;
    const { verb } = order;
    this.#context.emit({ ...this.#context.facts(), type: "command", verb, argument, code, at: this.now() });
  }

  #sayGoodbye(reason: string): void {
    this.#reason = reason;
    this.session = { step: "closing" };
    // Not after the 421 has gone out: a client that reads nothing would keep its session by that (attack 54).
    this.#say(reply(421, reason));
    this.control.end();
  }

  async openWorkspace(account: Account): Promise<Workspace> {
    await this.leaveWorkspace();
    this.#files = await this.services.storages.open(account);
    this.workspace = new Workspace({
      account,
      storage: this.#files.storage,
      session: this.#context,
    });
    const { throttles } = this.services;
    this.throttles = throttles.forSession(ratesOf(account, this.#settings));
    this.clock.signIn(account.limits.idleSeconds ?? this.#settings.idleTimeout);
    return this.workspace;
  }

  async leaveWorkspace(): Promise<void> {
    if (this.workspace !== undefined) {
      this.services.authority.signOut(this.id);
      this.clock.signOut();
    }
    await this.#closeWorkspace();
  }

  async #closeWorkspace(): Promise<void> {
    const files = this.#files;
    this.#files = undefined;
    this.workspace = undefined;
    this.throttles?.[Symbol.dispose]();
    this.throttles = undefined;
    await files?.[Symbol.asyncDispose]();
  }
}
