/** Uploads that break off, at servers that write in place: what a later try goes on with, and what is left and told. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { FtpError } from "../../src/client/errors.ts";
import { GO_ON_LEAST } from "../../src/client/limits.ts";
import { scratch } from "../../src/client/test-folder.ts";
import type { Client, UploadOptions } from "../../src/client/types.ts";
import { clearClient } from "./clear-client.ts";
import { type InPlace, type InPlaceServer, inPlaceServer } from "./in-place-server.ts";

const LONG = randomBytes(4 * GO_ON_LEAST + 77);
const SHORT = randomBytes(300_000);
const OLD = Buffer.alloc(GO_ON_LEAST + 5, "old");
const CUT = GO_ON_LEAST + 1_000;
const TWICE = (upload: number): number | undefined => (upload < 3 ? CUT : undefined);

async function at(wishes: InPlace, work: (client: Client, server: InPlaceServer) => Promise<void>): Promise<void> {
  await using server = await inPlaceServer(wishes);
  await using client = await clearClient(server, { retry: { attempts: 4, firstMs: 1 } });
  await work(client, server);
}

const moving = ({ commands }: InPlaceServer): readonly string[] =>
  commands.filter((line) => /^(?:STOR|APPE|SIZE|RN|DELE)/.test(line));

function refusing(verb: string): (line: string) => string | undefined {
  return (line) => (line.startsWith(verb) ? "550 You may not." : undefined);
}

async function failed(call: Promise<unknown>): Promise<FtpError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof FtpError, String(error));
  return error;
}

test("a later try goes on where the earlier one ended, of octets and of a file", async () => {
  await using folder = await scratch();
  await writeFile(folder.at("up.bin"), LONG);
  for (const source of [LONG, folder.at("up.bin")]) {
    await at({ cutAfter: TWICE }, async (client, server) => {
      const heard: number[] = [];
      const done = await client.upload(source, "/x", { onProgress: ({ bytes }) => heard.push(bytes) });
      assert.ok(server.files.get("/x")?.equals(LONG));
      assert.deepEqual(
        moving(server).filter((line) => !line.startsWith("SIZE")),
        ["STOR /x", "APPE /x", "APPE /x"],
      );
      assert.deepEqual([done.bytes, done.resumedAt, heard.at(-1)], [LONG.length, 0, LONG.length]);
    });
  }
});

test("over an old file it goes on with its own part alone", async () => {
  await at({ cutAfter: TWICE, files: { "/x": OLD } }, async (client, server) => {
    await client.upload(LONG, "/x");
    assert.ok(server.files.get("/x")?.equals(LONG));
    assert.ok(moving(server).includes("APPE /x"));
  });
  // The old file has its name for as long as the new one is not whole.
  await at({ cutAfter: TWICE, files: { "/x": OLD }, isWhole: true }, async (client, server) => {
    await client.upload(LONG, "/x");
    assert.ok(server.files.get("/x")?.equals(LONG));
    assert.ok(!moving(server).includes("APPE /x"));
  });
  // Of a size that cannot be known before, nothing there is believed to be ours.
  let asked = 0;
  const refuse = (line: string): string | undefined =>
    line.startsWith("SIZE") && (asked += 1) === 1 ? "451 Not now." : undefined;
  await at({ cutAfter: TWICE, files: { "/x": OLD }, isWhole: true, refuse }, async (client, server) => {
    await client.upload(LONG, "/x");
    assert.ok(server.files.get("/x")?.equals(LONG));
  });
});

test("a server that lets nobody go on, a part that is not ours, and `resume: false` begin anew", async () => {
  await at({ cutAfter: TWICE, refuse: refusing("APPE") }, async (client, server) => {
    await client.upload(LONG, "/x");
    assert.ok(server.files.get("/x")?.equals(LONG));
  });
  // Too long afterwards: what was there was not what we had sent.
  let sizes = 0;
  const lying = (line: string): string | undefined =>
    line.startsWith("SIZE") && (sizes += 1) === 2 ? `213 ${CUT - 10}` : undefined;
  await at({ cutAfter: (upload) => (upload === 1 ? CUT : undefined), refuse: lying }, async (client, server) => {
    await client.upload(LONG, "/x");
    assert.ok(server.files.get("/x")?.equals(LONG));
    assert.deepEqual(
      moving(server).filter((line) => !line.startsWith("SIZE")),
      ["STOR /x", "APPE /x", "STOR /x"],
    );
  });
  await at({ cutAfter: TWICE }, async (client, server) => {
    await client.upload(LONG, "/x", { resume: false });
    assert.ok(!moving(server).includes("APPE /x"));
  });
});

test("a small file is asked for no size before it goes", async () => {
  await at({}, async (client, server) => {
    await client.upload(SHORT, "/x", { verify: false });
    assert.deepEqual(moving(server), ["STOR /x"]);
  });
});

test("what is left at the server is told with the error, and how to go on", async () => {
  const always = { cutAfter: () => CUT } as const;
  await at(always, async (client, server) => {
    const error = await failed(client.upload(LONG, "/x", { retry: { attempts: 1 } }));
    assert.match(error.message, new RegExp(`; ${CUT} of ${LONG.length} octets are at the server, as /x$`));
    assert.match(error.hint ?? "", /put -c/);
    assert.equal(server.files.get("/x")?.length, CUT);
  });
  await at({ ...always, isWhole: true }, async (client) => {
    const error = await failed(client.upload(LONG, "/x", { retry: { attempts: 1 } }));
    assert.doesNotMatch(error.message, /octets are at the server/);
  });
  await at({ ...always, isWhole: true, files: { "/x": OLD } }, async (client) => {
    const error = await failed(client.upload(LONG, "/x", { retry: { attempts: 1 } }));
    assert.doesNotMatch(error.message, /octets are at the server/);
  });
});

for (const keepsNames of [false, true]) {
  test(`atomic: the name is taken when all is there${keepsNames ? ", also where none is renamed over" : ""}`, async () => {
    await at({ cutAfter: TWICE, files: { "/in/x": OLD }, keepsNames }, async (client, server) => {
      const seen = new Set<number | undefined>();
      const onProgress = (): void => void seen.add(server.files.get("/in/x")?.length);
      await client.upload(LONG, "/in/x", { atomic: true, onProgress });
      assert.deepEqual([...seen], [OLD.length], "the old file is there until the new one is whole");
      assert.deepEqual([...server.files.keys()], ["/in/x"]);
      assert.ok(server.files.get("/in/x")?.equals(LONG));
      assert.equal(moving(server).includes("DELE /in/x"), keepsNames);
    });
  });
}

test("atomic: a call that failed leaves a hidden part alone, with which a later one goes on", async () => {
  await at({ cutAfter: (upload) => (upload === 1 ? CUT : undefined) }, async (client, server) => {
    const options: UploadOptions = { atomic: true, retry: { attempts: 1 } };
    const error = await failed(client.upload(LONG, "/x", options));
    assert.match(error.message, /octets are at the server, as \/\.x\.part$/);
    assert.deepEqual([...server.files.keys()], ["/.x.part"]);
    const done = await client.upload(LONG, "/x", { ...options, mode: "resume" });
    assert.equal(done.resumedAt, CUT);
    assert.deepEqual([...server.files.keys()], ["/x"]);
    assert.ok(server.files.get("/x")?.equals(LONG));
  });
});

test("atomic: where nobody may rename, the old file stays and the error says where the new one is", async () => {
  await at({ files: { "/x": OLD }, refuse: refusing("RNFR") }, async (client, server) => {
    const error = await failed(client.upload(SHORT, "/x", { atomic: true }));
    assert.match(error.message, /^\/x is whole at the server, but under the name \/\.x\.part: /);
    assert.ok(server.files.get("/x")?.equals(OLD));
    assert.ok(server.files.get("/.x.part")?.equals(SHORT));
  });
  await at({ files: { "/x": OLD } }, async (client, server) => {
    assert.equal((await failed(client.upload(SHORT, "/x", { atomic: true, mode: "exclusive" }))).code, "EXISTS");
    assert.equal((await failed(client.upload(SHORT, "/x", { atomic: true, mode: "append" }))).code, "USAGE");
    assert.deepEqual(
      moving(server).filter((line) => line.startsWith("STOR")),
      [],
    );
  });
});

test("who writes to a file that `create` has made hears at once of an abort and of a failure", async () => {
  await at({}, async (client) => {
    const stop = new AbortController();
    const into = client.create("/x", { signal: stop.signal });
    into.write("a beginning");
    const reason = new Error("no more");
    const heard = once(into, "error");
    const closed = new Promise<void>((resolve) => into.once("close", () => resolve()));
    setImmediate(() => stop.abort(reason));
    assert.deepEqual(await heard, [reason]);
    await closed;
    assert.equal(into.destroyed, true);
  });
  await at({ cutAfter: () => 5 }, async (client) => {
    const into = client.create("/x", { retry: { attempts: 1 } });
    const heard: Promise<unknown[]> = once(into, "error");
    into.write("more than five octets");
    const [error] = await heard;
    assert.ok(error instanceof FtpError);
    assert.equal(error.code, "RESET");
  });
});
