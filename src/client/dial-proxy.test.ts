/** Connections through proxies of every kind: what each is asked, what follows from its refusal, and that no octet is lost. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createTlsServer, connect as connectTls } from "node:tls";
import type { Socket } from "node:net";
import { test } from "node:test";
import { makeSelfSigned } from "../net/tls/self-signed.ts";
import { type DialOptions, dial } from "./dial.ts";
import { FtpError } from "./errors.ts";
import { allowsActive, parseProxy } from "./proxy.ts";
import {
  type Asked,
  connectProxy,
  disposable,
  greetingEcho,
  listen,
  socks4Proxy,
  socks5Proxy,
} from "./test-proxies.ts";

const LIMIT = { timeoutMs: 5_000 };
const GREETING = "220 hello\r\n";

async function said(socket: Socket, octets: number): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.resume();
  while (text.length < octets) await once(socket, "data");
  return text;
}

/** Greeting and an echo through the proxy: what came with the proxy's answer and what comes later. */
async function passes(target: { host: string; port: number }, options: Partial<DialOptions>): Promise<string> {
  const { socket, address, via } = await dial(target, { ...LIMIT, ...options });
  try {
    assert.ok(socket.isPaused());
    assert.ok(via !== undefined && !via.includes("@"), via);
    socket.write("NOOP\r\n");
    assert.equal(await said(socket, GREETING.length + 6), `${GREETING}NOOP\r\n`);
    return address;
  } finally {
    socket.destroy();
  }
}

async function failure(target: { host: string; port: number }, options: Partial<DialOptions>): Promise<FtpError> {
  try {
    (await dial(target, { ...LIMIT, ...options })).socket.destroy();
  } catch (error) {
    assert.ok(error instanceof FtpError, String(error));
    return error;
  }
  return assert.fail("a connection came about");
}

test("HTTP CONNECT: the proxy resolves the name and gets the login", async () => {
  await using host = await listen(greetingEcho);
  const asked: Asked[] = [];
  await using proxy = await listen(connectProxy(asked));
  const url = `http://ann:p%40ss@127.0.0.1:${proxy.port}`;
  const target = { host: "ftp.example.org", port: host.port };
  const address = await passes(target, { proxy: url, lookup: () => assert.fail("a name was resolved here") });
  assert.equal(address, "ftp.example.org");
  assert.equal(asked[0]?.target, `ftp.example.org:${host.port}`);
  assert.match(asked[0]?.head ?? "", new RegExp(`\r\nHost: ftp\\.example\\.org:${host.port}\r\n`));
  const login = Buffer.from("ann:p@ss").toString("base64");
  assert.ok(asked[0]?.head.includes(`\r\nProxy-Authorization: Basic ${login}\r\n`));
  await passes({ host: "::1", port: host.port }, { proxy: { url: `127.0.0.1:${proxy.port}` } });
  assert.equal(asked[1]?.target, `[::1]:${host.port}`);
  assert.ok(!asked[1]?.head.includes("Authorization"));
});

