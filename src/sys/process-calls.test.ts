import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { capabilityNames } from "./capabilities.ts";
import { loadProcessCalls } from "./process-calls.ts";

const calls = loadProcessCalls();
const skip = calls === undefined ? "no foreign functions here" : false;

test("what the calls tell of this process is what /proc tells", { skip }, () => {
  assert.ok(calls);
  const status = readFileSync("/proc/self/status", "latin1");
  const set = (name: string): bigint => BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)$`, "m").exec(status)?.[1]}`);
  const { effective, permitted, inheritable } = calls.capabilities();
  assert.deepEqual([effective, permitted, inheritable], [set("CapEff"), set("CapPrm"), set("CapInh")]);
  let bounding = 0n;
  let known = 0;
  for (let found; (found = calls.isBounding(known)) !== undefined; known++) bounding |= BigInt(found) << BigInt(known);
  assert.deepEqual(capabilityNames(bounding), capabilityNames(set("CapBnd")));
  assert.ok(known >= 38, `${known} capabilities are known since Linux 3.16`);
  assert.ok(calls.landlockVersion() >= 0);
});

function fails(code: string, action: () => unknown): void {
  assert.throws(action, { code });
}

test("a call that fails throws the name of its errno", { skip }, () => {
  assert.ok(calls);
  fails("EBADF", () => calls.setCloseOnExec(9_999, true));
  fails("ENOENT", () => calls.execute("/no/such/program", ["x"], {}));
  fails("EINVAL", () => calls.execute("/bin/true", ["a\0b"], {}));
  fails("EINVAL", () => calls.execute("/bin/true", ["x"], { NAME: "a\0b" }));
  fails("E2BIG", () => calls.execute("/bin/true", ["x".repeat(200_000)], {}));
  fails("ENAMETOOLONG", () => calls.sendDatagram(`/${"x".repeat(108)}`, ""));
  fails("ECONNREFUSED", () => calls.sendDatagram(`@ferryman-nobody-${process.pid}`, "x"));
  fails("EINVAL", () => calls.setParentDeathSignal(9_999));
});

test("switched off there are none", () => {
  const before = process.env["FERRYMAN_FFI"];
  process.env["FERRYMAN_FFI"] = "off";
  assert.equal(loadProcessCalls(), undefined);
  if (before === undefined) delete process.env["FERRYMAN_FFI"];
  else process.env["FERRYMAN_FFI"] = before;
});
