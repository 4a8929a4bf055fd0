/**
 * What commands, data connections and the idle clock see of a session: one object with methods and not one of functions,
 * because thousands of sessions have one each, and most of them are idle.
 */
import type { Socket } from "node:net";
import type { Account } from "../account/account.ts";
import type { ActiveTerms } from "../net/active-connection.ts";
import type { Endpoint } from "../net/addresses.ts";
import type { ControlConnection } from "../net/control-connection.ts";
import type { DataPath } from "../net/data-path.ts";
import type { PassivePool } from "../net/passive-pool.ts";
import type { Throttle } from "../net/throttle.ts";
import type { SessionThrottles } from "../net/throttles.ts";
import type { TlsSession } from "../net/tls/session.ts";
import type { FerrymanEvent, SessionFacts } from "../workspace/events.ts";
import type { Who } from "../workspace/who.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { Authority } from "./authority.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./commands/index.ts";
import { SITE_COMMANDS } from "./commands/site/index.ts";
import type { Context, Settings } from "./context.ts";
import { DataChannel, type DataChannelTerms } from "./data-channel.ts";
import type { Progress, RunningTransfer } from "./running-transfer.ts";
import type { Services } from "./server.ts";
import type { SessionClock } from "./session-clock.ts";
import type { Security, Session } from "./session.ts";
import type { TlsChannel, TlsSettings } from "./tls-channel.ts";
import type { TlsLevel } from "./tls-options.ts";
import { levelOfSession } from "./tls-policy.ts";
import { takeTransferPlace } from "./transfer-share.ts";

/** The connection whose session it is. */
export type SessionOwner = {
  readonly id: string;
  readonly services: Services;
  readonly control: ControlConnection;
  readonly tls: TlsChannel;
  readonly running: RunningTransfer;
  readonly clock: SessionClock;
  /** Aborted when it is over. */
  readonly signal: AbortSignal;
  /** These three as of now. */
  readonly session: Session;
  readonly workspace: Workspace | undefined;
  readonly throttles: SessionThrottles | undefined;
  openWorkspace(account: Account): Promise<Workspace>;
  leaveWorkspace(): Promise<void>;
};

export class SessionContext implements Context, DataChannelTerms {
  readonly data: DataChannel;
  readonly #owner: SessionOwner;

  constructor(owner: SessionOwner) {
    this.#owner = owner;
    this.data = new DataChannel(this);
  }

  get id(): string {
    return this.#owner.id;
  }

  get peer(): Endpoint {
    return this.#owner.control.peer;
  }

  get local(): Endpoint {
    return this.#owner.control.local;
  }

  get settings(): Settings {
    return this.#owner.services.settings;
  }

  get authority(): Authority {
    return this.#owner.services.authority;
  }

  get who(): Who {
    return this.#owner.services.who;
  }

  get commands(): ReadonlyMap<string, Command> {
    return COMMANDS;
  }

  get siteCommands(): ReadonlyMap<string, Command> {
    return SITE_COMMANDS;
  }

  get running(): RunningTransfer {
    return this.#owner.running;
  }

  get tls(): TlsChannel {
    return this.#owner.tls;
  }

  get signal(): AbortSignal {
    return this.#owner.signal;
  }

  get sessionMemory(): number {
    return this.#owner.services.sessionMemory;
  }

  throttleOf(direction: Progress["direction"]): Throttle | undefined {
    const { throttles } = this.#owner;
    return direction === "upload" ? throttles?.up : throttles?.down;
  }

  hungUp(): AbortSignal {
    return this.#owner.control.ended;
  }

  takeTransferPlace(): Disposable | Promise<Disposable> {
    return takeTransferPlace(this.authority, this.id, this.#owner.workspace?.account);
  }

  async openWorkspace(account: Account): Promise<Workspace> {
    return this.#owner.openWorkspace(account);
  }

  async leaveWorkspace(): Promise<void> {
    return this.#owner.leaveWorkspace();
  }

  facts(): SessionFacts {
    const account = this.#owner.workspace?.account.name;
    const { id: session, peer } = this;
    return account === undefined ? { session, peer } : { session, peer, account };
  }

  emit(event: FerrymanEvent): void {
    this.#owner.services.events.emit(event);
  }

  now(): number {
    return this.#owner.services.now();
  }

  get idleSeconds(): number {
    return this.#owner.clock.idleSeconds;
  }

  setIdleSeconds(seconds: number): void {
    this.#owner.clock.idleSeconds = seconds;
  }

  get pool(): PassivePool {
    return this.#owner.services.pool;
  }

  get path(): DataPath {
    return this.#owner.services.path;
  }

  get openTimeoutMs(): number {
    return this.settings.dataOpenTimeout * 1_000;
  }

  get fxp(): boolean {
    return this.settings.fxp;
  }

  get tlsSession(): TlsSession | undefined {
    return this.tls.session;
  }

  get security(): Security | undefined {
    const { session } = this.#owner;
    return session.step === "closing" ? undefined : session.security;
  }

  get tlsLevel(): TlsLevel {
    return levelOfSession(this.#owner.session, this);
  }

  get tlsSettings(): TlsSettings {
    return this.tls.settings;
  }

  onUnbound(): void {
    this.emit({ ...this.facts(), type: "data.unbound", at: this.now() });
  }

  async connect(terms: ActiveTerms): Promise<Socket> {
    return this.authority.connect(this.id, terms);
  }

  onStranger(address: string): void {
    this.authority.offence(address, "foreign-data");
  }

  onRefused({ address, port }: Endpoint, reason: string): void {
    this.emit({ ...this.facts(), type: "data.refused", from: address, port, reason, at: this.now() });
  }
}
