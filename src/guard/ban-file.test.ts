import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BanFile } from "./ban-file.ts";
import { Guard } from "./guard.ts";

type Scratch = AsyncDisposable & { readonly folder: string };

async function scratch(): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-bans-"));
  return { folder, [Symbol.asyncDispose]: async () => rm(folder, { recursive: true }) };
}

const NOW = 1_800_000_000_000;
const now = (): number => NOW;

test("bans survive a restart, and so does from where accounts are known", async () => {
  await using at = await scratch();
  const guard = new Guard({ now });
  guard.ban("192.0.2.1", { seconds: 60, reason: "a\nb" });
  guard.ban("2001:db8::/32");
  guard.ban("account:ann", { seconds: 1 });
  guard.admit("1", "198.51.100.7");
  guard.loginSucceeded("1", "__proto__");
  const file = new BanFile(join(at.folder, "state"));
  await file.save(guard.state());
  assert.equal((await stat(file.path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(at.folder, "state"))).mode & 0o777, 0o700);

  const { state, warnings } = await new BanFile(join(at.folder, "state")).load();
  assert.deepEqual(warnings, []);
  const later = new Guard({ now: () => NOW + 2_000 });
  later.restore(state);
  assert.deepEqual(
    later.bans().map(({ target }) => target),
    ["192.0.2.1", "2001:db8::/32"],
  );
  assert.equal(later.isBanned("192.0.2.1")?.reason, "a b");
  assert.deepEqual(later.state().known, guard.state().known);
});

test("attack 40: a damaged file is kept aside and told of; its whole lines hold", async () => {
  await using at = await scratch();
  const guard = new Guard({ now });
  guard.ban("192.0.2.1");
  guard.ban("192.0.2.2");
  const file = new BanFile(at.folder);
  await file.save(guard.state());
  const good = await readFile(file.path, "utf8");
  const [first = "", second = ""] = good.split("\n");
  const odd = '{"ban":{"target":"192.0.2.3/24"}}';
  await writeFile(file.path, `${first}\n{"ban":\n${odd}\n[]\n${second}\n${first.slice(0, 40)}`);
  const { state, warnings } = await file.load();
  assert.deepEqual(
    state.bans.map(({ target }) => target),
    ["192.0.2.1", "192.0.2.2"],
  );
  assert.match(warnings.join(), /lines 2, 3, 4, 6 cannot be read .* kept as .*bans\.jsonl\.damaged$/);
  assert.match(await readFile(`${file.path}.damaged`, "utf8"), /\{"ban":\n/);
});

test("nothing there is nothing; many saves at once leave the last one, and no temporary file", async () => {
  await using at = await scratch();
  const file = new BanFile(at.folder);
  assert.deepEqual(await file.load(), { state: { bans: [], known: {} }, warnings: [] });
  const guard = new Guard({ now });
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      guard.ban(`192.0.2.${index}`);
      await file.save(guard.state());
    }),
  );
  assert.equal((await file.load()).state.bans.length, 20);
  assert.deepEqual(await readdir(at.folder), ["bans.jsonl"]);
});
