import assert from "node:assert/strict";
import { test } from "node:test";
import type { GuardEvent } from "./ban.ts";
import { HostsAccess } from "./hosts-access.ts";
import { Guard, type GuardTerms } from "./guard.ts";
import type { Verdict } from "./verdict.ts";

/** A guard with a clock that stands until it is moved. */
function at(terms: GuardTerms = {}): {
  readonly guard: Guard;
  readonly events: GuardEvent[];
  readonly pass: (ms: number) => void;
} {
  let now = 1_800_000_000_000;
  const guard = new Guard({ now: () => now, ...terms });
  const events: GuardEvent[] = [];
  guard.events.subscribe((event) => events.push(event));
  return {
    guard,
    events,
    pass(ms) {
      now += ms;
    },
  };
}

function rule(verdict: Verdict): string {
  return verdict.ok ? "ok" : verdict.rule;
}

test("attack 55: sessions of one address are counted before the login, IPv6 by /64, and others get in", () => {
  const { guard } = at();
  for (let count = 0; count < 32; count++) assert.ok(guard.admit(`a${count}`, "192.0.2.1").ok);
  const no = guard.admit("a32", "::ffff:192.0.2.1");
  assert.deepEqual(no, {
    ok: false,
    rule: "sessions-per-address",
    code: 421,
    text: "Too many connections from your address (limit 32); close one and try again.",
  });
  assert.ok(guard.admit("b", "192.0.2.2").ok);
  guard.release("a0");
  assert.ok(guard.admit("a32", "192.0.2.1").ok);
  for (let count = 0; count < 32; count++) assert.ok(guard.admit(`c${count}`, `2001:db8:0:1::${count}`).ok);
  assert.equal(rule(guard.admit("c32", "2001:db8:0:1:ffff::")), "sessions-per-address");
  assert.ok(guard.admit("d", "2001:db8:0:2::1").ok);
});

test("attack 55: a site with 65,536 links gets the share of 16", () => {
  const { guard } = at({ limits: { sessionsPerAddress: 2, connectionRate: 1_000 } });
  for (let link = 0; link < 32; link++) assert.ok(guard.admit(`${link}`, `2001:db8:1:${link.toString(16)}::1`).ok);
  assert.equal(rule(guard.admit("32", "2001:db8:1:ffff::1")), "sessions-per-site");
  assert.ok(guard.admit("33", "2001:db8:2::1").ok);
});

test("new connections: so many a minute, which may come at once; time gives them back", () => {
  const { guard, pass } = at({ limits: { connectionRate: 60 } });
  const come = (): string => {
    const verdict = guard.admit("x", "192.0.2.1");
    guard.release("x");
    return rule(verdict);
  };
  for (let count = 0; count < 60; count++) assert.equal(come(), "ok");
  assert.equal(come(), "connection-rate");
  pass(1_000);
  assert.equal(come(), "ok");
  assert.equal(come(), "connection-rate");
});

test("attack 55: a flood of connections is banned; too many sessions are refused and no more, the good ones stay", () => {
  const { guard, events } = at({ limits: { sessionsPerAddress: 1 } });
  guard.admit("good", "192.0.2.1");
  for (let count = 0; count < 599; count++) assert.equal(rule(guard.admit("x", "192.0.2.1")), "sessions-per-address");
  assert.equal(events.length, 0);
  for (let count = 0; count < 95; count++) assert.equal(rule(guard.admit("x", "192.0.2.1")), "connection-rate");
  assert.equal(rule(guard.admit("x", "192.0.2.1")), "banned");
  assert.deepEqual(events[0]?.type === "ban" && events[0].sessions, ["good"]);
});

test("other options from now on: who is in stays, and options that are wrong change nothing", () => {
  const { guard } = at();
  guard.admit("1", "192.0.2.1");
  guard.ban("192.0.2.9");
  guard.reconfigure({ limits: { sessionsPerAddress: 1 }, bans: { deny: ["192.0.2.2"] } });
  assert.equal(rule(guard.admit("2", "192.0.2.1")), "sessions-per-address");
  assert.equal(rule(guard.admit("2", "192.0.2.2")), "deny-list");
  assert.equal(rule(guard.admit("2", "192.0.2.9")), "banned");
  assert.throws(() => guard.reconfigure({ bans: { deny: ["192.0.2.2/8"] } }), /bits of a host/);
  assert.equal(rule(guard.admit("2", "192.0.2.2")), "deny-list");
  const hosts = new HostsAccess({ deny: { name: "hosts.deny", text: "ferryman: 192.0.2.3" } });
  guard.reconfigure({ hosts });
  assert.equal(rule(guard.admit("3", "192.0.2.3")), "hosts-access");
  guard.reconfigure({ hosts, bans: { allow: ["192.0.2.3"] } });
  assert.ok(guard.admit("3", "192.0.2.3").ok);
});

