/** Puts a client together: what the URL and the options say, what is known of the host, and how a session is made of that. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { plainAddress } from "../net/addresses.ts";
import { type DataPath, chooseDataPath } from "../net/data-path.ts";
import { NameCoder } from "./charset.ts";
import { bearsPipelining, readsInOrder } from "./ahead.ts";
import { ControlLink } from "./control.ts";
import type { ModeMemory } from "./data-modes.ts";
import { type Dialled, dial } from "./dial.ts";
import { EventHub } from "./event-hub.ts";
import { externalAddress } from "./external-address.ts";
import { Hub } from "./hub.ts";
import { POOL_MOST, REPLY_WAIT_MS, STALL_MS } from "./limits.ts";
import { ListingWays } from "./listing-ways.ts";
import { login } from "./login.ts";
import { type Target, targetOf } from "./target.ts";
import { Pool } from "./pool.ts";
import { allowsActive, parseProxy } from "./proxy.ts";
import { proxyLogin } from "./proxy-login.ts";
import { withRetries } from "./retry.ts";
import { RouterPorts } from "./router-ports.ts";
import { FtpSession } from "./session.ts";
import { type HostMemory, hostMemory } from "./host-memory.ts";
import { ClientTls } from "./tls.ts";
import type { ConnectOptions, ServerInfo } from "./types.ts";
import { joinedSignal } from "./waits.ts";
import { withProfile } from "./with-profile.ts";

/** A client's parts, with its first session signed in. @throws {FtpError}, or the signal's reason. */
export async function connectHub(
  url: string,
  given: ConnectOptions,
): Promise<{ readonly hub: Hub; readonly events: EventHub; readonly memory: HostMemory }> {
  const target = targetOf(url, given);
  const options = withProfile(given, target);
  const events = new EventHub(options.on);
  const names = new NameCoder(options.charset, (what) => events.emit("fallback", { id: 1, what }));
  const memory = await hostMemory(target, options);
  const maker = new SessionMaker({ target, options, events, names, memory });
  const pool = new Pool({
    most: Math.max(options.connections ?? POOL_MOST, 1),
    open: async (signal) => await maker.make(signal),
  });
  const signal = joinedSignal(options.signal, options.timeoutMs);
  const first = await withRetries(async () => await maker.make(signal), {
    options: options.retry ?? {},
    signal,
    // Whoever types a wrong name or port wants to hear of it at once; a server that is full may have room soon.
    isWorth: ({ code }) => options.retry?.attempts !== undefined || code === "BUSY",
    heard: (detail) => events.emit("retry", detail),
  });
  pool.adopt(first);
  const hub = new Hub({
    pool,
    info: first.info,
    names,
    emit: events.emit,
    retry: options.retry ?? {},
    rate: options.rate,
    listings: new ListingWays({ hasMlsd: first.info.features.has("MLST"), prefer: options.listing }),
    zoneMinutes: options.zoneMinutes,
    isProxied: options.proxy !== undefined,
  });
  return { hub, events, memory };
}

type Made = {
  readonly target: Target;
  readonly options: ConnectOptions;
  readonly events: EventHub;
  readonly names: NameCoder;
  readonly memory: HostMemory;
};

/** By what the caller has said of pipelining. */
const TOLD: Readonly<Record<string, boolean | undefined>> = { on: true, off: false };

class SessionMaker {
  readonly #made: Made;
  #path: DataPath | undefined;
  readonly #modes: ModeMemory;
  #count = 0;
  #known: ServerInfo | undefined;
  /** An earlier session had private data connections. */
  #wasPrivate = false;
  /** The last resort with a server that does not see TLS 1.3 resumed. */
  #cap: "TLSv1.2" | undefined;
  #external: Promise<string | undefined> | undefined;
  readonly #router: RouterPorts;

  constructor(made: Made) {
    this.#made = made;
    this.#router = new RouterPorts(made.options.data?.portMapping ?? true);
    this.#modes = {
      preferred: undefined,
      refused: new Set(),
      failed: new Set(),
      attempts: new Map(),
      pipelining: false,
      inOrder: false,
      rounds: 0,
      cap: () => void (this.#cap = "TLSv1.2"),
    };
  }

