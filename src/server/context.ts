/** What a command may use besides its session: the connection's services, none of which is the control socket. */
import type { Authority } from "./authority.ts";
import type { OptionValues } from "../base/option.ts";
import type { Account } from "../account/account.ts";
import type { Endpoint } from "../net/addresses.ts";
import type { Throttle } from "../net/throttle.ts";
import type { FerrymanEvent, SessionFacts } from "../workspace/events.ts";
import type { Who } from "../workspace/who.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { Command } from "./command.ts";
import type { DataChannel } from "./data-channel.ts";
import type { SERVER_OPTIONS } from "./options.ts";
import type { Progress, RunningTransfer } from "./running-transfer.ts";
import type { TlsChannel } from "./tls-channel.ts";

export type Settings = OptionValues<typeof SERVER_OPTIONS>;

export interface Context {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly settings: Settings;
  /** This session's, as in events. */
  readonly id: string;
  readonly authority: Authority;
  readonly who: Who;
  /** Every command by verb and alias, for FEAT and HELP. */
  readonly commands: ReadonlyMap<string, Command>;
  readonly siteCommands: ReadonlyMap<string, Command>;
  readonly tls: TlsChannel;
  readonly data: DataChannel;
  /** The transfer under way; one at most. */
  readonly running: RunningTransfer;
  /** What holds transfers of this session to their rates; a listing counts as a download. */
  throttleOf(direction: Progress["direction"]): Throttle | undefined;
  /** Aborted when the client is gone or the server stops: long work ends by it. */
  readonly signal: AbortSignal;
  /** Aborted when the client has closed its side; it may still read replies. */
  hungUp(): AbortSignal;
  /** Octets of file data that the session may hold in memory. */
  readonly sessionMemory: number;
  /** Counts a transfer against the account's limit. @throws {Refusal} 450 */
  takeTransferPlace(): Disposable | Promise<Disposable>;
  /** Opens what the account may use. @throws when its home is not there (attack 30). */
  openWorkspace(account: Account): Promise<Workspace>;
  /** Gives back what `openWorkspace` opened; the session is nobody's again. */
  leaveWorkspace(): Promise<void>;
  /** What events of this session carry, as of now. */
  facts(): SessionFacts;
  emit(event: FerrymanEvent): void;
  /** Seconds of idleness before 421. */
  readonly idleSeconds: number;
  /** SITE IDLE. */
  setIdleSeconds(seconds: number): void;
  now(): number;
}