test("the whole server, its load, and addresses that nobody can read", () => {
  let load = 3;
  const { guard } = at({ limits: { sessions: 2, maximumLoad: 4 }, load: () => load });
  assert.ok(guard.admit("1", "192.0.2.1").ok && guard.admit("2", "192.0.2.2").ok);
  assert.equal(rule(guard.admit("2", "192.0.2.2")), "session-known");
  assert.equal(rule(guard.admit("3", "192.0.2.3")), "sessions");
  guard.release("1");
  load = 5;
  assert.equal(rule(guard.admit("3", "192.0.2.3")), "load");
  assert.equal(guard.sessions, 1);
  assert.equal(rule(guard.admit("3", "")), "address-unreadable");
  assert.ok(guard.signedIn("2", "ann").ok, "who is in already is unharmed");
});

test("sessions and transfers of one account; its own limit goes before the one for all", () => {
  const limits = { sessionsPerAccount: 2, transfersPerAccount: 1, transfersPerAddress: 2 };
  const { guard } = at({ limits });
  for (const id of ["1", "2", "3", "4"]) guard.admit(id, "192.0.2.1");
  assert.ok(guard.signedIn("1", "ann").ok && guard.signedIn("2", "ann").ok);
  assert.deepEqual(guard.signedIn("3", "ann"), {
    ok: false,
    rule: "sessions-per-account",
    code: 530,
    text: "Too many sessions of this account (limit 2); close one and sign in again.",
  });
  assert.ok(guard.signedIn("2", "ann").ok, "again in the same session");
  assert.ok(guard.signedIn("3", "ann", { sessions: 3 }).ok);
  guard.signedOut("1");
  guard.signedOut("3");
  assert.ok(guard.signedIn("3", "ann").ok);
  assert.ok(guard.transferBegins("2").ok);
  assert.equal(rule(guard.transferBegins("3")), "transfers-per-account");
  assert.ok(guard.transferBegins("3", { transfers: 2 }).ok);
  guard.signedIn("4", "bob");
  assert.equal(rule(guard.transferBegins("4")), "transfers-per-address");
  guard.transferEnds("2");
  guard.transferEnds("2");
  assert.ok(guard.transferBegins("4").ok);
  guard.release("4");
  assert.ok(guard.transferBegins("2", { transfers: 2 }).ok, "the end of a session ends its transfers");
});

test("attack 37: ten bad logins make the delay grow, then ban; other addresses are unharmed", () => {
  const { guard, events, pass } = at();
  const delays: number[] = [];
  let ended = 0;
  for (let tries = 0; tries < 10; tries++) {
    const id = `${Math.floor(tries / 5)}`;
    if (tries % 5 === 0) assert.ok(guard.admit(id, "192.0.2.1").ok);
    assert.ok(guard.mayTryLogin(id, `user${tries}`).ok);
    assert.equal(guard.isBanned("192.0.2.1"), undefined);
    const { delayMs, endSession } = guard.loginFailed(id, `user${tries}`);
    delays.push(delayMs);
    pass(delayMs);
    if (endSession) ended += 1;
    if (endSession && tries < 9) guard.release(id);
  }
  assert.deepEqual(delays, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000, 8_000]);
  assert.equal(ended, 2);
  assert.deepEqual(
    events.map((event) => event.type === "ban" && [event.ban.target, event.ban.reason, event.sessions]),
    [["192.0.2.1", "login-failed", ["1"]]],
  );
  const no = guard.admit("2", "192.0.2.1");
  assert.ok(!no.ok && no.rule === "banned" && no.text.startsWith("Your address is banned for 10 more minutes"));
  assert.ok(guard.admit("3", "192.0.2.2").ok);
  assert.equal(guard.admit("4", "192.0.2.2").ok && guard.loginFailed("4", "ann").delayMs, 250);
  pass(600_000);
  assert.ok(guard.admit("5", "192.0.2.1").ok);
});

