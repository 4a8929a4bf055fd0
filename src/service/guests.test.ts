/** Guests whom a worker lets in without a question: only while the answer is certain, and the broker decides about each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccountStore } from "../account/account.ts";
import { createAnonymousAccounts } from "../account/anonymous.ts";
import { createFixedAccounts, parseFixedAccount } from "../account/fixed.ts";
import { createLogin } from "../account/login.ts";
import { type ByteString, bytesOfText } from "../base/bytes.ts";
import { loadConfiguration } from "../config/configuration.ts";
import { Guard, type GuardTerms } from "../guard/guard.ts";
import { LocalAuthority } from "../server/local-authority.ts";
import { Broker } from "./broker.ts";
import { type BrokerLine, RemoteAuthority } from "./remote-authority.ts";

const CONFIGURATION = await loadConfiguration({ standardFile: "/nonexistent" });
const SIGNAL = { signal: new AbortController().signal };
const GUESTS = createAnonymousAccounts({ home: "/srv", mode: "read" });
const EMPTY = bytesOfText("");
const PEER = { address: "192.0.2.1", port: 4_000 };

async function fixed(name: string): Promise<AccountStore> {
  return createFixedAccounts([parseFixedAccount(`${name}:secret`, "/srv")]);
}

type Desk = {
  readonly broker: Broker;
  readonly guard: Guard;
  readonly local: LocalAuthority;
  readonly ended: string[];
};

function desk(stores: readonly AccountStore[] = [GUESTS], terms: GuardTerms = {}): Desk {
  const guard = new Guard({ ...terms, limits: { sessionsPerAddress: 1_000, connectionRate: 10_000, ...terms.limits } });
  const local = new LocalAuthority(guard, createLogin(stores));
  const ended: string[] = [];
  const broker = new Broker({
    authority: local,
    ports: () => [21],
    configuration: () => CONFIGURATION,
    onEvent: () => {},
    tellShare: () => {},
    expel: (session) => ended.push(session),
    onListening: () => {},
  });
  return { broker, guard, local, ended };
}

function come({ broker }: Desk, ...sessions: readonly string[]): void {
  for (const session of sessions) {
    assert.ok(broker.admit(session, { worker: Number.parseInt(session, 10), peer: PEER, localPort: 21 }).ok);
  }
}

/** A worker's side, and what it says to its broker. */
function remote(): { authority: RemoteAuthority; said: unknown[][] } {
  const said: unknown[][] = [];
  const never = async (...told: unknown[]): Promise<never> => {
    said.push(["ask", ...told]);
    throw new Error("nobody answers");
  };
  const note = (...told: unknown[]): void => void said.push(told);
  const line: BrokerLine = { ask: never, askForHandle: never, note, noteLater: note };
  return { authority: new RemoteAuthority(line, () => false), said };
}

function order(name: string): Parameters<RemoteAuthority["signIn"]>[1] {
  return { name: bytesOfText(name), proof: { kind: "password", password: bytesOfText("a@b") }, from: "192.0.2.1" };
}

test("a worker that was told of guests lets them in and tells of them, without their password", async () => {
  const { authority, said } = remote();
  authority.guest = GUESTS.guest;
  for (const name of ["anonymous", "FTP"]) {
    assert.deepEqual(await authority.signIn("1.a", order(name)), { kind: "accepted", account: GUESTS.guest });
  }
  assert.deepEqual(said, [
    ["guestIn", { session: "1.a", name: "anonymous" }],
    ["guestIn", { session: "1.a", name: "FTP" }],
  ]);
});

test("it asks for everybody else, for a certificate, and for guests when it was told otherwise", async () => {
  const { authority, said } = remote();
  authority.guest = GUESTS.guest;
  await authority.signIn("1.a", order("ann"));
  await authority.signIn("1.a", { ...order("ftp"), proof: { kind: "certificate" } });
  authority.guest = undefined;
  await authority.signIn("1.a", order("anonymous"));
  assert.deepEqual(
    said.map(([how, what]) => [how, what]),
    [
      ["ask", "signIn"],
      ["ask", "signIn"],
      ["ask", "signIn"],
    ],
  );
});

