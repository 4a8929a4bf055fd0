/** Files of no octets over TLS: the end comes in the turn of the handshake, and must not lose its close_notify. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { absentPeer, startPeer } from "./peers.ts";
import { scratch } from "../../src/client/test-folder.ts";

/** Enough that the loss, one in some twenty, would show. */
const FILES = 120;
const AT_ONCE = 4;

test("empty files go up over TLS at the first try", { skip: absentPeer("vsftpd") }, async () => {
  await using here = await scratch();
  await writeFile(here.at("empty"), "");
  await using peer = await startPeer("vsftpd");
  const retries: string[] = [];
  await using client = await connect(peer.url(), {
    tls: { mode: "explicit", trust: "any" },
    connections: AT_ONCE,
    store: false,
    on: { retry: ({ error }) => void retries.push(error.message) },
  });
  const upload = async (column: number): Promise<void> => {
    for (let row = 0; row < FILES / AT_ONCE; row += 1) {
      await client.upload(here.at("empty"), `/incoming/empty-${column}-${row}`, { keepTime: false });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, async (_, column) => await upload(column)));
  assert.deepEqual(retries, []);
});