test("attack 37: one account of his own gives nobody free guesses at those of others", () => {
  const { guard, events } = at({ limits: { connectionRate: 1_000 } });
  for (let turn = 0; events.length === 0; turn++) {
    assert.ok(turn < 10, "no ban");
    guard.admit(`${turn}`, "192.0.2.1");
    guard.loginFailed(`${turn}`, "victim");
    guard.loginSucceeded(`${turn}`, "mallory");
    guard.release(`${turn}`);
  }
  const other = at();
  for (let turn = 0; turn < 50; turn++) {
    const id = `${turn}`;
    other.guard.admit(id, "192.0.2.1");
    other.guard.loginFailed(id, "ann");
    assert.equal(other.guard.loginFailed(id, "ann").delayMs, 500);
    other.guard.loginSucceeded(id, "ann");
    other.guard.release(id);
  }
  assert.deepEqual(other.events, [], "who gets in after all is forgiven his own slips");
});

test("attack 37: an account guessed at from many addresses is closed to strangers, and open where it is known", () => {
  const { guard, events, pass } = at();
  guard.admit("home", "198.51.100.1");
  guard.loginSucceeded("home", "ann");
  guard.signedIn("home", "ann");
  for (let host = 0; host < 38; host++) {
    guard.admit(`${host}`, `192.0.2.${host}`);
    guard.loginFailed(`${host}`, "ann");
  }
  const [ban] = events;
  assert.ok(ban?.type === "ban" && ban.ban.target === "account:ann");
  assert.deepEqual(ban.sessions, []);
  const stranger = guard.mayTryLogin("0", "ann");
  assert.deepEqual(stranger, {
    ok: false,
    rule: "account-banned",
    code: 530,
    text: "Login incorrect.",
    delayMs: 500,
    endSession: false,
  });
  assert.ok(guard.mayTryLogin("0", "bob").ok);
  guard.admit("home2", "198.51.100.200");
  assert.ok(guard.mayTryLogin("home2", "ann").ok, "another address of the same provider");
  pass(600_001);
  assert.ok(guard.mayTryLogin("0", "ann").ok);
});

test("an account banned by hand is out everywhere, and its sessions with it", () => {
  const { guard, events } = at();
  guard.admit("1", "192.0.2.1");
  guard.loginSucceeded("1", "ann");
  guard.signedIn("1", "ann");
  assert.ok(guard.ban("account:ann", { reason: "left us" }).ok);
  assert.deepEqual(events[0]?.type === "ban" && events[0].sessions, ["1"]);
  assert.equal(rule(guard.mayTryLogin("1", "ann")), "account-banned");
  assert.ok(guard.lift("account:ann").ok && guard.mayTryLogin("1", "ann").ok);
});

test("lists: what is allowed is served and never banned; what is denied is refused", () => {
  const { guard, events } = at({
    bans: { allow: ["192.0.2.1", "10.0.0.0/8"], deny: ["192.0.2.0/24", "2001:db8::/32"] },
  });
  assert.ok(guard.admit("1", "192.0.2.1").ok);
  assert.equal(rule(guard.admit("2", "192.0.2.2")), "deny-list");
  assert.equal(rule(guard.admit("2", "::ffff:192.0.2.2")), "deny-list");
  for (let tries = 0; tries < 50; tries++) guard.loginFailed("1", `${tries}`);
  guard.ban("0.0.0.0/0");
  assert.deepEqual(events[0]?.type === "ban" && events[0].sessions, []);
  assert.equal(guard.isBanned("192.0.2.1"), undefined);
  assert.ok(guard.admit("2", "10.1.1.1").ok);
  assert.equal(rule(guard.admit("3", "198.51.100.1")), "banned");
  const own = guard.ban("10.1.0.0/16");
  assert.ok(!own.ok && /on the list "allow"/.test(own.problem));
  assert.throws(() => new Guard({ bans: { deny: ["192.0.2.1/24"] } }), /write 192\.0\.2\.0\/24/);
});

test("unknown sessions: nothing is counted, nothing throws", () => {
  const { guard, events } = at();
  guard.release("x");
  guard.signedOut("x");
  guard.transferEnds("x");
  guard.loginSucceeded("x", "ann");
  guard.offence("x", "http-verb");
  assert.equal(rule(guard.signedIn("x", "ann")), "session-unknown");
  assert.equal(rule(guard.transferBegins("x")), "session-unknown");
  assert.ok(!guard.mayTryLogin("x", "ann").ok && guard.loginFailed("x", "ann").endSession);
  assert.equal(guard.sessions, 0);
  assert.deepEqual([...guard.bans(), ...events], []);
});
