/** What the real servers say of a path that is no folder: a file is shown where that is asked for, and nothing is no empty folder. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { connect } from "../../src/client/client.ts";
import { FtpError } from "../../src/client/errors.ts";
import type { Client } from "../../src/client/types.ts";
import { PEER_NAMES, absentPeer, startPeer } from "./peers.ts";

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    return error instanceof FtpError ? error.code : String(error);
  }
}

async function namesOf(client: Client, path: string): Promise<string[]> {
  const entries = await client.list(path, { orFile: true }).toArray();
  return entries.map((entry) => `${entry.type} ${entry.path} ${entry.size}`);
}

for (const name of PEER_NAMES) {
  suite(name, { skip: absentPeer(name) }, () => {
    test("a file is listed as itself, and a path of nothing is an error", async () => {
      await using peer = await startPeer(name);
      await using client = await connect(peer.url(), { store: false, tls: "off", retry: { attempts: 1 } });
      for (const [path, size] of [
        ["/hello.txt", 23],
        ["/sub/a name with spaces", 7],
        ["/empty", 0],
      ] as const) {
        assert.deepEqual(await namesOf(client, path), [`file ${path} ${size}`]);
        assert.match(await codeOf(client.list(path).toArray()), /^(?:NOT_FOUND|UNSUPPORTED)$/);
      }
      // Who asks about what is not there keeps his session.
      const users: string[] = [];
      client.on("command", ({ line }) => line.startsWith("USER") && users.push(line));
      assert.equal(await client.exists("/nothing-here"), false);
      assert.equal(await client.exists("/hello.txt"), "file");
      assert.deepEqual(users, []);
      for (const options of [{}, { orFile: true }]) {
        assert.match(await codeOf(client.list("/nothing-here", options).toArray()), /^(?:NOT_FOUND|UNSUPPORTED)$/);
      }
      mkdirSync(join(peer.root, "sub", "bare"));
      assert.deepEqual(await namesOf(client, "/sub/bare"), []);
      // A folder with one file of its own name looks as that file does, where LIST alone is there.
      mkdirSync(join(peer.root, "sub", "same"));
      writeFileSync(join(peer.root, "sub", "same", "same"), "x");
      assert.deepEqual(await namesOf(client, "/sub/same"), ["file /sub/same/same 1"]);
    });
  });
}
