/** The usual ports of FTP, in a network of the test's own: listening on 21, active connections from 20 (RFC 959 §3.2). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { parsePrivilegeFacts } from "../../src/jail/privilege-facts.ts";
import { run } from "../support/run.ts";
import { elsewhere, isRoot, startServe } from "../support/serve-process.ts";

const SPACE = `ferryman-test-${process.pid}`;
const CLIENT = join(import.meta.dirname, "..", "support", "active-client.ts");

function makeSpace(): string | false {
  if (elsewhere !== false || !isRoot) return "needs root on Linux";
  const made = [
    ["netns", "add", SPACE],
    ["-n", SPACE, "link", "set", "lo", "up"],
  ].every((args) => spawnSync("ip", args, { timeout: 10_000 }).status === 0);
  return made ? false : "network namespaces cannot be made here (ip netns add)";
}

const skip = makeSpace();
after(() => void spawnSync("ip", ["netns", "del", SPACE], { timeout: 10_000 }));

suite("ports 21 and 20", { skip }, () => {
  test("the broker listens and connects, its workers have no capability", async () => {
    const through = ["ip", "netns", "exec", SPACE];
    await using served = await startServe({ through, listen: ["127.0.0.1:21"] });
    assert.deepEqual(served.ports, [21]);
    await writeFile(join(served.place.home, "here"), "");
    for (let round = 0; round < 2; round++) {
      const ran = await run("ip", ["netns", "exec", SPACE, process.execPath, CLIENT, "21"]);
      assert.equal(ran.code, 0, ran.stderr);
      assert.deepEqual(JSON.parse(ran.stdout), { from: { address: "127.0.0.1", port: 20 }, names: "here\r\n" });
    }
    for (const pid of served.workers()) {
      const { capabilities } = parsePrivilegeFacts(readFileSync(`/proc/${pid}/status`, "utf8"));
      assert.deepEqual([capabilities.effective, capabilities.permitted, capabilities.bounding], [[], [], []]);
    }
    const { capabilities } = parsePrivilegeFacts(readFileSync(`/proc/${served.pid}/status`, "utf8"));
    assert.ok(capabilities.effective.includes("NET_BIND_SERVICE"));
  });
});
