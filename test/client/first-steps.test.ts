/** Where a beginner stumbles: each error says what the server is and what to write in its place. */
import assert from "node:assert/strict";
import { type Socket, createServer } from "node:net";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { detect } from "../../src/client/detect.ts";
import { FtpError } from "../../src/client/errors.ts";
import type { ConnectOptions } from "../../src/client/types.ts";
import { held } from "../support/ports.ts";
import { Liar } from "./liar.ts";
import type { Lies } from "./lies.ts";
import { CAREFUL, HASTY } from "./unharmed.ts";

async function errorOf(url: string, options: ConnectOptions): Promise<FtpError> {
  try {
    await using client = await connect(url, options);
    return assert.fail(`connected to ${client.info.host}`);
  } catch (error) {
    if (error instanceof FtpError) return error;
    throw error;
  }
}

async function greeted(say: string): Promise<FtpError> {
  await using liar = await Liar.start({ lies: { replies: { greeting: { say } } } });
  const error = await errorOf(liar.url(), CAREFUL);
  assert.equal(error.phase, "greeting");
  assert.match(error.message, new RegExp(`^127\\.0\\.0\\.1 port ${liar.port}: `));
  return error;
}

test("a port of another protocol is called what it is", async () => {
  const ssh = await greeted("SSH-2.0-OpenSSH_9.2\r\n");
  assert.match(`${ssh.message} ${ssh.hint}`, /is SSH, not FTP.*port 21.*SFTP/);
  const web = await greeted("HTTP/1.1 400 Bad Request\r\n\r\n");
  assert.match(`${web.message} ${web.hint}`, /is HTTP, not FTP.*web server.*port 21/);
  const mail = await greeted("* OK IMAP4rev1\r\n");
  assert.match(`${mail.message} ${mail.hint}`, /mail server/);
  const other = await greeted("\x00\x01what\r\n");
  assert.match(`${other.message} ${other.hint}`, /no FTP reply.*port of an FTP server/);
});

test("ftps:// to a port in clear text: write ftpes://", async () => {
  await using liar = await Liar.start();
  const error = await errorOf(liar.url("", "ftps"), CAREFUL);
  assert.equal(error.code, "TLS_FAILED");
  assert.match(`${error.message} ${error.hint}`, /not TLS.*write ftpes:\/\//);
});

test("ftp:// to a port of implicit TLS, which is silent: write ftps://", async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await using silent = await held(server, sockets);
  const error = await errorOf(`ftp://127.0.0.1:${silent.port}`, HASTY);
  assert.equal(error.code, "TIMEOUT");
  assert.match(`${error.message} ${error.hint}`, /no greeting.*write ftps:\/\//);
});

test("332 without an account, and a folder that is there already (521)", async () => {
  await using liar = await Liar.start({ lies: { replies: { PASS: { say: "332 Account?\r\n" } } } });
  const error = await errorOf(liar.url(), CAREFUL);
  assert.deepEqual([error.code, error.phase, error.retryable], ["AUTH", "login", false]);
  assert.match(error.hint ?? "", /account.*--account/);
  liar.behave({ replies: { MKD: { say: '521 "/x" directory already exists\r\n' } } });
  await using client = await connect(liar.url(), CAREFUL);
  await assert.rejects(client.mkdir("/x"), { code: "EXISTS" });
  liar.behave({ replies: { MKD: { say: "521 PROT P is wanted\r\n" } } });
  await assert.rejects(client.mkdir("/x"), { code: "DENIED" });
});

test("a profile that was kept as JSON serves another client", async () => {
  const lies: Lies = { replies: { MLSD: { say: "502 No.\r\n" } }, steps: { MLSD: ["opening"] } };
  await using liar = await Liar.start({ lies });
  const found = await detect(liar.url(), { ...CAREFUL, tls: "off" });
  assert.equal(found.listing, "list");
  const profile: typeof found = JSON.parse(JSON.stringify(found));
  liar.behave(lies);
  await using client = await connect(liar.url(), { ...CAREFUL, tls: "off", profile });
  assert.equal((await client.list("/").toArray()).length, 4);
  assert.ok(!liar.verbs.includes("MLSD"), liar.verbs.join(" "));
  await assert.rejects(connect(liar.url(), { ...CAREFUL, profile: { ...profile, port: 1 } }), { code: "USAGE" });
});

test("EPSV goes out early as it is told: on, off", async () => {
  await using liar = await Liar.start();
  for (const [pipelining, isEarly] of [
    ["off", false],
    ["auto", false],
    ["on", true],
  ] as const) {
    await using client = await connect(liar.url(), { ...CAREFUL, tls: "off", pipelining, connections: 1 });
    liar.behave({});
    for (let times = 0; times < 4; times += 1) await client.read("/hello.txt");
    const { verbs } = liar;
    const early = verbs.some((verb, at) => verb === "EPSV" && verbs[at - 1] === "RETR");
    assert.equal(early, isEarly, `${pipelining}: ${verbs.join(" ")}`);
  }
});
