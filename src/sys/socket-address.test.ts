import assert from "node:assert/strict";
import { SocketAddress as NodeAddress } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { ADDRESS_SPACE, readAddress, writeAddress } from "./socket-address.ts";

test("every address comes back as it was written, IPv6 in its shortest form (RFC 5952)", () => {
  const space = Buffer.alloc(ADDRESS_SPACE);
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65_535 }), (address, port) => {
      writeAddress(space, address, port);
      const back = readAddress(space);
      assert.equal(back.port, port);
      const family = address.includes(":") ? "ipv6" : "ipv4";
      const wanted = new NodeAddress({ address, family });
      // Node writes the last groups of some as IPv4; compared as octets they are one.
      assert.equal(new NodeAddress({ address: back.address, family }).address, wanted.address);
    }),
  );
  writeAddress(space, "2001:db8:0:0:1:0:0:1", 21);
  assert.equal(readAddress(space).address, "2001:db8::1:0:0:1");
});
