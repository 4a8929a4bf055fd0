/** The FTP server as a library: `ferryman/server`. */
import { type AddressInfo, type Server, createServer } from "node:net";
import type { AccountStore } from "../account/account.ts";
import { createLogin } from "../account/login.ts";
import { Guard } from "../guard/guard.ts";
import type { Passwords } from "../account/passwords.ts";
import { EventStream } from "../base/event-stream.ts";
import { optionValues } from "../base/option.ts";
import { type Endpoint, plainAddress } from "../net/addresses.ts";
import { type DataPath, chooseDataPath, congestionFault } from "../net/data-path.ts";
import { type AcceptedClient, clientOf, openWire } from "../net/accepted-client.ts";
import { PassivePool } from "../net/passive-pool.ts";
import { LIMIT_OPTIONS } from "../guard/options.ts";
import { Throttles } from "../net/throttles.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import { Who } from "../workspace/who.ts";
import { Connection } from "./connection.ts";
import type { Settings } from "./context.ts";
import type { CommandRateTerms } from "../guard/rates.ts";
import type { Authority } from "./authority.ts";
import { LocalAuthority } from "./local-authority.ts";
import { SERVER_OPTIONS } from "./options.ts";
import type { TlsTerms } from "../net/tls/session.ts";
import type { TlsService, TlsSettings } from "./tls-channel.ts";
import { TLS_OPTIONS, type TlsLevel } from "./tls-options.ts";
import { type OpenStorage, Storages } from "../workspace/storages.ts";

export type ServerOptions = {
  /** Where to listen; port 0 takes any free port. */
  readonly listen: readonly ListenTerms[];
  /** Certificates and what TLS must do; absent: everything in clear. */
  readonly tls?: {
    /** Asked for each new connection, so that renewed certificates serve at once. */
    readonly terms: () => TlsTerms;
    /** Values for `TLS_OPTIONS`; what is absent has its default. */
    readonly settings?: { readonly [Key in keyof TlsSettings]?: TlsSettings[Key] };
  };
  /** Asked in this order. */
  readonly accounts: readonly AccountStore[];
  /** Checks the passwords of the accounts; unknown names then take the time of known ones. Default: the one of `ferryman/account`. */
  readonly passwords?: Passwords;
  /** Limits and bans; absent: one with the defaults. */
  readonly guard?: Guard;
  /** Of each session, as in `LIMIT_OPTIONS`. Limits of logins and of how many are the guard's. */
  readonly limits?: {
    readonly commandRate?: number | undefined;
    readonly commandBurst?: number | undefined;
    readonly sessionMemory?: number | undefined;
  };
  /** Decides in place of `accounts` and `guard`: for a worker whose broker does. */
  readonly authority?: Authority;
  /** Passive ports that stay open when nobody leases them; 0 where other processes want the same ones. */
  readonly passivePortsKept?: number;
  /** Hears everything that happens; must not throw and should not take long. */
  readonly onEvent?: (event: FerrymanEvent) => void;
  /** Values for `SERVER_OPTIONS`; what is absent has its default. */
  readonly settings?: { readonly [Key in keyof Settings]?: Settings[Key] };
  /** Default: the account's home on the local file system, in the kernel's jail where there is one. */
  readonly openStorage?: OpenStorage;
};

function ownAuthority({ accounts, passwords, guard = new Guard() }: ServerOptions): Authority {
  return new LocalAuthority(guard, createLogin(accounts, passwords === undefined ? {} : { passwords }));
}

export type ListenTerms = Endpoint & {
  /** TLS from the first octet on (port 990 by custom). */
  readonly implicit?: boolean;
  /** Overrides the option `tls` for who comes by this address. */
  readonly tls?: TlsLevel;
};

/** How a client has come in. */
export type Listener = { readonly implicit: boolean; readonly tls: TlsLevel };

/** What all connections of a server share. */
export type Services = {
  readonly settings: Settings;
  readonly tls: TlsService;
  readonly authority: Authority;
  readonly commandRate: CommandRateTerms;
  readonly sessionMemory: number;
  readonly pool: PassivePool;
  readonly path: DataPath;
  readonly who: Who;
  readonly storages: Storages;
  readonly throttles: Throttles;
  readonly events: EventStream<FerrymanEvent>;
  readonly now: () => number;
};

/** Control connections that wait in the kernel; the system's own cap is 4,096. */
const CONTROL_BACKLOG = 1_024;

