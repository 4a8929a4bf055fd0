/** One server in every data mode that there is, in clear and over TLS: what must work with each of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { DATA_MODES, type DataMode } from "../../src/client/errors.ts";
import type { Client, ConnectOptions } from "../../src/client/types.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { CONTENT, IMPLICIT_PEERS, INCOMING, type PeerName, type StartedPeer, absentPeer, startPeer } from "./peers.ts";

export type Security = "clear" | "explicit TLSv1.2" | "explicit TLSv1.3" | "implicit TLSv1.3";
export const EXPLICIT: readonly Security[] = ["clear", "explicit TLSv1.2", "explicit TLSv1.3"];
/** Control connections at once. */
const AT_ONCE = 4;
/** Octets of what goes up: more than one buffer, and not a multiple of anything. */
const UP: Buffer = CONTENT["/big.bin"].subarray(11);

function optionsFor(mode: DataMode, security: Security): ConnectOptions {
  const base = {
    store: false,
    retry: { attempts: 1 },
    replyMs: 10_000,
    stallMs: 10_000,
    data: { modes: [mode] },
  } as const;
  if (security === "clear") return { ...base, tls: "off" };
  const version = security.endsWith("1.2") ? "TLSv1.2" : "TLSv1.3";
  const kind = security.startsWith("implicit") ? "implicit" : "explicit";
  return { ...base, tls: { mode: kind, trust: "any", minVersion: version, maxVersion: version } };
}

/** Lists, downloads and uploads, each twice: the second data connection resumes what the first has left. */
async function moveEverything(
  client: Client,
  { peer, folder, mode }: { peer: StartedPeer; folder: string; mode: DataMode },
): Promise<void> {
  for (const name of ["once", "twice"]) {
    const entries = await client.list("/sub").toArray();
    assert.deepEqual(entries.map((entry) => entry.name).toSorted(), ["a name with spaces", "deep.txt", "ümlaut"]);
    assert.equal(entries.find((entry) => entry.name === "deep.txt")?.size, 5);
    const to = join(folder, name);
    const got = await client.download("/big.bin", to);
    assert.ok((await readFile(to)).equals(CONTENT["/big.bin"]), "the download differs");
    assert.equal(got.mode, mode);
    const path = `${INCOMING}/${name}-${mode}-${Math.random().toString(36).slice(2)}`;
    const put = await client.upload(UP, path);
    assert.ok(readFileSync(join(peer.root, path)).equals(UP), "the upload differs");
    assert.equal(put.mode, mode);
    assert.equal((await client.read("/empty")).length, 0);
    await client.write(`${path}-empty`, Buffer.alloc(0));
    assert.equal(readFileSync(join(peer.root, `${path}-empty`)).length, 0);
  }
}

export async function tryOut(
  peer: StartedPeer,
  { mode, security }: { mode: DataMode; security: Security },
): Promise<void> {
  await using own = await scratch();
  const folder = own.path;
  await using client = await connect(peer.url(), optionsFor(mode, security));
  assert.equal(client.info.tls?.version, security === "clear" ? undefined : security.slice(-"TLSv1.x".length));
  await moveEverything(client, { peer, folder, mode });
}

/** Calls at the same time through one client, over as many connections as it likes. */
async function allAtOnce(peer: StartedPeer): Promise<void> {
  const options = optionsFor("epsv", "explicit TLSv1.3");
  await using client = await connect(peer.url(), { ...options, connections: AT_ONCE });
  const calls = Array.from({ length: 3 * AT_ONCE }, async (_, index) => {
    if (index % 3 === 0) return assert.ok((await client.read("/big.bin")).equals(CONTENT["/big.bin"]));
    if (index % 3 === 1) return assert.equal((await client.list("/sub").toArray()).length, 3);
    const path = `${INCOMING}/at-once-${index}`;
    await client.write(path, UP);
    return assert.ok(readFileSync(join(peer.root, path)).equals(UP));
  });
  await Promise.all(calls);
}

/** One test for each way, with servers that are started once. */
export function matrixOf(name: PeerName): void {
  suite(`the client and ${name}`, { skip: absentPeer(name), concurrency: false }, () => {
    for (const implicit of IMPLICIT_PEERS.has(name) ? [false, true] : [false]) {
      test(implicit ? "TLS from the first octet on" : "in clear and by AUTH TLS", async (context) => {
        await using peer = await startPeer(name, { implicit });
        for (const security of implicit ? (["implicit TLSv1.3"] as const) : EXPLICIT) {
          for (const mode of DATA_MODES) {
            await context.test(`${mode}, ${security}`, async () => tryOut(peer, { mode, security }));
          }
        }
        if (!implicit) await context.test("many calls at once", async () => allAtOnce(peer));
      });
    }
  });
}
