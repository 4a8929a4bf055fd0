import assert from "node:assert/strict";
import { test } from "node:test";
import { CAPABILITIES, capabilityNames, capabilitySet } from "../sys/capabilities.ts";
import {
  missingPowers,
  parsePrivilegeFacts,
  type PrivilegeFacts,
  privilegeFacts,
  type Purposes,
} from "./privilege-facts.ts";

const STATUS = `Name:\tnode
Umask:\t0022
Uid:\t1000\t1001\t1002\t1003
Gid:\t100\t101\t102\t103
Groups:\t4 24 27 
NoNewPrivs:\t1
Seccomp:\t2
CapInh:\t0000000000000000
CapPrm:\t0000000000000400
CapEff:\t0000000000000400
CapBnd:\t000001ffffffffff
CapAmb:\t0000000000000401
`;

test("the kernel's text becomes facts", () => {
  const facts = parsePrivilegeFacts(STATUS);
  assert.deepEqual(facts.uids, [1000, 1001, 1002, 1003]);
  assert.deepEqual(facts.gids, [100, 101, 102, 103]);
  assert.deepEqual(facts.groups, [4, 24, 27]);
  assert.deepEqual(facts.capabilities.effective, ["NET_BIND_SERVICE"]);
  assert.deepEqual(facts.capabilities.ambient, ["CHOWN", "NET_BIND_SERVICE"]);
  assert.deepEqual(facts.capabilities.inheritable, []);
  assert.deepEqual(facts.capabilities.bounding, CAPABILITIES);
  assert.deepEqual([facts.noNewPrivileges, facts.seccomp], [true, true]);
  assert.throws(() => parsePrivilegeFacts("nonsense"));
});

test("sets of capabilities and their names are the same thing", () => {
  assert.equal(capabilitySet(["CHOWN", "NET_BIND_SERVICE"]), 0x401n);
  assert.deepEqual(capabilityNames(capabilitySet(CAPABILITIES)), CAPABILITIES);
  assert.deepEqual(capabilityNames(1n << 63n), ["63"]);
});

test("our own facts are readable where there is /proc", { skip: process.platform !== "linux" && "no /proc" }, () => {
  const facts = privilegeFacts();
  assert.equal(facts?.uids[0], process.getuid?.());
  assert.equal(privilegeFacts(2 ** 22 + 1), undefined);
});

test("what is missing is said with its cure, and nothing when all is there", () => {
  const weak = parsePrivilegeFacts(STATUS.replaceAll("0400", "0000"));
  const all = parsePrivilegeFacts(STATUS.replaceAll(/(Cap(?:Eff|Prm)):\t\d+/g, "$1:\t000001ffffffffff"));
  const purposes = { ports: [1, 0, 2121, 50_000], changesUser: true };
  const texts = missingPowers(purposes, { facts: weak, firstFreePort: 1024 }).join("\n");
  assert.match(texts, /below 1024 \(1\).*Cure/);
  assert.match(texts, /another user \(SETUID, SETGID\): they run as user 1001/);
  assert.equal(aboutRights(purposes, all), 0);
  assert.equal(aboutRights({ ports: [50_000, 0], changesUser: false }, weak), 0);
  assert.equal(aboutRights(purposes, undefined), 0, "without /proc nothing is known");
  assert.ok(missingPowers(purposes).every((text) => /Cure|not confined/.test(text)));
});

function aboutRights(purposes: Purposes, facts: PrivilegeFacts | undefined): number {
  return missingPowers(purposes, { facts, firstFreePort: 1024 }).filter((text) => text.startsWith("no right")).length;
}
