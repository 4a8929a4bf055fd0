/** A caller who gives up, or closes the client, at any command of a call: his own reason, in time, and nothing left open. */
import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { FtpError } from "../../src/client/errors.ts";
import type { CallOptions, Client } from "../../src/client/types.ts";
import { until } from "../support/attack.ts";
import { Liar, type LiarWishes } from "./liar.ts";
import type { Lies } from "./lies.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { CAREFUL, CONTENT, LARGE, inTime, socketsNow } from "./unharmed.ts";

const REASON = new Error("the caller has no more time");
/** Milliseconds: an aborted transfer is answered within three seconds or its connection given up. */
const LATE_MS = 6_000;

type Call = (client: Client, folder: string, options: CallOptions) => Promise<unknown>;

const CALLS: Readonly<Record<string, Call>> = {
  get: async (client, folder, options) => client.download("/hello.txt", join(folder, "out"), options),
  read: async (client, _folder, options) => client.read("/hello.txt", options),
  put: async (client, folder, options) => client.upload(join(folder, "in"), "/incoming/up", options),
  write: async (client, _folder, options) => client.write("/incoming/up", LARGE, options),
  list: async (client, _folder, options) => client.list("/", options).toArray(),
  stat: async (client, _folder, options) => client.stat("/hello.txt", options),
};

/** After each of these a command waits for its answer: there the caller gives up. */
const VERBS = ["TYPE", "EPSV", "RETR", "STOR", "MLSD", "MLST", "SIZE"] as const;
const NEVER = { waitMs: 60_000 } as const;

async function stage(work: (folder: string) => Promise<void>): Promise<void> {
  await using folder = await scratch();
  await writeFile(folder.at("in"), "what goes up");
  await work(folder.path);
  assert.deepEqual(await readdir(folder.path), ["in"], "something was left");
}

/** Gives up when the liar has heard a verb. @returns false when the call never says it. */
async function giveUpAt(verb: string, { call, lies, tls }: { call: Call; lies: Lies; tls: boolean }): Promise<boolean> {
  const wishes: LiarWishes = tls ? { tls: {}, lies } : { lies };
  await using liar = await Liar.start(wishes);
  const before = socketsNow();
  let said = true;
  await stage(async (folder) => {
    const client = await connect(liar.url(), tls ? { ...CAREFUL, tls: { mode: "explicit", trust: "any" } } : CAREFUL);
    const stop = new AbortController();
    const outcome = call(client, folder, { signal: stop.signal }).then(
      () => "done" as const,
      (error: unknown) => error,
    );
    const first = await Promise.race([liar.hears(verb), outcome]);
    said = first !== "done";
    stop.abort(REASON);
    const end = await inTime(outcome, LATE_MS);
    if (said) assert.equal(end, REASON);
    // The client is in order, whatever became of that connection.
    liar.behave({});
    assert.equal((await inTime(client.read("/hello.txt"), LATE_MS)).toString(), CONTENT);
    await client.close();
    await rm(join(folder, "out"), { force: true });
  });
  await liar.quiet();
  await until("sockets are closed", () => socketsNow() <= before);
  return said;
}

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name}: given up at each command that it says`, async () => {
    let places = 0;
    for (const verb of VERBS) {
      // Not for the lines of the login, and the next call's connection gets the truth.
      const lies: Lies = { replies: { [verb]: [NEVER] } };
      for (const tls of [false, true]) if (await giveUpAt(verb, { call, lies, tls })) places += 1;
    }
    assert.ok(places >= 2, `${places}`);
  });
}

suite("in the midst of the data", () => {
  const half: Lies = {
    steps: { RETR: ["opening", "connect", "half", "hang"], MLSD: ["opening", "connect", "half", "hang"] },
  };
  const deaf: Lies = { steps: { STOR: ["opening", "connect", "deaf"], RETR: ["opening", "connect", "half", "deaf"] } };

  for (const [what, lies, verb, name] of [
    ["of a download", half, "RETR", "get"],
    ["of a listing", half, "MLSD", "list"],
    ["of an upload that nobody reads", deaf, "STOR", "write"],
    ["of a download whose server hears nothing", deaf, "RETR", "read"],
  ] as const) {
    test(what, async () => {
      const call = CALLS[name];
      assert.ok(call !== undefined);
      for (const tls of [false, true]) {
        const late: Call = async (client, folder, { signal }) => {
          const soon = new AbortController();
          signal?.addEventListener("abort", () => setTimeout(() => soon.abort(signal.reason), 50));
          await call(client, folder, { signal: soon.signal });
        };
        assert.ok(await giveUpAt(verb, { call: late, lies, tls }));
      }
    });
  }
});

test("a client that is closed ends the calls that run on it, with an error of the library", async () => {
  for (const name of ["get", "write", "list"]) {
    const call = CALLS[name];
    assert.ok(call !== undefined);
    const steps = ["opening", "connect", "deaf"] as const;
    await using liar = await Liar.start({ lies: { steps: { RETR: steps, STOR: steps, MLSD: steps } } });
    const before = socketsNow();
    await stage(async (folder) => {
      const client = await connect(liar.url(), CAREFUL);
      const outcome = call(client, folder, {}).then(
        () => undefined,
        (error: unknown) => error,
      );
      await Promise.race(["RETR", "STOR", "MLSD"].map(async (verb) => liar.hears(verb)));
      await inTime(client.close(), LATE_MS);
      const error = await inTime(outcome, LATE_MS);
      assert.ok(error instanceof FtpError, String(error));
    });
    await liar.quiet();
    await until("sockets are closed", () => socketsNow() <= before);
  }
});

test("a signal that is aborted already starts nothing", async () => {
  await using liar = await Liar.start();
  const signal = AbortSignal.abort(REASON);
  await assert.rejects(connect(liar.url(), { ...CAREFUL, signal }), REASON);
  await using client = await connect(liar.url(), CAREFUL);
  const heard = liar.heard.length;
  await stage(async (folder) => {
    for (const call of Object.values(CALLS)) await assert.rejects(call(client, folder, { signal }), REASON);
  });
  assert.equal(liar.heard.length, heard);
});
