/** The broker believes its workers nothing: one that was taken over reaches no session, account or port of another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Account, RIGHTS } from "../account/account.ts";
import { loadConfiguration } from "../config/configuration.ts";
import { Guard } from "../guard/guard.ts";
import { RequestError } from "../jail/channel.ts";
import { LocalAuthority } from "../server/local-authority.ts";
import { EventStream } from "../base/event-stream.ts";
import { bytesOfText } from "../base/bytes.ts";
import { jsonLine } from "../workspace/sinks/json.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import { Who } from "../workspace/who.ts";
import { Broker } from "./broker.ts";
import { REQUESTS } from "./requests.ts";
import { WORKER_EVENT } from "./worker-events.ts";

const ANN: Account = {
  name: "ann",
  anonymous: false,
  home: "/srv",
  rights: new Set(RIGHTS),
  folders: [],
  limits: {},
};
const CONFIGURATION = await loadConfiguration({ standardFile: "/nonexistent" });
const SIGNAL = { signal: new AbortController().signal };

async function vouched(): Promise<{ kind: "accepted"; account: Account }> {
  return { kind: "accepted", account: ANN };
}

function desk(): { broker: Broker; guard: Guard; events: FerrymanEvent[]; who: Who } {
  const guard = new Guard({ limits: { sessionsPerAddress: 100_000, connectionRate: 1_000_000 } });
  const events: FerrymanEvent[] = [];
  const stream = new EventStream<FerrymanEvent>((fault) => {
    throw fault;
  });
  const who = new Who(stream);
  stream.subscribe((event) => events.push(event));
  stream.subscribe((event) => void jsonLine(event));
  const login = { authenticate: vouched, vouchFor: vouched, spendTime: async (): Promise<boolean> => true };
  const broker = new Broker({
    authority: new LocalAuthority(guard, login),
    ports: () => [21],
    configuration: () => CONFIGURATION,
    onEvent: (event) => stream.emit(event),
    tellShare: () => {},
    expel: () => {},
    onListening: () => {},
  });
  return { broker, guard, events, who };
}

const PEER_ONLY = { address: "192.0.2.1", port: 4_000 };
const PEER = { ...PEER_ONLY, localPort: 21 };
/** As the door admits a client. */
function client(worker: number, localPort = 21): Parameters<Broker["admit"]>[1] {
  return { worker, peer: PEER_ONLY, localPort };
}
/** Ids of either worker, of none, and what looks like one. */
const id = fc.constantFrom("1.a", "1.b", "2.a", "2.b", "1", "1.", "2.", "12.a", "__proto__", "x");
const name = bytesOfText("ann");
const asks = fc.oneof(
  fc.record({ ask: fc.constantFrom("release", "signOut", "transferBegins", "transferEnds", "signIn"), session: id }),
  fc.record({ ask: fc.constant("guestIn"), session: id }),
  fc.record({ ask: fc.constantFrom("signInFailed", "offence", "connect", "opened", "closed"), session: id }),
);

test("attack 31: whatever one worker asks, a session of another stays as it is", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(asks, { maxLength: 30 }), async (list) => {
      const { broker, guard, who } = desk();
      const honest = broker.handlers(2);
      broker.admit("2.a", client(2));
      await honest.signIn({ session: "2.a", name, password: name }, SIGNAL);
      await honest.transferBegins({ session: "2.a" }, SIGNAL);
      const taken = broker.handlers(1);
      for (const { ask, session } of list) {
        await refusedOr(async () => run(taken, ask, session));
      }
      assert.equal(broker.workerOf("2.a"), 2);
      assert.equal(broker.workerOf("2.b"), undefined);
      assert.equal(guard.isBanned(PEER.address), undefined);
      assert.deepEqual(
        who
          .list()
          .filter(({ session }) => session.startsWith("2."))
          .map((each) => each.session),
        ["2.a"],
      );
      broker.workerGone(1, "killed");
      assert.equal(guard.sessions, 1);
      assert.deepEqual([broker.sessionsOf(1), broker.sessionsOf(2)], [0, 1]);
      assert.deepEqual(
        who.list().map(({ session }) => session),
        ["2.a"],
      );
      broker.workerGone(2, "killed");
      assert.deepEqual([guard.sessions, who.list()], [0, []]);
    }),
    { numRuns: 150 },
  );
});

type Asked = ReturnType<Broker["handlers"]>;

