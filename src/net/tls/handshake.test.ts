/** A handshake that does not come to its end: why, said in words, and nothing left open. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { handshake } from "./handshake.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { TlsSession } from "./session.ts";
import { TlsTap } from "./tap.ts";
import { connected } from "./test-sockets.ts";

const PAIR = makeSelfSigned({ names: ["localhost"], days: 2, now: Date.now() });
const SESSION = new TlsSession(
  { credentials: { choose: () => PAIR }, minimum: "TLSv1.2", clientCertificates: "off" },
  undefined,
);

/** The first octets of what Node's client says: version 3.1, a handshake record of 1,024 octets that never comes. */
const PART_OF_HELLO = Buffer.from("16030104000100", "hex");

type Attempt = { readonly timeoutMs?: number; readonly signal?: AbortSignal; readonly withTap: boolean };

async function attempt(server: Socket, { timeoutMs = 10_000, signal, withTap }: Attempt): Promise<void> {
  const tap = withTap ? new TlsTap(server) : undefined;
  const secured = SESSION.wrapControl(tap ?? server);
  await handshake(secured, { timeoutMs, signal: signal ?? new AbortController().signal, tap });
}

for (const withTap of [false, true]) {
  const name = withTap ? "with a tap" : "without a tap";
  const endings: readonly (readonly [string, (client: Socket) => void, RegExp])[] = [
    ["nothing at all", () => {}, /not done within 0 s/],
    ["half a ClientHello", (client) => void client.write(PART_OF_HELLO), /not done within 0 s/],
    ["text", (client) => void client.write("USER ann\r\nPASS secret\r\n"), /not TLS/],
    ["HTTP", (client) => void client.write("GET / HTTP/1.1\r\n\r\n"), /not TLS/],
    ["garbage", (client) => void client.write(Buffer.alloc(4_000, 0xab)), /not TLS/],
    ["a FIN", (client) => void client.end(), /closed during the TLS handshake/],
    ["half a ClientHello and a FIN", (client) => void client.end(PART_OF_HELLO), /closed during|failed/],
    ["a reset", (client) => void client.resetAndDestroy(), /reset|closed during/],
  ];
  for (const [what, act, reason] of endings) {
    test(`handshake, ${name}: ${what}`, async () => {
      using pair = await connected();
      // Not once(): it would take the reset itself for a failure of the test.
      const closed = new Promise<void>((resolve) => pair.server.once("close", () => resolve()));
      const short = /within/.test(reason.source);
      const failed = assert.rejects(
        attempt(pair.server, { withTap, timeoutMs: short ? 50 : 10_000 }),
        (error: Error) => {
          assert.equal(error.name, "TlsFailed");
          assert.match(error.message, reason);
          return true;
        },
      );
      act(pair.client);
      const started = performance.now();
      await failed;
      assert.ok(performance.now() - started < 5_000, "at once, not after the time-out");
      await closed;
    });
  }

  test(`handshake, ${name}: given up by the signal`, async () => {
    using pair = await connected();
    const controller = new AbortController();
    const failed = assert.rejects(attempt(pair.server, { withTap, signal: controller.signal }), /enough/);
    controller.abort(new Error("enough"));
    await failed;
    assert.equal(pair.server.destroyed, true);
  });
}
