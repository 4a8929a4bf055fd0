/** Contexts that are lent: whose tickets they make, and what is left of a session in them. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type SecureContext, type TLSSocket, connect, createSecureContext } from "node:tls";
import { test } from "node:test";
import { ContextPool } from "./contexts.ts";
import { handshake } from "./handshake.ts";
import { CONTEXTS_KEPT, TICKET_KEYS } from "./limits.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { TlsSession, type TlsTerms } from "./session.ts";
import { connected } from "./test-sockets.ts";

const PAIR = makeSelfSigned({ names: ["localhost"], days: 2, now: Date.now() });
const TERMS: TlsTerms = { credentials: { choose: () => PAIR }, minimum: "TLSv1.2", clientCertificates: "off" };
/** More than are kept, so that some are made anew and some are lent again. */
const SESSIONS = CONTEXTS_KEPT + 8;
const PATIENCE = { timeoutMs: 20_000, signal: new AbortController().signal };

function keysOf({ context }: SecureContext): Buffer {
  const keys: unknown = context.getTicketKeys();
  assert.ok(Buffer.isBuffer(keys));
  return keys;
}

/** One handshake to its end. @returns whether it resumed, and the session for the next one. */
async function meet(
  owner: TlsSession,
  { session, version }: { session?: Buffer | undefined; version: "TLSv1.2" | "TLSv1.3" },
): Promise<{ reused: boolean; session: Buffer }> {
  using pair = await connected();
  const server: TLSSocket = owner.wrapData(pair.server);
  server.on("error", () => {});
  const versions = { minVersion: version, maxVersion: version };
  const resumed = session === undefined ? {} : { session };
  const client = connect({ socket: pair.client, rejectUnauthorized: false, ...versions, ...resumed });
  client.on("error", () => {});
  const told = version === "TLSv1.3" && session === undefined ? once(client, "session") : once(client, "secureConnect");
  await Promise.all([handshake(server, PATIENCE), told]);
  const given = client.getSession();
  assert.ok(given !== undefined);
  return { reused: server.isSessionReused(), session: given };
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`attack 6: of many sessions at once each resumes its own tickets alone, ${version}`, async () => {
    const owners = Array.from({ length: SESSIONS }, () => new TlsSession(TERMS, undefined));
    const first = await Promise.all(owners.map(async (owner) => meet(owner, { version })));
    assert.deepEqual(first.filter(({ reused }) => reused).length, 0);
    // All at once again, half of them with what belongs to the neighbour.
    const again = await Promise.all(
      owners.map(async (owner, at) => {
        const whose = at % 2 === 0 ? at : (at + 1) % SESSIONS;
        return { isOwn: whose === at, met: await meet(owner, { session: first[whose]?.session, version }) };
      }),
    );
    for (const { isOwn, met } of again) assert.equal(met.reused, isOwn);
  });
}

test("a context is lent to one at a time, with the keys that were asked for, and keeps none of them", () => {
  let made = 0;
  const pool = new ContextPool((ticketKeys) => {
    made += 1;
    return createSecureContext({ ticketKeys });
  });
  const [mine, other] = [randomBytes(TICKET_KEYS), randomBytes(TICKET_KEYS)];
  const [one, two] = [pool.lend(mine), pool.lend(other)];
  assert.notEqual(one.context, two.context);
  assert.ok(keysOf(one.context).equals(mine) && keysOf(two.context).equals(other));
  one.giveBack();
  one.giveBack();
  assert.equal(pool.size, 1, "once, however often it is said");
  assert.ok(!keysOf(one.context).equals(mine));
  const three = pool.lend(other);
  assert.equal(three.context, one.context);
  assert.ok(keysOf(three.context).equals(other));
  assert.equal(made, 2);
});

test("no more are kept than the limit says", () => {
  const pool = new ContextPool((ticketKeys) => createSecureContext({ ticketKeys }));
  const loans = Array.from({ length: CONTEXTS_KEPT + 3 }, () => pool.lend(randomBytes(TICKET_KEYS)));
  for (const { giveBack } of loans) giveBack();
  assert.equal(pool.size, CONTEXTS_KEPT);
});

test("where a Node to come lets no keys be set, each handshake gets a context of its own", () => {
  for (const context of [undefined, {}, { setTicketKeys: () => {}, getTicketKeys: () => Buffer.alloc(TICKET_KEYS) }]) {
    const pool = new ContextPool(() => ({ context }));
    const one = pool.lend(randomBytes(TICKET_KEYS));
    one.giveBack();
    assert.equal(pool.size, 0);
    assert.notEqual(pool.lend(randomBytes(TICKET_KEYS)).context, one.context);
  }
});
