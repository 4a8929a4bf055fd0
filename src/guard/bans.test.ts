import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ban, GuardEvent } from "./ban.ts";
import { parseBanTarget } from "./ban.ts";
import { type BanSink, connectSink } from "./ban-sink.ts";
import { BanBook } from "./ban-book.ts";
import { parseAddress } from "./cidr.ts";
import { Guard, type GuardTerms } from "./guard.ts";

const START = 1_800_000_000_000;

function at(terms: GuardTerms = {}): {
  readonly guard: Guard;
  readonly log: string[];
  readonly pass: (ms: number) => void;
} {
  let now = START;
  const guard = new Guard({ now: () => now, ...terms });
  const log: string[] = [];
  guard.events.subscribe((event) => log.push(lineOf(event, now)));
  return { guard, log, pass: (ms) => void (now += ms) };
}

function lineOf(event: GuardEvent, now: number): string {
  if (event.type === "lift") return `${event.why} ${event.ban.target}`;
  const { target, until } = event.ban;
  return `ban ${target} ${until === undefined ? "for good" : (until - now) / 1000}`;
}

function offend(guard: Guard, address: string, times = 10): void {
  for (let count = 0; count < times; count++) guard.offence(address, "login-failed");
}

test("points fade to the half, so that slips of a day are not an attack", () => {
  const { guard, log, pass } = at();
  offend(guard, "192.0.2.1", 9);
  pass(1_800_000);
  offend(guard, "192.0.2.1", 4);
  assert.deepEqual(log, []);
  offend(guard, "192.0.2.1", 1);
  assert.deepEqual(log, ["ban 192.0.2.1 600"]);
});

test("each further ban is longer, up to a week; a week without one begins anew", () => {
  const { guard, log, pass } = at({ bans: { banTime: 3_600, banGrowth: 10 } });
  for (let turn = 0; turn < 4; turn++) {
    offend(guard, "192.0.2.1");
    pass(604_800_000);
    guard.expire();
  }
  pass(604_801_000);
  offend(guard, "192.0.2.1");
  assert.deepEqual(
    log.filter((line) => line.startsWith("ban")),
    ["3600", "36000", "360000", "604800", "3600"].map((seconds) => `ban 192.0.2.1 ${seconds}`),
  );
});

test("attack 37: whoever hops among the links of a site is banned by the /56 and the /48", () => {
  const { guard, log } = at();
  for (let link = 0; link < 8; link++) offend(guard, `2001:db8:0:${link.toString(16)}::1`);
  assert.deepEqual(log.slice(7), [
    "ban 2001:db8::/56 600",
    ...Array.from({ length: 7 }, (_, link) => `merged 2001:db8${link === 0 ? "" : `:0:${link}`}::/64`),
  ]);
  for (let link = 0x100; link < 0xffff && !log.includes("ban 2001:db8::/48 600"); link += 0x100) {
    // One guess in each link, so that no link and no /56 is ever noticed.
    for (let low = 0; low < 70; low++) offend(guard, `2001:db8:0:${(link + low).toString(16)}::1`, 1);
  }
  assert.deepEqual(
    guard.bans().map(({ target }) => target),
    ["2001:db8::/48"],
  );
  assert.ok(guard.isBanned("2001:db8:0:ffff::1") !== undefined && guard.isBanned("2001:db8:1::1") === undefined);
});

test("bans by hand: every form of a target, and what is wrong with others", () => {
  const { guard, log } = at();
  for (const target of ["::ffff:192.0.2.1", "2001:db8::/32", "account:ann"]) guard.ban(target, { seconds: 60 });
  assert.deepEqual(log, ["ban 192.0.2.1 60", "ban 2001:db8::/32 60", "ban account:ann 60"]);
  const problem = (text: string, seconds?: number): string => {
    const outcome = guard.ban(text, { seconds });
    return outcome.ok ? "" : outcome.problem;
  };
  assert.match(problem("192.0.2.1/24"), /write 192\.0\.2\.0\/24/);
  assert.match(problem("ann"), /an account is written account:ann$/);
  assert.match(problem("account:"), /name behind account:/);
  for (const seconds of [0, -1, Number.NaN, Infinity, 1e12]) assert.match(problem("192.0.2.9", seconds), /from 1 s to/);
  guard.ban("192.0.2.9", { reason: `${"x".repeat(500)}\u0007` });
  assert.equal(guard.isBanned("192.0.2.9")?.reason.length, 200);
});

