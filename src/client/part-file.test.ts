import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { PartFile, partPath } from "./part-file.ts";

const folder = mkdtempSync(join(tmpdir(), "ferryman-part-"));
after(() => rmSync(folder, { recursive: true }));
const mark = { url: "host:21/a", size: 10, modifiedMs: 1 };

test("a part is gone on with by one at a time: another call gets one of its own", async () => {
  const target = join(folder, "one");
  const path = partPath(target, mark);
  writeFileSync(path, "01234");
  {
    await using first = await PartFile.continued(path, target);
    await using second = await PartFile.continued(path, target);
    assert.equal(first.path, path);
    assert.equal(await first.size(), 5);
    assert.notEqual(second.path, path);
    assert.equal(await second.size(), 0);
    await second.file.write(Buffer.from("mine"));
    await second.publish(undefined);
    assert.equal(readFileSync(target, "utf8"), "mine");
    await first.file.write(Buffer.from("56789"));
    await first.publish(2_000);
  }
  assert.equal(readFileSync(target, "utf8"), "0123456789");
  await using third = await PartFile.continued(path, target);
  assert.ok(third.isNew);
  await third.remove();
});

test("other versions and other files have other parts", () => {
  const paths = [mark, { ...mark, size: 11 }, { ...mark, modifiedMs: 2 }, { ...mark, url: "host:21/b" }].map((each) =>
    partPath(join(folder, "x"), each),
  );
  assert.equal(new Set(paths).size, paths.length);
});

test("a part of its own leaves nothing behind when it is removed", async () => {
  const before = readdirSync(folder);
  const part = await PartFile.ofItsOwn(join(folder, "two"));
  await part.remove();
  assert.deepEqual(readdirSync(folder), before);
});
