/** The channel between real processes: messages, sockets, and workers that were taken over. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { suite, test } from "node:test";
import { type BrokerSide, type ChannelFault, type Handlers, serveWorker } from "../../src/jail/broker-side.ts";
import { WithHandle } from "../../src/jail/channel.ts";
import { listening } from "../support/ports.ts";
import { startPeer } from "./worker.ts";
import { NOTICES, REQUESTS } from "./tables.ts";

type Peer = AsyncDisposable & {
  readonly child: ChildProcess;
  readonly side: BrokerSide<typeof REQUESTS, typeof NOTICES>;
  readonly faults: ChannelFault[];
  /** The text of its `report`. */
  readonly report: Promise<string>;
};

function serve(mode: string, detail = "", changes: Partial<Handlers<typeof REQUESTS>> = {}): Peer {
  const child = startPeer([mode, detail]);
  const gone = once(child, "exit");
  const faults: ChannelFault[] = [];
  const { promise: report, resolve } = Promise.withResolvers<string>();
  const side = serveWorker(child, {
    requests: REQUESTS,
    notices: NOTICES,
    handlers: {
      greet: ({ name }) => `hello ${name}`,
      listener: () => ({ port: 0 }),
      report: (text) => {
        resolve(text);
        return null;
      },
      ...changes,
    },
    onFault: (fault) => faults.push(fault),
  });
  return {
    child,
    side,
    faults,
    report,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

async function textFrom(port: number): Promise<string> {
  const socket = createConnection(port, "127.0.0.1").setEncoding("utf8");
  const [text]: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(text);
}

test("a request goes to the broker and its answer back", async () => {
  await using peer = serve("good", "ann");
  assert.equal(await peer.report, "hello ann");
  assert.deepEqual(peer.faults, []);
});

test("listening sockets travel with answers and notices, more than one", async () => {
  const servers = await Promise.all([1, 2, 3].map(listen));
  const waiting = [...servers];
  await using peer = serve("listener", "", {
    listener: () => {
      const { server, port } = waiting.shift() ?? assert.fail("asked too often");
      return new WithHandle({ port }, server);
    },
  });
  assert.equal(await peer.report, "listening");
  const [first, second, third] = servers;
  assert.ok(first && second && third);
  peer.side.tell("listen", { text: "by notice" }, third.server);
  // Only the worker accepts from now on.
  for (const { server } of [first, second]) server.close();
  assert.equal(await textFrom(first.port), `port ${first.port}`);
  assert.equal(await textFrom(second.port), `port ${second.port}`);
  const gone = once(peer.child, "exit");
  peer.child.disconnect();
  await gone;
  third.server.close();
  assert.deepEqual(peer.faults, []);
});

async function listen() {
  const server = createServer((socket) => socket.end("the broker"));
  return { server, port: await listening(server) };
}

test("a worker ends when the channel closes", async () => {
  await using peer = serve("good", "ann");
  await peer.report;
  const gone = once(peer.child, "exit");
  peer.child.disconnect();
  assert.deepEqual(await gone, [75, null]);
});

suite("attack 31: a worker that was taken over is ended, and the broker goes on", () => {
  const stray = { cmd: "NODE_HANDLE_ACK" };
  const attacks: readonly (readonly [string, string, string])[] = [
    ["octets that are no message", "garbage", "0000000400000000"],
    ["a value cut short", "garbage", "00000002ff0f"],
    ["octets of another version", "garbage", `00000010${"ff".repeat(16)}`],
    ["a message without end", "huge", ""],
    ["an acknowledgement that nobody awaits", "raw", JSON.stringify(stray)],
    ["a refusal that nobody awaits", "raw", JSON.stringify({ cmd: "NODE_HANDLE_NACK" })],
    ["a handle of an unknown type", "raw", JSON.stringify({ cmd: "NODE_HANDLE", type: "__proto__" })],
    ["a request of Node's cluster", "raw", JSON.stringify({ cmd: "NODE_CLUSTER", act: "queryServer" })],
    ["requests that there are not", "flood", ""],
  ];
  for (const [name, mode, detail] of attacks) {
    test(name, async () => {
      await using peer = serve(mode, detail);
      const memory = process.memoryUsage().rss;
      const [, signal]: unknown[] = await once(peer.child, "exit");
      assert.equal(signal, "SIGKILL");
      assert.equal(peer.faults.at(-1)?.kind, "killed");
      assert.ok(process.memoryUsage().rss - memory < 64 * 1024 * 1024, "it was not stored");
    });
  }
});
