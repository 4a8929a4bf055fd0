/** Servers that are said to read one command after the other, and do not: what they say of one is not taken for another. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { Liar } from "./liar.ts";
import type { Lies } from "./lies.ts";
import { CAREFUL, CONTENT, WITHOUT_SIZE } from "./unharmed.ts";

const ONE = { ...CAREFUL, connections: 1 } as const;
const GREETING = { say: "220 (vsFTPd 3.0.5)\r\n" } as const;

for (const early of ["229 Entering Extended Passive Mode (|||1|)", "213 20260102030405"] as const) {
  const lies: Lies = {
    ...WITHOUT_SIZE,
    replies: {
      ...WITHOUT_SIZE.replies,
      greeting: GREETING,
      "RETR end": { say: `${early}\r\n426 It was cut off.\r\n` },
    },
    steps: { RETR: ["opening", "connect", "half", "end", "closing"] },
  };
  test(`a ${early.slice(0, 3)} before the 426 of a download does not make half a file a whole one`, async () => {
    await using folder = await scratch();
    await using liar = await Liar.start({ lies });
    await using client = await connect(liar.url(), ONE);
    await assert.rejects(client.download("/hello.txt", folder.at("out")), { code: "PROTOCOL", retryable: true });
    assert.ok(!existsSync(folder.at("out")));
    liar.behave({});
    assert.equal((await client.read("/hello.txt")).toString(), CONTENT);
  });
}

test("a name that cannot be sent leaves nothing to be waited for", async () => {
  await using folder = await scratch();
  await using liar = await Liar.start({ lies: { replies: { greeting: GREETING } } });
  await using client = await connect(liar.url(), ONE);
  for (let time = 0; time < 3; time += 1) await client.read("/hello.txt");
  const endless = client.download(`/${"n".repeat(5_000)}`, folder.at("out"), { entry: { size: 1 } });
  await assert.rejects(endless, { code: "UNSAFE_NAME" });
  await client.write("/incoming/up", Buffer.from("up"));
  assert.equal((await client.read("/hello.txt")).toString(), CONTENT);
  assert.equal(liar.verbs.filter((verb) => verb === "USER").length, 1, "the session was given up");
});

test("data modes that were all refused once are asked for again by later calls", async () => {
  const no = [{ say: "550 Not now.\r\n" }] as const;
  await using liar = await Liar.start({ lies: { replies: { EPSV: no, PASV: no, EPRT: no, PORT: no } } });
  await using client = await connect(liar.url(), ONE);
  for (let time = 0; time < 2; time += 1) await assert.rejects(client.read("/hello.txt"), { code: "DATA_BLOCKED" });
  assert.equal((await client.read("/hello.txt")).toString(), CONTENT);
});

test("the first upload, too, tells that its time was kept", async () => {
  await using folder = await scratch();
  await using liar = await Liar.start();
  await using client = await connect(liar.url(), ONE);
  writeFileSync(folder.at("in"), "what goes up");
  for (let time = 0; time < 2; time += 1) {
    const { timeKept } = await client.upload(folder.at("in"), "/incoming/up");
    assert.equal(timeKept, true);
  }
});
