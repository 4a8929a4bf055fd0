/** `fetchTree` over HTTP: what is fetched of a site, what is left alone, and that nothing lands elsewhere. */
import assert from "node:assert/strict";
import { mkdir, readFile, readdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fetchTree } from "../../src/client/fetch-tree/fetch-tree.ts";
import type { FetchEvent, FetchOptions, FetchReport } from "../../src/client/fetch-tree/types.ts";
import { FtpError } from "../../src/client/errors.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { filesOf } from "./files.ts";
import { type Pages, type Site, answer, startSite } from "./site.ts";

const BARE: FetchOptions = { hostFolder: false, retry: { attempts: 3, firstMs: 1 }, replyMs: 2_000, stallMs: 2_000 };
const WHEN = new Date("2024-03-01T10:20:30Z");

type Stage = {
  readonly site: Site;
  readonly folder: string;
  readonly get: (path?: string, options?: FetchOptions) => Promise<FetchReport>;
};

async function onSite(pages: Pages, act: (stage: Stage) => Promise<void>): Promise<void> {
  await using site = await startSite(pages);
  await using folder = await scratch();
  await act({
    site,
    folder: folder.path,
    get: async (path, options) => await fetchTree(site.url(path), folder.path, { ...BARE, ...options }),
  });
}

const nginx = (...names: readonly string[]): string =>
  `<html><head><title>Index of /</title></head><body><h1>Index of /</h1><hr><pre><a href="../">../</a>\n${names
    .map((name) => `<a href="${name}">${name}</a>   01-Mar-2024 10:20   12\n`)
    .join("")}</pre></body></html>`;

const TREE: Pages = {
  "/": "<a href='/pub/'>files</a>",
  "/pub/": nginx("a.txt", "b.bin", "sub/", "a%20b.txt", "?C=N;O=D"),
  "/pub/sub/": nginx("c.txt"),
  "/pub/a.txt": { body: "a", modified: WHEN },
  "/pub/b.bin": { body: "bb" },
  "/pub/a%20b.txt": { body: "ab" },
  "/pub/sub/c.txt": { body: "c" },
};

test("a tree of nginx's index pages, and nothing above it", async () => {
  await onSite(TREE, async ({ site, folder, get }) => {
    const report = await get("/pub/", { cutFolders: 1 });
    assert.deepEqual(await filesOf(folder), ["a b.txt", "a.txt", "b.bin", "index.html", "sub/c.txt", "sub/index.html"]);
    assert.equal(report.files, 6);
    assert.deepEqual([report.failures, report.stopped, report.warnings], [0, undefined, []]);
    assert.equal((await stat(join(folder, "a.txt"))).mtimeMs, WHEN.getTime());
    assert.equal(site.asked.filter((line) => line === "GET /").length, 0);
    assert.equal(new Set(site.asked).size, site.asked.length, "something was asked twice");
  });
});

test("host folder, levels, and what is above if it is wanted", async () => {
  await onSite(TREE, async ({ site, folder, get }) => {
    await get("/pub/", { hostFolder: true, depth: 1 });
    const host = `127.0.0.1:${site.port}`;
    assert.deepEqual(
      await filesOf(folder),
      ["a b.txt", "a.txt", "b.bin", "index.html", "sub/index.html"].map((name) => `${host}/pub/${name}`),
    );
    await get("/pub/sub/", { depth: 1, parents: true });
    assert.ok((await filesOf(folder)).includes("pub/index.html"));
  });
});

test("names that are accepted, folders that are excluded", async () => {
  await onSite(TREE, async ({ folder, get }) => {
    const report = await get("/pub/", { accept: ["*.txt"], exclude: ["sub"] });
    assert.deepEqual(await filesOf(folder), ["pub/a b.txt", "pub/a.txt"]);
    assert.equal(report.files, 2);
    await get("/pub/", { accept: ["c.txt"] });
    assert.ok(
      (await filesOf(folder)).includes("pub/sub/c.txt"),
      "pages are read for their links though they are not kept",
    );
  });
});

test("robots.txt and robots of a page are obeyed unless one says otherwise", async () => {
  const pages: Pages = {
    ...TREE,
    "/robots.txt": { body: "User-agent: *\nDisallow: /pub/sub/\n", type: "text/plain" },
    "/start/": "<meta name=robots content=nofollow><a href='no.txt'>",
    "/start/no.txt": { body: "no" },
  };
  await onSite(pages, async ({ folder, get }) => {
    await get("/pub/");
    assert.deepEqual(await filesOf(folder), ["pub/a b.txt", "pub/a.txt", "pub/b.bin", "pub/index.html"]);
    await get("/start/");
    assert.ok(!(await filesOf(folder)).includes("start/no.txt"));
    await get("/pub/", { robots: false });
    assert.ok((await filesOf(folder)).includes("pub/sub/c.txt"));
  });
});

