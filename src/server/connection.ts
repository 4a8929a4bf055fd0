/**
 * One client from greeting to farewell. The only place that writes to the control socket: handlers yield replies, this
 * sends them. One ordinary command at a time; urgent ones run beside a transfer and cannot change the session.
 */
import { faultDetail } from "../base/fault-text.ts";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { CommandRate } from "../guard/rates.ts";
import type { Account } from "../account/account.ts";
import { bytesOfText } from "../base/bytes.ts";
import { ControlConnection, type ControlInput } from "../net/control-connection.ts";
import type { ByteString } from "../base/bytes.ts";
import type { SessionThrottles } from "../net/throttles.ts";
import { type Reply, encodeReply, reply } from "../protocol/reply.ts";
import type { FerrymanEvent, SessionFacts } from "../workspace/events.ts";
import { Workspace } from "../workspace/workspace.ts";
import { COMMANDS } from "./commands/index.ts";
import { SITE_COMMANDS } from "./commands/site/index.ts";
import type { Context, Settings } from "./context.ts";
import { DataChannel } from "./data-channel.ts";
import { type Order, dispatch, readOrder } from "./dispatch.ts";
import { RunningTransfer } from "./running-transfer.ts";
import type { Services } from "./server.ts";
import { Refusal } from "./errors.ts";
import type { Session } from "./session.ts";
import { TlsChannel, type TlsFacts } from "./tls-channel.ts";
import { certificateUser, levelOfSession } from "./tls-policy.ts";
import { TlsFailed } from "../net/tls/handshake.ts";
import type { Listener } from "./server.ts";
import type { StorageLease } from "../workspace/storages.ts";

/** Why a session ended for which nobody gave another reason. */
const STAYED = "the client closed the connection";

export class Connection {
  readonly id: string;
  readonly #services: Services;
  readonly #settings: Settings;
  readonly #control: ControlConnection;
  readonly #listener: Listener;
  readonly #tls: TlsChannel;
  readonly #context: Context;
  readonly #running: RunningTransfer;
  readonly #stop = new AbortController();
  readonly #rate: CommandRate;
  #session: Session = { step: "greeted" };
  #workspace: Workspace | undefined;
  #files: StorageLease | undefined;
  #throttles: SessionThrottles | undefined;
  #clock: NodeJS.Timeout | undefined;
  #lastActivity: number;
  /** Since when nobody is signed in here: from the greeting, or from the end of the last login. */
  #signedOut: number;
  /** A command is being run; the idle clock does not count meanwhile. */
  #busy = false;
  #commands = 0;
  #idleSeconds: number;
  #reason = STAYED;
  #urgent: Promise<void> = Promise.resolve();
  /** Set when the server is told to stop: the session ends after the command under way. */
  #leaving: string | undefined;