export class FtpServer implements AsyncDisposable {
  readonly events = new EventStream<FerrymanEvent>();
  readonly #options: ServerOptions;
  readonly #services: Services;
  readonly #listeners: Server[] = [];
  readonly #connections = new Map<string, { readonly connection: Connection; readonly served: Promise<void> }>();
  #sessions = 0;
  #wasOpen = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    if (options.onEvent !== undefined) this.events.subscribe(options.onEvent);
    const settings = optionValues(SERVER_OPTIONS, options.settings);
    const { commandRate, commandBurst, sessionMemory } = optionValues(LIMIT_OPTIONS, options.limits);
    const path = chooseDataPath(settings.dataPath);
    const fault = congestionFault(path, settings.congestionControl);
    if (fault !== undefined) throw new Error(`congestion-control = "${settings.congestionControl}": ${fault}`);
    this.#services = {
      settings,
      path,
      tls: {
        settings: optionValues(TLS_OPTIONS, options.tls?.settings),
        terms: () => options.tls?.terms(),
      },
      authority: options.authority ?? ownAuthority(options),
      commandRate: { rate: commandRate, burst: commandBurst },
      sessionMemory,
      pool: new PassivePool({
        range: settings.passivePorts,
        kept: options.passivePortsKept,
        path,
        congestionControl: settings.congestionControl,
      }),
      who: new Who(this.events),
      storages: new Storages(options.openStorage),
      throttles: new Throttles({ up: settings.serverUploadRate, down: settings.serverDownloadRate }),
      events: this.events,
      now: Date.now,
    };
    this.#services.authority.onEnd((id, reason) => this.expel(id, reason));
  }

  /** Who is connected, and what they do. */
  get who(): Who {
    return this.#services.who;
  }

  /**
   * Opens the listeners.
   * @returns the bound addresses, in the order of `options.listen`.
   * @throws the system's error (EADDRINUSE, EACCES …); then nothing stays open.
   */
  async listen(): Promise<readonly Endpoint[]> {
    const bound: Endpoint[] = [];
    try {
      for (const endpoint of this.#options.listen) bound.push(await this.#listenOn(endpoint));
    } catch (error) {
      await this.close({ graceSeconds: 0 });
      throw error;
    }
    this.#wasOpen = true;
    for (const { address, port } of bound)
      this.events.emit({ type: "server.listening", address, port, at: Date.now() });
    return bound;
  }

  /**
   * Serves a listener that somebody else has opened: the broker for its workers, a service manager.
   * @param handle a listening server or socket, or `{ fd }`.
   */
  async adopt(
    handle: Server | { readonly fd: number },
    terms: Omit<ListenTerms, "address" | "port">,
  ): Promise<Endpoint> {
    this.#wasOpen = true;
    return this.#open(terms, (listener, ready) => listener.listen(handle, ready));
  }

  /**
   * Serves a client whom somebody else has accepted.
   * @param client whose connection is ours from here on, and unread.
   * @param id of no other session.
   */
  serve(client: AcceptedClient, { id, ...listener }: Listener & { readonly id: string }): void {
    const connection = new Connection(openWire(client, this.#services.path), {
      id,
      listener,
      services: this.#services,
    });
    const served = connection.run().finally(() => this.#connections.delete(id));
    this.#connections.set(id, { connection, served });
  }

  /** Takes no more clients; settles when the last session has ended by itself. */
  async retire(): Promise<void> {
    for (const listener of this.#listeners.splice(0)) listener.close();
    this.#services.pool.keepNone();
    while (this.#connections.size > 0) {
      await Promise.all([...this.#connections.values()].map(async ({ served }) => served));
    }
  }

  /** Ends a session now; its client hears why. Unknown ids are passed over. */
  expel(id: string, reason: string): void {
    this.#connections.get(id)?.connection.expel(reason);
  }

  /** The rates that sessions share; a worker among several sets its part. */
  get throttles(): Throttles {
    return this.#services.throttles;
  }

  /**
   * Takes no more clients, lets running transfers end, closes everything.
   * @param graceSeconds after which transfers are aborted; default: the option `graceTimeout`.
   */
  async close({ graceSeconds = this.#services.settings.graceTimeout }: { graceSeconds?: number } = {}): Promise<void> {
    const closing = this.#listeners.splice(0).map(async (listener) => {
      await new Promise<void>((resolve) => {
        listener.close(() => resolve());
      });
    });
    for (const { connection } of this.#connections.values())
      connection.leave("The server is closing; try again later.");
    const timer = setTimeout(() => {
      for (const { connection } of this.#connections.values()) connection.abortTransfer();
    }, graceSeconds * 1000);
    const last = setTimeout(() => this.endNow(), graceSeconds * 1000 + FAREWELL_MS);
    await Promise.all([...this.#connections.values()].map(async ({ served }) => served));
    clearTimeout(timer);
    clearTimeout(last);
    this.#services.pool.close();
    await this.#services.storages[Symbol.asyncDispose]();
    await Promise.all(closing);
    if (this.#wasOpen) this.events.emit({ type: "server.closed", at: Date.now() });
    this.#wasOpen = false;
  }

  /** Cuts every connection; `close` then ends at once. */
  endNow(): void {
    for (const { connection } of this.#connections.values()) connection.drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ graceSeconds: 0 });
  }

  async #listenOn({ address, port, ...terms }: ListenTerms): Promise<Endpoint> {
    return this.#open(terms, (listener, ready) =>
      listener.listen({ host: address, port, backlog: CONTROL_BACKLOG }, ready),
    );
  }

  async #open(
    { implicit = false, tls }: Omit<ListenTerms, "address" | "port">,
    listen: (listener: Server, ready: () => void) => void,
  ): Promise<Endpoint> {
    if (implicit && this.#options.tls === undefined) throw new Error("an implicit listener needs a certificate");
    const terms: Listener = { implicit, tls: tls ?? this.#services.tls.settings.tls };
    // allowHalfOpen: a script that pipes its commands in and shuts down its side still gets every reply.
    const listener = createServer({ allowHalfOpen: true }, (socket) => {
      const client = clientOf(socket);
      if (client !== undefined) this.serve(client, { id: this.#newId(), ...terms });
    });
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject);
      listen(listener, resolve);
    });
    listener.on("error", (error) => {
      this.events.emit({ type: "server.fault", detail: String(error), at: Date.now() });
    });
    this.#listeners.push(listener);
    const bound = listener.address();
    if (!isAddressInfo(bound)) throw new Error("a TCP listener without an address");
    return { address: plainAddress(bound.address), port: bound.port };
  }

  #newId(): string {
    this.#sessions += 1;
    return this.#sessions.toString(36);
  }
}

/** Milliseconds after an aborted transfer in which its client may take the 426 and the 421. */
const FAREWELL_MS = 2_000;

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}

export function createFtpServer(options: ServerOptions): FtpServer {
  return new FtpServer(options);
}
