/** Completion: commands, names there and here, escapes, the cache and its time limit. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SHELL_COMMANDS } from "./commands/index.ts";
import { type CompletionGround, complete } from "./completion.ts";
import { COMPLETION_CACHE_MS, COMPLETION_WAIT_MS } from "./limits.ts";
import { NameCache } from "./name-cache.ts";
import { CommandTable } from "./table.ts";
import { MemoryClient } from "./test-client.ts";

const FILES = {
  "/base/pub": undefined,
  "/base/pub/one.txt": "",
  "/base/public.txt": "",
  "/base/a b;c": "",
  "/base/.profile": "",
};

function ground(client: MemoryClient | undefined, more: Partial<CompletionGround> = {}): CompletionGround {
  return {
    table: new CommandTable(SHELL_COMMANDS),
    aliases: new Map([["getall", "mget -c"]]),
    place: { folder: "/base", previous: undefined, home: "/base", localFolder: tmpdir(), previousLocal: undefined },
    names: new NameCache(() => 0),
    client,
    ...more,
  };
}

test("commands and aliases", async () => {
  const client = new MemoryClient(FILES);
  assert.deepEqual(await complete("get", ground(client)), [["get ", "getall "], "get"]);
  assert.deepEqual(await complete("ls; quo", ground(client)), [["quote "], "quo"]);
  assert.deepEqual(await complete("help lite", ground(client)), [["literal "], "lite"]);
  assert.deepEqual(await complete("set cont", ground(client)), [["continue-on-error "], "cont"]);
  assert.deepEqual(await complete("nonsense x", ground(client)), [[], "x"]);
  assert.deepEqual(await complete("ls | gr", ground(client)), [[], "gr"]);
});

test("names of the server: folders stay open, dots are asked for, escapes are written", async () => {
  const client = new MemoryClient(FILES);
  assert.deepEqual(await complete("get pub", ground(client)), [["pub/", "public.txt "], "pub"]);
  assert.deepEqual(await complete("cd pub", ground(client)), [["pub/"], "pub"]);
  assert.deepEqual(await complete("getall pub/", ground(client)), [["pub/one.txt "], "pub/"]);
  assert.deepEqual(await complete("get /base/pub/o", ground(client)), [["/base/pub/one.txt "], "/base/pub/o"]);
  assert.deepEqual(await complete("get .", ground(client)), [[".profile "], "."]);
  assert.deepEqual(await complete("get a", ground(client)), [["a\\ b\\;c "], "a"]);
  assert.deepEqual(await complete("get a\\ b", ground(client)), [["a\\ b\\;c "], "a\\ b"]);
  assert.deepEqual(await complete('get "a', ground(client)), [['"a b;c" '], '"a']);
  assert.deepEqual(await complete("get x", ground(undefined)), [[], "x"]);
  assert.deepEqual(await complete("get nowhere/x", ground(client)), [[], "nowhere/x"]);
});

test("names of this host", async (context) => {
  const localFolder = await mkdtemp(join(tmpdir(), "ferryman-complete-"));
  context.after(async () => await rm(localFolder, { recursive: true }));
  await mkdir(join(localFolder, "photos"));
  await writeFile(join(localFolder, "phone.txt"), "");
  const client = new MemoryClient(FILES);
  const here = ground(client, { place: { ...ground(client).place, localFolder } });
  assert.deepEqual(await complete("put ph", here), [["phone.txt ", "photos/"], "ph"]);
  assert.deepEqual(await complete("lcd ph", here), [["photos/"], "ph"]);
  assert.deepEqual(await complete("put phone.txt pu", here), [["pub/", "public.txt "], "pu"]);
  assert.deepEqual(await complete("get public.txt ph", here), [["phone.txt ", "photos/"], "ph"]);
  assert.deepEqual(await complete("ls > ph", here), [["phone.txt ", "photos/"], "ph"]);
});

test("attack 64: names that would disturb a terminal are not offered", async () => {
  const client = new MemoryClient({ "/base/xok": "" });
  client.lies.push("x\u001b[2J", "x\ny", "x/../y", "..");
  assert.deepEqual(await complete("get x", ground(client)), [["xok "], "x"]);
});

test("a listing is kept for some seconds, and one that takes long is not waited for", async () => {
  const client = new MemoryClient(FILES);
  const clock = { now: 0 };
  const names = new NameCache(() => clock.now);
  const here = ground(client, { names });
  await complete("get p", here);
  await complete("get pu", here);
  assert.equal(client.calls.length, 1);
  clock.now = COMPLETION_CACHE_MS;
  await complete("get pu", here);
  assert.equal(client.calls.length, 2);
  names.clear();
  client.listMs = COMPLETION_WAIT_MS + 200;
  assert.deepEqual(await complete("get pu", here), [[], "pu"]);
  // The same listing goes on, and is there at a later key.
  assert.deepEqual(await complete("get pu", here), [["pub/", "public.txt "], "pu"]);
  assert.equal(client.calls.length, 3);
});
