import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Network,
  NetworkList,
  covers,
  formatAddress,
  formatNetwork,
  networkOf,
  parseAddress,
  parseNetwork,
} from "./cidr.ts";

function network(text: string): Network {
  const reading = parseNetwork(text);
  assert.ok(reading.ok, text);
  return reading.network;
}

function problem(text: string): string {
  const reading = parseNetwork(text);
  assert.ok(!reading.ok, `${text} was taken`);
  return reading.problem;
}

function plain(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

test("one spelling for each host (RFC 5952 §4)", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:0201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:c000:201", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::", "::"],
    ["1::", "1::"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["fe80::1%eth0", "fe80::1"],
    ["010.0.0.1", undefined],
    ["0x7f.0.0.1", undefined],
    ["127.1", undefined],
    ["192.0.2.1 ", undefined],
    ["", undefined],
    ["localhost", undefined],
  ];
  for (const [text, wanted] of cases) assert.equal(plain(text), wanted, text);
});

test("networks, and one address as a network of one", () => {
  assert.equal(formatNetwork(network("192.0.2.0/24")), "192.0.2.0/24");
  assert.equal(formatNetwork(network("192.0.2.1/32")), "192.0.2.1");
  assert.equal(formatNetwork(network("2001:DB8:0::/32")), "2001:db8::/32");
  assert.equal(formatNetwork(network("0.0.0.0/0")), "0.0.0.0/0");
  assert.equal(formatNetwork(network("::/0")), "::/0");
  assert.equal(formatNetwork(network("::ffff:192.0.2.0/120")), "192.0.2.0/24");
});

test("attack 40: a network that is not quite one is refused, with the right form", () => {
  assert.match(problem("192.0.2.1/24"), /write 192\.0\.2\.0\/24, or 192\.0\.2\.1 for/);
  assert.match(problem("2001:db8::1/32"), /write 2001:db8::\/32/);
  assert.match(problem("192.0.2.0/33"), /number from 0 to 32/);
  assert.match(problem("2001:db8::/129"), /number from 0 to 128/);
  assert.match(problem("::ffff:192.0.2.0/24"), /number from 0 to 128/);
  for (const text of [
    "192.0.2.0/",
    "192.0.2.0/+8",
    "192.0.2.0/08",
    "192.0.2.0/8 ",
    "192.0.2.0/1e1",
    "10.0.0.0/255.0.0.0",
  ])
    assert.match(problem(text), /number from 0/, text);
  for (const text of ["", "/8", "10/8", "010.0.0.0/8", "10.0.0.0/8/8", "example.org", "[::1]", "any"])
    assert.match(problem(text), /no address and no network/, text);
  assert.match(problem("fe80::1%eth0"), /zone/);
  assert.match(problem("\u001b[2J\n"), /^"\?\[2J\?" is/);
});

test("a list holds what its networks hold, and IPv4 is not inside of ::/0", () => {
  const list = new NetworkList(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"].map(network));
  const has = (text: string): boolean => {
    const address = parseAddress(text);
    return address !== undefined && list.has(address);
  };
  assert.deepEqual(["10.255.0.1", "::ffff:10.0.0.1", "2001:db8:ffff::1", "192.0.2.7"].filter(has).length, 4);
  assert.deepEqual(["11.0.0.1", "192.0.2.8", "2001:db9::1", "::ffff:11.0.0.1", "::1"].filter(has), []);
  const everyone6 = new NetworkList([network("::/0")]);
  assert.ok(everyone6.has(network("::1")));
  assert.ok(!everyone6.has(network("127.0.0.1")));
});

test("property: text and value go both ways; a network covers its addresses, and the list agrees", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.nat(128), address, (text, length, other) => {
      const value = parseAddress(text);
      const stranger = parseAddress(other);
      assert.ok(value !== undefined && stranger !== undefined);
      assert.deepEqual(parseAddress(formatAddress(value)), value);
      const around = networkOf(value, Math.min(length, value.family === "ipv4" ? 32 : 128));
      assert.deepEqual(network(formatNetwork(around)), around);
      assert.ok(covers(around, value));
      assert.ok(new NetworkList([around]).has(value));
      assert.equal(new NetworkList([around]).has(stranger), covers(around, stranger));
    }),
  );
});

test("property: no text throws", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const reading = parseNetwork(text);
      assert.ok(reading.ok || reading.problem !== "");
    }),
  );
});
