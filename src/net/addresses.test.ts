import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { familyOf, plainAddress, sameAddress, showEndpoint } from "./addresses.ts";

test("an IPv4 peer of a dual-stack listener is an IPv4 address", () => {
  assert.equal(plainAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(plainAddress("::FFFF:192.0.2.1"), "192.0.2.1");
  assert.equal(plainAddress("2001:db8::1"), "2001:db8::1");
  assert.equal(familyOf("192.0.2.1"), "IPv4");
  assert.equal(familyOf("2001:db8::1"), "IPv6");
});

test("one address in two spellings is one address; two addresses are two", () => {
  assert.ok(sameAddress("192.0.2.1", "192.0.2.1"));
  assert.ok(!sameAddress("192.0.2.1", "192.0.2.2"));
  assert.ok(sameAddress("2001:db8::1", "2001:DB8:0:0:0:0:0:1"));
  assert.ok(!sameAddress("2001:db8::1", "2001:db8::2"));
  assert.ok(!sameAddress("::1", "127.0.0.1"));
  assert.ok(sameAddress("fe80::1%eth0", "fe80::1"));
  assert.ok(!sameAddress("fe80::1%eth0", "fe80::1%eth1"));
});

test("property: an address is itself, whatever it is; nothing throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
      fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
      (one, other) => {
        assert.ok(sameAddress(one, one));
        assert.equal(sameAddress(one, other), sameAddress(other, one));
      },
    ),
  );
});

test("endpoints are shown as in URLs", () => {
  assert.equal(showEndpoint({ address: "192.0.2.1", port: 21 }), "192.0.2.1:21");
  assert.equal(showEndpoint({ address: "::1", port: 21 }), "[::1]:21");
});
