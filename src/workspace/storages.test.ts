/** A home stays open for a moment after its last session, and never longer than it is the account's home. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Account, RIGHTS } from "../account/account.ts";
import { createMemoryStorage } from "../storage/memory.ts";
import { type StorageLease, Storages } from "./storages.ts";

type Desk = {
  readonly storages: Storages;
  readonly home: string;
  /** What was done, in order. */
  readonly done: string[];
  readonly enter: (home?: string) => Promise<StorageLease>;
  /** One login after the other. */
  readonly visit: (home?: string) => Promise<void>;
};

async function desk(context: TestContext, open: (home: string) => void = () => {}): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-storages-"));
  context.after(async () => rm(folder, { recursive: true, force: true }));
  const standard = join(folder, "home");
  await mkdir(standard);
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const done: string[] = [];
  const storages = new Storages(async ({ home }) => {
    open(home);
    done.push("open");
    return Object.assign(createMemoryStorage(), {
      sweep: async () => done.push("sweep"),
      [Symbol.asyncDispose]: async () => void done.push("close"),
    });
  });
  const enter = async (home = standard): Promise<StorageLease> => storages.open(accountAt(home));
  const visit = async (home?: string): Promise<void> => {
    await using lease = await enter(home);
    assert.ok(lease.storage);
  };
  return { storages, home: standard, done, enter, visit };
}

function accountAt(home: string): Account {
  return { name: "ann", anonymous: false, home, rights: new Set(RIGHTS), folders: [], limits: {} };
}

test("one login after the other opens and sweeps the home once, and some seconds after the last it is closed", async (context) => {
  const { done, visit } = await desk(context);
  for (let count = 0; count < 5; count++) {
    await visit();
    context.mock.timers.tick(1_900);
  }
  assert.deepEqual(done, ["open", "sweep"]);
  // A timer that is set anew while the clock is put on counts from its new time.
  for (let count = 0; count < 2; count++) context.mock.timers.tick(2_000);
  await new Promise(setImmediate);
  assert.deepEqual(done, ["open", "sweep", "close"]);
  await visit();
  assert.deepEqual(done, ["open", "sweep", "close", "open", "sweep"]);
});

test("a home with a session stays open however long that lasts", async (context) => {
  const { done, enter, visit } = await desk(context);
  const lease = await enter();
  await visit();
  context.mock.timers.tick(60_000);
  await visit();
  context.mock.timers.tick(60_000);
  assert.deepEqual(done, ["open", "sweep"]);
  await lease[Symbol.asyncDispose]();
  for (let count = 0; count < 2; count++) context.mock.timers.tick(2_000);
  await new Promise(setImmediate);
  assert.deepEqual(done, ["open", "sweep", "close"]);
});

test("attack 30: a home that is gone lets nobody in though it is open still, and one made anew is another", async (context) => {
  const isHere = { now: true };
  const { done, home, visit } = await desk(context, () => {
    if (!isHere.now) throw new Error("there is no home");
  });
  await visit();
  await rename(home, `${home}-away`);
  isHere.now = false;
  await assert.rejects(visit(), /no home/);
  isHere.now = true;
  await mkdir(home);
  await visit();
  assert.deepEqual(done, ["open", "sweep", "open", "sweep"]);
});

test("what cannot be told from another home is closed with its last session, and what did not open is tried again", async (context) => {
  const fails = { next: true };
  const { done, home, visit } = await desk(context, () => {
    if (fails.next) throw new Error("not now");
  });
  await assert.rejects(visit(), /not now/);
  fails.next = false;
  await rmdir(home);
  await visit();
  await visit();
  assert.deepEqual(done, ["open", "sweep", "close", "open", "sweep", "close"]);
});

test("of homes without a session the oldest is closed for the thirty-third, and all when the server ends", async (context) => {
  const { storages, home, done, enter, visit } = await desk(context);
  for (let count = 0; count < 33; count++) {
    const each = join(home, String(count));
    await mkdir(each);
    await visit(each);
  }
  assert.equal(done.filter((what) => what === "close").length, 1);
  await visit(join(home, "0"));
  assert.equal(done.filter((what) => what === "open").length, 34);
  const lease = await enter(join(home, "1"));
  await storages[Symbol.asyncDispose]();
  assert.equal(done.filter((what) => what === "close").length, done.filter((what) => what === "open").length - 1);
  await lease[Symbol.asyncDispose]();
  assert.equal(done.at(-1), "close");
});