test("a robots.txt that cannot be had stops what follows the first page, and the report says so", async () => {
  const broken: Pages = { ...TREE, "/robots.txt": (_, response) => void response.writeHead(500).end() };
  await onSite(broken, async ({ folder, get }) => {
    const report = await get("/pub/");
    assert.deepEqual(await filesOf(folder), ["pub/index.html"]);
    assert.match(report.warnings[0] ?? "", /robots\.txt/);
  });
});

test("only what is newer, or only what is not there", async () => {
  await onSite(TREE, async ({ folder, get, site }) => {
    await get("/pub/");
    const again = await get("/pub/", { exists: "newer" });
    assert.equal(again.files, 5, "pages and files without a time are fetched again, a.txt is not");
    const path = join(folder, "pub/a.txt");
    await utimes(path, WHEN, new Date(WHEN.getTime() - 1_000));
    site.pages["/pub/a.txt"] = { body: "A", modified: WHEN };
    await get("/pub/", { exists: "newer" });
    assert.equal(await readFile(path, "utf8"), "A");
    await writeFile(path, "mine");
    const skipped = await get("/pub/", { exists: "skip" });
    assert.deepEqual([await readFile(path, "utf8"), skipped.files], ["mine", 0]);
  });
});

test("a download that breaks off goes on where it was, if the file is still the same", async () => {
  const body = Buffer.alloc(400_000, "0123456789");
  let cuts = 1;
  const broken = (whole: Buffer) => (request: Parameters<typeof answer>[1], response: Parameters<typeof answer>[2]) => {
    if (request.headers.range !== undefined || cuts === 0) {
      answer({ body: whole, modified: WHEN }, request, response);
      return;
    }
    cuts -= 1;
    const tag = `"${whole.length.toString(16)}-${WHEN.getTime().toString(16)}"`;
    response.writeHead(200, { "content-length": whole.length, "last-modified": WHEN.toUTCString(), etag: tag });
    response.write(whole.subarray(0, 150_000), () => setTimeout(() => response.destroy(), 50));
  };
  await onSite({ "/big": broken(body) }, async ({ folder, get, site }) => {
    const events: FetchEvent[] = [];
    const report = await get("/big", { onEvent: (event) => events.push(event) });
    assert.equal(report.failures, 0);
    assert.ok((await readFile(join(folder, "big"))).equals(body));
    assert.equal(events.filter(({ kind }) => kind === "retry").length, 1);
    assert.ok(
      site.requests.some(({ headers }) => /^bytes=\d+-$/.test(headers.range ?? "")),
      "it was not gone on with",
    );
    // The next run goes on with what a run has left, but not if the file has changed.
    cuts = 1;
    await assert.rejects(get("/big", { resume: true, retry: { attempts: 1 } }), FtpError);
    assert.equal((await filesOf(folder)).length, 2);
    const other = Buffer.alloc(500_000, "abc");
    site.pages["/big"] = { body: other, modified: new Date(WHEN.getTime() + 5_000) };
    await get("/big", { resume: true });
    assert.ok((await readFile(join(folder, "big"))).equals(other));
  });
});

test("nothing unfinished is left of a download that fails", async () => {
  const cut: Pages = {
    "/": "<a href=big>",
    "/big": (_, response) => {
      response.writeHead(200, { "content-length": 1_000, etag: '"x"' });
      response.write("some", () => setTimeout(() => response.destroy(), 10));
    },
  };
  await onSite(cut, async ({ folder, get }) => {
    const report = await get("/");
    assert.deepEqual(await filesOf(folder), ["index.html"]);
    assert.deepEqual([report.failures, report.failed[0]?.error.code], [1, "RESET"]);
  });
});

test("failures stand in the report, and that of the first page is an error", async () => {
  await onSite({ "/": "<a href=none><a href=ok>", "/ok": { body: "ok" } }, async ({ folder, get, site }) => {
    const report = await get("/");
    assert.deepEqual(await filesOf(folder), ["index.html", "ok"]);
    assert.deepEqual(
      report.failed.map(({ url, error }) => [url, error.code]),
      [[site.url("/none"), "NOT_FOUND"]],
    );
    await assert.rejects(get("/none"), (error) => error instanceof FtpError && error.code === "NOT_FOUND");
  });
});

