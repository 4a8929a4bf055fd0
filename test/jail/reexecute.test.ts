/** A broker that is root keeps six capabilities and can still do its work: start workers as others, and end them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { confinementHere } from "../../src/jail/confined-process.ts";
import { BROKER_CAPABILITIES, reexecute, wasReexecuted } from "../../src/jail/reexecute.ts";
import { NOBODY, notRoot } from "./worker.ts";

const skip = notRoot || (confinementHere().launcher ? false : "no foreign functions here");
const BROKER = fileURLToPath(new URL("broker.ts", import.meta.url));

/** 40 is one that somebody forgot. Between them is a gap. */
const STREAMS: ReadonlyMap<number, "pipe" | "inherit"> = new Map([
  [1, "pipe"],
  [2, "inherit"],
  [3, "pipe"],
  [40, "pipe"],
]);

test("attack 31: the broker gives up what it does not need, and its workers the rest", { skip }, async () => {
  // The stream at descriptor 3 is a socket, as one of the service manager would be.
  const child = spawn(process.execPath, [BROKER, "an argument"], {
    stdio: Array.from({ length: 41 }, (_, index) => STREAMS.get(index) ?? "ignore"),
    env: { ...process.env, LISTEN_PID: "self", LISTEN_FDS: "1", LISTEN_FDNAMES: "ftp" },
  });
  const closed = once(child, "close");
  assert.ok(child.stdout);
  const told = JSON.parse(await text(child.stdout));
  assert.deepEqual(await closed, [0, null]);
  assert.equal(told.outcome, "done");
  assert.equal(told.pid, child.pid);
  assert.deepEqual(told.args, ["an argument"]);
  assert.deepEqual(told.sockets, [{ descriptor: 3, name: "ftp" }]);
  const { broker, worker, signal } = told;
  assert.deepEqual(broker.uids, [0, 0, 0, 0]);
  const kept = BROKER_CAPABILITIES.toSorted();
  for (const set of ["effective", "permitted", "bounding"])
    assert.deepEqual(broker.capabilities[set].toSorted(), kept, set);
  for (const set of ["ambient", "inheritable"]) assert.deepEqual(broker.capabilities[set], [], set);
  assert.equal(broker.noNewPrivileges, true);
  assert.deepEqual(worker.uids, Array(4).fill(NOBODY.uid));
  for (const [name, set] of Object.entries(worker.capabilities)) assert.deepEqual(set, [], name);
  assert.deepEqual(told.stray, { ok: false, text: "ENOENT" });
  assert.equal(signal, "SIGTERM");
});

test("without the system calls nothing changes", () => {
  process.env["FERRYMAN_FFI"] = "off";
  try {
    assert.equal(reexecute({ keepCapabilities: [] }), "impossible");
  } finally {
    delete process.env["FERRYMAN_FFI"];
  }
});

test("a mark of another process is no second run; what was given up does not come back", () => {
  const name = "FERRYMAN_CONFINED";
  try {
    process.env[name] = `${process.ppid} KILL`;
    assert.equal(wasReexecuted(), false);
    process.env[name] = `${process.pid} KILL SETUID`;
    assert.equal(wasReexecuted(), true);
    assert.throws(
      () => reexecute({ keepCapabilities: ["NET_BIND_SERVICE", "KILL"] }),
      /has given up NET_BIND_SERVICE already/,
    );
    assert.equal(reexecute({ keepCapabilities: ["SETUID", "KILL"] }), "done");
    assert.equal(wasReexecuted(), false);
  } finally {
    delete process.env[name];
  }
});