test("lifting: points are forgotten, what is not banned says what is, and a ban that is over is lifted by itself", () => {
  const { guard, log, pass } = at();
  offend(guard, "192.0.2.1");
  offend(guard, "192.0.2.1", 9);
  assert.ok(guard.lift("192.0.2.1").ok);
  offend(guard, "192.0.2.1", 9);
  guard.ban("198.51.100.0/24", { seconds: 10 });
  const no = guard.lift("198.51.100.7");
  assert.deepEqual(no, {
    ok: false,
    problem: "198.51.100.7 is not banned by itself, but by 198.51.100.0/24: lift that",
  });
  const none = guard.lift("192.0.2.1");
  assert.deepEqual(none, { ok: false, problem: "192.0.2.1 is not banned" });
  pass(10_000);
  assert.equal(guard.isBanned("198.51.100.7"), undefined);
  assert.deepEqual(log, ["ban 192.0.2.1 600", "lifted 192.0.2.1", "ban 198.51.100.0/24 10", "over 198.51.100.0/24"]);
  guard.ban("10.0.0.0/8");
  offend(guard, "10.0.0.1", 9);
  guard.lift("10.0.0.0/8");
  offend(guard, "10.0.0.1", 9);
  assert.equal(guard.isBanned("10.0.0.1"), undefined);
});

test("automatic bans can be off, and do not shorten one made by hand", () => {
  const off = at({ bans: { automaticBans: false } });
  offend(off.guard, "192.0.2.1", 100);
  assert.deepEqual(off.log, []);
  const { guard, log } = at();
  guard.ban("192.0.2.1");
  offend(guard, "192.0.2.1");
  assert.deepEqual(log, ["ban 192.0.2.1 for good"]);
});

test("a listener that fails stops neither the ban nor the other listeners", () => {
  const { guard } = at();
  guard.events.subscribe(() => {
    throw new Error("a firewall is not there");
  });
  let heard = 0;
  guard.events.subscribe(() => heard++);
  process.once("warning", () => {});
  assert.ok(guard.ban("192.0.2.1").ok);
  assert.equal(heard, 1);
});

function entry(target: string, facts: Partial<Ban> = {}): readonly [Ban, NonNullable<ReturnType<typeof targetOf>>] {
  const parsed = targetOf(target);
  assert.ok(parsed !== undefined);
  const times = { since: START, until: START + 1_000, automatic: true, repeat: 1 };
  return [{ target, kind: parsed.kind, reason: "", ...times, ...facts }, parsed];
}

function targetOf(text: string) {
  const reading = parseBanTarget(text);
  return reading.ok ? reading.target : undefined;
}

test("attack 37: too many bans never free a site's own; strangers lose theirs only when no site has two", () => {
  const book = new BanBook({ kept: 20, droppedAtOnce: 5 });
  for (let host = 0; host < 5; host++) book.set(...entry(`192.0.2.${host}`, { until: START + host }));
  book.set(...entry("account:ann", { automatic: false, until: undefined }));
  for (let link = 0x1000; link < 0x1000 + 16; link++) book.set(...entry(`2001:db8:0:${link.toString(16)}::/64`));
  const inSite = (text: string): boolean => {
    const address = parseAddress(text);
    return address !== undefined && book.holding(address) !== undefined;
  };
  assert.equal(book.size, 7);
  assert.ok(inSite("2001:db8:0:1000::1") && inSite("2001:db8:0:100f::1") && inSite("192.0.2.0"));
  for (let host = 0; host < 15; host++) book.set(...entry(`198.51.100.${host}`, { until: START + 2_000 }));
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((host) => inSite(`192.0.2.${host}`)),
    [false, false, false, false, false],
  );
  assert.ok(inSite("2001:db8:0:1000::1") && inSite("198.51.100.14"));
  assert.ok(book.get("account:ann") !== undefined, "bans by hand stay");
  assert.equal(book.manual, 1);
});

test("a sink learns the bans that are there, each new one, and each that ends", () => {
  const { guard, pass } = at();
  guard.ban("192.0.2.1");
  const firewall = new Set<string>();
  const sink: BanSink = {
    add: ({ target }) => firewall.add(target),
    remove: (target) => firewall.delete(target),
  };
  const stop = connectSink(guard, sink);
  guard.ban("192.0.2.2", { seconds: 1 });
  for (let link = 0; link < 8; link++) offend(guard, `2001:db8:0:${link.toString(16)}::1`);
  assert.deepEqual([...firewall].toSorted(), ["192.0.2.1", "192.0.2.2", "2001:db8::/56"]);
  guard.lift("192.0.2.1");
  pass(600_000);
  guard.expire();
  assert.deepEqual([...firewall], []);
  stop();
  guard.ban("192.0.2.3");
  assert.deepEqual([...firewall], []);
});
