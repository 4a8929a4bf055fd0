/** Segments, and copies from server to server, with real servers: in clear and over TLS what arrives is the file. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { segmentedDownload } from "../../src/client/segments/segmented.ts";
import type { Client, ConnectOptions } from "../../src/client/types.ts";
import { INCOMING, PEER_NAMES, type StartedPeer, absentPeer, startPeer } from "./peers.ts";
import { scratch } from "../../src/client/test-folder.ts";

const octets = randomBytes(6 * 1_048_576 + 11);
/** Octets per second of all connections together. */
const RATE = 4 * 1_048_576;
const WAYS = { clear: "off", TLS: { mode: "explicit", trust: "any" } } as const;

async function client(peer: StartedPeer, tls: ConnectOptions["tls"]): Promise<Client> {
  return await connect(peer.url(), { store: false, tls, retry: { attempts: 3, firstMs: 50 } });
}

for (const name of PEER_NAMES) {
  suite(`segments of ${name}`, { skip: absentPeer(name), concurrency: false }, () => {
    for (const [way, tls] of Object.entries(WAYS)) {
      test(`four connections at once, ${way}`, async () => {
        await using peer = await startPeer(name);
        await using folder = await scratch();
        await using ftp = await client(peer, tls);
        writeFileSync(join(peer.root, "large.bin"), octets, { mode: 0o644 });
        const to = folder.at("large.bin");
        // As slow as that, or the first connection has it all before the second one has signed in.
        const done = await segmentedDownload([{ client: ftp, path: "large.bin" }], to, { segments: 4, rate: RATE });
        assert.ok(done.connections > 1, `${done.connections} connections`);
        assert.equal(done.isPrivate, way === "TLS");
        assert.ok(readFileSync(to).equals(octets));
        assert.deepEqual(readdirSync(folder.path), ["large.bin"]);
      });

      test(`a copy to ours and back, ${way}`, async () => {
        await using peer = await startPeer(name);
        await using ours = await startPeer("ferryman");
        await using there = await client(peer, tls);
        await using here = await client(ours, tls);
        writeFileSync(join(peer.root, "large.bin"), octets, { mode: 0o644 });
        const options = { fxpWaitMs: 2_000 };
        const out = await there.copyTo(here, "large.bin", "copy.bin", options);
        assert.ok(out.way === "fxp" || out.why !== undefined);
        assert.ok(readFileSync(join(ours.root, "copy.bin")).equals(octets), out.way);
        const back = await here.copyTo(there, "copy.bin", `${INCOMING}/back.bin`, options);
        assert.ok(readFileSync(join(peer.root, INCOMING, "back.bin")).equals(octets), back.way);
      });
    }
  });
}
