/** A router for tests: what it is asked by PCP and NAT-PMP is kept, and answered as the test says. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Endpoint } from "../addresses.ts";

export type TestRouter = AsyncDisposable & {
  readonly endpoint: Endpoint;
  /** Datagrams that came, as hex. */
  readonly asked: readonly string[];
  /** Once so many have come. */
  heard(count: number): Promise<void>;
};

/** @param answer to one datagram; undefined: silence. */
export async function testRouter(answer: (line: Buffer, count: number) => Buffer | undefined): Promise<TestRouter> {
  const socket = createSocket("udp4");
  const asked: string[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (line, { address, port }) => {
    asked.push(line.toString("hex"));
    const reply = answer(line, asked.length);
    if (reply !== undefined) socket.send(reply, port, address);
    for (const wake of waiting) wake();
    waiting.clear();
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    endpoint: { address: "127.0.0.1", port: socket.address().port },
    asked,
    async heard(count) {
      while (asked.length < count) await new Promise<void>((resolve) => void waiting.add(resolve));
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}

/** An answer of PCP to a MAP request. @param lifetime seconds. */
export function pcpGrant(line: Buffer, { address, port, lifetime = 120, result = 0 }: Grant): Buffer {
  const reply = Buffer.from(line);
  reply[1] = 0x81;
  reply[3] = result;
  reply.writeUInt32BE(line.readUInt32BE(4) === 0 ? 0 : lifetime, 4);
  reply.fill(0, 8, 24);
  reply.writeUInt16BE(port, 42);
  reply.fill(0xff, 54, 56);
  Buffer.from(address.split(".").map(Number)).copy(reply, 56);
  return reply;
}

type Grant = {
  readonly address: string;
  readonly port: number;
  readonly lifetime?: number;
  readonly result?: number;
};

/** A router that knows NAT-PMP alone (RFC 6886 §3.5). */
export function natPmpOnly(line: Buffer, { address, port }: Grant): Buffer {
  if (line[0] !== 0) return Buffer.from("0080000100000001", "hex");
  if (line[1] === 0) return Buffer.from([0, 0x80, 0, 0, 0, 0, 0, 1, ...address.split(".").map(Number)]);
  const reply = Buffer.alloc(16);
  reply[1] = 0x82;
  line.copy(reply, 8, 4, 6);
  reply.writeUInt16BE(port, 10);
  line.copy(reply, 12, 8, 12);
  return reply;
}