async function run(handlers: Asked, ask: string, session: string): Promise<unknown> {
  switch (ask) {
    case "signIn":
      return handlers.signIn({ session, name, password: name }, SIGNAL);
    case "signInFailed":
      return handlers.signInFailed({ session, name }, SIGNAL);
    case "guestIn":
      return handlers.guestIn({ session, name: bytesOfText("ftp") }, SIGNAL);
    case "offence":
      return handlers.offence({ source: session, kind: "not-ftp" }, SIGNAL);
    case "connect":
      return handlers.connect({ session, address: "192.0.2.9", port: 2_000 }, SIGNAL);
    case "opened":
      return handlers.events([{ type: "login.accepted", session, peer: PEER_ONLY, at: 1 }], SIGNAL);
    case "closed":
      return handlers.events(
        [{ type: "session.closed", session, peer: PEER_ONLY, reason: "", commands: 0, at: 1 }],
        SIGNAL,
      );
    case "release":
      return handlers.release({ session }, SIGNAL);
    case "signOut":
      return handlers.signOut({ session }, SIGNAL);
    case "transferBegins":
      return handlers.transferBegins({ session }, SIGNAL);
    default:
      return handlers.transferEnds({ session }, SIGNAL);
  }
}

async function refusedOr(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    assert.ok(error instanceof RequestError, String(error));
  }
}

test("attack 1: the broker connects to the client's own address alone, and from ports that we listen on", async () => {
  const { broker } = desk();
  const worker = broker.handlers(1);
  broker.admit("1.a", client(1));
  broker.admit("1.b", client(1, 2_121));
  const refused = async (session: string, address: string): Promise<void> => {
    const asked = (async () => worker.connect({ session, address, port: 2_000 }, SIGNAL))();
    await assert.rejects(asked, { name: "RequestError", code: "refused" });
  };
  await refused("1.a", "192.0.2.2");
  await refused("1.a", "127.0.0.1");
  await refused("1.a", "::1");
  await refused("1.b", PEER.address);
  await refused("1.c", PEER.address);
  for (const port of [0, 1, 20, 1_023, 65_536, -1, 1.5]) {
    const ask = { session: "1.a", address: PEER.address, port };
    assert.equal(REQUESTS.connect.ask.safeParse(ask).success, false, `${port}`);
  }
});

test("certificates stand for a password only where that is configured", async () => {
  const { broker } = desk();
  const worker = broker.handlers(1);
  broker.admit("1.a", client(1));
  const asked = (async () => worker.signIn({ session: "1.a", name }, SIGNAL))();
  await assert.rejects(asked, { name: "RequestError", code: "refused" });
});

test("a worker is not believed where its clients come from", async () => {
  const { broker, events } = desk();
  const worker = broker.handlers(1);
  broker.admit("1.a", client(1));
  const peer = { address: "203.0.113.9", port: 9 };
  await worker.events([{ type: "login.failed", session: "1.a", peer, name, reason: "", at: 1 }], SIGNAL);
  const event = events.at(-1);
  assert.ok(event?.type === "login.failed");
  assert.deepEqual(event.peer, { address: PEER.address, port: PEER.port });
});

test("attack 31: events of any shape are refused or harmless: no sink throws", async () => {
  const types = WORKER_EVENT.options.map((option) => option.shape.type.value);
  const odd = fc.oneof(
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt(),
    fc.array(fc.string()),
    fc.object(),
  );
  const keys = [
    "session",
    "peer",
    "account",
    "at",
    "reason",
    "octets",
    "path",
    "change",
    "argument",
    "code",
    "verb",
    "name",
  ];
  const shapes = fc.record({
    type: fc.oneof(fc.constantFrom(...types), fc.string()),
    session: fc.constant("1.a"),
    at: fc.oneof(fc.double(), fc.constant(1)),
  });
  const more = fc.dictionary(fc.constantFrom(...keys), odd);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(shapes, more), { maxLength: 8 }), async (list) => {
      const { broker } = desk();
      broker.admit("1.a", client(1));
      const asked = list.map(([shape, members]) => ({ peer: PEER_ONLY, ...shape, ...members }));
      const checked = REQUESTS.events.ask.safeParse(asked);
      if (checked.success) await broker.handlers(1).events(checked.data, SIGNAL);
    }),
    { numRuns: 500 },
  );
});
