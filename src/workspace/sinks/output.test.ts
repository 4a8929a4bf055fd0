/** Log output: whole lines in order, a bounded wait, losses counted and told, logrotate, a reader that stands or goes. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, mkdtemp, open, readFile, rename, rm, stat } from "node:fs/promises";
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

const WRITER = `
  import { openSink } from ${JSON.stringify(new URL("sink.ts", import.meta.url).href)};
  const sink = await openSink("json", "stderr");
  for (let port = 0; port < Number(process.argv[1]); port++) {
    sink.write({ type: "server.listening", address: "127.0.0.1", port, at: 0 });
    if (port % 1000 === 0) await new Promise(setImmediate);
  }
  const before = performance.now();
  await new Promise(setImmediate);
  const turn = Math.ceil(performance.now() - before);
  await sink.close();
  process.stdout.write(sink.dropped + " lost, a turn took " + turn + " ms", () => process.exit(0));`;

/** A process that writes `count` events to its standard error, then says on standard output how it fared. */
function startWriter(count: number, stderr: "pipe" | number): { child: ChildProcess; said: Promise<string> } {
  const parameters = ["--input-type=module", "-e", WRITER, `${count}`];
  const child = spawn(process.execPath, parameters, { stdio: ["ignore", "pipe", stderr] });
  assert.ok(child.stdout !== null);
  return { child, said: text(child.stdout) };
}

async function assertUnharmed({ child, said }: ReturnType<typeof startWriter>): Promise<void> {
  const [[code], words] = await Promise.all([once(child, "exit"), said]);
  assert.equal(code, 0);
  const [, lost, turn] = /^(\d+) lost, a turn took (\d+) ms$/.exec(words) ?? [];
  assert.ok(Number(lost) > 0, words);
  assert.ok(Number(turn) < 500, words);
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
    const losses = lines.filter((line) => line.includes("log.dropped"));
    assert.deepEqual(
      losses.map((line) => /"lines":(\d+)/.exec(line)?.[1]),
      [`${sink.dropped}`],
    );
    assert.equal(lines.length - 1 + sink.dropped, 50_000);
  });

  test("a pipe that nobody reads holds up neither the process nor its end", { timeout: 20_000 }, async () => {
    const fifo = join(folder, "fifo");
    execFileSync("sh", ["-c", 'mkfifo "$0"', fifo]);
    const reader = await open(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const end = await open(fifo, constants.O_WRONLY);
    await assertUnharmed(startWriter(20_000, end.fd));
    await Promise.all([reader.close(), end.close()]);
  });

  test("a reader that goes away costs lines and nothing else", { timeout: 20_000 }, async () => {
    const writer = startWriter(20_000, "pipe");
    writer.child.stderr?.destroy();
    await assertUnharmed(writer);
  });

  test("a reader that reads gets every line", { timeout: 20_000 }, async () => {
    const { child, said } = startWriter(5_000, "pipe");
    assert.ok(child.stderr !== null);
    const [log, words] = await Promise.all([text(child.stderr), said]);
    assert.match(words, /^0 lost/);
    const lines = log.trimEnd().split("\n").map(parseJsonLine);
    assert.deepEqual(
      lines,
      Array.from({ length: 5_000 }, (_, at) => numbered(at)),
    );
  });
});
