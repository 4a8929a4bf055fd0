import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SLOW_WRITE_MS } from "../net/limits.ts";
import { LocalFile, soon } from "./local-file.ts";

const folder = mkdtempSync(join(tmpdir(), "ferryman-file-"));
after(() => rmSync(folder, { recursive: true }));

const { O_CREAT, O_EXCL, O_RDWR } = constants;
const LONG = Buffer.alloc(200_000, "long ");

async function everything(name: string): Promise<void> {
  const path = join(folder, name);
  const file = await LocalFile.open(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
  await file.write(Buffer.from("short "));
  await file.write(LONG);
  assert.equal((await file.stat()).size, 6 + LONG.length);
  const into = Buffer.alloc(6);
  assert.equal(await file.read(into, 0), 6);
  assert.equal(into.toString(), "short ");
  const all = Buffer.alloc(LONG.length + 100);
  assert.equal(await file.read(all, 6), LONG.length);
  assert.equal(await file.read(into, 1_000_000), 0);
  await file.truncate(5);
  await file.setTime(1_700_000_000_250);
  await file.close();
  await file.close();
  assert.throws(() => file.fd, /closed/);
  assert.equal(readFileSync(path, "utf8"), "short");
  assert.equal(Math.round(statSync(path).mtimeMs), 1_700_000_000_250);
  await assert.rejects(LocalFile.open(path, O_RDWR | O_CREAT | O_EXCL), { code: "EEXIST" });
}

test("a file is read, written and named a time as long as the disk is quick", async () => {
  let ways = "";
  await soon(
    () => (ways += "now"),
    async () => (ways += "later"),
  );
  assert.equal(ways, "now");
  await everything("quick");
});

test("after a call that waited the calls of the next second are other threads'", async () => {
  const begun = performance.now();
  await soon(
    () => {
      while (performance.now() - begun <= SLOW_WRITE_MS + 1);
    },
    async () => {},
  );
  let ways = "";
  await soon(
    () => (ways += "now"),
    async () => (ways += "later"),
  );
  assert.equal(ways, "later");
  await everything("slow");
});

test("a file that others have opened is left open, and one that is being written is closed behind that", async () => {
  const path = join(folder, "borrowed");
  writeFileSync(path, "x");
  const descriptor = openSync(path, "r");
  const borrowed = new LocalFile(descriptor, { isBorrowed: true });
  await borrowed.close();
  assert.equal(fstatSync(descriptor).size, 1);
  closeSync(descriptor);

  const file = await LocalFile.open(join(folder, "busy"), O_RDWR | O_CREAT);
  const writing = file.write(LONG.subarray(0, 100_000));
  await Promise.all([file.close(), writing]);
  assert.equal(statSync(join(folder, "busy")).size, 100_000);
});
