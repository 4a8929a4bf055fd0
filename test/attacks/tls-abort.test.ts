/** A transfer over TLS that is given up before its handshake has begun: its data socket goes with it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startServer } from "../support/server.ts";
import { PrivateWire, rawConnection } from "../support/tls.ts";

test("attack 50: ABOR in the same segment as RETR leaves no data socket of a private transfer open", async () => {
  await using server = await startServer({ tls: {} });
  await writeFile(join(server.root, "a.bin"), Buffer.alloc(100_000));
  using secured = await PrivateWire.login(server.port);
  for (let count = 0; count < 20; count++) {
    const { port } = await secured.wire.passivePort();
    const data = await rawConnection(port);
    data.on("error", () => {});
    data.resume();
    const ended = once(data, "end");
    secured.tls.write("RETR a.bin\r\nABOR\r\n");
    const codes: number[] = [];
    while (!codes.includes(226) && !codes.includes(225)) codes.push((await secured.wire.reply()).code);
    await ended;
    data.destroy();
    assert.ok(codes.includes(426) || codes.includes(225), codes.join());
  }
});
