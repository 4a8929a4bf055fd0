/** What is remembered of servers: across processes, within bounds, and whatever happens to the files. */
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { configFolder, stateFolder } from "./folders.ts";
import { JsonBook } from "./json-book.ts";
import { openStore } from "./store.ts";
import { scratch } from "./test-folder.ts";

const SERVER = { host: "ftp.example.org", port: 21 };
const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 15);
const PIN = "ab".repeat(32);
const OTHER_PIN = "cd".repeat(32);

async function withStore(work: (folder: string) => Promise<void>): Promise<void> {
  await using folder = await scratch();
  await work(join(folder.path, "state", "ferryman"));
}

test("what one run learns the next one knows, in files for the owner alone", async () => {
  await withStore(async (folder) => {
    const store = openStore(folder, { now: () => NOW });
    assert.deepEqual(await store.recall(SERVER, "192.0.2.9"), {
      mode: undefined,
      pipelining: undefined,
      tlsSeen: undefined,
    });
    store.remember(SERVER, { mode: "pasv", ownAddress: "192.0.2.9", tls: true });
    store.remember({ ...SERVER, host: "FTP.example.org" }, { pipelining: true });
    store.believe(SERVER, PIN);
    const wanted = { mode: { mode: "pasv", at: NOW }, pipelining: true, tlsSeen: NOW };
    assert.deepEqual(await store.recall(SERVER, "192.0.2.9"), wanted);
    await store.flush();
    const next = openStore(folder, { now: () => NOW });
    assert.deepEqual(await next.recall(SERVER, "192.0.2.9"), wanted);
    assert.equal((await next.recall(SERVER, "198.51.100.1")).mode, undefined);
    assert.equal((await next.recall({ ...SERVER, port: 2121 })).tlsSeen, undefined);
    assert.deepEqual(await next.knownHost(SERVER), { fingerprint: PIN, firstSeen: NOW });
    assert.deepEqual((await readdir(folder)).toSorted(), ["hosts.json", "known-hosts.json"]);
    if (process.platform !== "win32") {
      const modes = [folder, join(folder, "hosts.json"), join(folder, "known-hosts.json")].map((path) => stat(path));
      assert.deepEqual(
        (await Promise.all(modes)).map(({ mode }) => mode & 0o777),
        [0o700, 0o600, 0o600],
      );
    }
    assert.deepEqual(next.warnings, []);
  });
});

test("a believed certificate stays until it is replaced or forgotten", async () => {
  const store = openStore(false, { now: () => NOW });
  store.believe(SERVER, PIN);
  store.believe(SERVER, OTHER_PIN);
  assert.equal((await store.knownHost(SERVER))?.fingerprint, PIN);
  store.believe(SERVER, OTHER_PIN, { replace: true });
  assert.equal((await store.knownHost(SERVER))?.fingerprint, OTHER_PIN);
  store.remember(SERVER, { tls: true, pipelining: false });
  store.forget(SERVER);
  assert.equal(await store.knownHost(SERVER), undefined);
  assert.deepEqual((await store.recall(SERVER)).tlsSeen, undefined);
  assert.equal((await store.recall(SERVER)).pipelining, false);
  store.forget({ host: "nobody", port: 1 });
  await store.flush();
  assert.equal(store.knownHostsFile, undefined);
});

test("nothing is written when nothing is new, and times at most once a day", async () => {
  await withStore(async (folder) => {
    let now = NOW;
    const learn = async (): Promise<number> => {
      const store = openStore(folder, { now: () => now });
      store.remember(SERVER, { mode: "epsv", ownAddress: "::1", tls: true });
      await store.flush();
      return (await stat(join(folder, "hosts.json"))).ino;
    };
    const first = await learn();
    now += DAY - 1;
    assert.equal(await learn(), first);
    now += 2;
    assert.notEqual(await learn(), first);
    assert.equal((await openStore(folder).recall(SERVER, "::1")).tlsSeen, now);
  });
});

test("two at once lose nothing of each other", async () => {
  await withStore(async (folder) => {
    const stores = [openStore(folder), openStore(folder), openStore(folder)];
    for (let turn = 0; turn < 8; turn += 1) {
      for (const [index, store] of stores.entries()) {
        store.remember({ host: `h${index}-${turn}`, port: 21 }, { pipelining: turn % 2 === 0 });
        store.remember(SERVER, { mode: "eprt", ownAddress: `${index}` });
      }
      await Promise.all(stores.map((store) => store.flush()));
    }
    const reader = openStore(folder);
    for (let turn = 0; turn < 8; turn += 1) {
      for (const index of stores.keys()) {
        assert.equal((await reader.recall({ host: `h${index}-${turn}`, port: 21 })).pipelining, turn % 2 === 0);
      }
    }
    for (const index of stores.keys()) assert.equal((await reader.recall(SERVER, `${index}`)).mode?.mode, "eprt");
  });
});

