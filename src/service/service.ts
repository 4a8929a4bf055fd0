/** A server that runs, in one process or in several: what the command line starts, reloads and stops. */
import type { Login } from "../account/login.ts";
import type { Configuration } from "../config/sections.ts";
import type { Guard } from "../guard/guard.ts";
import type { RootWish } from "../jail/roots.ts";
import type { HostUser } from "../jail/terms.ts";
import type { Endpoint } from "../net/addresses.ts";
import type { Listener } from "../server/server.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import type { Presence } from "../workspace/who.ts";
import type { BoundSocket } from "./bound-sockets.ts";
import type { Certificates } from "./certificates.ts";
import type { WaitingWorkers } from "./worker-process.ts";

/** One address to serve, bound already. */
export type OpenListener = { readonly socket: BoundSocket; readonly how: Listener };

export type ServiceParts = {
  readonly configuration: Configuration;
  readonly listeners: readonly OpenListener[];
  readonly guard: Guard;
  readonly login: Login;
  /** Absent: no TLS anywhere. */
  readonly certificates: Certificates | undefined;
  readonly onEvent: (event: FerrymanEvent) => void;
};

export type WorkerParts = ServiceParts & {
  readonly workers: number;
  /** Whom they run as; absent: as we do. */
  readonly user: HostUser | undefined;
  /** The folders that they serve. */
  readonly roots: readonly RootWish[];
  /** Workers that were started before, for this user and these folders. */
  readonly waiting?: WaitingWorkers | undefined;
};

/** What a reload brings. */
export type Fresh = {
  readonly configuration: Configuration;
  /** The folders of the accounts as they are now. */
  readonly roots: readonly RootWish[];
};

export interface Service {
  readonly bound: readonly Endpoint[];
  who(): readonly Presence[];
  /** New sessions get the configuration; those that are here keep theirs. @throws when it cannot serve; the old stays. */
  reload(fresh: Fresh): Promise<void>;
  stop(graceSeconds: number): Promise<void>;
  /** Ends everything at once; `stop` then settles. */
  cut(): void;
}
