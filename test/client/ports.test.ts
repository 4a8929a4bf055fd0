/** Ports of data connections that lead nowhere or elsewhere, and strangers who come in the server's place. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { suite, test } from "node:test";
import { connect } from "../../src/client/client.ts";
import type { ConnectOptions } from "../../src/client/types.ts";
import { parseEprt } from "../../src/protocol/host-port.ts";
import { connectFrom } from "../support/attack.ts";
import { Liar } from "./liar.ts";
import { ACTS, CAREFUL, type Case, type CaseTable, HASTY, aboutReplies, endure, lying, tryOut } from "./unharmed.ts";

const { get } = ACTS;

const only = (...modes: ("epsv" | "pasv" | "eprt" | "port")[]): ConnectOptions => ({
  ...CAREFUL,
  data: { modes, waitMs: 150 },
});
const malformed = (verb: "EPSV" | "PASV", text: string): readonly [string, Case] => [
  `${verb} answers ${text}`,
  aboutReplies(
    { [verb]: { say: `${text}\r\n` } },
    {
      act: get,
      options: { ...HASTY, data: { modes: [verb === "EPSV" ? "epsv" : "pasv"] } },
      ends: ["PROTOCOL", "DATA_BLOCKED"],
    },
  ),
];

const PORTS: CaseTable = {
  "EPSV's port is silent, alone": lying(
    { passivePort: "silent" },
    { act: get, options: { ...HASTY, ...only("epsv"), replyMs: 500 }, ends: ["DATA_BLOCKED", "TIMEOUT"] },
  ),
  "passive ports are silent, and active ones work": lying(
    { passivePort: "silent" },
    { act: get, options: { ...CAREFUL, data: { waitMs: 150 } }, ends: "well" },
  ),
  "passive ports are closed, and active ones work": lying({ passivePort: "refused" }, { act: get, ends: "well" }),
  "passive ports are closed, alone": lying(
    { passivePort: "refused" },
    { act: get, options: only("epsv", "pasv"), ends: ["DATA_BLOCKED"] },
  ),
  "passive commands are refused": aboutReplies(
    { EPSV: { say: "550 No.\r\n" }, PASV: { say: "550 No.\r\n" } },
    { act: get, ends: "well" },
  ),
  "every mode is refused": aboutReplies(
    Object.fromEntries(["EPSV", "PASV", "EPRT", "PORT"].map((verb) => [verb, { say: "500 No.\r\n" }])),
    { act: get, ends: ["DATA_BLOCKED", "UNSUPPORTED"] },
  ),
  "the server never comes in active mode": lying(
    { steps: { RETR: ["opening", "hang"] } },
    {
      act: get,
      options: { ...HASTY, ...only("eprt"), replyMs: 400 },
      callMs: 1_500,
      ends: ["DATA_BLOCKED", "TIMEOUT", "STALLED"],
    },
  ),
  "the server cannot come in active mode": lying(
    { replies: { RETR: { say: "425 Cannot connect.\r\n" } } },
    { act: get, options: only("eprt"), ends: ["DATA_BLOCKED"] },
  ),
  "425 for EPSV once": aboutReplies({ EPSV: [{ say: "425 Address already in use.\r\n" }] }, { act: get }),
  ...Object.fromEntries(
    ["229 (|||99999|)", "229 (|||0|)", "229 (|||-5|)", "229 ok", "229 (||||)", "200 (|||1234|)"].map((text) =>
      malformed("EPSV", text),
    ),
  ),
  ...Object.fromEntries(
    ["227 ok", "227 (127,0,0,1,999,1)", "227 (127,0,0,1,0,0)", "227 (127,0,0,1)", "227 (0,0,0,0,0,0)"].map((text) =>
      malformed("PASV", text),
    ),
  ),
};

suite("ports", { concurrency: false }, () => {
  for (const [what, one] of Object.entries(PORTS)) test(what, async () => void (await tryOut(one)));
});

test("attack 64: a 227 of a third host is not followed: the server's own address is used", async () => {
  const options = { ...CAREFUL, data: { modes: ["pasv"] } } as const;
  await using liar = await Liar.start({ lies: { passiveAddress: "127.0.0.2" } });
  await endure(liar, { act: get, options, ends: "well" });
  assert.equal(liar.trapped, 0);
});

test("in active mode a stranger who comes first is not taken for the server", async () => {
  await using liar = await Liar.start({ lies: { replies: { EPRT: { waitMs: 150 } } } });
  const visit = async (): Promise<void> => {
    const { argument } = await liar.hears("EPRT");
    const place = parseEprt(argument);
    assert.equal(place?.kind, "address");
    const stranger = await connectFrom("127.0.0.3", { port: place.hostPort.port });
    stranger.end("an evil file");
    stranger.resume();
    await once(stranger, "close");
  };
  await Promise.all([visit(), endure(liar, { act: get, options: only("eprt"), ends: "well" })]);
});

test("a mode that has worked and is silent now costs no more than at first, where the way is short", async () => {
  await using liar = await Liar.start();
  await using client = await connect(liar.url(), { ...CAREFUL, replyMs: 10_000 });
  assert.equal((await client.download("hello.txt", new PassThrough().resume())).mode, "epsv");
  liar.behave({ passivePort: "silent" });
  const begun = performance.now();
  assert.equal((await client.download("hello.txt", new PassThrough().resume())).mode, "eprt");
  assert.ok(performance.now() - begun < 3_000);
});
