/** The client's ways to our own server: through proxies with its data connections, and with the memory of one run in the next. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { type Socket, createConnection } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../src/client/client.ts";
import { scratch } from "../src/client/test-folder.ts";
import { type Asked, connectProxy, listen, socks5Proxy } from "../src/client/test-proxies.ts";
import type { ConnectOptions } from "../src/client/types.ts";
import { startServer } from "./support/server.ts";

const OPTIONS = { store: false, timeoutMs: 10_000, replyMs: 5_000 } as const;

/** Uploads, lists and reads back. @returns the data mode of the upload. */
async function works(url: string, options: ConnectOptions): Promise<string | undefined> {
  await using client = await connect(url, { ...OPTIONS, ...options });
  const { mode } = await client.write("through.txt", Buffer.from("through the door"));
  assert.deepEqual(
    (await client.list().toArray()).map(({ name }) => name),
    ["through.txt"],
  );
  assert.equal((await client.read("through.txt")).toString(), "through the door");
  return mode;
}

test("data connections go through the same proxy, and active mode is not tried", async () => {
  await using server = await startServer({ tls: {} });
  const asked: string[] = [];
  const heads: Asked[] = [];
  await using socks = await listen(socks5Proxy(asked, { speaksFirst: true }));
  await using http = await listen(connectProxy(heads, { speaksFirst: true }));
  for (const [scheme, tls] of [
    ["ftp", "off"],
    ["ftpes", { trust: "any" }],
  ] as const) {
    const url = `${scheme}://ann:secret@localhost:${server.port}`;
    for (const proxy of [`socks5h://127.0.0.1:${socks.port}`, `http://127.0.0.1:${http.port}`]) {
      assert.equal(await works(url, { proxy, tls }), "epsv");
    }
  }
  assert.ok(asked.length >= 8 && heads.length >= 8, `${asked.length} and ${heads.length} tunnels`);
  await using client = await connect(`ftp://ann:secret@127.0.0.1:${server.port}`, {
    ...OPTIONS,
    tls: "off",
    proxy: `socks5://127.0.0.1:${socks.port}`,
    data: { modes: ["eprt", "port"] },
    retry: { attempts: 1 },
  });
  await assert.rejects(client.read("through.txt"), { code: "DATA_BLOCKED" });
});

test("behind a proxy elsewhere the data connection goes to the server, by whichever name the proxy was told", async () => {
  await using server = await startServer();
  const asked: string[] = [];
  const heads: Asked[] = [];
  await using socks = await listen(socks5Proxy(asked, { speaksFirst: true }), { host: "127.0.0.9" });
  await using http = await listen(connectProxy(heads, { speaksFirst: true }), { host: "127.0.0.9" });
  const url = `ftp://ann:secret@127.0.0.1:${server.port}`;
  for (const proxy of ["socks5", "socks5h"]) {
    await works(url, { proxy: `${proxy}://127.0.0.9:${socks.port}`, tls: "off", data: { modes: ["epsv"] } });
  }
  await works(url, { proxy: `http://127.0.0.9:${http.port}`, tls: "off", data: { modes: ["pasv"] } });
  const host = /^(?:1:7f000001$|3:127\.0\.0\.1$|127\.0\.0\.1:)/;
  for (const target of [...asked, ...heads.map((head) => head.target)]) assert.match(target, host);
});

test("a copy from server to server goes through us where one of them is behind a proxy", async () => {
  await using one = await startServer({ settings: { fxp: true } });
  await using two = await startServer({ settings: { fxp: true } });
  await using socks = await listen(socks5Proxy([], { speaksFirst: true }), { host: "127.0.0.9" });
  const proxy = `socks5://127.0.0.9:${socks.port}`;
  await using from = await connect(`ftp://ann:secret@127.0.0.1:${one.port}`, { ...OPTIONS, tls: "off" });
  await using to = await connect(`ftp://ann:secret@localhost:${two.port}`, { ...OPTIONS, tls: "off", proxy });
  await from.write("a.txt", Buffer.from("round about"));
  const done = await from.copyTo(to, "a.txt", "b.txt");
  assert.equal(done.way, "relay");
  assert.match(done.why ?? "", /localhost is reached through a proxy/);
  assert.equal((await to.read("b.txt")).toString(), "round about");
  await assert.rejects(from.copyTo(to, "a.txt", "c.txt", { fxp: "require" }), {
    code: "UNSUPPORTED",
    message: /reached through a proxy/,
  });
  assert.equal(await to.exists("c.txt"), false);
});