test("HTTP CONNECT: refusals in the proxy's words", async () => {
  const answers = [
    "HTTP/1.1 403 Only port 443\x1b[31m\r\nContent-Length: 5\r\n\r\npage!",
    "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
    "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
    "HTTP/1.0 503 Busy\n\n",
    "SSH-2.0-OpenSSH\r\n\r\n",
    `HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
    "HTTP/1.1 100 Continue\r\n\r\n".repeat(9),
    "",
  ];
  await using proxy = await listen(connectProxy([], { answer: () => answers.shift() }));
  const target = { host: "h", port: 21 };
  const url = `http://127.0.0.1:${proxy.port}`;
  const forbidden = await failure(target, { proxy: url });
  assert.equal(forbidden.message, `the proxy ${url} does not connect to h:21: 403 Only port 443?[31m`);
  assert.deepEqual([forbidden.code, forbidden.retryable], ["UNREACHABLE", false]);
  assert.match(forbidden.hint ?? "", /port 443 alone/);
  const nobody = await failure(target, { proxy: url });
  assert.deepEqual([nobody.code, nobody.phase], ["AUTH", "connect"]);
  assert.match(nobody.message, /wants a login: 407 Proxy Authentication Required$/);
  const ann = await failure(target, { proxy: url.replace("//", "//ann:secret@") });
  assert.match(ann.message, /refuses the login of "ann"/);
  assert.ok(!`${ann.message}${ann.hint}`.includes("secret"));
  assert.ok((await failure(target, { proxy: url })).retryable);
  assert.match((await failure(target, { proxy: url })).message, /answers with "SSH-2\.0-OpenSSH", which is not HTTP/);
  assert.match((await failure(target, { proxy: url })).message, /longer than 16384 octets/);
  assert.match((await failure(target, { proxy: url })).message, /does not come to an answer/);
  assert.match((await failure(target, { proxy: url })).message, /closed the connection before it had answered/);
});

test("HTTP CONNECT inside TLS", async () => {
  const pair = makeSelfSigned({ names: ["127.0.0.1", "localhost"], days: 1, now: Date.now() });
  await using host = await listen(greetingEcho);
  await using proxy = await disposable(createTlsServer(pair, connectProxy([])));
  const url = `https://127.0.0.1:${proxy.port}`;
  assert.equal(await passes({ host: "127.0.0.1", port: host.port }, { proxy: url, proxyCa: pair.cert }), "127.0.0.1");
  const stranger = await failure({ host: "h", port: 21 }, { proxy: url });
  assert.deepEqual([stranger.code, stranger.phase], ["TLS_UNTRUSTED", "tls"]);
  await using mute = await listen((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const noTls = await failure({ host: "h", port: 21 }, { proxy: `https://127.0.0.1:${mute.port}` });
  assert.equal(noTls.code, "TLS_FAILED");
});

async function known(_: string, family: 4 | 6): Promise<readonly string[]> {
  return family === 4 ? ["192.0.2.7"] : [];
}

async function both(_: string, family: 4 | 6): Promise<readonly string[]> {
  return family === 4 ? ["192.0.2.7"] : ["2001:db8::7"];
}

async function unknown(): Promise<never> {
  throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
}

test("SOCKS 5: names are resolved here, by the proxy with socks5h, and by the proxy when they are unknown here", async () => {
  await using host = await listen(greetingEcho);
  const asked: string[] = [];
  await using proxy = await listen(socks5Proxy(asked));
  const target = { host: "ftp.example.org", port: host.port };
  const url = `socks5://127.0.0.1:${proxy.port}`;
  assert.equal(await passes(target, { proxy: url, lookup: known }), "192.0.2.7");
  assert.equal(await passes(target, { proxy: url, lookup: unknown }), "ftp.example.org");
  assert.equal(await passes(target, { proxy: url.replace("5:", "5h:"), lookup: known }), "ftp.example.org");
  assert.equal(await passes({ ...target, host: "2001:db8::7" }, { proxy: url }), "2001:db8::7");
  assert.deepEqual(asked, [
    "1:c0000207",
    "3:ftp.example.org",
    "3:ftp.example.org",
    "4:20010db8000000000000000000000007",
  ]);
});

test("SOCKS 5: a login (RFC 1929), and every refusal in words (RFC 1928 §6)", async () => {
  await using host = await listen(greetingEcho);
  await using guarded = await listen(socks5Proxy([], { login: { user: "ann", password: "pä:ss" } }));
  const at = `127.0.0.1:${guarded.port}`;
  const target = { host: "127.0.0.1", port: host.port };
  await passes(target, { proxy: `socks5://ann:p%C3%A4%3Ass@${at}` });
  const wrong = await failure(target, { proxy: `socks5://ann:no@${at}` });
  assert.equal(wrong.code, "AUTH");
  assert.match(wrong.message, /refuses the login of "ann": status 1 \(RFC 1929\)$/);
  const none = await failure(target, { proxy: `socks5://${at}` });
  assert.match(none.message, /wants a login: no way to sign in fits/);
  let code = 1;
  await using refusing = await listen(socks5Proxy([], { reply: () => code }));
  const messages: string[] = [];
  for (; code <= 9; code += 1) {
    const error = await failure(target, { proxy: `socks5h://127.0.0.1:${refusing.port}` });
    messages.push(error.message.replace(/^.*: /, ""));
    assert.deepEqual([error.code, error.retryable], ["UNREACHABLE", ![2, 7, 8, 9].includes(code)]);
  }
  assert.deepEqual(messages, [
    "a general failure of the proxy",
    "its rules do not allow it",
    "it cannot reach that network",
    "it cannot reach that host",
    "the host refused the connection",
    "the host did not answer in time",
    "it does not know CONNECT",
    "it does not know that kind of address",
    "reply code 9",
  ]);
});

test("SOCKS 5: the next address is asked for when the proxy cannot reach one", async () => {
  await using host = await listen(greetingEcho);
  const asked: string[] = [];
  await using proxy = await listen(socks5Proxy(asked, { reply: (target) => (target.startsWith("4:") ? 8 : 0) }));
  const options = { proxy: `socks5://127.0.0.1:${proxy.port}`, lookup: both };
  assert.equal(await passes({ host: "both.example", port: host.port }, options), "192.0.2.7");
  assert.equal(asked.length, 2);
});

test("SOCKS 4a: addresses and names, no IPv6", async () => {
  await using host = await listen(greetingEcho);
  const asked: string[] = [];
  await using proxy = await listen(socks4Proxy(asked));
  const url = `socks4a://ann@127.0.0.1:${proxy.port}`;
  await passes({ host: "ftp.example.org", port: host.port }, { proxy: url });
  await passes({ host: "192.0.2.7", port: host.port }, { proxy: url });
  assert.deepEqual(asked, ["\0\0\0\x01ann\0ftp.example.org\0", "\xc0\0\x02\x07ann\0"]);
  assert.match((await failure({ host: "::1", port: 21 }, { proxy: url })).message, /SOCKS 4 has no room/);
  await using refusing = await listen(socks4Proxy([], 91));
  const error = await failure({ host: "h", port: 21 }, { proxy: `socks4://127.0.0.1:${refusing.port}` });
  assert.match(error.message, /does not connect to h:21: refused or failed/);
});

test("a proxy that is not there, is something else, or never answers", async () => {
  const silent = await listen(() => undefined);
  await using other = await listen((socket) => socket.end("220 I am FTP\r\n"));
  const target = { host: "h", port: 21 };
  const slow = await failure(target, { proxy: `socks5h://127.0.0.1:${silent.port}`, timeoutMs: 50 });
  assert.equal(slow.message, `the proxy socks5h://127.0.0.1:${silent.port}: no answer within 0.05 s`);
  assert.equal(slow.code, "TIMEOUT");
  const strange = await failure(target, { proxy: `socks5h://127.0.0.1:${other.port}` });
  assert.match(strange.message, /it does not speak SOCKS 5$/);
  assert.match(strange.hint ?? "", /Is it a proxy of the kind/);
  const port = silent.port;
  await silent[Symbol.asyncDispose]();
  const gone = await failure(target, { proxy: `http://127.0.0.1:${port}` });
  assert.match(gone.message, /^the proxy http:\/\/127\.0\.0\.1:\d+: connection refused at 127\.0\.0\.1:\d+$/);
  const controller = new AbortController();
  const reason = new Error("enough");
  await using waiting = await listen(() => controller.abort(reason));
  const proxy = `socks5h://127.0.0.1:${waiting.port}`;
  await assert.rejects(dial(target, { ...LIMIT, proxy, signal: controller.signal }), reason);
});

test("TLS of the host goes through a proxy", async () => {
  const pair = makeSelfSigned({ names: ["localhost"], days: 1, now: Date.now() });
  await using host = await disposable(createTlsServer(pair, greetingEcho));
  await using proxy = await listen(socks5Proxy([], { speaksFirst: true }));
  const { socket } = await dial(
    { host: "localhost", port: host.port },
    { ...LIMIT, proxy: `socks5h://127.0.0.1:${proxy.port}` },
  );
  const secure = connectTls({ socket, ca: pair.cert, servername: "localhost" });
  try {
    assert.equal(await said(secure, GREETING.length), GREETING);
  } finally {
    secure.destroy();
    socket.destroy();
  }
});

function read(url: string): unknown[] {
  return Object.values(parseProxy(url));
}

test("proxies as people write them", () => {
  assert.deepEqual(read("proxy.example:8080"), ["http", "proxy.example", 8080, "http://proxy.example:8080"]);
  assert.deepEqual(read("SOCKS5H://a:b%3Ac@[::1]/"), ["socks5h", "::1", 1080, "a", "b:c", "socks5h://[::1]:1080"]);
  assert.deepEqual(read("https://h"), ["https", "h", 443, "https://h:443"]);
  for (const url of [
    "gopher://h",
    "http://",
    "http://h:0",
    "http://h:99999",
    "http://a%0ab@h",
    "http://a:%zz@h",
    "constructor://h",
  ]) {
    assert.throws(() => parseProxy(url), { name: "FtpError", code: "USAGE" }, url);
  }
  assert.throws(() => parseProxy(`http://${"a".repeat(256)}@h`), /longer than 255 octets/);
  assert.deepEqual([undefined, "ftp://h", "http://h", "socks5://h"].map(allowsActive), [true, true, false, false]);
});

test("an FTP proxy is no tunnel", async () => {
  assert.equal((await failure({ host: "h", port: 21 }, { proxy: "ftp://proxy.example" })).code, "USAGE");
});
