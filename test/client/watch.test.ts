/** `watchAndUpload`: files that are there, that come, that grow, and a server that goes away and comes back. */
import assert from "node:assert/strict";
import {
  appendFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { FtpError } from "../../src/client/errors.ts";
import type { Client } from "../../src/client/types.ts";
import { type WatchEvent, type WatchOptions, type WatchReport, watchAndUpload } from "../../src/client/watch.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { startServer } from "../support/server.ts";
import { Liar } from "./liar.ts";
import { clearClient } from "./clear-client.ts";

const QUICK: WatchOptions = { settleMs: 60, scanMs: 400, retry: { firstMs: 10, mostMs: 50 } };
/** Milliseconds for which a test waits for an event. */
const PATIENCE_MS = 8_000;
const LONG_AGO = new Date("2024-03-01T10:20:30Z");

type Stage = {
  readonly client: Client;
  /** What the server has. */
  readonly there: string;
  readonly folder: string;
  readonly events: WatchEvent[];
  /** Begins to watch; the test's end ends it. */
  readonly begin: (options?: WatchOptions) => Promise<WatchReport>;
  readonly heard: (kind: WatchEvent["kind"], path?: string) => Promise<WatchEvent>;
  readonly end: () => Promise<WatchReport>;
};

/** Without what the server keeps for itself. */
async function shown(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith(".ferryman")).toSorted();
}

