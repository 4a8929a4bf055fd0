import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, createServer } from "node:net";
import { test } from "node:test";
import { loadDataCalls } from "../sys/data-calls.ts";
import { connectNatively } from "./native-connect.ts";

const calls = loadDataCalls();
const skip = calls === undefined ? "the native path needs Linux and koffi" : false;
const patient = { ms: 10_000, signal: new AbortController().signal };

for (const address of ["127.0.0.1", "::1"]) {
  test(`connects to ${address}, and what comes is there to be taken`, { skip }, async () => {
    assert.ok(calls !== undefined);
    const server = createServer((socket: Socket) => void socket.end("hello"));
    await once(server.listen(0, address), "listening");
    const bound = server.address();
    assert.ok(typeof bound === "object" && bound !== null);
    const end = await connectNatively({ address, port: bound.port }, patient, calls);
    assert.deepEqual(end.remote, { address, port: bound.port });
    const socket = end.toSocket();
    const [chunk] = await once(socket, "data");
    assert.equal(String(chunk), "hello");
    socket.destroy();
    server.close();
  });
}

test("a port at which nobody listens refuses, and no descriptor is left", { skip }, async () => {
  assert.ok(calls !== undefined);
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const bound = server.address();
  assert.ok(typeof bound === "object" && bound !== null);
  await new Promise((resolve) => server.close(resolve));
  const before = calls.connect("127.0.0.1", bound.port);
  calls.close(before);
  await assert.rejects(connectNatively({ address: "127.0.0.1", port: bound.port }, patient, calls), {
    name: "DataCallError",
    code: "ECONNREFUSED",
  });
  const afterwards = calls.connect("127.0.0.1", bound.port);
  calls.close(afterwards);
  assert.equal(afterwards, before);
});

test("whoever gives up hears why", { skip }, async () => {
  assert.ok(calls !== undefined);
  const stop = new AbortController();
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const bound = server.address();
  assert.ok(typeof bound === "object" && bound !== null);
  const connecting = connectNatively(
    { address: "127.0.0.1", port: bound.port },
    { ms: 10_000, signal: stop.signal },
    calls,
  );
  stop.abort(new Error("enough"));
  await assert.rejects(connecting, /enough/);
  await assert.rejects(
    connectNatively({ address: "127.0.0.1", port: bound.port }, { ms: 10_000, signal: stop.signal }, calls),
    /enough/,
  );
  server.close();
});
