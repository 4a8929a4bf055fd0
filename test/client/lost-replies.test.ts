/** Commands that were carried out and whose reply was lost: the next try is no failure, whatever the server says to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import type { Client, ConnectOptions } from "../../src/client/types.ts";
import { Liar } from "./liar.ts";
import { CAREFUL } from "./unharmed.ts";

const PATIENT: ConnectOptions = { ...CAREFUL, retry: { attempts: 3, firstMs: 1, mostMs: 2 } };

async function withLostReply(verb: string, act: (client: Client) => Promise<void>): Promise<Liar> {
  // Carried out before the connection ends: the reply is what is lost.
  await using liar = await Liar.start({ lies: { replies: { [verb]: [{ end: "reset" }] } } });
  await using client = await connect(liar.url(), PATIENT);
  await act(client);
  assert.equal(liar.heard.filter((heard) => heard.verb === verb).length > 0, true);
  return liar;
}

test("a rename", async () => {
  const { tree, verbs } = await withLostReply("RNTO", async (client) => await client.rename("hello.txt", "moved"));
  assert.ok(tree.has("/moved") && !tree.has("/hello.txt"));
  assert.deepEqual(
    verbs.filter((verb) => verb.startsWith("RN")),
    ["RNFR", "RNTO", "RNFR"],
  );
});

test("a rename of what is nowhere is a failure, also when a reply was lost", async () => {
  await using liar = await Liar.start({ lies: { replies: { RNTO: [{ end: "reset" }] } } });
  await using client = await connect(liar.url(), PATIENT);
  liar.tree.delete("/hello.txt");
  await assert.rejects(client.rename("hello.txt", "moved"), { code: "NOT_FOUND" });
});

test("a removal, and a new folder whose server says of an existing one only that it failed", async () => {
  const { tree } = await withLostReply("DELE", async (client) => await client.remove("hello.txt"));
  assert.ok(!tree.has("/hello.txt"));
  const made = await withLostReply("MKD", async (client) => await client.mkdir("new"));
  assert.ok(made.tree.has("/new"));
});

test("a new folder in whose place there is a file is a failure, also when a reply was lost", async () => {
  await using liar = await Liar.start({ lies: { replies: { MKD: [{ say: "", end: "reset" }] } } });
  await using client = await connect(liar.url(), PATIENT);
  await assert.rejects(client.mkdir("hello.txt"), /hello\.txt/);
});