const BROKEN = [
  "",
  "{",
  "[]",
  "null",
  '{"version":1}',
  '{"version":"1","entries":{}}',
  '{"version":1,"entries":{"h:21":null}}',
  '{"version":1,"entries":{"h:21":{"used":"x"}}}',
  '{"version":1,"entries":{"h:21":{"used":1.5}}}',
  '{"version":1,"entries":{"h:21":{"used":1,"tlsSeen":null}}}',
  '{"version":1,"entries":{"h:21":{"used":1,"pipelining":1}}}',
  '{"version":1,"entries":{"h:21":{"used":1,"modes":[]}}}',
  '{"version":1,"entries":{"h:21":{"used":1,"modes":{"a":{"mode":"x","at":1}}}}}',
];

test("a broken file is set aside with a warning, and everything goes on", async () => {
  for (const text of BROKEN) {
    await withStore(async (folder) => {
      const file = join(folder, "hosts.json");
      await mkdir(folder, { recursive: true });
      await writeFile(file, text);
      const store = openStore(folder);
      assert.equal((await store.recall(SERVER)).tlsSeen, undefined);
      store.remember(SERVER, { pipelining: true });
      await store.flush();
      assert.equal((await openStore(folder).recall(SERVER)).pipelining, true);
      if (text === "") return;
      assert.equal(await readFile(`${file}.broken`, "utf8"), text);
      assert.deepEqual(store.warnings, [`${file} was broken; it is kept as ${file}.broken, and a new one is begun`]);
    });
  }
});

test("known certificates that are none make the file broken", async () => {
  for (const entry of ['{"fingerprint":"abc","firstSeen":1}', `{"fingerprint":"${PIN}"}`, "7"]) {
    await withStore(async (folder) => {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "known-hosts.json"), `{"version":1,"entries":{"ftp.example.org:21":${entry}}}`);
      const store = openStore(folder);
      assert.equal(await store.knownHost(SERVER), undefined);
      assert.match(store.warnings.join(), /known-hosts\.json was broken/);
    });
  }
});

test("a file of a later version is left alone", async () => {
  await withStore(async (folder) => {
    const file = join(folder, "hosts.json");
    await mkdir(folder, { recursive: true });
    await writeFile(file, '{"version":2,"entries":{}}');
    const store = openStore(folder);
    store.remember(SERVER, { pipelining: true });
    await store.flush();
    assert.equal((await store.recall(SERVER)).pipelining, true);
    assert.equal(await readFile(file, "utf8"), '{"version":2,"entries":{}}');
    assert.match(store.warnings.join(), /of a later version of this program; what is learnt is forgotten at the end/);
  });
});

test("a folder that cannot be written is a warning, and the memory works", async () => {
  await withStore(async (folder) => {
    await mkdir(join(folder, ".."), { recursive: true });
    await writeFile(folder, "a file in the way");
    const store = openStore(folder);
    store.remember(SERVER, { pipelining: true });
    store.believe(SERVER, PIN);
    await store.flush();
    assert.equal((await store.recall(SERVER)).pipelining, true);
    assert.equal((await store.knownHost(SERVER))?.fingerprint, PIN);
    assert.equal(store.warnings.length, 2);
  });
});

const skip = process.platform === "win32" ? "Windows has no such modes" : false;

test("a file that others can write is told about", { skip }, async () => {
  await withStore(async (folder) => {
    const store = openStore(folder);
    store.believe(SERVER, PIN);
    await store.flush();
    await chmod(join(folder, "known-hosts.json"), 0o666);
    const next = openStore(folder);
    assert.equal((await next.knownHost(SERVER))?.fingerprint, PIN);
    assert.match(next.warnings.join(), /known-hosts\.json: others on this machine can write to it/);
  });
});

function entryOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

test("servers, networks and waiting changes are bounded; the oldest go", async () => {
  await withStore(async (folder) => {
    let now = NOW;
    const store = openStore(folder, { now: () => now });
    for (let at = 0; at < 20; at += 1) {
      now += DAY;
      store.remember(SERVER, { mode: "pasv", ownAddress: `10.0.0.${at}` });
    }
    assert.equal((await store.recall(SERVER, "10.0.0.3")).mode, undefined);
    assert.equal((await store.recall(SERVER, "10.0.0.4")).mode?.mode, "pasv");
    const file = join(folder, "book.json");
    const terms = { file, entryOf, most: 10, ageOf: (age: number) => age, onWarning: assert.fail };
    const book = new JsonBook(terms);
    for (let age = 0; age < 3_000; age += 1) book.change(`${age}`, () => age);
    assert.equal(await book.get("2999"), 2999);
    await book.flush();
    const kept = new JsonBook(terms);
    assert.deepEqual([await kept.get("2990"), await kept.get("2989")], [2990, undefined]);
    await store.flush();
  });
});

test("the folders of the XDG base directories", () => {
  const home = "/users/ann";
  const linux = { home, platform: "linux" } as const;
  assert.equal(stateFolder({ ...linux, env: {} }), join(home, ".local", "state", "ferryman"));
  assert.equal(stateFolder({ ...linux, env: { XDG_STATE_HOME: "/x", LOCALAPPDATA: "/y" } }), join("/x", "ferryman"));
  assert.equal(stateFolder({ ...linux, env: { XDG_STATE_HOME: "x" } }), join(home, ".local", "state", "ferryman"));
  assert.equal(configFolder({ ...linux, env: {} }), join(home, ".config", "ferryman"));
  assert.equal(stateFolder({ home, platform: "win32", env: { LOCALAPPDATA: "/y" } }), join("/y", "ferryman"));
});