  constructor(socket: Socket, { id, listener, services }: { id: string; listener: Listener; services: Services }) {
    this.id = id;
    this.#listener = listener;
    this.#services = services;
    this.#settings = services.settings;
    this.#rate = new CommandRate(services.commandRate);
    this.#lastActivity = services.now();
    this.#signedOut = services.now();
    this.#control = new ControlConnection(socket, () => {
      this.#lastActivity = services.now();
    });
    // Whoever decides about admission may take its time, and the ClientHello is not for us to read meanwhile.
    if (listener.implicit) this.#control.hold();
    this.#tls = new TlsChannel(this.#control, {
      service: services.tls,
      listener,
      onSecured: (facts) => this.#noteSecured(facts),
    });
    this.#running = new RunningTransfer(() => this.#control.look());
    this.#idleSeconds = services.settings.idleTimeout;
    this.#context = this.#makeContext();
  }

  /** Serves until either side ends it. Never rejects. */
  async run(): Promise<void> {
    this.#emit({ ...this.facts(), type: "session.opened", at: this.#services.now() });
    const gone = (): void => this.#stop.abort();
    this.#control.closed.addEventListener("abort", gone);
    try {
      this.#startClock();
      if (!(await this.#admit())) return;
      if (this.#listener.implicit) await this.#secureFirst();
      await this.#greet();
      await this.#serve();
    } catch (error) {
      // The client has gone, or was told to, in the middle of a handshake.
      if (error === this.#stop.signal.reason) return;
      if (error instanceof TlsFailed) {
        this.#services.authority.offence(this.id, "tls-failed");
        this.#reason = error.message;
        this.#emit({ ...this.facts(), type: "tls.failed", reason: error.message, at: this.#services.now() });
        return;
      }
      const detail = faultDetail(error);
      this.#emit({ type: "server.fault", detail, session: this.id, at: this.#services.now() });
      this.#reason = "a fault of the server";
    } finally {
      clearTimeout(this.#clock);
      this.#stop.abort();
      this.#context.data[Symbol.dispose]();
      await this.#urgent.catch(() => {});
      this.#control.end();
      const facts = this.facts();
      await this.#leaveWorkspace();
      this.#services.authority.release(this.id);
      const commands = this.#commands;
      this.#emit({ ...facts, type: "session.closed", reason: this.#reason, commands, at: this.#services.now() });
    }
  }

  facts(): SessionFacts {
    const account = this.#workspace?.account.name;
    const { peer } = this.#control;
    return account === undefined ? { session: this.id, peer } : { session: this.id, peer, account };
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
    void this.#running.abort();
  }

  /** Closes at once. */
  drop(): void {
    this.#control.drop();
  }

  /** Limits and bans, before anything else is spent on a client. */
  async #admit(): Promise<boolean> {
    const verdict = await this.#services.authority.admit(this.id, this.#control);
    if (verdict.ok) return true;
    this.#reason = verdict.rule;
    this.#emit({ ...this.facts(), type: "session.refused", reason: verdict.rule, at: this.#services.now() });
    // Whoever waits for TLS could not read it.
    if (this.#listener.implicit) this.#control.drop();
    else await this.#send(reply(421, verdict.text));
    return false;
  }

  async #greet(): Promise<void> {
    const [first = "", ...rest] = this.#settings.banner.split(/\r?\n/).map(bytesOfText);
    await this.#send(reply(220, first, ...rest));
  }

  #noteSecured({ protocol, cipher }: TlsFacts): void {
    const user = certificateUser(this.#context);
    const shown = user === undefined ? {} : { user };
    const at = this.#services.now();
    this.#emit({ ...this.facts(), type: "session.secured", protocol, cipher, ...shown, at });
  }

  /** Implicit FTPS: TLS before the greeting, and data connections are private unless PROT C is said. */
  async #secureFirst(): Promise<void> {
    await this.#tls.start({ hostName: undefined, signal: this.#stop.signal });
    this.#session = { step: "greeted", security: { control: "private", pbsz: true, prot: "private" } };
  }

  async #serve(): Promise<void> {
    this.#control.watch((input, ahead) => this.#takeUrgent(input, ahead));
    while (this.#session.step !== "closing") {
      if (this.#leaving !== undefined) {
        this.#sayGoodbye(this.#leaving);
        return;
      }
      const input = await this.#control.next();
      if (input === undefined) return;
      await this.#execute(input);
      this.#lastActivity = this.#services.now();
    }
    if (this.#reason === STAYED) this.#reason = "QUIT";
  }

  async #execute(input: ControlInput): Promise<void> {
    this.#busy = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.follow(promise);
    try {
      this.#session = await this.#runOne(input);
    } finally {
      resolve();
      this.#busy = false;
    }
    // Replies of urgent commands go out before the next command's.
    await this.#urgent;
  }

  async #runOne(input: ControlInput): Promise<Session> {
    this.#commands += 1;
    const allowed = this.#rate.command(this.#control.waiting, this.#services.now());
    if (!allowed.ok) {
      this.#services.authority.offence(this.id, "command-flood");
      this.#reason = allowed.rule;
      await this.#send(reply(421, allowed.text));
      return { step: "closing" };
    }
    if (allowed.delayMs > 0) await delay(allowed.delayMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    if (input.kind === "too-long") {
      this.#services.authority.offence(this.id, "not-ftp");
      await this.#send(reply(500, "Line too long; the whole of it was dropped."));
      return this.#session;
    }
    const order = readOrder(input.line);
    const replies = dispatch(this.#session, order, this.#context);
    let code = 0;
    for (;;) {
      const step = await replies.next();
      if (step.done === true) {
        this.#note(order, code);
        return step.value;
      }
      code = step.value.code;
      await this.#send(step.value);
    }
  }

  /** While a transfer runs: takes what may run beside it (RFC 959 §4.1.3 ABOR, §5.4 STAT). */
  #takeUrgent(input: ControlInput, ahead: number): boolean {
    if (!this.#running.active || input.kind !== "line") return false;
    const urgent = readOrder(input.line)?.command?.urgent;
    if (urgent === undefined) return false;
    if (urgent === "in-turn" && (ahead > 0 || !this.#running.announced)) return false;
    this.#urgent = this.#urgent.then(async () => {
      await this.#runOne(input);
    });
    return true;
  }

  async #send(answer: Reply): Promise<void> {
    const octets = encodeReply(answer);
    if (answer.code < 200) this.#control.writeSoon(octets);
    else await this.#control.write(octets);
  }

  #note(order: Order | undefined, code: number): void {
    if (order === undefined) return;
    const hidden = order.command === undefined || order.command.secret === true;
    const argument: ByteString = hidden ? bytesOfText("") : order.argument;
    const { verb } = order;
    this.#emit({ ...this.facts(), type: "command", verb, argument, code, at: this.#services.now() });
  }

  #emit(event: FerrymanEvent): void {
    this.#services.events.emit(event);
  }

  #sayGoodbye(reason: string): void {
    this.#reason = reason;
    this.#session = { step: "closing" };
    // Not after the 421 has gone out: a client that reads nothing would keep its session by that (attack 54).
    void this.#send(reply(421, reason));
    this.#control.end();
  }

  /** One timer for both clocks, set anew when another limit comes into force; it looks only when that could be over. */
  #startClock(): void {
    clearTimeout(this.#clock);
    if (this.#stop.signal.aborted) return;
    const look = (): void => {
      const now = this.#services.now();
      const signedIn = this.#workspace !== undefined;
      const started = signedIn ? this.#lastActivity : this.#signedOut;
      const allowed = (signedIn ? this.#idleSeconds : this.#settings.loginTimeout) * 1000;
      const left = started + allowed - now;
      if (this.#busy && signedIn) this.#clock = setTimeout(look, allowed);
      else if (left > 0) this.#clock = setTimeout(look, left);
      else {
        if (!signedIn) this.#services.authority.offence(this.id, "login-timeout");
        const limit = signedIn ? `Idle for ${this.#idleSeconds} s` : `No login within ${allowed / 1000} s`;
        this.#sayGoodbye(`${limit}; closing the control connection.`);
      }
    };
    look();
  }

  #makeContext(): Context {
    const { settings, services, control } = {
      settings: this.#settings,
      services: this.#services,
      control: this.#control,
    };
    return {
      peer: control.peer,
      local: control.local,
      settings,
      id: this.id,
      authority: services.authority,
      who: services.who,
      commands: COMMANDS,
      siteCommands: SITE_COMMANDS,
      running: this.#running,
      throttleOf: (direction) => (direction === "upload" ? this.#throttles?.up : this.#throttles?.down),
      signal: this.#stop.signal,
      hungUp: control.ended,
      tls: this.#tls,
      data: new DataChannel({
        tls: {
          session: () => this.#tls.session,
          security: () => (this.#session.step === "closing" ? undefined : this.#session.security),
          level: () => levelOfSession(this.#session, this.#context),
          settings: this.#tls.settings,
          onUnbound: () => this.#emit({ ...this.facts(), type: "data.unbound", at: services.now() }),
        },
        peer: control.peer,
        local: control.local,
        pool: services.pool,
        path: services.path,
        connect: async (terms) => services.authority.connect(this.id, terms),
        onStranger: (address) => services.authority.offence(address, "foreign-data"),
        openTimeoutMs: settings.dataOpenTimeout * 1000,
        fxp: settings.fxp,
        onRefused: ({ address, port }, reason) =>
          this.#emit({ ...this.facts(), type: "data.refused", from: address, port, reason, at: services.now() }),
      }),
      // A function: one getter would make V8 keep all of this as a dictionary, 1.5 KiB more for each session.
      idleSeconds: () => this.#idleSeconds,
      setIdleSeconds: (seconds) => {
        this.#idleSeconds = seconds;
        this.#startClock();
      },
      sessionMemory: services.sessionMemory,
      takeTransferPlace: async () => this.#takeTransferPlace(),
      openWorkspace: async (account) => this.#openWorkspace(account),
      leaveWorkspace: async () => this.#leaveWorkspace(),
      facts: () => this.facts(),
      emit: (event) => this.#emit(event),
      now: services.now,
    };
  }

  async #takeTransferPlace(): Promise<Disposable> {
    const { authority } = this.#services;
    const account = this.#workspace?.account;
    if (account === undefined) throw new Error("a transfer without a login");
    const verdict = await authority.transferBegins(this.id, account);
    if (!verdict.ok) throw new Refusal(450, verdict.text, verdict.rule);
    return { [Symbol.dispose]: () => authority.transferEnds(this.id, account) };
  }

  async #openWorkspace(account: Account): Promise<Workspace> {
    await this.#leaveWorkspace();
    this.#files = await this.#services.storages.open(account);
    this.#workspace = new Workspace({
      account,
      storage: this.#files.storage,
      facts: () => this.facts(),
      emit: (event) => this.#emit(event),
      now: this.#services.now,
    });
    const { limits } = account;
    this.#throttles = this.#services.throttles.forSession({
      account: account.name,
      accountRates: { up: limits.uploadRate, down: limits.downloadRate },
      sessionRates: {
        up: limits.sessionUploadRate ?? this.#settings.uploadRate,
        down: limits.sessionDownloadRate ?? this.#settings.downloadRate,
      },
    });
    this.#idleSeconds = limits.idleSeconds ?? this.#settings.idleTimeout;
    this.#startClock();
    return this.#workspace;
  }

  async #leaveWorkspace(): Promise<void> {
    const files = this.#files;
    const wasSignedIn = this.#workspace !== undefined;
    this.#files = undefined;
    this.#workspace = undefined;
    this.#throttles?.[Symbol.dispose]();
    this.#throttles = undefined;
    if (wasSignedIn) {
      this.#services.authority.signOut(this.id);
      this.#signedOut = this.#services.now();
      this.#startClock();
    }
    await files?.[Symbol.asyncDispose]();
  }
}
