/** The mirror with real servers, both ways: each lists, sets times and goes on in its own manner. */
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { mirror } from "../../src/client/mirror/mirror.ts";
import type { MirrorSpec } from "../../src/client/mirror/types.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { CONTENT, INCOMING, PEER_NAMES, absentPeer, startPeer } from "./peers.ts";

/** Of one file that is cut on its way: so much of it goes at a time that it can be. */
const [LARGE, RATE, CUT_AT] = [3_000_000, 6_000_000, 1_000_000];
/** As long ago as listings tell the time of day, and longer. */
const DAYS_AGO = [5, 800] as const;

async function withLocal(work: (folder: string) => Promise<void>): Promise<void> {
  await using own = await scratch();
  await work(own.path);
}

for (const name of PEER_NAMES) {
  test(`${name}: a tree comes down once`, { skip: absentPeer(name) }, async () => {
    await using peer = await startPeer(name);
    await using client = await connect(peer.url(), { tls: "off", store: false });
    await withLocal(async (local) => {
      const job = mirror(client, { direction: "down", remote: "/", local, delete: true });
      const report = await job.run();
      assert.deepEqual(
        [report.failures, report.copied],
        [0, Object.keys(CONTENT).length],
        report.failed[0]?.error.message,
      );
      for (const [path, data] of Object.entries(CONTENT))
        assert.ok(data.equals(await readFile(join(local, path))), path);
      const again = await job.run();
      const { copied, replaced, deleted, same } = again;
      assert.deepEqual([copied, replaced, deleted, same], [0, 0, 0, report.copied]);
    });
  });

  test(
    `${name}: files go up once, and one that was cut is gone on with or sent again`,
    { skip: absentPeer(name) },
    async () => {
      await using peer = await startPeer(name);
      await using client = await connect(peer.url(), { tls: "off", store: false });
      await withLocal(async (folder) => {
        const local = join(folder, "up");
        await mkdir(local);
        for (const days of DAYS_AGO) {
          const then = new Date(Date.now() - days * 86_400_000);
          await writeFile(join(local, `${days} days`), `of ${days} days ago`);
          await utimes(join(local, `${days} days`), then, then);
        }
        const data = Buffer.alloc(LARGE, "large file ");
        await writeFile(join(local, "large"), data);
        const journal = join(folder, "journal");
        const spec: MirrorSpec = { direction: "up", remote: INCOMING, local, delete: true, journal, modes: false };
        const stop = new AbortController();
        const cut = mirror(client, spec).run({
          signal: stop.signal,
          rate: RATE,
          onEvent: (event) => event.kind === "progress" && event.bytes > CUT_AT && stop.abort(new Error("cut")),
        });
        await assert.rejects(cut, { message: "cut" });
        const report = await mirror(client, spec).run();
        assert.equal(report.failures, 0, report.failed[0]?.error.message);
        assert.ok(data.equals(await readFile(join(peer.root, INCOMING, "large"))));
        const again = await mirror(client, spec).run();
        assert.deepEqual([again.copied, again.replaced, again.deleted, again.same], [0, 0, 0, 3]);
        assert.deepEqual(await readdir(journal), []);
        await rm(join(local, "large"));
        assert.equal((await mirror(client, spec).run()).deleted, 1);
      });
    },
  );
}

test(
  "vsftpd: a folder that it may enter and not read is no empty one, and nothing is deleted for it",
  { skip: absentPeer("vsftpd") },
  async () => {
    await using peer = await startPeer("vsftpd");
    await mkdir(join(peer.root, "closed"));
    await writeFile(join(peer.root, "closed", "file"), "x");
    await chmod(join(peer.root, "closed"), 0o711);
    await using client = await connect(peer.url(), { tls: "off", store: false });
    await withLocal(async (local) => {
      await mkdir(join(local, "closed"));
      await writeFile(join(local, "closed", "file"), "x");
      await writeFile(join(local, "extra"), "x");
      const report = await mirror(client, { direction: "down", remote: "/", local, delete: true, modes: false }).run();
      assert.deepEqual([report.deleted, report.failures, report.failed[0]?.path], [0, 1, "closed"]);
      assert.ok(report.deletesHeld?.includes("closed"));
      assert.deepEqual(await readdir(join(local, "closed")), ["file"]);
    });
  },
);
