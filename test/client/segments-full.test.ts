/** A download in segments to a disk that is full: a clear error, and nothing left that is of no use. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { isRoot } from "../support/serve-process.ts";
import { startServer } from "../support/server.ts";
import { scratch } from "../../src/client/test-folder.ts";

const MEBIBYTE = 1_048_576;
const skip = isRoot && process.platform === "linux" ? false : "needs root on Linux, for a small disk";

for (const [what, filled] of [
  ["while it is written", 0],
  ["before the first octet", 2 * MEBIBYTE],
] as const) {
  test(`a disk that is full ${what}`, { skip }, async (context) => {
    await using server = await startServer();
    await using folder = await scratch();
    const disk = folder.at("disk");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "none", disk]);
    if (mounted.status !== 0) {
      context.skip("no disk can be mounted here");
      return;
    }
    try {
      writeFileSync(join(disk, "other"), randomBytes(filled));
      writeFileSync(join(server.root, "big"), randomBytes(6 * MEBIBYTE));
      await using ftp = await connect(`ftp://ann:secret@127.0.0.1:${server.port}/`, { store: false, tls: "off" });
      const getting = ftp.download("big", join(disk, "big"), { segments: 3, rate: 4 * MEBIBYTE });
      await assert.rejects(getting, { name: "FtpError", code: "NO_SPACE", message: /big/ });
      const left = readdirSync(disk).filter((name) => name !== "other");
      // What can be gone on with, and what says how; or nothing.
      const parts = left.filter((name) => name.endsWith(".part"));
      const journals = left.filter((name) => name.endsWith(".part.segments"));
      assert.deepEqual([...parts, ...journals].toSorted(), left.toSorted());
      assert.equal(parts.length, journals.length, left.join(", "));
      assert.equal(parts.length, filled === 0 ? parts.length : 0);
    } finally {
      spawnSync("umount", [disk]);
    }
  });
}