  async make(given: AbortSignal | undefined): Promise<FtpSession> {
    const { target, options, events, names, memory } = this.#made;
    const id = (this.#count += 1);
    const stop = new AbortController();
    const signal = given === undefined ? stop.signal : AbortSignal.any([given, stop.signal]);
    const replyMs = options.replyMs ?? REPLY_WAIT_MS;
    const dialled = await this.#dial(target.dialled, { ms: replyMs, signal, connection: "control" });
    const { socket } = dialled;
    const link = new ControlLink(socket, {
      names,
      replyMs,
      watcher: {
        command: (line) => events.emit("command", { id, line }),
        reply: (reply) => events.emit("reply", { id, reply }),
      },
    });
    const note = (what: string): void => events.emit("fallback", { id, what });
    try {
      const tls = this.#tls(replyMs);
      const { info, isPrivate } = await login(link, {
        ...target,
        address: dialled.address,
        tls,
        signal,
        note,
        dataIsClear: target.tlsOptions.data === "clear",
        commands: options.commands ?? [],
        proxySteps: this.#proxySteps(),
        known: this.#known,
        // Within this client too: what had TLS once is not told the password in clear text the next time.
        tlsSeen: this.#known?.tls === undefined ? memory.tlsSeen : Date.now(),
        wasPrivate: this.#wasPrivate,
      });
      this.#known = info;
      const told = TOLD[options.pipelining ?? "auto"] ?? memory.pipelining;
      this.#modes.pipelining = bearsPipelining(info.greeting, told);
      this.#modes.inOrder = readsInOrder(info.greeting, told);
      this.#wasPrivate ||= isPrivate;
      if (info.tls !== undefined) memory.sawTls();
      const ownAddress = plainAddress(socket.localAddress ?? "");
      this.#modes.preferred ??= await memory.mode(ownAddress);
      return new FtpSession({
        link,
        info,
        tls,
        isPrivate,
        stallMs: options.stallMs ?? STALL_MS,
        path: ({ isShort }) => this.#pathFor(isShort),
        modes: {
          options: options.data ?? {},
          memory: this.#modes,
          server: dialled.address,
          isTls: info.tls !== undefined,
          router: this.#router,
          dial: async (dataPort, dataHost, wait) => await this.#dialData({ host: dataHost, port: dataPort }, wait),
          isStraight: this.#tunnel === undefined,
          isActivePossible: allowsActive(options.proxy),
          note,
          worked: (mode) => memory.modeWorked(mode, ownAddress),
        },
        externalAddress: async (session) => await (this.#external ??= externalAddress(session)),
      });
    } catch (error) {
      link.destroy("the login failed");
      throw error;
    } finally {
      stop.abort();
    }
  }

  #tls(timeoutMs: number): ClientTls | undefined {
    const { target, events, memory } = this.#made;
    if (target.tlsMode === "off") return undefined;
    const judge = async (socket: TLSSocket): Promise<void> => {
      const fingerprint = await memory.judge(socket, target.tlsOptions);
      if (fingerprint !== undefined) events.emit("trust", { host: target.host, fingerprint });
    };
    return new ClientTls({ host: target.host, options: target.tlsOptions, timeoutMs, judge }, this.#cap);
  }

  /** The native one takes 10 ms and 7 MiB to load: who only lists does not wait for it. */
  #pathFor(isShort: boolean): DataPath {
    if (isShort && this.#path === undefined) return chooseDataPath("portable");
    this.#path ??= chooseDataPath();
    return this.#path;
  }

  #proxySteps(): ReturnType<typeof proxyLogin> | undefined {
    const { target, options } = this.#made;
    const { proxy } = options;
    if (proxy === undefined) return undefined;
    const parsed = parseProxy(proxy);
    if (parsed.kind !== "ftp") return undefined;
    const { user, password, account, host, port } = target;
    return proxyLogin({
      user,
      password,
      account,
      target: { host, port },
      style: typeof proxy === "string" ? undefined : proxy.style,
      proxyUser: parsed.user,
      proxyPassword: parsed.password,
    });
  }

  /** An FTP proxy is no tunnel: data connections are as without one. */
  get #tunnel(): ConnectOptions["proxy"] {
    const { proxy } = this.#made.options;
    return proxy === undefined || parseProxy(proxy).kind === "ftp" ? undefined : proxy;
  }

  async #dialData(to: { host: string; port: number }, wait: { ms: number; signal: AbortSignal }): Promise<Socket> {
    return (await this.#dial(to, { ...wait, connection: "data" })).socket;
  }

  async #dial(
    to: { readonly host: string; readonly port: number },
    {
      ms,
      signal,
      connection,
    }: { readonly ms: number; readonly signal: AbortSignal; readonly connection: "control" | "data" },
  ): Promise<Dialled> {
    return await dial(to, {
      signal,
      timeoutMs: ms,
      proxy: this.#tunnel,
      family: connection === "control" ? this.#made.options.family : undefined,
      connection,
    });
  }
}
