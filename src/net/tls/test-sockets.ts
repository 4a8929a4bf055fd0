/** Two ends of a connection over loopback, for tests. */
import { once } from "node:events";
import { type Socket, createConnection, createServer } from "node:net";

export type Pair = { readonly client: Socket; readonly server: Socket } & Disposable;

/** Both may be half-closed, and bear errors. */
export async function connected(): Promise<Pair> {
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = createConnection({ port: address.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const [[server]]: [Socket[], unknown] = await Promise.all([once(listener, "connection"), once(client, "connect")]);
  listener.close();
  if (server === undefined) throw new Error("no connection");
  for (const socket of [client, server]) socket.on("error", () => {});
  return {
    client,
    server,
    [Symbol.dispose]() {
      client.destroy();
      server.destroy();
    },
  };
}
