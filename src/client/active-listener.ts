/** Active mode at the client's side: a port on which the server alone is awaited (RFC 959 §4.1.2 PORT, RFC 2428 §2). */
import { type Server, type Socket, createServer } from "node:net";
import { systemCode } from "../base/system-code.ts";
import { plainAddress, sameAddress } from "../net/addresses.ts";
import { FtpError } from "./errors.ts";

export type ActiveListener = AsyncDisposable & {
  readonly port: number;
  /** The server has connected. */
  readonly hasArrived: boolean;
  /** The first connection that comes from the server. @throws the signal's reason. */
  accept(signal: AbortSignal): Promise<Socket>;
  /** Addresses of others that came, for the explanation. */
  readonly strangers: ReadonlySet<string>;
};

/** Strangers whose addresses are kept. */
const STRANGERS_MOST = 8;

/**
 * @param server whose address alone may connect (attack 6, the client's side of it).
 * @throws {FtpError} when no port of the range is free.
 */
export async function listenActive(
  address: string,
  {
    server,
    ports,
  }: { readonly server: string; readonly ports?: { readonly from: number; readonly to: number } | undefined },
): Promise<ActiveListener> {
  const strangers = new Set<string>();
  const { promise, resolve } = Promise.withResolvers<Socket>();
  let arrived: Socket | undefined;
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {});
    const from = plainAddress(socket.remoteAddress ?? "");
    if (arrived === undefined && sameAddress(from, server)) {
      arrived = socket;
      resolve(socket);
    } else {
      if (strangers.size < STRANGERS_MOST && !sameAddress(from, server)) strangers.add(from);
      socket.destroy();
    }
  });
  const port = await listen(listener, address, ports);
  let isTaken = false;
  return {
    port,
    strangers,
    get hasArrived() {
      return arrived !== undefined;
    },
    async accept(signal) {
      const aborted = Promise.withResolvers<never>();
      const abort = (): void => aborted.reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
      try {
        const socket = await Promise.race([promise, aborted.promise]);
        isTaken = true;
        return socket;
      } finally {
        signal.removeEventListener("abort", abort);
      }
    },
    async [Symbol.asyncDispose]() {
      if (!isTaken) arrived?.destroy();
      listener.close();
    },
  };
}

async function listen(
  listener: Server,
  host: string,
  ports: { readonly from: number; readonly to: number } | undefined,
): Promise<number> {
  if (ports === undefined) return await tryPort(listener, host, 0);
  // From a place by chance, so that several clients of one machine seldom meet.
  const count = ports.to - ports.from + 1;
  const start = Math.floor(Math.random() * count);
  for (let step = 0; step < count; step += 1) {
    try {
      return await tryPort(listener, host, ports.from + ((start + step) % count));
    } catch (error) {
      if (systemCode(error) !== "EADDRINUSE") throw error;
    }
  }
  throw new FtpError("LOCAL_IO", `none of the ports ${ports.from} to ${ports.to} is free for active mode`, {
    phase: "data-open",
    connection: "data",
    hint: "allow more ports, or passive modes",
  });
}

async function tryPort(listener: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen({ host, port, backlog: STRANGERS_MOST }, () => {
      listener.off("error", reject);
      resolve();
    });
  });
  const bound = listener.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP listener without a port");
  return bound.port;
}
