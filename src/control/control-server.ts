/**
 * The server's side of the control socket: one request line in, one answer line out. Whoever may open the socket governs
 * the server, so only its own user and root may: folder, file mode and, where it can be asked, the kernel see to that.
 */
import { rm } from "node:fs/promises";
import { type Server, type Socket, createConnection, createServer } from "node:net";
import { chmodSync, lstatSync, readFileSync } from "node:fs";
import { loadSystemCalls } from "../sys/ffi.ts";
import { type AnswerLine, type Handlers, answerTo } from "./handlers.ts";
import {
  ANSWER_LIMIT,
  CLIENT_LIMIT,
  CLIENT_PATIENCE_MS,
  HANDLER_PATIENCE_MS,
  REQUEST_LIMIT,
  SOCKET_PATH_LIMIT,
} from "./limits.ts";
import { type Surroundings, codeOf, folderProblem, makeFolder, surroundings } from "./socket-path.ts";

export type ControlTerms = {
  readonly path: string;
  readonly handlers: Handlers;
  /** Hears of handlers that failed, and of strangers that were turned away. */
  readonly onFault?: (fault: unknown) => void;
  /** Who is at the other end of a connection; undefined where it cannot be asked. For tests. */
  readonly peer?: (socket: Socket) => ControlPeer | undefined;
  readonly here?: Surroundings;
};

/** The socket cannot be had; the message says why and what to do. */
export class ControlSocketError extends Error {
  override readonly name = "ControlSocketError";
}

/** `confined`: it can gain no privileges, as every worker of ours and whatever a taken-over one starts. */
export type ControlPeer = { readonly uid: number; readonly confined: boolean };

export class ControlServer implements AsyncDisposable {
  readonly #terms: ControlTerms;
  readonly #here: Surroundings;
  readonly #clients = new Set<Socket>();
  #server: Server | undefined;

  constructor(terms: ControlTerms) {
    this.#terms = terms;
    this.#here = terms.here ?? surroundings();
  }

  /**
   * Opens the socket with mode 0600, and makes its folder with 0700. The socket of a server that is gone is replaced.
   * @throws {ControlSocketError}
   */
  async listen(): Promise<void> {
    const { path } = this.#terms;
    if (Buffer.byteLength(path) >= SOCKET_PATH_LIMIT) {
      throw new ControlSocketError(
        `${path}: longer than the ${SOCKET_PATH_LIMIT - 1} octets that a socket's path may have`,
      );
    }
    await makeFolder(path).catch((error: unknown) => {
      throw new ControlSocketError(
        `${path}: its folder cannot be made (${codeOf(error)}); set control-socket, or "off"`,
      );
    });
    const problem = await folderProblem(path, this.#here);
    if (problem !== undefined) throw new ControlSocketError(`${path}: ${problem}`);
    try {
      this.#server = await this.#open();
    } catch (error) {
      if (codeOf(error) !== "EADDRINUSE") throw new ControlSocketError(`${path}: ${codeOf(error)}`);
      await this.#removeLeftOver();
      this.#server = await this.#open();
    }
  }

  /** Ends what runs and removes the socket. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    for (const client of this.#clients) client.destroy();
    await new Promise<void>((resolve) => {
      // Node removes the socket's name with it.
      server.close(() => resolve());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(): Promise<Server> {
    const { path } = this.#terms;
    // allowHalfOpen: who ends his side behind the request still gets the answer.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#meet(socket));
    server.maxConnections = CLIENT_LIMIT;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, () => resolve());
    });
    server.on("error", (error) => this.#fault(error));
    // Until here its folder alone kept others out: that is why one that others can write is refused.
    chmodSync(path, 0o600);
    return server;
  }

  /** @throws {ControlSocketError} if something lives there. */
  async #removeLeftOver(): Promise<void> {
    const { path } = this.#terms;
    if (!lstatSync(path).isSocket()) throw new ControlSocketError(`${path} is there and is no socket; remove it`);
    if (await isAnswering(path)) {
      throw new ControlSocketError(`${path}: another server answers there; give this one a control-socket of its own`);
    }
    await rm(path, { force: true });
  }

