/** What goes over the wire for many small files: the commands of each, in as few writes as the server bears. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { type Socket, createConnection, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { mirror } from "../../src/client/mirror/mirror.ts";
import type { Client } from "../../src/client/types.ts";
import { type PeerName, type StartedPeer, absentPeer, startPeer } from "./peers.ts";
import { scratch } from "../../src/client/test-folder.ts";

const FILES = ["a", "b", "c", "d", "e"];
/** Of the local files that go up, and of those that come. */
const THEN = new Date("2026-01-02T03:04:05Z");

type Wire = AsyncDisposable & { readonly client: Client; readonly writes: string[] };

/** A client whose control connection passes through us: each write of it is an entry, verbs alone. */
async function watched(peer: StartedPeer): Promise<Wire> {
  const writes: string[] = [];
  const sockets: Socket[] = [];
  const between = createServer((socket) => {
    const server = createConnection(peer.port, "127.0.0.1");
    sockets.push(socket, server);
    for (const each of [socket, server]) each.setNoDelay(true).on("error", () => {});
    socket.on("data", (chunk) => {
      const lines = chunk.toString("latin1").trimEnd().split("\r\n");
      writes.push(lines.map((line) => line.split(" ", 1)[0]).join(" "));
    });
    socket.pipe(server).pipe(socket);
  });
  await once(between.listen(0, "127.0.0.1"), "listening");
  const bound = between.address();
  assert.ok(typeof bound === "object" && bound !== null);
  const client = await connect(peer.url().replace(`:${peer.port}`, `:${bound.port}`), {
    tls: "off",
    store: false,
    connections: 1,
  });
  return {
    client,
    writes,
    async [Symbol.asyncDispose]() {
      await client.close();
      for (const socket of sockets) socket.destroy();
      between.close();
    },
  };
}

function fill(peer: StartedPeer): void {
  mkdirSync(join(peer.root, "many"));
  for (const name of FILES) {
    writeFileSync(join(peer.root, "many", name), name.repeat(1_000));
    utimesSync(join(peer.root, "many", name), THEN, THEN);
  }
}

type Wanted = { readonly down: readonly string[]; readonly up: readonly string[] };

/** From the third file on, of which it is known that others follow. */
const WANTED: readonly (readonly [PeerName, Wanted])[] = [
  // MLSD tells the time to the second, LIST to the minute.
  ["ferryman", { down: ["RETR EPSV"], up: ["STOR", "SIZE MFMT EPSV"] }],
  ["vsftpd", { down: ["RETR MDTM EPSV"], up: ["STOR", "SIZE MDTM EPSV"] }],
  // Reads commands during a transfer, and refuses them: one after the other.
  ["proftpd", { down: ["EPSV", "RETR"], up: ["EPSV", "STOR", "SIZE", "MFMT"] }],
];

for (const [name, { down, up }] of WANTED) {
  test(`a mirror with ${name}: few writes for each small file, its time kept`, { skip: absentPeer(name) }, async () => {
    await using folder = await scratch();
    await using peer = await startPeer(name);
    fill(peer);
    await using wire = await watched(peer);
    const local = folder.at("here");
    const got = await mirror(wire.client, { direction: "down", local, remote: "/many" }).run({ parallel: 1 });
    assert.deepEqual([got.copied, got.failures], [FILES.length, 0]);
    for (const file of FILES) assert.equal(statSync(join(local, file)).mtimeMs, THEN.getTime());
    assert.deepEqual(wire.writes.slice(-2 * down.length), [...down, ...down]);

    mkdirSync(join(peer.root, "incoming", "up"), { mode: 0o777 });
    chmodSync(join(peer.root, "incoming", "up"), 0o777);
    const sent = await mirror(wire.client, { direction: "up", local, remote: "/incoming/up" }).run({ parallel: 1 });
    assert.deepEqual([sent.copied, sent.failures], [FILES.length, 0]);
    for (const file of FILES) assert.equal(statSync(join(peer.root, "incoming", "up", file)).mtimeMs, THEN.getTime());
    assert.deepEqual(wire.writes.slice(-2 * up.length), [...up, ...up]);
  });
}

for (const name of ["ferryman", "vsftpd"] as const) {
  test(
    `${name}: a refusal among commands that went out together leaves the session in order`,
    { skip: absentPeer(name) },
    async () => {
      await using folder = await scratch();
      await using peer = await startPeer(name);
      fill(peer);
      await using wire = await watched(peer);
      const get = async (file: string): Promise<unknown> =>
        await wire.client.download(`/many/${file}`, folder.at(file), { entry: { size: 1_000 }, keepTime: "exact" });
      await get("a");
      await get("b");
      await get("c");
      await assert.rejects(get("none"), { code: "NOT_FOUND" });
      await get("d");
      await assert.rejects(get("neither"), { code: "NOT_FOUND" });
      await get("e");
      assert.equal(wire.writes.filter((verbs) => verbs === "USER").length, 1);
      assert.equal(wire.writes.at(-1), "RETR MDTM EPSV");
      for (const file of FILES) assert.equal(statSync(folder.at(file)).mtimeMs, THEN.getTime());
    },
  );
}
