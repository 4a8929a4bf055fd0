/** `fetchTree` over FTP: trees of our own server and of a liar, into a folder that nothing gets out of. */
import assert from "node:assert/strict";
import { mkdir, readFile, readdir, readlink, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fetchTree } from "../../src/client/fetch-tree/fetch-tree.ts";
import type { FetchEvent, FetchOptions, FetchReport } from "../../src/client/fetch-tree/types.ts";
import { FtpError } from "../../src/client/errors.ts";
import { startServer } from "../support/server.ts";
import { Liar } from "./liar.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { filesOf, putFiles } from "./files.ts";
import { CONTENT, PEER_NAMES, absentPeer, startPeer } from "./peers.ts";

const BARE: FetchOptions = {
  hostFolder: false,
  connect: { store: false, tls: { trust: "any" }, retry: { attempts: 2, firstMs: 1 } },
};

const FILES = {
  "top.txt": "top",
  "pub/a.txt": "a",
  "pub/b.bin": "bb",
  "pub/a b*[1].txt": "stars",
  "pub/sub/c.txt": "c",
  "pub/sub/deep/d.txt": "d",
  "pub/.hidden": "h",
} as const;
const WHEN = new Date("2024-03-01T10:20:30Z");

type Stage = {
  readonly root: string;
  readonly folder: string;
  readonly get: (path?: string, options?: FetchOptions) => Promise<FetchReport>;
};

async function onServer(act: (stage: Stage) => Promise<void>): Promise<void> {
  await using served = await startServer();
  await using folder = await scratch();
  await putFiles(served.root, FILES, WHEN);
  const url = (path: string): string => `ftp://ann:secret@127.0.0.1:${served.port}/${path}`;
  await act({
    root: served.root,
    folder: folder.path,
    get: async (path = "", options = {}) => await fetchTree(url(path), folder.path, { ...BARE, ...options }),
  });
}

test("a folder with all that is in it, times kept", async () => {
  await onServer(async ({ folder, get }) => {
    const events: FetchEvent[] = [];
    const report = await get("pub/", { cutFolders: 1, onEvent: (event) => events.push(event) });
    assert.deepEqual(
      await filesOf(folder),
      Object.keys(FILES)
        .flatMap((path) => (path.startsWith("pub/") ? [path.slice(4)] : []))
        .toSorted(),
    );
    for (const name of await filesOf(folder)) {
      assert.equal((await stat(join(folder, name))).mtimeMs, WHEN.getTime(), name);
    }
    assert.equal(await readFile(join(folder, "a b*[1].txt"), "utf8"), "stars");
    assert.deepEqual([report.files, report.failures, report.stopped], [6, 0, undefined]);
    assert.equal(events.filter(({ kind }) => kind === "done").length, 6);
    assert.equal(report.octets, 11);
  });
});

