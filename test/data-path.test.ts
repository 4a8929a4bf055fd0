/** Transfers on real disks: files that are not in memory, and a disk that is full. On either data path. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { test } from "node:test";
import { loadDataCalls } from "../src/sys/data-calls.ts";
import { run } from "./support/run.ts";
import { startServer } from "./support/server.ts";
import { Wire } from "./support/wire.ts";

/** More than the kernel reads ahead in one go, many times over. */
const COLD_OCTETS = 48 * 1024 * 1024;
/** Milliseconds for which the event loop may not turn: a disk's wait would be added up over the whole file. */
const LONGEST_TURN_MS = 400;

/** @returns whether all of it has left memory, as far as that can be told. */
async function dropFromMemory(path: string): Promise<boolean> {
  // Without an `of=` that writes: nocache asks the kernel to forget the pages (posix_fadvise).
  await run("dd", [`if=${path}`, "iflag=nocache", "count=0", "status=none"]);
  const calls = loadDataCalls();
  if (calls === undefined) return false;
  const descriptor = openSync(path, "r");
  try {
    return calls.warmth(descriptor, { position: 0, length: COLD_OCTETS }) === "cold";
  } finally {
    closeSync(descriptor);
  }
}

test("a file that is not in memory arrives whole, and the loop goes on turning", async (context) => {
  await using served = await startServer();
  const content = randomBytes(COLD_OCTETS);
  const path = join(served.root, "cold.bin");
  await writeFile(path, content, { flush: true });
  if (!(await dropFromMemory(path))) {
    context.skip("this system does not drop a file from memory when asked (a memory file system, or no dd)");
    return;
  }
  using wire = await Wire.login(served.port);
  await wire.expect(200, "TYPE I");
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const socket = await wire.passive();
  const hash = createHash("sha256");
  await wire.expect(150, "RETR cold.bin");
  for await (const chunk of socket) hash.update(Buffer.from(chunk));
  await wire.expect(226);
  delay.disable();
  assert.equal(hash.digest("hex"), createHash("sha256").update(content).digest("hex"));
  assert.ok(delay.max / 1e6 < LONGEST_TURN_MS, `${delay.max / 1e6} ms without a turn`);
});

test("a full disk: 452, nothing published, the old file as it was, and the session lives", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "ferryman-full-"));
  const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=2m", "ferryman-test", folder]).catch(() => undefined);
  if (mounted?.code !== 0) {
    rmSync(folder, { recursive: true });
    context.skip("mounting a small disk needs root");
    return;
  }
  try {
    await using served = await startServer({ account: { home: folder } });
    using wire = await Wire.login(served.port);
    await wire.expect(200, "TYPE I");
    const old = randomBytes(100_000);
    assert.deepEqual(await wire.store("STOR old.bin", old), [150, 226]);
    for (const [name, size] of [
      ["new.bin", 6_000_000],
      ["old.bin", 6_000_000],
      ["short.bin", 2_500_000],
    ] as const) {
      assert.equal((await wire.store(`STOR ${name}`, randomBytes(size))).at(-1), 452, name);
    }
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.startsWith(".ferryman-")),
      ["old.bin"],
    );
    assert.ok(readFileSync(join(folder, "old.bin")).equals(old));
    assert.deepEqual(await wire.store("STOR fits.bin", old), [150, 226]);
    assert.ok(readFileSync(join(folder, "fits.bin")).equals(old));
  } finally {
    await run("umount", [folder]);
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a file that becomes shorter while it is sent ends in 451, and the client sees no whole file", async () => {
  await using served = await startServer();
  const path = join(served.root, "shrinks.bin");
  await writeFile(path, randomBytes(24_000_000));
  using wire = await Wire.login(served.port);
  await wire.expect(200, "TYPE I");
  const socket = await wire.passive();
  socket.pause();
  await wire.expect(150, "RETR shrinks.bin");
  await truncate(path, 16_000_000);
  const ended = new Promise<string>((resolve) => {
    socket.once("end", () => resolve("end"));
    socket.once("error", () => resolve("reset"));
  });
  socket.resume();
  await wire.expect(451);
  assert.equal(await ended, "reset");
  await wire.expect(200, "NOOP");
});