async function staged(client: Client, there: string, act: (stage: Stage) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-watched-"));
  const stop = new AbortController();
  const events: WatchEvent[] = [];
  const waiting = new Set<() => void>();
  let run: Promise<WatchReport> | undefined;
  const find = (kind: string, path: string | undefined): WatchEvent | undefined =>
    events.find((event) => event.kind === kind && (path === undefined || ("path" in event && event.path === path)));
  const onEvent = (event: WatchEvent): void => {
    events.push(event);
    for (const wake of waiting) wake();
  };
  try {
    await act({
      client,
      there,
      folder,
      events,
      begin: async (options = {}) => {
        run = watchAndUpload(client, folder, "/", { ...QUICK, signal: stop.signal, onEvent, ...options });
        return await run;
      },
      async heard(kind, path) {
        const limit = AbortSignal.timeout(PATIENCE_MS);
        for (;;) {
          const event = find(kind, path);
          if (event !== undefined) return event;
          if (limit.aborted) throw new Error(`no ${kind} ${path ?? ""}: ${JSON.stringify(events)}`);
          const { promise, resolve } = Promise.withResolvers<void>();
          waiting.add(resolve);
          limit.addEventListener("abort", () => resolve(), { once: true });
          await promise;
          waiting.delete(resolve);
        }
      },
      async end() {
        stop.abort();
        if (run === undefined) throw new Error("nothing was begun");
        return await run;
      },
    });
  } finally {
    stop.abort();
    await run?.catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

async function onServer(act: (stage: Stage) => Promise<void>): Promise<void> {
  await using served = await startServer();
  await using client = await clearClient(served);
  await staged(client, served.root, act);
}

test("what is there, what comes, and what changes is sent", async () => {
  await onServer(async ({ there, folder, begin, heard, end, events }) => {
    await mkdir(join(folder, "sub/deep"), { recursive: true });
    await writeFile(join(folder, "sub/deep/one.txt"), "one");
    await writeFile(join(folder, ".hidden"), "no");
    await writeFile(join(folder, "half.part"), "no");
    await symlink("/etc/passwd", join(folder, "link"));
    const run = begin();
    await heard("sent", "sub/deep/one.txt");
    await writeFile(join(folder, "two.txt"), "two");
    await heard("sent", "two.txt");
    events.length = 0;
    await appendFile(join(folder, "two.txt"), " more");
    await heard("sent", "two.txt");
    await mkdir(join(folder, "late"));
    await writeFile(join(folder, "late/three.txt"), "three");
    await heard("sent", "late/three.txt");
    const report = await end();
    assert.deepEqual(report, { sent: 4, octets: 3 + 3 + 8 + 5, failures: 0 });
    assert.deepEqual(await run, report);
    assert.deepEqual(await shown(there), ["late", "sub", "two.txt"]);
    assert.equal(await readFile(join(there, "two.txt"), "utf8"), "two more");
  });
});

test("a file that grows is sent once it has settled, and whole", async () => {
  await onServer(async ({ there, folder, begin, heard, events }) => {
    void begin({ settleMs: 500 });
    await heard("ready");
    const path = join(folder, "grows");
    for (let count = 0; count < 8; count += 1) {
      await appendFile(path, "0123456789");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await heard("sent", "grows");
    assert.equal(events.filter(({ kind }) => kind === "start").length, 1);
    assert.equal((await readFile(join(there, "grows"), "utf8")).length, 80);
  });
});

test("what the server has is not sent again by the next run", async () => {
  await onServer(async ({ folder, begin, events }) => {
    await writeFile(join(folder, "a"), "a");
    await utimes(join(folder, "a"), LONG_AGO, LONG_AGO);
    assert.equal((await begin({ once: true })).sent, 1);
    assert.equal((await begin({ once: true })).sent, 0);
    assert.ok(events.some(({ kind }) => kind === "same"));
    await writeFile(join(folder, "a"), "b");
    assert.equal((await begin({ once: true })).sent, 1);
  });
});

test("files that were sent go, or are moved, and nothing that lies there is replaced", async () => {
  await onServer(async ({ there, folder, begin }) => {
    await mkdir(join(folder, "sub"));
    await writeFile(join(folder, "sub/a.txt"), "a");
    await begin({ once: true, afterwards: "remove" });
    assert.deepEqual(await readdir(join(folder, "sub")), []);
    const moveTo = join(folder, "done");
    for (const content of ["one", "two"]) {
      await writeFile(join(folder, "sub/a.txt"), content);
      await begin({ once: true, afterwards: { moveTo } });
    }
    assert.deepEqual((await readdir(join(moveTo, "sub"))).toSorted(), ["a (2).txt", "a.txt"]);
    assert.equal(await readFile(join(moveTo, "sub/a.txt"), "utf8"), "one");
    assert.equal(await readFile(join(there, "sub/a.txt"), "utf8"), "two");
    assert.deepEqual(await shown(there), ["sub"]);
  });
});

test("a hidden name at the server until a file is whole", async () => {
  await onServer(async ({ client, there, folder, begin }) => {
    await writeFile(join(folder, "a.txt"), "a");
    const lines: string[] = [];
    client.on("command", ({ line }) => lines.push(line));
    await begin({ once: true, atomic: true });
    assert.ok(lines.includes("STOR /.a.txt.part"), lines.join("\n"));
    assert.deepEqual(await shown(there), ["a.txt"]);
  });
});

test("a folder on the way that became a link is not followed", async () => {
  await onServer(async ({ there, folder, begin, heard }) => {
    await using ownOutside = await scratch();
    const outside = ownOutside.path;
    await writeFile(join(outside, "a.txt"), "secret");
    await mkdir(join(folder, "sub"));
    await writeFile(join(folder, "sub/a.txt"), "mine");
    void begin({ settleMs: 300 });
    await heard("ready");
    await rename(join(folder, "sub"), join(folder, ".sub"));
    await symlink(outside, join(folder, "sub"));
    await utimes(join(outside, "a.txt"), new Date(), new Date());
    const event = await heard("failed", "sub/a.txt");
    assert.ok(event.kind === "failed" && event.error.code === "UNSAFE_NAME");
    assert.deepEqual(await shown(there), []);
  });
});

test("while the server is away or full it is tried again and again", async () => {
  await using liar = await Liar.start({
    lies: {
      replies: { STOR: [{ end: "reset" }, { say: "452 full\r\n" }, { say: "421 going down\r\n" }] },
    },
  });
  const options = { store: false, retry: { attempts: 1 }, replyMs: 2_000 } as const;
  await using client = await connect(liar.url(), options);
  await staged(client, "", async ({ folder, begin, events }) => {
    await writeFile(join(folder, "a.txt"), "content");
    const report = await begin({ once: true });
    assert.equal(report.sent, 1);
    assert.equal(liar.tree.get("/a.txt")?.toString(), "content");
    assert.ok(events.filter(({ kind }) => kind === "waiting").length >= 3, JSON.stringify(events));
  });
});

test("a refused file waits for its change, and the others go on", async () => {
  await using liar = await Liar.start({
    lies: {
      replies: {
        STOR: ({ argument }, reply) => ({ say: argument.endsWith("bad") ? "553 no\r\n" : reply }),
      },
      steps: {},
    },
  });
  await using client = await connect(liar.url(), { store: false, retry: { attempts: 1 }, replyMs: 2_000 });
  await staged(client, "", async ({ folder, begin }) => {
    for (const name of ["bad", "good"]) await writeFile(join(folder, name), name);
    const report = await begin({ once: true, parallel: 1 });
    assert.deepEqual([report.sent, report.failures], [1, 1]);
  });
});

test("a folder that is not there is an error", async () => {
  await onServer(async ({ client, folder }) => {
    const run = watchAndUpload(client, join(folder, "none"), "/", QUICK);
    await assert.rejects(run, (error) => error instanceof FtpError && error.code === "LOCAL_IO");
  });
});