/** An FTP proxy of the style "user@host:port": greets, connects at USER, and hands on everything else. */
function ftpProxy(socket: Socket): void {
  socket.write("220 Proxy: tell me user@host\r\n");
  socket.once("data", (line: Buffer) => {
    const [, user, port] = /^USER (.*)@127\.0\.0\.1:(\d+)\r\n$/.exec(line.toString()) ?? [];
    if (user === undefined) return void socket.end("501 user@host:port\r\n");
    const onward = createConnection({ host: "127.0.0.1", port: Number(port) });
    socket.on("close", () => onward.destroy());
    onward.on("close", () => socket.destroy()).on("error", () => socket.destroy());
    onward.once("data", () => {
      onward.write(`USER ${user}\r\n`);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    return undefined;
  });
}

test("an FTP proxy is told the host by the login", async () => {
  await using server = await startServer();
  await using proxy = await listen(ftpProxy);
  const options = { tls: "off", proxy: { url: `ftp://127.0.0.1:${proxy.port}`, style: "user@host:port" } } as const;
  assert.equal(await works(`ftp://ann:secret@127.0.0.1:${server.port}`, options), "epsv");
});

test("first use is an event once, a changed certificate is refused, and TLS that is gone is a downgrade", async () => {
  await using own = await scratch();
  const store = own.path;
  const trusted: string[] = [];
  const on = { trust: ({ fingerprint }: { fingerprint: string }) => trusted.push(fingerprint) };
  let port = 0;
  {
    await using server = await startServer({ tls: {} });
    port = server.port;
    const url = `ftp://ann:secret@127.0.0.1:${port}`;
    for (let run = 0; run < 2; run += 1) {
      await using client = await connect(url, { ...OPTIONS, store, on });
      assert.equal(client.info.tls?.fingerprint.replaceAll(":", "").toLowerCase(), trusted[0]);
      assert.match(trusted.join(), /^[\da-f]{64}$/);
      await client.list().toArray();
    }
    // 127.0.0.1 is in the certificate, so that the want of an authority is all that is wrong.
    await assert.rejects(connect(url.replace("ftp:", "ftpes:"), { ...OPTIONS, store: false }), {
      code: "TLS_UNTRUSTED",
      message: "the certificate of 127.0.0.1 is not to be trusted: it vouches for itself (self-signed)",
    });
    const hosts = await readFile(join(store, "hosts.json"), "utf8");
    assert.match(hosts, /"tlsSeen"[^]*"mode": "epsv"/);
    const known = join(store, "known-hosts.json");
    await writeFile(known, (await readFile(known, "utf8")).replace(trusted[0] ?? "", "ab".repeat(32)));
    await assert.rejects(connect(url, { ...OPTIONS, store }), {
      code: "TLS_UNTRUSTED",
      message: /has changed since/,
    });
  }
  // The same port, now held by something that knows no TLS.
  await using plain = await listen(
    (socket) => {
      socket.write("220 hello\r\n");
      socket.on("data", () => socket.write("502 no\r\n"));
    },
    { port },
  );
  await assert.rejects(connect(`ftp://ann:secret@127.0.0.1:${plain.port}`, { ...OPTIONS, store }), {
    code: "TLS_DOWNGRADE",
    message: /spoke TLS on .* and does not now: 502 no/,
  });
});

test("a connection that is refused says where", async () => {
  const server = await startServer();
  await server[Symbol.asyncDispose]();
  await assert.rejects(connect(`ftp://127.0.0.1:${server.port}`, { ...OPTIONS, retry: { attempts: 1 } }), {
    code: "UNREACHABLE",
    message: `127.0.0.1: connection refused at 127.0.0.1:${server.port}`,
  });
});
