/** Ports of loopback: of servers that listen on any that is free, and one that nobody listens on. */
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";

const LOOPBACK = "127.0.0.1";

export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Has a server of any kind listen. @returns its port. */
export async function listening(server: Server, host = LOOPBACK): Promise<number> {
  server.listen({ port: 0, host });
  await once(server, "listening");
  return portOf(server);
}

/** The same for a server whose end shall be that of the connections in `sockets` too. */
export async function held(
  server: Server,
  sockets: ReadonlySet<Socket>,
): Promise<AsyncDisposable & { readonly port: number }> {
  return {
    port: await listening(server),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/** One that is free now: for a program that cannot say which it took. */
export async function freePort(host = LOOPBACK): Promise<number> {
  const server = createServer();
  const port = await listening(server, host);
  server.close();
  await once(server, "close");
  return port;
}
