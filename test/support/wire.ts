/** A control connection as bare as can be: tests say what goes over the wire and read what comes back. */
import { type Server, type Socket, createConnection, createServer } from "node:net";
import { once } from "node:events";
import { type ParsedReply, ReplyParser } from "../../src/protocol/reply.ts";
import { parse227, parse229 } from "../../src/protocol/host-port.ts";
import { listening } from "./ports.ts";

/** Milliseconds after which a reply that does not come fails the test. */
const PATIENCE_MS = 20_000;

export class Wire implements Disposable {
  #socket: Socket;
  readonly #parser = new ReplyParser();
  #replies: ParsedReply[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  /** Whose end is the end of the conversation. */
  #heard: Socket | undefined;
  readonly #known = new WeakSet<Socket>();

  readonly #take = (chunk: Buffer): void => {
    this.#replies.push(...this.#parser.push(chunk));
    this.#wake?.();
  };

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listenTo(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Goes on over another socket: one with TLS over the first, or the first again. undefined: over none for now. */
  use(socket: Socket | undefined): void {
    this.#socket.off("data", this.#take);
    this.#heard = socket;
    if (socket === undefined) {
      this.#socket.pause();
      return;
    }
    this.#socket = socket;
    this.#listenTo(socket);
    socket.resume();
  }

  /** Sends over another socket from here on; `use` follows when that has something to say. */
  speakOver(socket: Socket): void {
    this.#socket = socket;
    this.#closed = false;
  }

  #listenTo(socket: Socket): void {
    this.#heard = socket;
    const ended = (): void => {
      // TLS may end where the connection goes on.
      if (socket !== this.#heard) return;
      this.#closed = true;
      this.#wake?.();
    };
    socket.on("data", this.#take);
    if (this.#known.has(socket)) return;
    this.#known.add(socket);
    socket.on("error", () => {});
    socket.on("close", ended);
    socket.on("end", ended);
  }

  /** Connects and reads the greeting. */
  static async open(port: number, host = "127.0.0.1"): Promise<Wire> {
    const wire = await Wire.connect(port, host);
    await wire.reply();
    return wire;
  }

  /** Speaks over a connection that was made otherwise: from another address, or one of TLS. */
  static over(socket: Socket): Wire {
    return new Wire(socket);
  }

  /** Connects, and reads nothing. */
  static async connect(port: number, host = "127.0.0.1"): Promise<Wire> {
    const socket = createConnection({ port, host, allowHalfOpen: true, noDelay: true });
    await once(socket, "connect");
    return new Wire(socket);
  }

  /** Connects and signs in. */
  static async login(port: number, { user = "ann", password = "secret", host = "127.0.0.1" } = {}): Promise<Wire> {
    const wire = await Wire.open(port, host);
    await wire.expect(331, `USER ${user}`);
    await wire.expect(230, `PASS ${password}`);
    return wire;
  }

  send(line: string): void {
    this.socket.write(Buffer.from(`${line}\r\n`, "latin1"));
  }

  /** The next reply. @throws when the connection ends first, or none comes in time. */
  async reply(): Promise<ParsedReply> {
    const deadline = setTimeout(() => {
      this.socket.destroy(new Error("no reply in time"));
    }, PATIENCE_MS);
    try {
      while (this.#replies.length === 0) {
        if (this.#closed) throw new Error("the control connection ended without a reply");
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(deadline);
    }
    const next = this.#replies.shift();
    if (next === undefined) throw new Error("no reply");
    return next;
  }

  async ask(line: string): Promise<ParsedReply> {
    this.send(line);
    return this.reply();
  }

  /** Sends (unless `line` is absent) and fails unless the reply has this code. @returns its lines. */
  async expect(code: number, line?: string): Promise<readonly string[]> {
    const got = line === undefined ? await this.reply() : await this.ask(line);
    if (got.code !== code)
      throw new Error(`${line ?? "(reply)"}: expected ${code}, got ${got.code} ${got.lines.join(" / ")}`);
    return got.lines;
  }

  /** Settles when the server has closed the connection. */
  async closed(): Promise<void> {
    while (!this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** EPSV (or PASV), and the connection to the port. */
  async passive(verb: "EPSV" | "PASV" = "EPSV"): Promise<Socket> {
    const { address, port } = await this.passivePort(verb);
    const socket = createConnection({ host: address, port, allowHalfOpen: true });
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  async passivePort(verb: "EPSV" | "PASV" = "EPSV"): Promise<{ address: string; port: number }> {
    const host = this.socket.remoteAddress ?? "127.0.0.1";
    if (verb === "EPSV") {
      const [text = ""] = await this.expect(229, "EPSV");
      return { address: host, port: parse229(text) ?? 0 };
    }
    const [text = ""] = await this.expect(227, "PASV");
    const found = parse227(text);
    if (found === undefined) throw new Error(`no address in ${text}`);
    return { address: found.address, port: found.port };
  }

  /** A whole transfer towards us. @returns the octets and the two replies' codes. */
  async fetch(command: string, verb: "EPSV" | "PASV" = "EPSV"): Promise<{ data: Buffer; codes: number[] }> {
    const socket = await this.passive(verb);
    this.send(command);
    const opening = await this.reply();
    if (opening.code >= 400) {
      socket.destroy();
      return { data: Buffer.alloc(0), codes: [opening.code] };
    }
    const data = await readAll(socket);
    const closing = await this.reply();
    return { data, codes: [opening.code, closing.code] };
  }

  /** A whole transfer towards the server. @returns the replies' codes. */
  async store(command: string, data: Buffer | string, verb: "EPSV" | "PASV" = "EPSV"): Promise<number[]> {
    const socket = await this.passive(verb);
    this.send(command);
    const opening = await this.reply();
    if (opening.code >= 400) {
      socket.destroy();
      return [opening.code];
    }
    socket.end(data);
    socket.resume();
    const closing = await this.reply();
    return [opening.code, closing.code];
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  // An empty transfer may have ended before anyone listened.
  socket.resume();
  if (!socket.readableEnded) await once(socket, "end");
  socket.end();
  return Buffer.concat(chunks);
}

/** Listens on a free port of loopback, for active mode. */
export async function listenLocally(host = "127.0.0.1"): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true });
  return { server, port: await listening(server, host) };
}
