/** Random histories against a plain model: counts are never off by one, and nothing that is not there is counted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Guard } from "./guard.ts";

const ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"];
const LIMITS = {
  sessions: 6,
  sessionsPerAddress: 2,
  sessionsPerAccount: 2,
  transfersPerAccount: 2,
  connectionRate: 1_000_000,
};

type ModelSession = { readonly link: string; account: string | undefined; transfers: number };
type World = { readonly guard: Guard; readonly model: Map<string, ModelSession> };

function linkOf(address: string): string {
  return address.replace(/^(2001:db8:)(0:1)?.*/, "$1$2");
}

function count(model: World["model"], holds: (session: ModelSession) => boolean): number {
  return [...model.values()].filter(holds).length;
}

function transfersOf(model: World["model"], account: string | undefined): number {
  return [...model.values()].reduce((sum, each) => sum + (each.account === account ? each.transfers : 0), 0);
}

const id = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
const account = fc.constantFrom("ann", "bob");

const step = fc.oneof(
  fc.record({ id, address: fc.constantFrom(...ADDRESSES) }).map((given) => ({
    name: `admit ${given.id} ${given.address}`,
    run({ guard, model }: World): void {
      const link = linkOf(given.address);
      const may = !model.has(given.id) && model.size < 6 && count(model, (each) => each.link === link) < 2;
      assert.equal(guard.admit(given.id, given.address).ok, may);
      if (may) model.set(given.id, { link, account: undefined, transfers: 0 });
    },
  })),
  id.map((who) => ({
    name: `release ${who}`,
    run({ guard, model }: World): void {
      guard.release(who);
      model.delete(who);
    },
  })),
  fc.record({ id, account }).map((given) => ({
    name: `sign in ${given.id} ${given.account}`,
    run({ guard, model }: World): void {
      const session = model.get(given.id);
      const others = count(model, (each) => each !== session && each.account === given.account);
      const may = session !== undefined && others < 2;
      assert.equal(guard.signedIn(given.id, given.account).ok, may);
      if (session !== undefined && may) session.account = given.account;
    },
  })),
  id.map((who) => ({
    name: `sign out ${who}`,
    run({ guard, model }: World): void {
      guard.signedOut(who);
      const session = model.get(who);
      if (session !== undefined) session.account = undefined;
    },
  })),
  id.map((who) => ({
    name: `begin ${who}`,
    run({ guard, model }: World): void {
      const session = model.get(who);
      const isFull = session?.account !== undefined && transfersOf(model, session.account) >= 2;
      assert.equal(guard.transferBegins(who).ok, session !== undefined && !isFull);
      if (session !== undefined && !isFull) session.transfers += 1;
    },
  })),
  id.map((who) => ({
    name: `end ${who}`,
    run({ guard, model }: World): void {
      guard.transferEnds(who);
      const session = model.get(who);
      if (session !== undefined) session.transfers = Math.max(0, session.transfers - 1);
    },
  })),
);

test("property: any history leaves the counts as a plain model has them", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const guard = new Guard({ limits: LIMITS, now: () => 0 });
      const model: World["model"] = new Map();
      for (const each of steps) {
        each.run({ guard, model });
        assert.equal(guard.sessions, model.size, each.name);
      }
      for (const who of model.keys()) guard.release(who);
      assert.equal(guard.sessions, 0);
    }),
  );
});

test("property: whatever is done to it, the guard answers; delays and bans stay within their bounds", () => {
  const text = fc.oneof(id, fc.constantFrom(...ADDRESSES), fc.string());
  const kind = fc.constantFrom("login-failed", "not-ftp", "http-verb");
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text, kind, fc.nat(100_000_000)), { maxLength: 50 }), (history) => {
      let now = 1_800_000_000_000;
      const guard = new Guard({ now: () => now });
      for (const [one, other, offence, passed] of history) {
        guard.admit(one, other);
        guard.mayTryLogin(one, other);
        const { delayMs } = guard.loginFailed(one, other);
        assert.ok(delayMs >= 0 && delayMs <= 8_000);
        guard.offence(other, offence);
        guard.ban(other, { seconds: passed });
        // A clock may be set back, too.
        now += passed - 30_000_000;
        guard.lift(one);
        for (const ban of guard.bans()) assert.ok(ban.until === undefined || ban.until > now);
      }
    }),
  );
});
