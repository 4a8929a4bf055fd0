/** What has no end, and what comes after a failure. */
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { LISTING_MOST } from "../../src/client/limits.ts";
import { endlessListing } from "./liar-tree.ts";
import { Liar } from "./liar.ts";
import type { Lies } from "./lies.ts";
import { ACTS, CAREFUL, CONTENT, LARGE, endure, lying, tryOut } from "./unharmed.ts";

const { get, list, put, read } = ACTS;

suite("what has no end", () => {
  const endlessFile: Lies = { content: { RETR: () => endlessListing((index) => `line ${index}`) } };

  test("a file that is longer than it was said is left before the disk is full", async () => {
    await tryOut(
      lying(endlessFile, {
        act: get,
        options: CAREFUL,
        callMs: 3_000,
        ends: ["MISMATCH", "LIMIT", "PROTOCOL", "TIMEOUT"],
      }),
    );
  });

  test("a read into memory stops at its limit", async () => {
    await tryOut(
      // Whichever is noticed first: more than was named, or more than is wanted.
      lying(endlessFile, {
        act: async ({ client }) => client.read("/hello.txt", { most: 100_000 }),
        ends: ["LIMIT", "MISMATCH"],
      }),
    );
  });

  test("a listing of 10 GB is read as far as somebody wants it", async () => {
    const wanted = 5_000;
    const { content, made } = manyFiles();
    await tryOut({
      ...lying(
        { content },
        {
          async act({ client }) {
            let seen = 0;
            for await (const entry of client.list("/")) {
              assert.equal(entry.name, `file-${seen}`);
              seen += 1;
              if (seen === wanted) break;
            }
          },
          ends: "well",
        },
      ),
    });
    assert.ok(made() < MOST_AHEAD, `${made()} lines were taken for ${wanted}`);
  });

  test("a caller who takes his time over a listing of 10 GB has no more of it in memory than the limit", async () => {
    const { content, made } = manyFiles();
    await tryOut({
      ...lying(
        { content },
        {
          async act({ client }) {
            for await (const entry of client.list("/")) {
              assert.equal(entry.name, "file-0");
              // As long as it goes on, at most so long that it goes on without end.
              for (let before = -1; made() > before && made() < MOST_AHEAD; await delay(STILL_MS)) before = made();
              break;
            }
          },
          ends: "well",
        },
      ),
    });
    assert.ok(made() < MOST_AHEAD, `${made()} lines lie in memory`);
  });

  test("a line of a listing that does not end", async () => {
    const content = { MLSD: () => endless("type=file; x".repeat(100)) };
    await tryOut(lying({ content }, { act: list, options: CAREFUL, callMs: 1_000, ends: ["LIMIT", "TIMEOUT"] }));
  });

  test("lines of a listing that say nothing", async () => {
    const content = { MLSD: () => endless("nonsense\r\n".repeat(100)) };
    await tryOut(
      lying({ content }, { act: list, options: CAREFUL, callMs: 1_000, ends: ["TIMEOUT", "LIMIT", "PROTOCOL"] }),
    );
  });
});

/** Lines of a listing, some 60 octets each, that may have been sent when a caller has had few: the buffers of sockets come on top. */
const MOST_AHEAD = LISTING_MOST / 50 + 500_000;
/** Milliseconds in which a server that is not kept waiting sends something. */
const STILL_MS = 100;

function manyFiles(): { readonly content: NonNullable<Lies["content"]>; readonly made: () => number } {
  let made = 0;
  const lineOf = (index: number): string => {
    made = index;
    return `type=file;size=${index};modify=20240102030405; file-${index}`;
  };
  return { content: { MLSD: () => endlessListing(lineOf) }, made: () => made };
}

function* endless(text: string): Generator<Buffer> {
  const piece = Buffer.from(text, "latin1");
  for (;;) yield piece;
}

suite("after a failure", () => {
  test("the next call on the same client works", async () => {
    await using liar = await Liar.start({
      lies: { replies: { RETR: [{ say: "451 Not now.\r\n" }, "truth", { end: "reset" }] } },
    });
    await endure(liar, {
      async act(stage) {
        await assert.rejects(stage.client.read("/hello.txt"));
        await read(stage);
        await assert.rejects(stage.client.read("/hello.txt"));
        await read(stage);
        await put(stage);
      },
      ends: "well",
    });
  });

  test("a retry goes on where the data was cut", async () => {
    const steps = ["opening", "connect", "half", "reset", "closing"] as const;
    let times = 0;
    await using liar = await Liar.start({ files: { "/hello.txt": LARGE } });
    liar.behave({
      get steps() {
        times += 1;
        return times === 1 ? { RETR: steps } : {};
      },
    });
    await endure(liar, {
      options: { ...CAREFUL, retry: { attempts: 3, firstMs: 1 } },
      async act({ client, folder }) {
        await client.download("/hello.txt", join(folder, "whole"));
        assert.ok((await readFile(join(folder, "whole"))).equals(LARGE));
        assert.deepEqual(await readdir(folder), ["whole"]);
      },
      ends: "well",
    });
    assert.ok(Number(liar.heard.find(({ verb }) => verb === "REST")?.argument) > 0, liar.verbs.join(" "));
  });

  test("what was there before stays when a download fails", async () => {
    await tryOut(
      lying(
        { steps: { RETR: ["opening", "connect", "half", "reset", "closing"] } },
        {
          async act({ client, folder }) {
            const path = join(folder, "kept");
            await client.read("/sub/deep.txt").catch(() => {});
            await assert.rejects(client.download("/hello.txt", path));
            assert.ok(!(await readdir(folder)).includes("kept"));
            assert.equal(CONTENT.length, 23);
          },
          ends: "well",
        },
      ),
    );
  });
});
