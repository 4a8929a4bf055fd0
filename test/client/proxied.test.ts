/** Through tunnels: data connections go to the server, wherever the proxy is. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { type Asked, connectProxy, listen, socks4Proxy, socks5Proxy } from "../../src/client/test-proxies.ts";
import type { ConnectOptions } from "../../src/client/types.ts";
import { startServer } from "../support/server.ts";

/** Proxies listen on another address of loopback than the server does. */
const ELSEWHERE = { host: "127.0.0.2" };
/** Hosts wait for their client here. */
const SPEAKS = { speaksFirst: true };
const NAME = "ftp.example.org";

type Through = { readonly host: string; readonly proxy: string; readonly port: number; readonly isTls: boolean };

/** One download, and a listing by PASV. */
async function works({ host, proxy, port, isTls }: Through): Promise<string> {
  const notes: string[] = [];
  const options: ConnectOptions = {
    proxy,
    store: false,
    retry: { attempts: 1 },
    data: { modes: ["epsv"] },
    on: { fallback: ({ what }) => notes.push(what) },
    tls: isTls ? { mode: "explicit", trust: "first-use" } : "off",
  };
  await using client = await connect(`ftp://ann:secret@${host}:${port}`, options);
  assert.equal(String(await client.read("a.txt")), "hello");
  await using other = await connect(`ftp://ann:secret@${host}:${port}`, { ...options, data: { modes: ["pasv"] } });
  assert.deepEqual(
    (await other.list().toArray()).map(({ name }) => name),
    ["a.txt"],
  );
  assert.deepEqual(
    notes.filter((note) => !note.startsWith("the server named 127.0.0.1")),
    [],
  );
  return client.info.address;
}

for (const isTls of [false, true]) {
  test(`data connections through tunnels go to the server${isTls ? ", over TLS" : ""}`, async () => {
    await using server = await startServer(isTls ? { tls: {} } : {});
    await writeFile(join(server.root, "a.txt"), "hello");
    const { port } = server;
    const asked: Asked[] = [];
    await using http = await listen(connectProxy(asked, SPEAKS), ELSEWHERE);
    const proxy = `http://127.0.0.2:${http.port}`;
    assert.equal(await works({ host: "127.0.0.1", proxy, port, isTls }), "127.0.0.1");
    assert.equal(await works({ host: NAME, proxy, port, isTls }), NAME);
    const hosts = asked.map(({ target }) => target.replace(/:\d+$/, ""));
    assert.deepEqual(hosts, [...Array<string>(4).fill("127.0.0.1"), ...Array<string>(4).fill(NAME)]);

    const told: string[] = [];
    await using socks = await listen(socks5Proxy(told, SPEAKS), ELSEWHERE);
    assert.equal(
      await works({ host: "127.0.0.1", proxy: `socks5://127.0.0.2:${socks.port}`, port, isTls }),
      "127.0.0.1",
    );
    assert.equal(await works({ host: NAME, proxy: `socks5h://127.0.0.2:${socks.port}`, port, isTls }), NAME);
    assert.deepEqual(told, [...Array<string>(4).fill("1:7f000001"), ...Array<string>(4).fill(`3:${NAME}`)]);
  });
}

test("SOCKS 4a is told the server's name for data connections, too", async () => {
  await using server = await startServer();
  await writeFile(join(server.root, "a.txt"), "hello");
  const told: string[] = [];
  await using socks = await listen(socks4Proxy(told, 90, true), ELSEWHERE);
  const { port } = server;
  assert.equal(await works({ host: NAME, proxy: `socks4a://127.0.0.2:${socks.port}`, port, isTls: false }), NAME);
  assert.ok(told.length === 4 && told.every((each) => each.endsWith(`${NAME}\0`)), told.join());
});
