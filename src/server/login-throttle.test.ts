import assert from "node:assert/strict";
import { test } from "node:test";
import { LoginThrottle } from "./login-throttle.ts";

/** Aborted: each delay ends at once. That it grows is tried at the wire, in test/session.test.ts. */
const AT_ONCE = AbortSignal.abort();
const START = 1_000_000;

test("attack 37: after ten failed logins an address is refused; others are unharmed, and time forgives", async () => {
  const throttle = new LoginThrottle();
  for (let tries = 0; tries < 10; tries++) {
    assert.ok(!throttle.isRefused("192.0.2.1", START), `${tries}`);
    await throttle.failed("192.0.2.1", { now: START, signal: AT_ONCE });
  }
  assert.ok(throttle.isRefused("192.0.2.1", START));
  assert.ok(!throttle.isRefused("192.0.2.2", START));
  assert.ok(!throttle.isRefused("192.0.2.1", START + 600_001));
});

test("attack 37: a good login forgets the failures before it", async () => {
  const throttle = new LoginThrottle();
  for (let tries = 0; tries < 9; tries++) await throttle.failed("192.0.2.1", { now: START, signal: AT_ONCE });
  throttle.succeeded("192.0.2.1");
  await throttle.failed("192.0.2.1", { now: START, signal: AT_ONCE });
  assert.ok(!throttle.isRefused("192.0.2.1", START));
});

test("attack 37: what is remembered is bounded, the oldest goes first", async () => {
  const throttle = new LoginThrottle();
  for (let tries = 0; tries < 10; tries++) await throttle.failed("old", { now: START, signal: AT_ONCE });
  for (let at = 0; at < 10_000; at++) await throttle.failed(`${at}`, { now: START, signal: AT_ONCE });
  assert.ok(!throttle.isRefused("old", START));
});
