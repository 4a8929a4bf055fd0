/** Attack 52 at the wire: what is sent in MODE Z in place of a compressed file fills neither disk nor memory. */
import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { deflateSync } from "node:zlib";
import { INFLATE_GRACE, INFLATE_RATIO } from "../../src/net/limits.ts";
import { leftovers } from "../support/attack.ts";
import { type TestServer, startServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

const OLD = "the old content";
/** What the bomb would fill: far beyond the grace. */
const BOMB_OCTETS = 400_000_000;
/** Octets by which memory may grow meanwhile; all of the bomb would be ten times that. */
const MEMORY_GROWTH = 40_000_000;

async function compressing(server: TestServer): Promise<Wire> {
  const wire = await Wire.login(server.port);
  await wire.expect(200, "TYPE I");
  await wire.expect(200, "MODE Z");
  return wire;
}

function transferred(server: TestServer): { outcome: string; octets: number } | undefined {
  const [event] = server.events.filter((each) => each.type === "transfer").slice(-1);
  return event;
}

for (const dataPath of ["native", "portable"] as const) {
  suite(`MODE Z uploads, ${dataPath} data path`, () => {
    test("attack 52: a bomb ends in 552 with no more stored than its size allows, and then nothing", async () => {
      await using server = await startServer({ settings: { dataPath } });
      using wire = await compressing(server);
      await writeFile(join(server.root, "file"), OLD);
      const bomb = deflateSync(Buffer.alloc(BOMB_OCTETS), { level: 9 });
      const before = process.memoryUsage().rss;
      assert.deepEqual(await wire.store("STOR file", bomb), [150, 552]);
      assert.ok(process.memoryUsage().rss - before < MEMORY_GROWTH, "memory grew");
      const { outcome, octets } = transferred(server) ?? { outcome: "none", octets: 0 };
      assert.equal(outcome, "failed");
      assert.ok(octets <= INFLATE_GRACE + INFLATE_RATIO * bomb.length, `${octets} octets for ${bomb.length}`);
      assert.ok(octets < BOMB_OCTETS / 5);
      assert.equal(await readFile(join(server.root, "file"), "utf8"), OLD);
      assert.deepEqual(await readdir(server.root), ["file"]);
      // A zip bomb in a bomb is a file like any other.
      assert.deepEqual(await wire.store("STOR other", deflateSync(bomb)), [150, 226]);
      assert.ok((await readFile(join(server.root, "other"))).equals(bomb));
    });

    test("attack 52: damage and what follows the end get 550 and store nothing", async () => {
      await using server = await startServer({ settings: { dataPath } });
      using wire = await compressing(server);
      await writeFile(join(server.root, "file"), OLD);
      const good = deflateSync(Buffer.alloc(100_000, "text"));
      const damaged = Buffer.from(good);
      damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
      const wrong = [
        Buffer.from("plain text"),
        damaged,
        Buffer.concat([good, good]),
        Buffer.concat([good, good.subarray(0, 1)]),
      ];
      for (const octets of wrong) {
        for (const verb of ["STOR file", "APPE file", "STOU new"]) {
          assert.deepEqual(await wire.store(verb, octets), [150, 550], verb);
          assert.equal(await readFile(join(server.root, "file"), "utf8"), OLD);
        }
      }
      assert.deepEqual(await readdir(server.root), ["file"]);
      assert.deepEqual(leftovers(server.root), []);
    });

    test("attack 52: an end before zlib's own is no whole file, and REST goes on from there", async () => {
      await using server = await startServer({ settings: { dataPath } });
      using wire = await compressing(server);
      const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 2_654_435_761) >>> 13));
      const wire1 = deflateSync(content);
      for (const length of [0, 1, 2, 1_000, wire1.length - 1]) {
        assert.deepEqual(await wire.store("STOR file", wire1.subarray(0, length)), [150, 426], `${length}`);
        assert.deepEqual(
          (await readdir(server.root)).filter((name) => !name.startsWith(".ferryman-")),
          [],
        );
      }
      const [text = ""] = await wire.expect(213, "SIZE file");
      const kept = Number(text);
      assert.ok(kept > 0 && kept <= content.length, `${kept} octets were kept`);
      await wire.expect(350, `REST ${kept}`);
      assert.deepEqual(await wire.store("STOR file", deflateSync(content.subarray(kept))), [150, 226]);
      assert.ok((await readFile(join(server.root, "file"))).equals(content));
    });
  });
}
