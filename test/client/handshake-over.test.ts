/** A data connection over TLS that is given up in the very call of the TLS engine that ended its handshake. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection } from "node:net";
import { test } from "node:test";
import { connect, createServer } from "node:tls";
import { pairFor } from "../support/tls.ts";
import { portOf } from "../support/ports.ts";
import { DataConnection, DataError } from "../../src/net/data-connection.ts";

/** How often: Node's engine then reads memory that is gone, which mostly ends the process at the first or second. */
const TIMES = 20;

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${version}: a transfer that is over when its handshake ends closes, and the process lives on`, async () => {
    const server = createServer({ ...pairFor("127.0.0.1"), minVersion: version, maxVersion: version });
    server.on("secureConnection", (socket) => {
      socket.on("error", () => {});
      // Behind the handshake, so that the engine of the other side reads on after it.
      socket.write("octets");
    });
    server.on("tlsClientError", () => {});
    await once(server.listen(0, "127.0.0.1"), "listening");
    for (let time = 0; time < TIMES; time += 1) {
      const raw = createConnection(portOf(server), "127.0.0.1");
      await once(raw, "connect");
      const secured = connect({ socket: raw, rejectUnauthorized: false });
      const closed = once(secured, "close");
      await new Promise<void>((resolve) => {
        secured.once("secure", resolve);
      });
      const signal = AbortSignal.abort();
      const connection = new DataConnection({ socket: secured, raw }, { stallMs: 5_000, signal });
      await assert.rejects(connection.send(Buffer.from("x")), DataError);
      await connection[Symbol.asyncDispose]();
      await closed;
      assert.ok(raw.destroyed);
    }
    server.close();
    await once(server, "close");
  });
}