test("the answer is certain only where no store, limit or ban can give another", async () => {
  const open: AccountStore = { name: "file", authenticate: async () => ({ kind: "unknown" }) };
  assert.equal(desk().local.guest(), GUESTS.guest);
  assert.equal(desk([await fixed("ann"), GUESTS]).local.guest(), GUESTS.guest);
  assert.equal(desk([await fixed("Anonymous"), GUESTS]).local.guest(), undefined);
  assert.equal(desk([open, GUESTS]).local.guest(), undefined);
  assert.equal(desk([await fixed("ann"), open, GUESTS]).local.guest(), undefined);
  assert.equal(desk([createAnonymousAccounts({ home: "/srv", mode: "off" })]).local.guest(), undefined);
  assert.equal(desk([GUESTS], { limits: { sessionsPerAccount: 1_000 } }).local.guest(), undefined);
  for (const name of ["anonymous", "ftp"]) {
    const { guard, local } = desk();
    guard.ban(`account:${name}`);
    assert.equal(local.guest(), undefined);
    guard.lift(`account:${name}`);
    assert.equal(local.guest(), GUESTS.guest);
  }
});

test("attack 31: a worker's word for a guest is good for a guest of its own, and for nobody else", async () => {
  const at = desk([await fixed("ann"), GUESTS]);
  come(at, "1.a", "1.b", "2.a");
  const handlers = at.broker.handlers(1);
  const tell = (session: string, name: ByteString): unknown => handlers.guestIn({ session, name }, SIGNAL);
  tell("1.a", bytesOfText("ftp"));
  tell("1.b", bytesOfText("ann"));
  assert.throws(() => tell("2.a", bytesOfText("ftp")), /no session of this worker/);
  // Signed in is who may begin a transfer.
  const begins = async (session: string): Promise<unknown> => handlers.transferBegins({ session }, SIGNAL);
  assert.deepEqual(await begins("1.a"), { ok: true });
  await assert.rejects(begins("1.b"), /nobody is signed in/);
  assert.deepEqual(at.ended, ["1.b"]);
  await assert.rejects(async () => at.broker.handlers(2).transferBegins({ session: "2.a" }, SIGNAL), /nobody/);
});

test("a guest who was let in when a ban or a limit came is ended, and those of the limit stay", () => {
  const at = desk();
  come(at, "1.a", "1.b", "1.c");
  const { guestIn } = at.broker.handlers(1);
  const [ftp, anonymous] = [bytesOfText("ftp"), bytesOfText("anonymous")];
  at.guard.reconfigure({ limits: { sessionsPerAccount: 1 }, bans: {} });
  void guestIn({ session: "1.a", name: ftp }, SIGNAL);
  void guestIn({ session: "1.b", name: ftp }, SIGNAL);
  assert.deepEqual(at.ended, ["1.b"]);
  at.guard.reconfigure({ limits: {}, bans: {} });
  at.guard.ban("account:anonymous");
  void guestIn({ session: "1.c", name: anonymous }, SIGNAL);
  assert.deepEqual(at.ended, ["1.b", "1.c"]);
});

test("a ban of guests hits those who were told of as it hits those who were asked for", async () => {
  const at = desk();
  come(at, "1.a", "1.b", "1.c");
  const hit: string[] = [];
  at.local.onEnd((session) => hit.push(session));
  const handlers = at.broker.handlers(1);
  void handlers.guestIn({ session: "1.a", name: bytesOfText("anonymous") }, SIGNAL);
  await handlers.signIn({ session: "1.b", name: bytesOfText("anonymous"), password: EMPTY }, SIGNAL);
  at.guard.ban("account:anonymous");
  assert.deepEqual(hit, ["1.a", "1.b"]);
});
