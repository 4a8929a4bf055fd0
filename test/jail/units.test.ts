/** The shipped units are what systemd understands, and as closed as they claim. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BROKER_CAPABILITIES } from "../../src/jail/reexecute.ts";
import { missing, run } from "../support/run.ts";
import { temporaryFolder } from "./worker.ts";

const UNITS = join(import.meta.dirname, "..", "..", "packaging", "systemd");
const absent = missing("systemd-analyze");
const skip = absent === false ? false : absent.replace(/install systemd-analyze/, "install systemd");
/** What `systemd-analyze security` calls the exposure: 0 for nothing, 10 for all; below 4 it says OK. */
const MOST = { "ferryman.service": 1.9, "system-users.conf": 3 } as const;

function text(name: string): string {
  return readFileSync(join(UNITS, name), "utf8");
}

/** Copies whose program exists, for that is checked too. */
function copies(withDropIn: boolean) {
  const folder = temporaryFolder();
  for (const name of readdirSync(UNITS).filter((each) => /\.(?:service|socket)$/.test(each))) {
    writeFileSync(join(folder.path, name), text(name).replace("/usr/bin/ferryman", "/bin/true"));
  }
  if (withDropIn) {
    mkdirSync(join(folder.path, "ferryman.service.d"));
    writeFileSync(join(folder.path, "ferryman.service.d", "system-users.conf"), text("system-users.conf"));
  }
  return folder;
}

test("systemd finds nothing wrong with them", { skip }, async () => {
  for (const withDropIn of [false, true]) {
    using folder = copies(withDropIn);
    const units = ["ferryman.service", "ferryman.socket"].map((name) => join(folder.path, name));
    const { code, stderr } = await run("systemd-analyze", ["verify", "--man=no", ...units]);
    assert.equal(stderr, "");
    assert.equal(code, 0);
  }
});

test("attack 31: the service's exposure stays low", { skip }, async () => {
  for (const [name, most] of Object.entries(MOST)) {
    using folder = copies(name === "system-users.conf");
    const unit = join(folder.path, "ferryman.service");
    const { stdout, stderr } = await run("systemd-analyze", ["security", "--offline=true", "--threshold=100", unit]);
    if (/unrecognized option|Unknown/.test(stderr)) return;
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    assert.ok(exposure > 0 && exposure <= most, `${name}: ${exposure}`);
  }
});

test("a broker that is root keeps by its unit what it keeps by itself", () => {
  const [, set = ""] = /^CapabilityBoundingSet=(.*)$/m.exec(text("system-users.conf")) ?? [];
  assert.deepEqual(
    set.split(" "),
    BROKER_CAPABILITIES.map((name) => `CAP_${name}`),
  );
  assert.match(text("ferryman.service"), /^CapabilityBoundingSet=CAP_NET_BIND_SERVICE$/m);
});
