import assert from "node:assert/strict";
import { test } from "node:test";
import { natPmpOnly, pcpGrant, testRouter } from "../net/port-mapping/test-router.ts";
import { RouterPorts, isBehindRouter } from "./router-ports.ts";

const { signal } = new AbortController();
// Private, and of this machine.
const LOCAL = { address: "127.0.0.1", port: 50_001 };
const SERVER = "198.51.100.1";

test("a router is asked only where it stands between us and the server", () => {
  for (const [local, server, expected] of [
    ["192.168.1.7", SERVER, true],
    ["192.168.1.7", "10.0.0.1", false],
    ["203.0.113.5", SERVER, false],
    ["192.168.1.7", "2001:db8::1", false],
    ["2001:db8:1::7", "2001:db8:2::1", true],
    ["2001:db8:1::7", "2001:db8:1::1", false],
    ["fd00::7", "2001:db8:1::1", false],
    ["fe80::1%eth0", "2001:db8::1", false],
    ["2001:db8::1", "fe80::1", false],
  ] as const) {
    assert.equal(isBehindRouter(local, server), expected, `${local} to ${server}`);
  }
});

test("the router's port is given, and forbidden means that nobody is asked", async () => {
  await using router = await testRouter((line) => pcpGrant(line, { address: "203.0.113.9", port: 40_001 }));
  const forbidden = new RouterPorts(false, router.endpoint);
  assert.equal(await forbidden.map(LOCAL, SERVER, signal), undefined);
  assert.equal(router.asked.length, 0);
  const ports = new RouterPorts(true, router.endpoint);
  await using mapping = await ports.map(LOCAL, SERVER, signal);
  assert.deepEqual(mapping?.external, { address: "203.0.113.9", port: 40_001 });
});

test("a router that has a private address itself is of no use, and is not asked again", async () => {
  await using router = await testRouter((line) => natPmpOnly(line, { address: "100.64.3.4", port: 40_001 }));
  const ports = new RouterPorts(true, router.endpoint);
  assert.equal(await ports.map(LOCAL, SERVER, signal), undefined);
  assert.match(ports.why ?? "", /behind another NAT itself, as its address is 100\.64\.3\.4/);
  await router.heard(4);
  assert.equal(await ports.map(LOCAL, SERVER, signal), undefined);
  assert.equal(router.asked.length, 4, "the last one takes the mapping away");
});

test("a refusal is remembered with its reason", async () => {
  await using router = await testRouter((line) => pcpGrant(line, { address: "0.0.0.0", port: 0, result: 2 }));
  const ports = new RouterPorts(true, router.endpoint);
  for (let round = 0; round < 2; round += 1) assert.equal(await ports.map(LOCAL, SERVER, signal), undefined);
  assert.match(ports.why ?? "", /does not permit that/);
  assert.equal(router.asked.length, 1);
});
