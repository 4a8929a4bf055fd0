/** One FTP session of the load generator in Node: control connection, data connections, TLS that resumes. */
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { type SecureContext, connect as connectTls, createSecureContext } from "node:tls";
import { setTimeout as delay } from "node:timers/promises";
import { Fault, type Options } from "./options.ts";

/** Milliseconds that a connection that is refused, or finds no free port, is tried again, and between two tries. */
const [CONNECT_MS, BETWEEN_MS] = [2_000, 5];
/** Octets of random content that all uploads share. */
const CONTENT = 2 ** 18;
/** Milliseconds in which the server may tell on the control connection why a data connection failed. */
const REASON_MS = 2_000;

/** One for all connections: to make one costs as much as a handshake. */
let secureContext: SecureContext | undefined;

const content = randomFillSync(Buffer.allocUnsafe(CONTENT));

/** What a session did since the clock began. */
export class Figures {
  bytes = 0;
  operations = 0;
  lines = 0;
  handshakes = 0;
  resumed = 0;
  /** Milliseconds each. */
  readonly latencies: number[] = [];
}

/** What a download does with its octets: `take` sees each chunk, `stop` ends it in the middle. */
export type Taking = {
  readonly take?: (chunk: Buffer) => Promise<void> | void;
  readonly stop?: () => boolean;
};

type Reply = { readonly code: number; readonly line: string };

export class Session {
  figures = new Figures();
  readonly number: number;
  readonly #options: Options;
  #socket: Socket;
  #ended = "the server closed the connection";
  #text = "";
  #sent = "(connecting)";
  #reply = "";
  #ticket: Buffer | undefined;
  #wake = (): void => {};

  private constructor(options: Options, { number, socket }: { number: number; socket: Socket }) {
    this.#options = options;
    this.number = number;
    this.#socket = socket;
  }

  /** Connects and signs in. @throws Fault that names what the server said. */
  static async signIn(options: Options, number: number): Promise<Session> {
    const socket = await connect(options, { port: options.port, data: false });
    const session = new Session(options, { number, socket });
    if (options.implicit) await session.#secureControl();
    else session.#listen();
    await session.#final(2);
    if (options.tls && !options.implicit) {
      await session.ask(2, "AUTH TLS");
      await session.#secureControl();
    }
    session.#say(`USER ${options.user}`);
    const { code } = await session.#next();
    if (code === 331) await session.ask(2, `PASS ${options.pass}`);
    else if (code >= 300) throw session.fault(`the server said: ${session.#reply}`);
    return session;
  }

  /** Protection, type and mode of the transfers to come. */
  async prepare(): Promise<void> {
    const { tls, type, modeZ } = this.#options;
    if (tls) for (const line of ["PBSZ 0", "PROT P"]) await this.ask(2, line);
    await this.ask(2, `TYPE ${type}`);
    if (modeZ) await this.ask(2, "MODE Z");
  }

  /** @returns the final reply's last line. @throws Fault unless it begins with the digit `kind`. */
  async ask(kind: number, line: string): Promise<string> {
    this.#say(line);
    return this.#final(kind);
  }