  #meet(socket: Socket): void {
    socket.on("error", () => {});
    const problem = this.#problemWith((this.#terms.peer ?? peerOf)(socket));
    if (problem !== undefined) {
      this.#fault(new Error(`control socket: ${problem} was turned away`));
      socket.destroy();
      return;
    }
    this.#clients.add(socket);
    const timer = setTimeout(() => socket.destroy(), CLIENT_PATIENCE_MS + HANDLER_PATIENCE_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#clients.delete(socket);
    });
    this.#serve(socket).catch((error: unknown) => {
      this.#fault(error);
      socket.destroy();
    });
  }

  #problemWith(peer: ControlPeer | undefined): string | undefined {
    if (peer === undefined || peer.uid === 0) return undefined;
    if (peer.uid !== this.#here.uid) return `user ${peer.uid}`;
    return peer.confined ? "a process that may gain no privileges, as a worker is," : undefined;
  }

  async #serve(socket: Socket): Promise<void> {
    const line = await requestOf(socket);
    if (line === undefined) {
      socket.destroy();
      return;
    }
    const answer = await this.#answer(line);
    socket.setTimeout(CLIENT_PATIENCE_MS, () => socket.destroy());
    socket.end(`${answer}\n`);
    socket.resume();
  }

  async #answer(line: string | { readonly problem: string }): Promise<string> {
    if (typeof line !== "string") return JSON.stringify({ ok: false, problem: line.problem } satisfies AnswerLine);
    const { promise: tooLate, resolve } = Promise.withResolvers<AnswerLine>();
    const problem = `no answer within ${HANDLER_PATIENCE_MS / 1000} s; what was asked may still happen`;
    const timer = setTimeout(() => resolve({ ok: false, problem }), HANDLER_PATIENCE_MS);
    const { handlers } = this.#terms;
    const asked = answerTo(line, { handlers, onFault: (fault) => this.#fault(fault) });
    const answer = JSON.stringify(await Promise.race([asked, tooLate]));
    clearTimeout(timer);
    if (Buffer.byteLength(answer) <= ANSWER_LIMIT) return answer;
    return JSON.stringify({ ok: false, problem: "the answer is too long; ask for less" } satisfies AnswerLine);
  }

  #fault(fault: unknown): void {
    this.#terms.onFault?.(fault);
  }
}

/** The first line; undefined for a client that left, or took too long. */
async function requestOf(socket: Socket): Promise<string | { readonly problem: string } | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | { readonly problem: string } | undefined>();
  const chunks: Buffer[] = [];
  let octets = 0;
  const timer = setTimeout(() => resolve(undefined), CLIENT_PATIENCE_MS);
  socket.on("data", (chunk: Buffer) => {
    octets += chunk.length;
    const end = chunk.indexOf("\n");
    if (octets > REQUEST_LIMIT) resolve({ problem: `a request has ${REQUEST_LIMIT} octets at most` });
    else chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
    if (end >= 0 || octets > REQUEST_LIMIT) {
      socket.removeAllListeners("data");
      resolve(Buffer.concat(chunks).toString("utf8"));
    }
  });
  socket.once("end", () => resolve(undefined));
  socket.once("close", () => resolve(undefined));
  socket.resume();
  const line = await promise;
  clearTimeout(timer);
  return line;
}

async function isAnswering(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(codeOf(error) !== "ECONNREFUSED" && codeOf(error) !== "ENOENT"));
  });
}

/** Asked of the kernel; Node keeps the descriptor in a place that it does not document, so its absence is no error. */
function peerOf(socket: Socket): ControlPeer | undefined {
  const calls = loadSystemCalls();
  const handle: unknown = Reflect.get(socket, "_handle");
  if (calls === undefined || typeof handle !== "object" || handle === null || !("fd" in handle)) return undefined;
  if (typeof handle.fd !== "number" || handle.fd < 0) return undefined;
  const { pid, uid } = calls.peerOf(handle.fd);
  return { uid, confined: isConfined(pid) };
}

/** A process that is gone already is none to trust. */
function isConfined(pid: number): boolean {
  try {
    return /^NoNewPrivs:\s*1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}
