/** The memory of one server: what a first run leaves for the next, and whom it believes without being told. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { type TLSSocket, connect, createServer } from "node:tls";
import { makeSelfSigned } from "../net/tls/self-signed.ts";
import { hostMemory } from "./host-memory.ts";
import { type Target, targetOf } from "./target.ts";
import { scratch } from "./test-folder.ts";
import { disposable } from "./test-proxies.ts";
import type { TlsOptions } from "./types.ts";

async function withPeer(work: (socket: TLSSocket) => Promise<void>): Promise<void> {
  const pair = makeSelfSigned({ names: ["localhost"], days: 1, now: Date.now() });
  await using server = await disposable(createServer(pair));
  const socket = connect({ host: "127.0.0.1", port: server.port, servername: "localhost", rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
    await work(socket);
  } finally {
    socket.destroy();
  }
}

test("data mode and TLS of one run are known to the next, for this server and this address of ours alone", async () => {
  await using own = await scratch();
  const store = own.path;
  const target = targetOf("ftp://h.example", {});
  const first = await hostMemory(target, { store });
  assert.equal(first.tlsSeen, undefined);
  first.sawTls();
  first.modeWorked("eprt", "192.0.2.9");
  await first.flush();
  const next = await hostMemory(target, { store });
  assert.deepEqual([await next.mode("192.0.2.9"), await next.mode("192.0.2.8")], ["eprt", undefined]);
  assert.equal(typeof next.tlsSeen, "number");
  const other = await hostMemory(targetOf("ftp://h.example:2121", {}), { store });
  assert.deepEqual([await other.mode("192.0.2.9"), other.tlsSeen], [undefined, undefined]);
  assert.equal((await hostMemory(target, { store: false })).tlsSeen, undefined);
});

async function judged(target: Target, terms: { socket: TLSSocket; store: string; tls?: TlsOptions }): Promise<unknown> {
  const memory = await hostMemory(target, { store: terms.store });
  const verdict: unknown = await memory.judge(terms.socket, terms.tls ?? {}).catch((error: unknown) => error);
  await memory.flush();
  return verdict;
}

test("with ftp:// an unknown certificate is believed once, with ftpes:// not at all", async () => {
  await using own = await scratch();
  const store = own.path;
  await withPeer(async (socket) => {
    const [auto, strict] = [targetOf("ftp://localhost", {}), targetOf("ftpes://localhost", {})];
    assert.match(String(await judged(strict, { socket, store })), /not to be trusted: it vouches for itself/);
    assert.match(String(await judged(auto, { socket, store })), /^[\da-f]{64}$/);
    assert.equal(await judged(auto, { socket, store }), undefined);
    assert.match(String(await judged(strict, { socket, store })), /not to be trusted/);
    assert.equal(await judged(strict, { socket, store, tls: { trust: "first-use" } }), undefined);
    assert.match(String(await judged(auto, { socket, store, tls: { trust: "ca" } })), /not to be trusted/);
    await withPeer(async (changed) => {
      assert.match(String(await judged(auto, { socket: changed, store })), /has changed since .* it was/);
    });
  });
});
