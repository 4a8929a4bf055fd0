/** `ferryman get` of several URLs: one login for those of one server and user, one of its own for any other. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { getCommand } from "../src/cli/get.ts";
import { scratch } from "../src/client/test-folder.ts";
import { listening } from "./support/ports.ts";
import { startServer } from "./support/server.ts";

/** Control connections that came by, each handed on to a server. */
async function counting(
  port: number,
): Promise<AsyncDisposable & { readonly port: number; readonly count: () => number }> {
  let count = 0;
  const server = createServer((client) => {
    count += 1;
    const onward = connect(port, "127.0.0.1");
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.pipe(other);
    }
  });
  const own = await listening(server);
  const close = async (): Promise<void> => {
    server.close();
    await once(server, "close");
  };
  return { port: own, count: () => count, [Symbol.asyncDispose]: close };
}

test("URLs of one server and user need one login, and another user has his own", async () => {
  await using served = await startServer({});
  await using way = await counting(served.port);
  await using own = await scratch();
  const folder = own.path;
  for (const name of ["one", "two", "three"]) await writeFile(join(served.root, name), name);
  const io = { stdout: new PassThrough(), stderr: new PassThrough(), stdin: new PassThrough(), now: Date.now };
  const get = async (...urls: readonly string[]): Promise<void> => {
    const flags = ["-q", "--tls", "off", "--no-store", "--no-netrc", "-O", folder];
    await getCommand(io).parseAsync([...flags, ...urls], { from: "user" });
  };
  const url = (name: string, user = "ann:secret"): string => `ftp://${user}@127.0.0.1:${way.port}/${name}`;
  await get(url("one"), url("two"), url("three"));
  assert.equal(way.count(), 1);
  for (const name of ["one", "two", "three"]) assert.equal(await readFile(join(folder, name), "utf8"), name);
  await assert.rejects(get(url("one"), url("two", "ann:wrong"), url("three")));
  assert.equal(way.count(), 4, "the wrong password is tried, and the right one signs in anew");
});
