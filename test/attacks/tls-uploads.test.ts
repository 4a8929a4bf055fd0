/** Attack 14: an upload over TLS counts as whole only if TLS itself was ended, whatever TCP does. */
import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { TlsTap } from "../../src/net/tls/tap.ts";
import { leftovers } from "../support/attack.ts";
import { startServer } from "../support/server.ts";
import { PrivateWire, VERSIONS } from "../support/tls.ts";
import { cuttableWay } from "../support/tls-cut.ts";

const OLD = "the old content";
/** Octets of a TLS record's content at most, and about the buffers that lie on the way. */
const SIZES = [
  0, 1, 2, 3, 5, 16, 100, 1_000, 1_399, 1_400, 1_460, 4_095, 4_096, 8_191, 8_192, 10_000, 16_383, 16_384, 16_385,
  16_406, 20_000, 32_767, 32_768, 32_769, 50_000, 65_535, 65_536, 65_537, 100_000, 131_071, 131_072, 131_073, 200_000,
  262_144, 300_000, 524_287, 524_288, 524_289, 700_000, 1_000_000, 1_048_575, 1_048_576, 1_048_577, 1_300_000,
  2_097_151, 2_097_152, 2_100_000, 3_000_001, 5_000_000, 8_000_000,
];

/** Sizes of pieces: a few octets, a segment, whatever comes. */
function pieces(size: number): () => number {
  const most = [7, 1_400, 20_000, 1_000_000][randomInt(4)] ?? 1;
  // So that large ones do not take a thousand turns of the loop.
  const least = Math.ceil(size / 400);
  return () => least + randomInt(most);
}

for (const version of VERSIONS) {
  test(`attack 14: an upload that ends TLS properly is published, ${SIZES.length} sizes in pieces, ${version}`, async () => {
    await using server = await startServer({ tls: {} });
    using wire = await PrivateWire.login(server.port, { version });
    await wire.wire.expect(200, "TYPE I");
    for (const size of SIZES) {
      const data = randomBytes(size);
      const { port } = await wire.wire.passivePort();
      await using way = await cuttableWay(port, pieces(size));
      await wire.wire.expect(150, "STOR file");
      const secured = await wire.protect(way.socket);
      secured.resume().end(data);
      const { code, lines } = await wire.wire.reply();
      assert.equal(code, 226, `${size} octets: ${lines.join()}`);
      assert.ok((await readFile(join(server.root, "file"))).equals(data), `${size} octets differ`);
    }
    const kept = leftovers(server.root).filter((name) => !name.startsWith(".ferryman-journal"));
    assert.deepEqual(kept, []);
  });

  test(`attack 14: an upload cut by FIN without close_notify gets 426, and the old file stays, ${version}`, async () => {
    await using server = await startServer({ tls: {} });
    using wire = await PrivateWire.login(server.port, { version });
    await wire.wire.expect(200, "TYPE I");
    for (const size of [0, 1, 1_000, 16_384, 100_000, 1_048_576, 1_500_000]) {
      const name = `file${size}`;
      await writeFile(join(server.root, name), OLD);
      const data = randomBytes(size);
      const socket = await wire.wire.passive();
      await wire.wire.expect(150, `STOR ${name}`);
      const secured = await wire.protect(new TlsTap(socket));
      await new Promise<void>((resolve) => void secured.resume().write(data, () => resolve()));
      socket.end();
      const [text = ""] = await wire.wire.expect(426);
      assert.match(text, /close_notify/);
      assert.equal(await readFile(join(server.root, name), "utf8"), OLD, `${size} octets`);
      if (size === 0) continue;
      // What came is kept, and a restart at its very end goes on with it rather than with the old file.
      await wire.wire.expect(350, `REST ${size}`);
      assert.deepEqual(await wire.store(`STOR ${name}`, ""), [150, 226], `${size} octets`);
      assert.ok((await readFile(join(server.root, name))).equals(data));
    }
  });

  test(`attack 14: an upload cut anywhere, in the middle of records too, is not published, ${version}`, async () => {
    await using server = await startServer({ tls: {} });
    using wire = await PrivateWire.login(server.port, { version });
    await writeFile(join(server.root, "file"), OLD);
    const data = randomBytes(200_000);
    let inside = 0;
    const cuts = [1, 2, 4, 5, 6, 20, 30, ...Array.from({ length: 40 }, () => randomInt(1, 200_000))];
    for (const cut of cuts) {
      const { port } = await wire.wire.passivePort();
      await using way = await cuttableWay(port, pieces(data.length));
      await wire.wire.expect(150, "STOR file");
      const secured = await wire.protect(way.socket);
      way.cutAfter(cut);
      secured.resume().end(data);
      const { code, lines } = await wire.wire.reply();
      // So early that the server's handshake was not done.
      assert.ok(code === 426 || code === 522, `cut after ${cut}: ${code} ${lines.join()}`);
      if (code === 426) inside += 1;
      assert.equal(await readFile(join(server.root, "file"), "utf8"), OLD, `cut after ${cut}`);
    }
    assert.ok(inside >= cuts.length / 2, `${inside} cuts came after the handshake`);
    assert.deepEqual((await wire.fetch("RETR file")).codes, [150, 226]);
  });

  test(`attack 14: with requireCloseNotify false a mere FIN publishes, and a reset does not, ${version}`, async () => {
    await using server = await startServer({ tls: { settings: { requireCloseNotify: false } } });
    using wire = await PrivateWire.login(server.port, { version });
    await wire.wire.expect(200, "TYPE I");
    for (const size of [1, 16_384, 300_000]) {
      const data = randomBytes(size);
      const socket = await wire.wire.passive();
      await wire.wire.expect(150, "STOR file");
      const secured = await wire.protect(new TlsTap(socket));
      await new Promise<void>((resolve) => void secured.resume().write(data, () => resolve()));
      socket.end();
      await wire.wire.expect(226);
      assert.ok((await readFile(join(server.root, "file"))).equals(data), `${size} octets`);
      assert.deepEqual(await wire.store("STOR file", data), [150, 226]);
    }
    const socket = await wire.wire.passive();
    await wire.wire.expect(150, "STOR other");
    const secured = await wire.protect(new TlsTap(socket));
    await new Promise<void>((resolve) => void secured.resume().write(randomBytes(50_000), () => resolve()));
    socket.resetAndDestroy();
    await wire.wire.expect(426);
    await assert.rejects(readFile(join(server.root, "other")), /ENOENT/);
  });
}
