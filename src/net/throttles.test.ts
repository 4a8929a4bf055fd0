import assert from "node:assert/strict";
import { test } from "node:test";
import { Throttles, setRates } from "./throttles.ts";

const NONE = { sessionRates: {}, accountRates: {} };

test("an account's limiters live exactly as long as its sessions", () => {
  const throttles = new Throttles();
  const terms = { ...NONE, account: "ann", accountRates: { up: 1_000 } };
  const first = throttles.forSession(terms);
  const second = throttles.forSession(terms);
  const limiters = throttles.account("ann");
  assert.equal(limiters?.up.rate, 1_000);
  assert.equal(limiters?.down.rate, undefined);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assert.equal(throttles.account("ann"), limiters);
  second[Symbol.dispose]();
  assert.deepEqual([throttles.account("ann"), throttles.accounts], [undefined, 0]);
});

test("the latest login's rates of the account hold for all its sessions; 0 is no limit", () => {
  const throttles = new Throttles();
  using first = throttles.forSession({ ...NONE, account: "ann", accountRates: { up: 1_000, down: 0 } });
  assert.deepEqual([first.up.limited, first.down.limited], [true, false]);
  using second = throttles.forSession({ ...NONE, account: "ann", accountRates: { down: 2_000 } });
  assert.deepEqual([first.up.limited, first.down.limited, second.down.limited], [false, true, true]);
  assert.equal(throttles.accounts, 1);
});

test("a session's own rate, and the server's, limit each by itself; the narrowest says how large a turn is", () => {
  const throttles = new Throttles({ up: 1_000_000 });
  using ann = throttles.forSession({ ...NONE, account: "ann", sessionRates: { down: 50_000 } });
  using bob = throttles.forSession({ ...NONE, account: "bob" });
  assert.deepEqual([ann.up.limited, ann.down.limited, bob.up.limited, bob.down.limited], [true, true, true, false]);
  assert.deepEqual([ann.up.quantum, ann.down.quantum, bob.up.quantum], [20_000, 1_000, 20_000]);
  setRates(throttles.server, { down: 10_000 });
  assert.deepEqual([bob.up.limited, bob.down.limited, bob.down.quantum], [false, true, 200]);
});
