/** Addresses as people write them, and what they hear when one cannot be had. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { CliError } from "./exit.ts";
import { hostPort, listenError, parseListenAddress, resolveAddresses } from "./listen-address.ts";

test("HOST:PORT in its forms", () => {
  assert.deepEqual(parseListenAddress("127.0.0.1:2121"), { host: "127.0.0.1", port: 2121, implicit: false });
  assert.deepEqual(parseListenAddress("[::1]:0"), { host: "::1", port: 0, implicit: false });
  assert.deepEqual(parseListenAddress("ftp://files.example:21/"), { host: "files.example", port: 21, implicit: false });
  assert.deepEqual(parseListenAddress("ftps://[::1]:990"), { host: "::1", port: 990, implicit: true });
  const strict = { host: "0.0.0.0", port: 21, implicit: false, tls: "require" };
  assert.deepEqual(parseListenAddress("0.0.0.0:21?tls=require"), strict);
  assert.equal(hostPort({ address: "::1", port: 21 }), "[::1]:21");
});

test("what is none is refused with the forms that are", () => {
  for (const text of [
    "",
    "2121",
    ":2121",
    "::1:2121",
    "1.2.3.4",
    "1.2.3:21",
    "300.1.1.1:21",
    "a:65536",
    "a:b",
    "[a]:1",
    "a b:1",
  ]) {
    assert.throws(
      () => parseListenAddress(text),
      (error) => error instanceof CliError && error.exitCode === 2,
      text,
    );
  }
  assert.throws(() => parseListenAddress("127.0.0.1:21?tls=maybe"), /off, allow, require/);
  assert.throws(() => parseListenAddress("ftps://127.0.0.1:990?tls=off"), /cannot be/);
});

test("a name stands for its addresses, each once", async () => {
  const found = await resolveAddresses([
    { host: "localhost", port: 7, implicit: false },
    { host: "127.0.0.9", port: 8, implicit: false },
  ]);
  assert.ok(found.some(({ address, port }) => address === "127.0.0.1" && port === 7));
  assert.deepEqual(found.at(-1), { address: "127.0.0.9", port: 8, implicit: false });
  assert.equal(new Set(found.map(hostPort)).size, found.length);
});

test("a taken port is named with what to do", async () => {
  const first = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => first.once("listening", resolve));
  const address = first.address();
  assert.ok(typeof address === "object" && address !== null);
  const second = createServer().listen(address.port, "127.0.0.1");
  const taken = await new Promise((resolve) => second.once("error", resolve));
  first.close();
  const told = listenError(taken);
  assert.ok(told instanceof CliError);
  assert.match(told.message, new RegExp(`127\\.0\\.0\\.1:${address.port} is taken[^]*ss -ltnp[^]*--listen`));
});

test("no right, no such address, and other errors", () => {
  const refused = listenError(fault("EACCES"));
  assert.ok(refused instanceof CliError && refused.exitCode === 77 && refused.message.includes("setcap"));
  const absent = listenError(fault("EADDRNOTAVAIL"));
  assert.ok(absent instanceof CliError && absent.exitCode === 78);
  const other = fault("EMFILE");
  assert.equal(listenError(other), other);
});

function fault(code: string): Error {
  return Object.assign(new Error(code), { code, address: "127.0.0.1", port: 21 });
}
