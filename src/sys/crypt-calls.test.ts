/** crypt(3) on other threads: many at once without mixing them up, refusals, and a loop that does not wait. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadCryptCalls, whyNoCrypt } from "./crypt-calls.ts";

const calls = loadCryptCalls();
const skip = calls === undefined && whyNoCrypt();

async function hash(at: number): Promise<string | undefined> {
  return await calls?.crypt(Buffer.from(`phrase ${at}`), `$1$salt${at}`);
}

/** bcrypt reads the setting to the end. */
async function slow(): Promise<string | undefined> {
  return await calls?.crypt(Buffer.from("x"), `$2b$06$${"C".repeat(21)}.`);
}

test("many at once, each with its own phrase and salt", { skip }, async () => {
  const together = await Promise.all(Array.from({ length: 16 }, async (_, at) => await hash(at)));
  for (const [at, found] of together.entries()) {
    assert.ok(found?.startsWith(`$1$salt${at}$`));
    assert.equal(await hash(at), found);
  }
  assert.equal(new Set(together).size, together.length);
});

test("the phrase stays as it was; what the library refuses is undefined; NUL is an error", { skip }, async () => {
  const phrase = Buffer.from("secret");
  assert.ok(await calls?.crypt(phrase, "$1$salt"));
  assert.equal(phrase.toString(), "secret");
  for (const setting of ["*0", "*1", "$nonsense$", "", "!x"]) {
    assert.equal(await calls?.crypt(phrase, setting), undefined, setting);
  }
  assert.equal(await calls?.crypt(Buffer.alloc(100_000, "x"), "$6$salt"), undefined);
  await assert.rejects(async () => await calls?.crypt(Buffer.from("a\0b"), "$1$salt"), RangeError);
  await assert.rejects(async () => await calls?.crypt(phrase, "$1$salt\0"), RangeError);
});

test("what a thread reads is not freed under it", { skip }, async () => {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  assert.ok(typeof collect === "function");
  const expected = await slow();
  for (let round = 0; round < 20; round += 1) {
    const running = slow();
    collect();
    // Takes the place of what was freed.
    const churn = Array.from({ length: 256 }, () => Buffer.alloc(expected?.length ?? 0, 0xff).subarray(0, 1)).concat(
      Array.from({ length: 256 }, () => Buffer.alloc(30, 0xff)),
    );
    assert.equal(await running, expected);
    assert.equal(churn.length, 512);
  }
});

test("the event loop turns meanwhile", { skip }, async () => {
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 1);
  await calls?.crypt(Buffer.from("x"), "$6$rounds=200000$salt");
  clearInterval(ticking);
  assert.ok(turns > 3, `${turns} turns`);
});
