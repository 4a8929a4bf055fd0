/** Clients that ask for TLS and are gone: their descriptor may be another connection's by the time the command runs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection } from "node:net";
import { test } from "node:test";
import { createFtpServer } from "../src/server/server.ts";
import type { FerrymanEvent } from "../src/workspace/events.ts";
import { annStore, lenientGuard } from "./support/server.ts";
import { testTerms } from "./support/tls.ts";

/** Resets after sending; settles when the server has seen the session end. */
async function resetAfter(
  octets: string,
  limits: { readonly commandRate?: number; readonly commandBurst?: number },
): Promise<readonly FerrymanEvent[]> {
  const events: FerrymanEvent[] = [];
  const COUNT = 40;
  const allClosed = Promise.withResolvers<void>();
  await using server = createFtpServer({
    listen: [{ address: "127.0.0.1", port: 0 }],
    accounts: [annStore("/")],
    guard: lenientGuard(),
    limits,
    tls: { terms: () => testTerms() },
    onEvent: (event) => {
      events.push(event);
      if (events.filter(({ type }) => type === "session.closed").length === COUNT) allClosed.resolve();
    },
  });
  const [bound] = await server.listen();
  for (let count = 0; count < COUNT; count++) {
    const socket = createConnection({ port: bound?.port ?? 0, host: "127.0.0.1" });
    socket.on("error", () => {});
    await once(socket, "data");
    socket.write(octets);
    // The first of them has been run then, and the rest is here.
    if (limits.commandRate !== undefined) await once(socket, "data");
    socket.resetAndDestroy();
  }
  await allClosed.promise;
  return events;
}

test("AUTH of a client that has reset is no fault, whatever stands before it", async () => {
  for (const before of ["", "NOOP\r\n", "NOOP\r\n".repeat(30)]) {
    const events = await resetAfter(`${before}AUTH TLS\r\nNOOP\r\n`, {});
    assert.equal(events.filter(({ type }) => type === "server.fault").length, 0);
  }
});

test("a command that is held back by the rate is not run for a client that has gone meanwhile", async () => {
  const events = await resetAfter("NOOP\r\nAUTH TLS\r\n", { commandRate: 1, commandBurst: 1 });
  const ran = events.filter((event) => event.type === "command" && event.verb === "AUTH");
  assert.equal(events.filter(({ type }) => type === "server.fault").length + ran.length, 0);
});