test("a busy server is asked again; the quota and the number of documents end the job", async () => {
  let busy = 2;
  const pages: Pages = {
    "/": (request, response) => {
      busy -= 1;
      if (busy >= 0) response.writeHead(503).end();
      else answer({ body: "<a href=1><a href=2><a href=3>", type: "text/html" }, request, response);
    },
    "/1": { body: "1".repeat(1_000) },
    "/2": { body: "2".repeat(1_000) },
    "/3": { body: "3".repeat(1_000) },
  };
  await onSite(pages, async ({ get }) => {
    const report = await get("/", { quota: 1_500, parallel: 1 });
    assert.deepEqual([report.files, report.stopped?.code], [3, "LIMIT"]);
    const few = await get("/", { most: 2 });
    assert.equal(few.stopped?.code, "LIMIT");
  });
});

test("redirects: within the site they are followed, elsewhere not, and never round in circles", async () => {
  await using other = await startSite({ "/": { body: "other" } });
  const pages: Pages = {
    "/in": "/in/",
    "/in/": "<a href=away><a href=round><a href=page><a href=page2>",
    "/in/away": (_, response) => void response.writeHead(302, { location: other.url() }).end(),
    "/in/round": "/in/round",
    "/in/page": "/in/page2",
    "/in/page2": { body: "page" },
  };
  await onSite(pages, async ({ folder, get }) => {
    const report = await get("/in");
    assert.deepEqual(await filesOf(folder), ["in/index.html", "in/page2"]);
    assert.equal(report.failures, 1);
    assert.deepEqual(other.asked, []);
  });
});

test("a name and password go to the first host alone", async () => {
  await using other = await startSite({ "/x": { body: "x" } });
  const pages: Pages = { "/": { body: "", type: "text/html" } };
  await onSite(pages, async ({ folder, site }) => {
    site.pages["/"] = `<a href="${other.url("/x").replace("127.0.0.1", "localhost")}"><a href=/y>`;
    const url = site.url("/").replace("://", "://ann:s%40cret@");
    await fetchTree(url, folder, { ...BARE, spanHosts: true, robots: false });
    const login = `Basic ${Buffer.from("ann:s@cret").toString("base64")}`;
    assert.deepEqual(
      site.requests.map(({ headers }) => headers.authorization),
      [login, login],
    );
    assert.deepEqual(
      other.requests.map(({ headers }) => headers.authorization),
      [undefined],
    );
  });
});

test("attack 64: no link of a page leads out of the folder, and none here is followed", async () => {
  const pages: Pages = {
    "/": `<a href="/a/..%2f..%2f..%2fescaped"><a href="/link/in"><a href="file:///etc/passwd"><a href="/b%00c"><a href="javascript:x()">`,
    "/a/..%2f..%2f..%2fescaped": { body: "bad" },
    "/link/in": { body: "bad" },
    "/b%00c": { body: "nul" },
  };
  await onSite(pages, async ({ folder, get }) => {
    await using ownOutside = await scratch();
    const outside = ownOutside.path;
    await mkdir(join(folder, "in"));
    await symlink(outside, join(folder, "in", "link"));
    await symlink(join(outside, "planted"), join(folder, "in", "index.html"));
    const report = await fetchTree((await startUrl(get)).href, join(folder, "in"), BARE);
    assert.deepEqual(await readdir(outside), []);
    assert.ok(
      report.failed.some(({ error }) => error.code === "UNSAFE_NAME"),
      JSON.stringify(report.failed),
    );
    assert.deepEqual(await filesOf(join(folder, "in")), ["a/..%2F..%2F..%2Fescaped", "b%00c", "index.html", "link"]);
  });
});

async function startUrl(get: Stage["get"]): Promise<URL> {
  const urls: string[] = [];
  await get("/", { depth: 0, onEvent: (event) => "url" in event && urls.push(event.url) });
  return new URL(urls[0] ?? "");
}

test("a server that is silent, and one that stops in the middle, end in time", async () => {
  const pages: Pages = {
    "/silent": () => {},
    "/stops": (_, response) => void response.writeHead(200, { "content-type": "text/html" }).write("<a href="),
  };
  await onSite(pages, async ({ get }) => {
    for (const [path, code] of [
      ["/silent", "TIMEOUT"],
      ["/stops", "STALLED"],
    ]) {
      const run = get(path, { replyMs: 200, stallMs: 200, retry: { attempts: 1 } });
      await assert.rejects(run, (error) => error instanceof FtpError && error.code === code, path);
    }
    const stop = AbortSignal.timeout(100);
    await assert.rejects(get("/silent", { signal: stop }), (error) => error === stop.reason);
  });
});

test("a rate holds all downloads together", async () => {
  const body = Buffer.alloc(20_000, "x");
  await onSite({ "/": "<a href=1><a href=2>", "/1": { body }, "/2": { body } }, async ({ get }) => {
    const begun = performance.now();
    const report = await get("/", { rate: 100_000 });
    assert.equal(report.files, 3);
    // 40 kB at 100 kB/s, of which the bucket gives some at once.
    assert.ok(performance.now() - begun > 250, "it was faster than the rate");
  });
});
