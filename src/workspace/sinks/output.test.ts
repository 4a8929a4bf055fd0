/** Log output: whole lines in order, a bounded wait, losses counted and told, logrotate, a reader that stands or goes. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { text } from "node:stream/consumers";
import type { FerrymanEvent } from "../events.ts";
import { parseJsonLine } from "./json.ts";
import { openSink } from "./sink.ts";

const EVENT: FerrymanEvent = { type: "server.listening", address: "127.0.0.1", port: 1, at: 0 };
function numbered(port: number): FerrymanEvent {
  return { ...EVENT, type: "server.listening", address: "127.0.0.1", port };
}

/** A process that writes `count` events to its standard error, then says on standard output how many it lost. */
function writer(count: number): ChildProcess {
  const script = `
    import { openSink } from ${JSON.stringify(new URL("sink.ts", import.meta.url).href)};
    const sink = await openSink("json", "stderr");
    process.stdout.write("open\\n");
    for (let port = 0; port < ${count}; port++) {
      sink.write({ type: "server.listening", address: "127.0.0.1", port, at: 0 });
      if (port % 1000 === 0) await new Promise(setImmediate);
    }
    const alive = performance.now();
    await new Promise(setImmediate);
    const turn = performance.now() - alive;
    await sink.close();
    process.stdout.write(JSON.stringify({ dropped: sink.dropped, turn }));
    process.exit(0);`;
  return spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
}

suite("log output", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "ferryman-log-"));
  });
  after(async () => rm(folder, { recursive: true }));

  test("lines stand whole and in order, at the end of what was there; the file is not for everybody", async () => {
    const file = join(folder, "order");
    for (const turn of [0, 1]) {
      const sink = await openSink("json", { file });
      for (let at = 0; at < 500; at++) sink.write(numbered(turn * 500 + at));
      await sink.close();
      sink.write(EVENT);
      assert.equal(sink.dropped, 1, "what comes after the end is lost");
    }
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n").map(parseJsonLine);
    assert.deepEqual(
      lines,
      Array.from({ length: 1000 }, (_, at) => numbered(at)),
    );
    assert.equal((await stat(file)).mode & 0o007, 0);
  });

  test("after logrotate lines go to a new file under the old name, and none is lost", async () => {
    const file = join(folder, "rotated");
    const sink = await openSink("json", { file });
    for (let at = 0; at < 50; at++) sink.write(numbered(at));
    await rename(file, `${file}.1`);
    await sink.reopen();
    for (let at = 50; at < 100; at++) sink.write(numbered(at));
    await sink.close();
    const both = [await readFile(`${file}.1`, "utf8"), await readFile(file, "utf8")];
    assert.deepEqual(
      both.map((content) => content.trimEnd().split("\n").length),
      [50, 50],
    );
  });

  test("a file that cannot be opened is told at once; at a reopening the old one stays", async () => {
    await assert.rejects(openSink("json", { file: join(folder, "no", "log") }), { code: "ENOENT" });
    const inner = await mkdtemp(join(folder, "inner-"));
    const sink = await openSink("json", { file: join(inner, "log") });
    const moved = `${inner}.moved`;
    await rename(inner, moved);
    await assert.rejects(sink.reopen(), { code: "ENOENT" });
    sink.write(EVENT);
    await sink.close();
    assert.deepEqual(parseJsonLine(await readFile(join(moved, "log"), "utf8")), EVENT);
  });

  test("a burst beyond the buffer loses lines, and the log says how many", async () => {
    const file = join(folder, "burst");
    const sink = await openSink("json", { file });
    for (let at = 0; at < 50_000; at++) sink.write(numbered(at));
    assert.ok(sink.dropped > 0, "nothing was lost: the buffer has no bound");
    await sink.close();
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    const lost: unknown = JSON.parse(lines.find((line) => line.includes("log.dropped")) ?? "{}");
    assert.equal((lost as { lines?: number }).lines, sink.dropped);
    assert.equal(lines.length - 1 + sink.dropped, 50_000);
  });

  test("a reader that stands still holds up neither the process nor its end", { timeout: 20_000 }, async () => {
    const child = writer(20_000);
    assert.ok(child.stdout !== null && child.stderr !== null);
    const said = text(child.stdout);
    // Nobody reads standard error: its pipe holds 64 KiB.
    const [code] = await once(child, "exit");
    child.stderr.resume();
    assert.equal(code, 0);
    const { dropped, turn } = JSON.parse((await said).replace("open\n", "")) as { dropped: number; turn: number };
    assert.ok(dropped > 0);
    assert.ok(turn < 500, `a turn of the event loop took ${turn} ms`);
  });

  test("a reader that goes away costs lines and nothing else", { timeout: 20_000 }, async () => {
    const child = writer(20_000);
    assert.ok(child.stdout !== null && child.stderr !== null);
    child.stderr.destroy();
    const said = text(child.stdout);
    const [code] = await once(child, "exit");
    assert.equal(code, 0);
    assert.match(await said, /"dropped":[1-9]/);
  });

  test("a reader that reads gets every line", { timeout: 20_000 }, async () => {
    const child = writer(5_000);
    assert.ok(child.stdout !== null && child.stderr !== null);
    const [log, said] = await Promise.all([text(child.stderr), text(child.stdout)]);
    assert.match(said, /"dropped":0/);
    assert.deepEqual(
      log.trimEnd().split("\n").map(parseJsonLine),
      Array.from({ length: 5_000 }, (_, at) => numbered(at)),
    );
  });
});
