/** Copies straight between servers over TLS, where one of them can begin it; and servers that never come together. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import type { FtpError } from "../../src/client/errors.ts";
import type { Client } from "../../src/client/types.ts";
import { type FxpServer, fxpServer } from "./fxp-server.ts";

const octets = randomBytes(300_000);

async function client({ port }: FxpServer): Promise<Client> {
  return await connect(`ftps://ann:secret@127.0.0.1:${port}/`, { store: false, tls: { trust: "any" } });
}

for (const { name, from, to, wanted } of [
  { name: "CPSV of the target", from: [], to: ["CPSV"], wanted: ["to CPSV"] },
  { name: "CPSV of the source", from: ["CPSV"], to: [], wanted: ["from CPSV"] },
  { name: "SSCN of the target", from: [], to: ["SSCN"], wanted: ["to SSCN ON", "to SSCN OFF"] },
  { name: "SSCN of the source", from: ["SSCN"], to: [], wanted: ["from SSCN ON", "from SSCN OFF"] },
]) {
  test(`a file goes straight and encrypted by ${name}`, async () => {
    const [there, here] = [new Map([["/big", octets]]), new Map<string, Buffer>()];
    await using source = await fxpServer({ features: ["SIZE", ...from], files: there });
    await using target = await fxpServer({ features: ["SIZE", ...to], files: here });
    await using one = await client(source);
    await using other = await client(target);
    const done = await one.copyTo(other, "big", "copy", { fxp: "require" });
    assert.deepEqual([done.way, done.isPrivate, done.verified], ["fxp", true, "size"]);
    assert.ok(here.get("/copy")?.equals(octets));
    const said = [
      ...source.commands.map((line) => `from ${line}`),
      ...target.commands.map((line) => `to ${line}`),
    ].filter((line) => /CPSV|SSCN/.test(line));
    assert.deepEqual(said, wanted);
  });
}

test("a server that names a third host as its own sends nobody there", async () => {
  const here = new Map<string, Buffer>();
  await using source = await fxpServer({ features: ["SIZE"], files: new Map([["/big", octets]]) });
  await using target = await fxpServer({ features: ["SIZE", "CPSV"], files: here, named: "203,0,113,9" });
  await using one = await client(source);
  await using other = await client(target);
  await one.copyTo(other, "big", "copy", { fxp: "require" });
  assert.ok(here.get("/copy")?.equals(octets));
  assert.deepEqual(
    source.commands.filter((line) => line.includes("203,0")),
    [],
  );
});

test("servers that agree to all and never come together are given up in time", async () => {
  const files = new Map([["/big", octets]]);
  await using source = await fxpServer({ features: ["SIZE", "CPSV"], files, isSilent: true });
  await using target = await fxpServer({ features: ["SIZE", "CPSV"], files: new Map(), isSilent: true });
  await using one = await client(source);
  await using other = await client(target);
  const begun = performance.now();
  await assert.rejects(
    one.copyTo(other, "big", "copy", { fxp: "require", fxpWaitMs: 300 }),
    (error: FtpError) =>
      error.code === "UNSUPPORTED" && /no data connection came about within 300 ms/.test(error.message),
  );
  assert.ok(performance.now() - begun < 3_000);
});
