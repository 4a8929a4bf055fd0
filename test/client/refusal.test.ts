/** A server that cuts the data connection and says why only then (ProFTPD over TLS): its words count, and nothing is tried again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { Liar } from "./liar.ts";
import { CAREFUL } from "./unharmed.ts";

/** Milliseconds behind the reset; ProFTPD takes a few. */
const LATE_MS = 20;
const ROUNDS = 3;

test("a 550 that comes behind the reset of the data connection's TLS is what is told", async () => {
  await using liar = await Liar.start({
    tls: {},
    lies: {
      steps: { RETR: ["connect", "closing"] },
      breakData: { of: "received", after: 20, how: "reset" },
      replies: { "RETR end": { waitMs: LATE_MS, late: "550 No such file.\r\n" } },
    },
  });
  await using client = await connect(`ftp://ann:secret@127.0.0.1:${liar.port}`, {
    ...CAREFUL,
    tls: { mode: "explicit", trust: "any" },
    retry: { attempts: 3, firstMs: 1, mostMs: 1 },
  });
  const asked = (): number => liar.heard.filter(({ verb }) => verb === "RETR").length;
  for (let round = 1; round <= ROUNDS; round += 1) {
    await assert.rejects(client.read("/hello.txt"), { code: "NOT_FOUND" });
    assert.equal(asked(), round);
  }
});
