/**
 * A server that lies, on a free port of loopback in this process: a correct dialogue over a small tree in memory, of which
 * single answers can be bent (`lies.ts`). It tells what the client said and which of its connections are still open.
 */
import { once } from "node:events";
import { type Server, type Socket, createServer } from "node:net";
import { portOf } from "../support/ports.ts";
import { SilentPort, Trap } from "./liar-data.ts";
import { type LiarGround, LiarSession } from "./liar-session.ts";
import { LiarContexts, type LiarTls } from "./liar-tls.ts";
import { type Tree, treeOf } from "./liar-tree.ts";
import type { LiarWire, WireCounts } from "./liar-wire.ts";
import type { Heard, Lies, ReplyLie } from "./lies.ts";

export type LiarWishes = {
  /** Content by path. Default: `FILES`. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Absent: in clear alone. */
  readonly tls?: LiarTls;
  readonly lies?: Lies;
  /** Default 127.0.0.1. */
  readonly host?: string;
};

export const FILES = {
  "/hello.txt": "Hello, this is a file.\n",
  "/empty": "",
  "/sub/deep.txt": "deep\n",
  "/incoming/": "",
} as const;

/** Milliseconds for which a test waits for a line of the client. */
const PATIENCE_MS = 5_000;

export class Liar implements AsyncDisposable {
  readonly tree: Tree;
  readonly host: string;
  readonly heard: Heard[] = [];
  readonly #server: Server;
  readonly #tls: LiarGround["tls"];
  readonly #trap = new Trap();
  readonly #control = new Set<Socket>();
  readonly #data = new Set<Socket>();
  readonly #sessions: LiarSession[] = [];
  readonly #wires: LiarWire[] = [];
  readonly #used = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #silent: Promise<SilentPort> | undefined;
  #lies: Lies;
  #hasEnded = false;

  private constructor(server: Server, { files = FILES, tls, lies = {}, host = "127.0.0.1" }: LiarWishes) {
    this.#server = server;
    this.tree = treeOf(files);
    this.host = host;
    this.#lies = lies;
    if (tls !== undefined) {
      this.#tls = { contexts: new LiarContexts(tls), isImplicit: tls.kind === "implicit" };
    }
    server.on("connection", (socket: Socket) => this.#accept(socket));
  }

  static async start(wishes: LiarWishes = {}): Promise<Liar> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const liar = new Liar(server, wishes);
    server.listen({ host: liar.host, port: 0 });
    await once(server, "listening");
    // Its descriptors must not look like those of the client.
    if (wishes.lies?.passivePort === "silent") await liar.#silence();
    return liar;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** For `connect`. @param scheme `ftp`, or `ftps` for TLS from the first octet. */
  url(path = "", scheme = this.#tls?.isImplicit === true ? "ftps" : "ftp"): string {
    return `${scheme}://ann:secret@${this.host}:${this.port}${path}`;
  }

  /** Other lies from now on (breaks: from the next connection on), and a fresh record of what is heard. */
  behave(lies: Lies): void {
    this.#lies = lies;
    this.#used.clear();
    this.heard.length = 0;
  }

  /** Verbs in the order in which they came. */
  get verbs(): readonly string[] {
    return this.heard.map(({ verb }) => verb);
  }

  /** Settles when the client has sent a command so often since `behave`. */
  async hears(verb: string, times = 1): Promise<Heard> {
    const found = (): Heard | undefined => this.heard.filter((each) => each.verb === verb)[times - 1];
    const limit = AbortSignal.timeout(PATIENCE_MS);
    for (let heard = found(); ; heard = found()) {
      if (heard !== undefined) return heard;
      if (limit.aborted) throw new Error(`${verb} was not heard, only ${this.verbs.join(" ")}`);
      await this.#nextLine(limit);
    }
  }

  async #nextLine(limit: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    limit.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    this.#waiting.delete(resolve);
  }

  /** Connections of which either side is still open. */
  get open(): { readonly control: number; readonly data: number } {
    return { control: this.#control.size, data: this.#data.size };
  }

  /** How often somebody came to an address of `passiveAddress`. */
  get trapped(): number {
    return this.#trap.visits;
  }

  /** Control connections so far. */
  get sessions(): readonly LiarSession[] {
    return this.#sessions;
  }

  /** Settles when the client has closed everything. @throws when it does not. */
  async quiet(): Promise<void> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    for (const [socket] of [...this.#control.entries(), ...this.#data.entries()]) {
      if (socket.closed) continue;
      await once(socket, "close", { signal: limit }).catch(() => {});
      if (limit.aborted) throw new Error(`the client has left open: ${JSON.stringify(this.open)}`);
    }
  }

  /** Octets of all connections so far, as TCP carried them. */
  get counts(): { readonly control: WireCounts; readonly data: WireCounts } {
    return { control: sumOf(this.#sessions), data: sumOf(this.#wires) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hasEnded = true;
    for (const socket of [...this.#control, ...this.#data]) socket.destroy();
    this.#trap.close();
    await (await this.#silent)?.[Symbol.asyncDispose]();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    if (this.#hasEnded) {
      socket.destroy();
      return;
    }
    track(this.#control, socket);
    const session = new LiarSession(socket, { id: this.#sessions.length, ground: this.#ground() });
    this.#sessions.push(session);
    void session.serve();
  }

  #ground(): LiarGround {
    const now = (): Lies => this.#lies;
    return {
      get lies() {
        return now();
      },
      tree: this.tree,
      tls: this.#tls,
      trap: this.#trap,
      silent: async () => this.#silence(),
      note: (heard) => {
        this.heard.push(heard);
        for (const wake of this.#waiting) wake();
      },
      track: (wire) => {
        this.#wires.push(wire);
        track(this.#data, wire.socket);
      },
      nextBreak: (of) => {
        const used = this.#used.get("break") ?? 0;
        const planned = used < (now().breaks ?? Number.POSITIVE_INFINITY) ? now()[of] : undefined;
        if (planned !== undefined) this.#used.set("break", used + 1);
        return planned;
      },
      lieAbout: (heard, { key, reply }) => {
        const { replies = {} } = now();
        const name = key in replies ? key : "*";
        const lie = this.#nextOf(name, replies[name]);
        return typeof lie === "function" ? lie(heard, reply) : lie;
      },
    };
  }

  async #silence(): Promise<SilentPort> {
    return (this.#silent ??= SilentPort.open());
  }

  #nextOf(key: string, lies: ReplyLie | readonly ReplyLie[] | undefined): ReplyLie {
    if (lies === undefined) return "truth";
    if (!isList(lies)) return lies;
    const index = this.#used.get(key) ?? 0;
    this.#used.set(key, index + 1);
    return lies[index] ?? "truth";
  }
}

function sumOf(wires: readonly { readonly counts: WireCounts }[]): WireCounts {
  let [sent, received] = [0, 0];
  for (const { counts } of wires) {
    sent += counts.sent;
    received += counts.received;
  }
  return { sent, received };
}

function isList(lies: ReplyLie | readonly ReplyLie[]): lies is readonly ReplyLie[] {
  return Array.isArray(lies);
}

function track(set: Set<Socket>, socket: Socket): void {
  set.add(socket);
  socket.on("error", () => {});
  socket.once("close", () => set.delete(socket));
}
