/** A way from a client to a port that passes octets on in pieces of any size, and can end in the middle of any of them. */
import { once } from "node:events";
import { type Socket, createConnection, createServer } from "node:net";
import { listening } from "./ports.ts";

export type CuttableWay = AsyncDisposable & {
  /** The client's end of it. */
  readonly socket: Socket;
  /** Octets that have gone to the server. */
  readonly passed: () => number;
  /** Passes on so many more octets, then our FIN. Nothing after. */
  cutAfter(octets: number): void;
};

/** @param pieceSize of the next piece, in octets; asked before each. */
export async function cuttableWay(port: number, pieceSize: () => number): Promise<CuttableWay> {
  const listener = createServer({ allowHalfOpen: true, noDelay: true });
  const own = await listening(listener);
  const socket = createConnection({ port: own, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const server = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const [[near]]: [Socket[], unknown, unknown] = await Promise.all([
    once(listener, "connection"),
    once(socket, "connect"),
    once(server, "connect"),
  ]);
  listener.close();
  if (near === undefined) throw new Error("no connection");
  for (const each of [socket, server, near]) each.on("error", () => {});
  let passed = 0;
  let left = Number.POSITIVE_INFINITY;
  const pass = async (): Promise<void> => {
    for await (const chunk of near) {
      if (!Buffer.isBuffer(chunk)) continue;
      for (let rest: Buffer = chunk; rest.length > 0 && left > 0;) {
        const piece = rest.subarray(0, Math.min(pieceSize(), left));
        rest = rest.subarray(piece.length);
        left -= piece.length;
        passed += piece.length;
        if (!server.write(piece)) await Promise.race([once(server, "drain"), once(server, "close")]);
        else await new Promise(setImmediate);
      }
      if (left <= 0) break;
    }
    server.end();
  };
  pass().catch(() => server.destroy());
  server.pipe(near);
  return {
    socket,
    passed: () => passed,
    cutAfter: (octets) => {
      left = octets;
      if (left <= 0) server.end();
    },
    async [Symbol.asyncDispose]() {
      for (const each of [socket, server, near]) each.destroy();
      await Promise.resolve();
    },
  };
}