test("host folder, levels, a single file, and a pattern", async () => {
  await onServer(async ({ folder, get }) => {
    const report = await get("pub", { depth: 0, hostFolder: true });
    const [host = ""] = await readdir(folder);
    assert.match(host, /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(await filesOf(join(folder, host)), ["pub/.hidden", "pub/a b*[1].txt", "pub/a.txt", "pub/b.bin"]);
    assert.match(report.warnings[0] ?? "", /levels/);
    await get("pub/sub/c.txt");
    assert.ok((await filesOf(folder)).includes("pub/sub/c.txt"));
    await get("pub/*.bin");
    assert.equal(await readFile(join(folder, "pub/b.bin"), "utf8"), "bb");
    await assert.rejects(get("pub/*.none"), (error) => error instanceof FtpError && error.code === "NOT_FOUND");
    await assert.rejects(get("nowhere"), (error) => error instanceof FtpError && error.code === "NOT_FOUND");
  });
});

test("names that are accepted, folders that are included", async () => {
  await onServer(async ({ folder, get }) => {
    await get("", { accept: ["txt"], reject: ["a*"], exclude: ["/pub/sub/deep"] });
    assert.deepEqual(await filesOf(folder), ["pub/sub/c.txt", "top.txt"]);
    await get("", { include: ["pub/sub/deep"] });
    assert.deepEqual(await filesOf(folder), ["pub/sub/c.txt", "pub/sub/deep/d.txt", "top.txt"]);
  });
});

test("only what is newer or of another size, or only what is not there", async () => {
  await onServer(async ({ root, folder, get }) => {
    await get("pub/");
    const again = await get("pub/", { exists: "newer" });
    assert.deepEqual([again.files, again.leftOut], [0, 6]);
    await writeFile(join(root, "pub/a.txt"), "A");
    await writeFile(join(root, "pub/b.bin"), "BBB");
    await utimes(join(root, "pub/b.bin"), WHEN, WHEN);
    assert.equal((await get("pub/", { exists: "newer" })).files, 2);
    await writeFile(join(folder, "pub/a.txt"), "mine");
    await rm(join(folder, "pub/sub/c.txt"));
    assert.equal((await get("pub/", { exists: "skip" })).files, 1);
    assert.equal(await readFile(join(folder, "pub/a.txt"), "utf8"), "mine");
  });
});

test("attack 64: nothing is written through a link that lies here", async () => {
  await onServer(async ({ folder, get }) => {
    await using ownOutside = await scratch();
    const outside = ownOutside.path;
    await mkdir(join(folder, "pub"));
    await symlink(outside, join(folder, "pub/sub"));
    await symlink(join(outside, "planted"), join(folder, "pub/a.txt"));
    const report = await get("pub/");
    assert.deepEqual(await readdir(outside), []);
    assert.deepEqual(
      report.failed.map(({ error }) => error.code),
      ["UNSAFE_NAME", "UNSAFE_NAME"],
    );
    for (const { error } of report.failed) assert.doesNotMatch(error.message, /\/proc\//);
    assert.equal(await readFile(join(folder, "pub/a.txt"), "utf8"), "a");
  });
});

test("a file that lies where a folder must be is left alone", async () => {
  await onServer(async ({ folder, get }) => {
    await mkdir(join(folder, "pub"));
    await writeFile(join(folder, "pub/sub"), "mine");
    const report = await get("pub/");
    assert.equal(report.files, 4);
    assert.ok(report.failed.every(({ error }) => error.code === "EXISTS"));
    assert.equal(await readFile(join(folder, "pub/sub"), "utf8"), "mine");
  });
});

test("the quota ends the job, and a signal does", async () => {
  await onServer(async ({ get }) => {
    const report = await get("pub/", { quota: 1, parallel: 1 });
    assert.equal(report.stopped?.code, "LIMIT");
    assert.ok(report.files < 6);
    const stop = new AbortController();
    const run = get("pub/", { signal: stop.signal, onEvent: () => stop.abort(new Error("enough")) });
    await assert.rejects(run, /enough/);
  });
});

const LINK = "lrwxrwxrwx   1 ann ann        3 Jan 02  2024";
const LISTED = [
  `${LINK} in -> hello.txt`,
  `${LINK} up -> ../../etc`,
  `${LINK} away -> /etc/passwd`,
  `${LINK} round -> sub/../..`,
  "-rw-r--r--   1 ann ann       23 Jan 02  2024 hello.txt",
  "-rw-r--r--   1 ann ann       23 Jan 02  2024 ../escaped",
  "drwxr-xr-x   1 ann ann       23 Jan 02  2024 ..",
  "crw-r--r--   1 ann ann     1, 3 Jan 02  2024 null",
];

test("attack 64: links of the server are made where they stay inside, last of all", async () => {
  await using liar = await Liar.start({
    lies: { features: ["EPSV", "SIZE"], content: { LIST: () => [Buffer.from(`${LISTED.join("\r\n")}\r\n`)] } },
  });
  await using own = await scratch();
  const folder = own.path;
  const options = { ...BARE, connect: { ...BARE.connect, tls: "off" } } as const;
  const report = await fetchTree(liar.url("/"), folder, options);
  assert.deepEqual(await filesOf(folder), ["hello.txt", "in"]);
  assert.equal(await readlink(join(folder, "in")), "hello.txt");
  assert.equal(report.linked, 1);
  assert.equal(report.warnings.filter((warning) => warning.includes("leads out")).length, 3);
  assert.deepEqual(
    report.failed.map(({ error }) => error.code),
    ["UNSAFE_NAME"],
    "a name that is refused leaves the tree incomplete",
  );
  assert.match(report.failed[0]?.error.message ?? "", /in the first folder: this name is left out, for .*escaped/);
  assert.deepEqual(report.leftOutBy, { link: 3, special: 1 });
  const again = await fetchTree(liar.url("/"), folder, { ...options, links: "skip" });
  assert.equal(again.linked, 0);
  await liar.quiet();
});

for (const name of PEER_NAMES) {
  suite(`fetchTree ${name}`, { skip: absentPeer(name) }, () => {
    test("the whole tree over TLS", async () => {
      await using peer = await startPeer(name);
      await using own = await scratch();
      const folder = own.path;
      await symlink("hello.txt", join(peer.root, "kept"));
      await mkdir(join(peer.root, "linked-to"));
      await writeFile(join(peer.root, "linked-to/within"), "within");
      await symlink("linked-to", join(peer.root, "folder-link"));
      await symlink("nothing", join(peer.root, "dangling"));
      const report = await fetchTree(peer.url("/"), folder, { ...BARE, parallel: 3 });
      assert.deepEqual(report.failed, []);
      for (const [path, content] of Object.entries(CONTENT)) {
        assert.ok((await readFile(join(folder, path))).equals(content), path);
      }
      // Made here where the server tells their targets, and fetched as what they are where it does not.
      assert.ok((await readFile(join(folder, "kept"))).equals(CONTENT["/hello.txt"]));
      assert.equal(await readFile(join(folder, "folder-link/within"), "utf8"), "within");
      const again = join(folder, "again");
      const followed = await fetchTree(peer.url("/"), again, { ...BARE, links: "follow" });
      // Some servers do not even list the one that leads nowhere.
      assert.deepEqual(followed.failed, []);
      assert.ok((await readFile(join(again, "kept"))).equals(CONTENT["/hello.txt"]));
      assert.equal(await readFile(join(again, "folder-link/within"), "utf8"), "within");
    });
  });
}
