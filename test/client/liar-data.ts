/** Data connections of the liar: ports that answer, that are silent and that are closed, and connections to the client. */
import { once } from "node:events";
import { type Server, type Socket, createConnection, createServer } from "node:net";
import { Worker } from "node:worker_threads";
import { portOf } from "../support/ports.ts";

const LOOPBACK = "127.0.0.1";

/** Where the next data connection comes from. */
export type DataPlan = {
  /** undefined for active mode. */
  readonly port: number | undefined;
  /** Settles with the connection; rejects where it cannot be made or when the plan is given up. */
  connection(): Promise<Socket>;
  giveUp(): void;
};

async function listenOn(host: string, port = 0): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.listen({ host, port });
  await once(server, "listening");
  return server;
}

/** A port for one connection. @param host the address of ours to which the client has come. */
export async function openPort(host: string): Promise<DataPlan> {
  const server = await listenOn(host);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  promise.catch(() => {});
  server.once("connection", (socket: Socket) => {
    server.close();
    socket.on("error", () => {});
    resolve(socket);
  });
  let isTaken = false;
  return {
    port: portOf(server),
    async connection() {
      isTaken = true;
      return promise;
    },
    giveUp() {
      server.close();
      reject(new Error("given up"));
      if (!isTaken) void promise.then((socket) => socket.destroy()).catch(() => {});
    },
  };
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<DataPlan> {
  const server = await listenOn(LOOPBACK);
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return { port, connection: async () => Promise.reject(new Error("nobody can come")), giveUp() {} };
}

/** Active mode: our side connects. */
export function activePlan(address: string, port: number): DataPlan {
  return {
    port: undefined,
    async connection() {
      const socket = createConnection({ host: address, port, allowHalfOpen: true, noDelay: true });
      await once(socket, "connect");
      return socket;
    },
    giveUp() {},
  };
}

/** Connections for which a queue of length 1 has room in Linux. */
const QUEUE_ROOM = 2;
/** A worker whose event loop stands still accepts nobody; it ends when it is terminated. */
const DEAF_LISTENER = `
  const server = require("node:net").createServer();
  server.listen({ host: "${LOOPBACK}", port: 0, backlog: 1 }, () => {
    require("node:worker_threads").parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/**
 * A port that answers no SYN, as behind a firewall that drops: its queue is full and nobody takes anything out of it.
 * Needs Linux, where a full queue is silent.
 */
export class SilentPort implements AsyncDisposable {
  readonly port: number;
  readonly #worker: Worker;
  readonly #fillers: readonly Socket[];

  private constructor(port: number, { worker, fillers }: { worker: Worker; fillers: readonly Socket[] }) {
    this.port = port;
    this.#worker = worker;
    this.#fillers = fillers;
  }

  static async open(): Promise<SilentPort> {
    const worker = new Worker(DEAF_LISTENER, { eval: true });
    const [port]: unknown[] = await once(worker, "message");
    if (typeof port !== "number") throw new Error("the deaf listener told no port");
    const fillers: Socket[] = [];
    while (fillers.length < QUEUE_ROOM) {
      const filler = createConnection({ host: LOOPBACK, port });
      filler.on("error", () => {});
      await once(filler, "connect");
      fillers.push(filler);
    }
    return new SilentPort(port, { worker, fillers });
  }

  plan(): DataPlan {
    const given = new AbortController();
    return {
      port: this.port,
      connection: async () => {
        await once(given.signal, "abort");
        throw new Error("given up");
      },
      giveUp: () => given.abort(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    await this.#worker.terminate();
  }
}

/** A listener to which no client may come: counts those that do. */
export class Trap {
  readonly #servers = new Set<Server>();
  #visits = 0;

  get visits(): number {
    return this.#visits;
  }

  async listen(host: string, port: number): Promise<void> {
    const server = await listenOn(host, port);
    this.#servers.add(server);
    server.on("connection", (socket: Socket) => {
      this.#visits += 1;
      socket.destroy();
    });
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#servers.clear();
  }
}
