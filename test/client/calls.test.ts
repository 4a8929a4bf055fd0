/** What the library's calls take and refuse, and that their limits in time hold whatever the work does. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock, test } from "node:test";
import { pathToFileURL } from "node:url";
import { connect } from "../../src/client/client.ts";
import { FtpError } from "../../src/client/errors.ts";
import { FINISH_WHOLE_MS, POOL_REGROW_MS } from "../../src/client/limits.ts";
import { scratch } from "../../src/client/test-folder.ts";
import type { Client, ConnectOptions } from "../../src/client/types.ts";
import { Guard } from "../../src/guard/guard.ts";
import { clearClient } from "./clear-client.ts";
import { inPlaceServer } from "./in-place-server.ts";
import { Liar } from "./liar.ts";
import { CONTENT } from "./unharmed.ts";
import { type TestServer, startServer } from "../support/server.ts";

const OPTIONS: ConnectOptions = { store: false, retry: { attempts: 1 } };

async function clientOf(server: TestServer, options: ConnectOptions = {}): Promise<Client> {
  return await connect(`ftp://ann:secret@127.0.0.1:${server.port}`, { ...OPTIONS, ...options });
}

/** A value that types do not know of, as programs in JavaScript may give it. */
function wrong<T>(value: unknown, isIt: (given: unknown) => given is T): T {
  assert.ok(isIt(value));
  return value;
}
const anything = (_given: unknown): _given is never => true;

async function usage(work: () => Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(
    work,
    (error) => error instanceof FtpError && error.code === "USAGE" && message.test(error.message),
  );
}

async function forEver(): Promise<never> {
  return await new Promise<never>(() => {});
}

test("a Blob and a file: URL are sent, and a file: URL is written to", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const folder = await mkdtemp(join(tmpdir(), "ferryman-calls-"));
  try {
    const here = join(folder, "a b.txt");
    await writeFile(here, "from a file");
    assert.equal((await client.write("blob", new Blob(["abc", "def"]))).verified, "size");
    await client.upload(pathToFileURL(here), "file");
    assert.equal(String(await client.read("blob")), "abcdef");
    assert.equal(String(await client.read("file")), "from a file");
    await client.download("blob", pathToFileURL(join(folder, "back")));
    assert.equal(await readFile(join(folder, "back"), "utf8"), "abcdef");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("what is no source, no place and no time is a USAGE error that says what is wanted", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  await usage(async () => await client.write("x", wrong(7, anything)), /a value of type number is nothing to send/);
  await usage(async () => await client.write("x", wrong(undefined, anything)), /undefined is nothing to send/);
  await usage(async () => await client.upload(new URL("http://example.org/x"), "x"), /no file of this machine/);
  await usage(async () => await client.download("x", wrong({}, anything)), /no place to write to/);
  await usage(async () => await client.download("x", new URL("ftp://example.org/x")), /no file of this machine/);
  await client.write("x", Buffer.from("x"));
  const before = await client.stat("x");
  await usage(async () => await client.utime("x", new Date(Number.NaN)), /Invalid Date is no time/);
  await usage(async () => await client.utime("x", new Date(8e15)), /is no time that a file can have/);
  assert.deepEqual((await client.stat("x")).modified, before.modified);
});

test("an upload that is to go on behind another file changes nothing there; without digests that is told", async () => {
  await using folder = await scratch();
  const here = folder.at("here");
  await writeFile(here, Buffer.alloc(5_000, "new"));
  const other = Buffer.alloc(1_000, "old");
  await using server = await startServer();
  await using client = await clientOf(server);
  await client.write("there", other);
  await assert.rejects(client.upload(here, "there", { mode: "resume" }), (error) => {
    return (
      error instanceof FtpError && error.code === "MISMATCH" && /not the beginning of this file/.test(error.message)
    );
  });
  assert.ok((await client.read("there")).equals(other));
  await client.write("there", Buffer.alloc(1_000, "new"));
  assert.equal((await client.upload(here, "there", { mode: "resume" })).resumedAt, 1_000);
  await using bare = await inPlaceServer({});
  const notes: string[] = [];
  await using poor = await clearClient(bare, { on: { fallback: ({ what }) => notes.push(what) } });
  await poor.write("/there", Buffer.alloc(1_000, "new"));
  await poor.upload(here, "/there", { mode: "resume" });
  assert.match(notes.join(), /does not tell whether the 1000 octets of \/there/);
});

test("session() ends by its limit and by its signal, also where the work waits for something else", async () => {
  await using server = await startServer();
  await using client = await clientOf(server, { connections: 1 });
  await assert.rejects(
    client.session(forEver, { timeoutMs: 50 }),
    (error) => error instanceof FtpError && error.code === "TIMEOUT",
  );
  const stop = new AbortController();
  const running = client.session(
    async (session) => {
      await session.send("NOOP");
      stop.abort(new Error("enough"));
      await forEver();
    },
    { signal: stop.signal },
  );
  await assert.rejects(running, /enough/);
  // The one connection is not lost to those who come later.
  assert.equal(await client.exists("nothing"), false);
});

test("a pool that was too large for the server tries one connection more after a while", async () => {
  const guard = new Guard({
    limits: { sessionsPerAddress: 2, connectionRate: 1_000_000, loginDelay: 1 },
    bans: { automaticBans: false },
  });
  await using server = await startServer({ guard });
  const other = await clientOf(server);
  const used = new Set<number>();
  await using client = await clientOf(server, { on: { command: ({ id, line }) => line === "NOOP" && used.add(id) } });
  const both = async (): Promise<number> => {
    used.clear();
    const met = Promise.withResolvers<void>();
    let count = 0;
    const work = async (): Promise<void> => {
      await client.session(async (session) => {
        await session.send("NOOP");
        count += 1;
        // The second comes while the first one holds its session, if there is a second.
        if (count === 2) met.resolve();
        await Promise.race([met.promise, new Promise((resolve) => setTimeout(resolve, 200))]);
      });
    };
    await Promise.all([work(), work()]);
    return used.size;
  };
  assert.equal(await both(), 1, "the other client has the second place");
  await other.close();
  assert.equal(await both(), 1, "nobody asks again at once");
  const now = performance.now.bind(performance);
  mock.method(performance, "now", () => now() + POOL_REGROW_MS);
  try {
    assert.equal(await both(), 2);
  } finally {
    mock.reset();
  }
});

test("a control connection that a firewall forgot costs seconds, where the size says that all is there", async () => {
  await using liar = await Liar.start({ lies: { replies: { "RETR end": { say: "" } } } });
  const folder = await mkdtemp(join(tmpdir(), "ferryman-calls-"));
  try {
    await using client = await connect(liar.url(), OPTIONS);
    const began = performance.now();
    const { verified, reply } = await client.download("/hello.txt", join(folder, "here"));
    assert.deepEqual([verified, reply], ["size", undefined]);
    const took = performance.now() - began;
    assert.ok(took >= FINISH_WHOLE_MS - 50 && took < 4 * FINISH_WHOLE_MS, `${took} ms`);
    assert.equal(await readFile(join(folder, "here"), "utf8"), CONTENT);
    // By a control connection of its own.
    assert.equal(await client.exists("/hello.txt"), "file");
  } finally {
    await rm(folder, { recursive: true });
  }
});
