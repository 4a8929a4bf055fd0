/** TLS in tests: certificates made at run time, a control connection that can go over TLS, and private data connections. */
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { type ConnectionOptions, type SecureVersion, type TLSSocket, connect } from "node:tls";
import { makeSelfSigned } from "../../src/net/tls/self-signed.ts";
import type { KeyPair, TlsTerms } from "../../src/net/tls/session.ts";
import { TlsTap } from "../../src/net/tls/tap.ts";
import { Wire, listenLocally, readAll } from "./wire.ts";

/** Both versions that are served; tests that can differ by version run with each. */
export const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

/** A certificate and its key that vouch for themselves. */
export function pairFor(...names: readonly string[]): KeyPair {
  return makeSelfSigned({ names, days: 2, now: Date.now() });
}

const PAIR = pairFor("localhost", "127.0.0.1", "::1");

export function testTerms(changes: Partial<TlsTerms> = {}): TlsTerms {
  return { credentials: { choose: () => PAIR }, minimum: "TLSv1.2", clientCertificates: "off", ...changes };
}

export type TlsWays = {
  readonly version?: SecureVersion;
  /** Anything else that `tls.connect` takes. */
  readonly more?: ConnectionOptions;
};

/** The client's handshake over a socket. @throws what the TLS engine says, and when the server closes. */
export async function beginTls(socket: Socket | TlsTap, { version, more = {} }: TlsWays = {}): Promise<TLSSocket> {
  const versions = version === undefined ? {} : { minVersion: version, maxVersion: version };
  const secured = connect({ socket, rejectUnauthorized: false, ...versions, ...more });
  const done = new AbortController();
  const { signal } = done;
  try {
    await Promise.race([
      once(secured, "secureConnect", { signal }),
      once(secured, "close", { signal }).then(() => {
        throw new Error("closed during the handshake");
      }),
    ]);
  } finally {
    done.abort();
    secured.on("error", () => {});
  }
  return secured;
}

export class PrivateWire implements Disposable {
  readonly wire: Wire;
  readonly tls: TLSSocket;
  readonly #tap: TlsTap;
  readonly #raw: Socket;
  readonly #ways: TlsWays;
  #session: Buffer | undefined;

  private constructor(wire: Wire, parts: { tls: TLSSocket; tap: TlsTap; raw: Socket; ways: TlsWays }) {
    this.wire = wire;
    this.tls = parts.tls;
    this.#tap = parts.tap;
    this.#raw = parts.raw;
    this.#ways = parts.ways;
    if (this.tls.getProtocol() === "TLSv1.2") this.#session = this.tls.getSession();
    this.tls.on("session", (session: Buffer) => (this.#session = session));
  }

  /** Connects, reads the greeting and says AUTH TLS. */
  static async open(port: number, ways: TlsWays = {}): Promise<PrivateWire> {
    const wire = await Wire.open(port);
    return PrivateWire.upgrade(wire, ways);
  }

  /** AUTH TLS and the handshake on a connection that is there already. */
  static async upgrade(wire: Wire, ways: TlsWays = {}): Promise<PrivateWire> {
    await wire.expect(234, "AUTH TLS");
    return PrivateWire.secure(wire, ways);
  }

  /** TLS first, then the greeting. */
  static async implicit(port: number, ways: TlsWays = {}): Promise<PrivateWire> {
    const secured = await PrivateWire.secure(await Wire.connect(port), ways);
    await secured.wire.expect(220);
    return secured;
  }

  /** Signed in, with private data connections. */
  static async login(port: number, ways: TlsWays & { user?: string } = {}): Promise<PrivateWire> {
    const secured = await PrivateWire.open(port, ways);
    const { wire } = secured;
    await wire.expect(331, `USER ${ways.user ?? "ann"}`);
    await wire.expect(230, "PASS secret");
    await wire.expect(200, "PBSZ 0");
    await wire.expect(200, "PROT P");
    return secured;
  }

  /** The handshake alone. */
  static async secure(wire: Wire, ways: TlsWays = {}): Promise<PrivateWire> {
    const raw = wire.socket;
    wire.use(undefined);
    const tap = new TlsTap(raw);
    const tls = await beginTls(tap, ways);
    wire.use(tls);
    return new PrivateWire(wire, { tls, tap, raw, ways });
  }

  /** What resumes the control connection's session; TLS 1.3 brings it some time after the handshake. */
  async session(): Promise<Buffer> {
    while (this.#session === undefined) await once(this.tls, "session");
    return this.#session;
  }

  /** The client's side of a private data connection. @param session absent: the control connection's; null: a fresh one. */
  async protect(
    socket: Socket | TlsTap,
    { session, more }: { session?: Buffer | null; more?: ConnectionOptions } = {},
  ): Promise<TLSSocket> {
    const resumed = session === undefined ? await this.session() : session;
    const secured = await beginTls(socket, {
      ...this.#ways,
      more: { ...this.#ways.more, ...more, ...(resumed === null ? {} : { session: resumed }) },
    });
    // Without tickets a later connection can only resume the newest session.
    secured.on("session", (newer: Buffer) => (this.#session = newer));
    return secured;
  }

  /** A whole download or listing in passive mode. @param session as for `protect`. */
  async fetch(command: string, session?: Buffer | null): Promise<{ data: Buffer; codes: number[] }> {
    const socket = await this.wire.passive();
    const opening = await this.wire.ask(command);
    if (opening.code >= 400) {
      socket.destroy();
      return { data: Buffer.alloc(0), codes: [opening.code] };
    }
    const secured = await this.protect(socket, session === undefined ? {} : { session });
    const data = await readAll(secured);
    const closing = await this.wire.reply();
    return { data, codes: [opening.code, closing.code] };
  }

  /** A whole upload in passive mode, ended as TLS asks. */
  async store(command: string, data: Buffer | string, session?: Buffer | null): Promise<number[]> {
    const socket = await this.wire.passive();
    const opening = await this.wire.ask(command);
    if (opening.code >= 400) {
      socket.destroy();
      return [opening.code];
    }
    const secured = await this.protect(socket, session === undefined ? {} : { session });
    secured.resume().end(data);
    const closing = await this.wire.reply();
    return [opening.code, closing.code];
  }

  /** After a reply that ends TLS (CCC, REIN): answers the server's close_notify, and goes on in clear. */
  async clear(): Promise<void> {
    const { wire } = this;
    wire.use(undefined);
    this.#tap.detach((rest) => {
      wire.use(this.#raw);
      this.#raw.emit("data", rest);
    });
    if (!this.tls.readableEnded) await once(this.tls.resume(), "end");
    await new Promise<void>((resolve) => {
      this.tls.end(() => resolve());
    });
    wire.speakOver(this.#raw);
  }

  [Symbol.dispose](): void {
    this.#raw.destroy();
    this.wire[Symbol.dispose]();
  }
}

/** EPRT or PORT. @returns the connection that the server makes when a transfer begins. */
export async function planActive(
  wire: Wire,
  verb: "EPRT" | "PORT",
): Promise<{ accepted: Promise<Socket>; close(): void }> {
  const { server, port } = await listenLocally();
  const accepted = once(server, "connection").then(([socket]: Socket[]) => {
    server.close();
    if (socket === undefined) throw new Error("no connection");
    return socket;
  });
  accepted.catch(() => {});
  await wire.expect(200, verb === "EPRT" ? `EPRT |1|127.0.0.1|${port}|` : `PORT 127,0,0,1,${port >> 8},${port & 255}`);
  return { accepted, close: () => void server.close() };
}

/** A TCP connection as it is, for what is not TLS. */
export async function rawConnection(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}
