import assert from "node:assert/strict";
import { test } from "node:test";
import { type DataPath, chooseDataPath, congestionFault } from "../net/data-path.ts";
import { examineDataPath } from "./data-path.ts";

const portable: DataPath = { kind: "portable", why: "the package koffi is not installed, or not for this C library" };

test("the path that is in force is tried, and named with its reason and cure", async () => {
  const own = await examineDataPath();
  assert.equal(own.state, chooseDataPath().kind === "native" ? "good" : "less");
  assert.match(own.evidence.join("\n"), /octet for octet/);
  const other = await examineDataPath(() => portable);
  assert.equal(other.state, "less");
  assert.match(other.evidence.join("\n"), /koffi is not installed/);
  assert.match(other.cure ?? "", /npm install koffi/);
});

test("a path that loses octets is found out", async (context) => {
  const path = chooseDataPath();
  if (path.kind !== "native") {
    context.skip("there is no native path here");
    return;
  }
  const none: DataPath = {
    kind: "native",
    calls: { ...path.calls, warmth: () => "cold", writeElsewhere: async () => 0 },
  };
  // Nothing is moved by the kernel: the plain way makes good for it.
  assert.equal((await examineDataPath(() => none)).state, "good");
  const astray: typeof path.calls.sendFile = (socket, file, { position, length }) =>
    path.calls.sendFile(socket, file, { position: position + 1, length });
  const calls = { ...path.calls, sendFile: astray, warmth: () => "in-memory" as const };
  const finding = await examineDataPath(() => ({ kind: "native", calls }));
  assert.equal(finding.state, "bad");
  assert.match(finding.cure ?? "", /portable/);
});

test("congestion control: what the system does not allow is said before anything is opened", () => {
  assert.equal(congestionFault(portable, undefined), undefined);
  assert.match(congestionFault(portable, "reno") ?? "", /needs the native data path/);
  const path = chooseDataPath();
  if (path.kind === "native") assert.match(congestionFault(path, "no-such-thing") ?? "", /this system/);
});
