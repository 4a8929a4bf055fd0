/** The real servers that the client is tested with: each comes up, serves the same files in clear and over TLS, and goes. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PrivateWire } from "../support/tls.ts";
import { Wire } from "../support/wire.ts";
import { CONTENT, IMPLICIT_PEERS, INCOMING, PEER_NAMES, type StartedPeer, absentPeer, startPeer } from "./peers.ts";

async function signIn(wire: Wire, { login }: StartedPeer): Promise<void> {
  await wire.expect(331, `USER ${login.user}`);
  await wire.expect(230, `PASS ${login.password}`);
  await wire.expect(200, "TYPE I");
}

for (const name of PEER_NAMES) {
  suite(name, { skip: absentPeer(name) }, () => {
    test("serves in clear and over TLS", async () => {
      await using peer = await startPeer(name);
      using wire = await Wire.open(peer.port);
      await signIn(wire, peer);
      const { data } = await wire.fetch("RETR big.bin");
      assert.ok(data.equals(CONTENT["/big.bin"]));
      assert.equal((await wire.store(`STOR ${INCOMING}/up`, "octets")).at(-1), 226);
      using own = await PrivateWire.open(peer.port);
      await signIn(own.wire, peer);
      await own.wire.expect(200, "PBSZ 0");
      await own.wire.expect(200, "PROT P");
      // It sends no tickets over TLS 1.3, so there is nothing to wait for.
      const session = name === "pure-ftpd" ? null : undefined;
      assert.ok((await own.fetch("RETR big.bin", session)).data.equals(CONTENT["/big.bin"]));
    });

    if (!IMPLICIT_PEERS.has(name)) return;
    test("begins with TLS", async () => {
      await using peer = await startPeer(name, { implicit: true });
      using own = await PrivateWire.implicit(peer.port);
      await signIn(own.wire, peer);
    });
  });
}
