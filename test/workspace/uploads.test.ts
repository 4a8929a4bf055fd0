/** How uploads meet what is there: what may be replaced, gone on with, and which name STOU finds. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Right } from "../../src/account/account.ts";
import { virtualPath } from "../../src/protocol/path.ts";
import { contentOf, fill, openDesk } from "../support/workspace.ts";

const A = virtualPath("/a");
const NEW = virtualPath("/new");
const IMAGE = { type: "image" } as const;
const DROP: readonly Right[] = ["write", "append"];

suite("uploads", () => {
  test("without `overwrite` a name that is taken while the upload runs stays as it is", async () => {
    for (const how of [{ kind: "store" }, { kind: "append" }] as const) {
      const { workspace, storage } = openDesk({ rights: DROP });
      const other = openDesk({ storage });
      await using late = await workspace.openWrite(NEW, how, IMAGE);
      await late.upload.write([Buffer.from("late")]);
      await using soon = await other.workspace.openWrite(NEW, { kind: "store" }, IMAGE);
      await fill(soon.upload, "soon");
      await assert.rejects(late.upload.publish());
      assert.equal(await contentOf(storage, NEW), "soon", how.kind);
    }
  });

  test("with `overwrite` the later one replaces it", async () => {
    const { workspace, storage } = openDesk();
    await using first = await workspace.openWrite(NEW, { kind: "store" }, IMAGE);
    await using second = await workspace.openWrite(NEW, { kind: "store" }, IMAGE);
    await fill(second.upload, "second");
    await fill(first.upload, "first");
    assert.equal(await contentOf(storage, NEW), "first");
  });

  test("an interrupted upload of as many octets does not take the place of a file that may only grow", async () => {
    const { workspace, storage } = openDesk({ rights: DROP, files: { "/a": "good" } });
    await using broken = await workspace.openWrite(NEW, { kind: "store" }, IMAGE);
    await broken.upload.write([Buffer.from("xxxx")]);
    await broken.upload.keep();
    assert.equal(await workspace.interrupted(NEW), 4);
    await storage.rename(A, NEW, "refuse");
    await using resumed = await workspace.openWrite(NEW, { kind: "resume", offset: 4 }, IMAGE);
    await fill(resumed.upload, "+");
    assert.equal(await contentOf(storage, NEW), "good+");
  });

  test("an interrupted upload goes on where it was", async () => {
    const { workspace, storage } = openDesk({ rights: ["write"] });
    await using broken = await workspace.openWrite(NEW, { kind: "store" }, IMAGE);
    await broken.upload.write([Buffer.from("one ")]);
    await broken.upload.keep();
    await using rest = await workspace.openWrite(NEW, { kind: "resume", offset: 4 }, IMAGE);
    await fill(rest.upload, "two");
    assert.equal(await contentOf(storage, NEW), "one two");
  });

  test("beyond the end is a bad offset, 0 is the beginning", async () => {
    const { workspace, storage } = openDesk({ rights: [...DROP], files: { "/a": "aaaa" } });
    await assert.rejects(workspace.openWrite(A, { kind: "resume", offset: 5 }, IMAGE), { fault: "bad-offset" });
    await assert.rejects(workspace.openWrite(A, { kind: "resume", offset: 3 }, IMAGE), { rule: "account:overwrite" });
    await assert.rejects(workspace.openWrite(A, { kind: "resume", offset: 0 }, IMAGE), { rule: "account:overwrite" });
    assert.equal(await contentOf(storage, A), "aaaa");
  });

  test("STOU never takes a name that is there, kept, or chosen by another STOU", async () => {
    const { workspace, storage } = openDesk({ files: { "/a": "old", "/a.1/": "" } });
    await using kept = await workspace.openWrite(virtualPath("/a.2"), { kind: "store" }, IMAGE);
    await kept.upload.write([Buffer.from("k")]);
    await kept.upload.keep();
    const writings = await Promise.all([1, 2, 3].map(async () => workspace.openWrite(A, { kind: "unique" }, IMAGE)));
    assert.deepEqual(writings.map(({ path }) => path).toSorted(), ["/a.3", "/a.4", "/a.5"]);
    await Promise.all(writings.map(async ({ upload, path }) => fill(upload, path)));
    for (const writing of writings) {
      assert.equal(await contentOf(storage, writing.path), writing.path);
      await writing[Symbol.asyncDispose]();
    }
    assert.equal(await contentOf(storage, A), "old");
  });

  test("a STOU that comes to nothing gives its name back", async () => {
    const { workspace } = openDesk();
    for (let turn = 0; turn < 3; turn++) {
      await using writing = await workspace.openWrite(NEW, { kind: "unique" }, IMAGE);
      assert.equal(writing.path, "/new");
    }
  });

  test("after a hundred names STOU takes a random one, where a rule allows it", async () => {
    const files = Object.fromEntries(
      ["/n", ...Array.from({ length: 99 }, (_, at) => `/n.${at + 1}`)].map((name) => [name, ""]),
    );
    await using writing = await openDesk({ files }).workspace.openWrite(virtualPath("/n"), { kind: "unique" }, IMAGE);
    assert.match(writing.path, /^\/n\.[0-9a-f]{16}$/);
    const ruled = openDesk({ files: { "/n": "" }, folders: [{ pattern: "*.1", rights: ["read"] }] });
    await assert.rejects(ruled.workspace.openWrite(virtualPath("/n"), { kind: "unique" }, IMAGE), {
      rule: "folder:*.1:write",
    });
  });

  test("a copy is whole or not there, and stops when it is told to", async () => {
    const { workspace, storage, events } = openDesk({ files: { "/a": "a".repeat(3_000_000) } });
    const stop = new AbortController();
    const copying = workspace.copy(A, NEW, stop.signal);
    stop.abort();
    await assert.rejects(copying, { name: "AbortError" });
    assert.equal(await contentOf(storage, NEW), undefined);
    assert.equal(events.length, 0);
    await workspace.copy(A, NEW, new AbortController().signal);
    assert.equal((await contentOf(storage, NEW))?.length, 3_000_000);
    assert.deepEqual(
      events.map((event) => event.type === "file.changed" && event.change),
      [{ kind: "copied", path: A, to: NEW }],
    );
  });

  test("a digest is of the octets asked for, and leaves turns to others", async () => {
    const { workspace } = openDesk({ files: { "/a": "abc", "/big": "x".repeat(5_000_000) } });
    const { signal } = new AbortController();
    const part = await workspace.hash(A, { name: "CRC32", start: 1, end: 3, signal });
    assert.deepEqual(part, { hex: "c2a92b38", start: 1, end: 3 });
    const whole = await workspace.hash(A, { name: "MD5", start: 0, end: undefined, signal });
    assert.equal(whole.hex, "900150983cd24fb0d6963f7d28e17f72");
    assert.equal(whole.end, 3);
    await assert.rejects(workspace.hash(A, { name: "MD5", start: 0, end: 4, signal }), { fault: "bad-offset" });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await workspace.hash(virtualPath("/big"), { name: "SHA-256", start: 0, end: undefined, signal });
    clearImmediate(next);
    assert.ok(turns >= 4, `the event loop had ${turns} turns`);
  });
});