  async quit(): Promise<void> {
    await this.ask(2, "QUIT");
    this.close();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Rejects when the server puts this session out. */
  async putOut(): Promise<never> {
    this.#sent = "being idle";
    const { line } = await this.#next();
    throw this.fault(`the server said: ${line}`);
  }

  fault(what: string): Fault {
    const after = this.#sent.startsWith("PASS ") ? "PASS" : this.#sent;
    return new Fault(`session ${this.number}, after ${after}: ${what}`);
  }

  /** Octets that the server says it has. */
  async size(path: string): Promise<number | undefined> {
    this.#say(`SIZE ${path}`);
    await this.#next();
    const digits = /^213 (\d+)/.exec(this.#reply)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }

  /** A RETR or a listing. @returns octets. */
  async fetch(line: string, { take, stop }: Taking = {}): Promise<number> {
    const data = await this.#begin(line);
    let done = 0;
    try {
      for await (const chunk of data) {
        if (!Buffer.isBuffer(chunk)) continue;
        done += chunk.length;
        await take?.(chunk);
        if (stop?.() === true) return done;
      }
    } catch (error) {
      throw await this.#reason(error);
    } finally {
      // Over TLS some servers wait for the answer to their farewell.
      data.end();
      data.destroySoon();
    }
    await this.#final(2);
    return done;
  }

  async store(path: string, size: number): Promise<number> {
    const data = await this.#begin(`STOR ${path}`);
    // Tickets and the server's farewell are taken, else closing would reset the connection.
    data.resume();
    const closed = once(data, "close");
    closed.catch(() => {});
    try {
      for (let left = size; left > 0; left -= CONTENT) {
        const part = left < CONTENT ? content.subarray(0, left) : content;
        if (!data.write(part)) await Promise.race([once(data, "drain"), closed]);
        if (data.destroyed) throw new Error("the data connection was closed");
      }
      data.end();
      await closed;
    } catch (error) {
      throw await this.#reason(error);
    }
    await this.#final(2);
    return size;
  }

  async #begin(line: string): Promise<Socket> {
    const port = await this.#passivePort();
    const data = await connect(this.#options, { port, data: true });
    this.#say(line);
    try {
      const { code } = await this.#next();
      if (code >= 200) throw this.fault(`the server said: ${this.#reply}`);
      return this.#options.tls ? await this.#secure(data, this.#ticket) : data;
    } catch (error) {
      data.destroy();
      throw error instanceof Fault ? error : await this.#reason(error);
    }
  }

  async #passivePort(): Promise<number> {
    const reply = await this.ask(2, this.#options.pasv ? "PASV" : "EPSV");
    // RFC 2428 §3 and RFC 959 §4.1.2.
    const port = /\((.)\1\1(\d+)\1\)/.exec(reply)?.[2];
    const [, high, low] = /\d+,\d+,\d+,\d+,(\d+),(\d+)/.exec(reply) ?? [];
    const found = this.#options.pasv ? Number(high) * 256 + Number(low) : Number(port);
    if (!(found > 0)) throw this.fault(`no port in: ${reply}`);
    return found;
  }

  async #secureControl(): Promise<void> {
    this.#socket.removeAllListeners("data");
    this.#socket = await this.#secure(this.#socket, undefined);
    this.#listen();
  }

  async #secure(socket: Socket, session: Buffer | undefined): Promise<Socket> {
    const { version, resume } = this.#options;
    const resumed = session !== undefined && resume ? { session } : {};
    secureContext ??= createSecureContext({ minVersion: version, maxVersion: version });
    const tls = connectTls({ socket, secureContext, rejectUnauthorized: false, ...resumed });
    tls.on("session", (ticket: Buffer) => (this.#ticket = ticket));
    await Promise.race([
      once(tls, "secureConnect"),
      once(tls, "close").then(() => {
        throw new Error("closed during the handshake");
      }),
    ]);
    tls.on("error", () => {});
    this.figures.handshakes += 1;
    if (tls.isSessionReused()) this.figures.resumed += 1;
    return tls;
  }

  /** What a data connection's fault hides is often told on the control connection. */
  async #reason(cause: unknown): Promise<Fault> {
    const what = cause instanceof Error ? cause.message : String(cause);
    const told = await Promise.race([this.#told(), delay(REASON_MS, this.#reply, { ref: false })]);
    return this.fault(`${what}; the server said: ${told}`);
  }

  async #told(): Promise<string> {
    try {
      return (await this.#next()).line;
    } catch {
      return this.#reply;
    }
  }

  #listen(): void {
    this.#socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      this.#wake();
    });
    this.#socket.on("error", (error) => (this.#ended = error.message));
    this.#socket.on("close", () => this.#wake());
  }

  #say(line: string): void {
    this.#sent = line;
    this.#socket.write(`${line}\r\n`, "latin1");
  }

  /** The next reply, preliminary or final. */
  async #next(): Promise<Reply> {
    for (;;) {
      const reply = this.#cut();
      if (reply !== undefined) {
        this.#reply = reply.line;
        return reply;
      }
      if (this.#socket.destroyed) throw this.fault(`${this.#ended}; its last reply: ${this.#reply}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** RFC 959 §4.2: the first line of several has a hyphen after its code, the last one the same code and a space. */
  #cut(): Reply | undefined {
    const whole = /^(\d{3})(?:-[^]*?\n\1(?!-))?[^\n]*\n/.exec(this.#text);
    const first = /^[^\n]*\n/.exec(this.#text)?.[0];
    if (first !== undefined && !/^\d{3}/.test(first)) throw this.fault(`this is no reply: ${first.trim()}`);
    if (whole === null || (first === whole[0] && first.charAt(3) === "-")) return undefined;
    this.#text = this.#text.slice(whole[0].length);
    const line = whole[0].trimEnd().split("\n").at(-1) ?? "";
    return { code: Number(whole[1]), line };
  }

  async #final(kind: number): Promise<string> {
    let reply = await this.#next();
    while (reply.code < 200) reply = await this.#next();
    if (Math.floor(reply.code / 100) !== kind) throw this.fault(`the server said: ${reply.line}`);
    return reply.line;
  }
}

/** A crowd on one machine uses up the ports for a moment; a data port may be listened on a little later than it is told. */
async function connect({ host }: Options, { port, data }: { port: number; data: boolean }): Promise<Socket> {
  const last = performance.now() + CONNECT_MS;
  for (;;) {
    const socket = createConnection({ host, port, noDelay: true });
    try {
      await once(socket, "connect");
      socket.on("error", () => {});
      return socket;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const passes = text.includes("EADDRNOTAVAIL") || (data && text.includes("ECONNREFUSED"));
      if (!passes || performance.now() > last) throw new Fault(`no connection to port ${port}: ${text}`);
    }
    await delay(BETWEEN_MS);
  }
}
