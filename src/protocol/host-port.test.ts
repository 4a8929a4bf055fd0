import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type HostPort,
  format227,
  format229,
  formatEprt,
  formatPort,
  parse227,
  parse229,
  parseEprt,
  parsePort,
} from "./host-port.ts";

const example: HostPort = { family: "IPv4", address: "192.0.2.1", port: 1234 };

test("PORT is six numbers (RFC 959 §4.1.2)", () => {
  assert.deepEqual(parsePort("192,0,2,1,4,210"), example);
  assert.equal(formatPort(example), "192,0,2,1,4,210");
  assert.deepEqual(parsePort("0,0,0,0,0,1"), { family: "IPv4", address: "0.0.0.0", port: 1 });
});

test("attack 3: no odd spelling of PORT is read", () => {
  const odd = [
    "",
    "1,2,3,4,5",
    "1,2,3,4,5,6,7",
    " 1,2,3,4,5,6",
    "1,2,3,4,5,6 ",
    "1, 2,3,4,5,6",
    "256,2,3,4,5,6",
    "1,2,3,4,5,256",
  ];
  const odder = [
    "01,2,3,4,5,6",
    "00,2,3,4,5,6",
    "+1,2,3,4,5,6",
    "-1,2,3,4,5,6",
    "0x1,2,3,4,5,6",
    "1.2.3.4,5,6",
    "1,2,3,4,,6",
  ];
  for (const text of [...odd, ...odder, "1,2,3,4,0,0", "1,2,3,4,5,6\n", "1e1,2,3,4,5,6", "1,2,3,4,5,1000"]) {
    assert.equal(parsePort(text), undefined, JSON.stringify(text));
  }
});

test("EPRT is family, address and port between any delimiters (RFC 2428 §2)", () => {
  assert.deepEqual(parseEprt("|1|192.0.2.1|1234|"), { kind: "address", hostPort: example });
  assert.deepEqual(parseEprt("!1!192.0.2.1!1234!"), { kind: "address", hostPort: example });
  const six: HostPort = { family: "IPv6", address: "2001:db8::1", port: 65_535 };
  assert.deepEqual(parseEprt("|2|2001:db8::1|65535|"), { kind: "address", hostPort: six });
  assert.equal(formatEprt(six), "|2|2001:db8::1|65535|");
  assert.equal(formatEprt(example), "|1|192.0.2.1|1234|");
  assert.deepEqual(parseEprt("|3|whatever|1|"), { kind: "other-family" });
});

test("attack 3: a v4-mapped address stays one of IPv6, for the caller to refuse", () => {
  assert.deepEqual(parseEprt("|2|::ffff:10.0.0.1|2000|"), {
    kind: "address",
    hostPort: { family: "IPv6", address: "::ffff:10.0.0.1", port: 2000 },
  });
});

test("attack 3: no odd spelling of EPRT is read", () => {
  const shapes = [
    "",
    "|",
    "|1|",
    "|1|192.0.2.1|1234",
    "1|192.0.2.1|1234|",
    "|1|192.0.2.1|1234|x",
    "|1|192.0.2.1|1234||",
    " 1 1.2.3.4 5 ",
  ];
  const families = [
    "||192.0.2.1|1234|",
    "|0|192.0.2.1|1234|",
    "|01|192.0.2.1|1234|",
    "|1|::1|1234|",
    "|2|192.0.2.1|1234|",
  ];
  const addresses = [
    "|1|010.0.0.1|1234|",
    "|1|0x7f.1|1234|",
    "|1|2130706433|1234|",
    "|1|127.1|1234|",
    "|1||1234|",
    "|1|1.2.3.4 |99|",
  ];
  const more = [
    "|2|fe80::1%eth0|1234|",
    "|2|fe80::1%1|1234|",
    "|2|[::1]|1234|",
    "|2|:::1|1234|",
    "\xe41\xe41.2.3.4\xe499\xe4",
  ];
  const ports = ["0", "01", "65536", "+1", "-1", "", " 1", "1 ", "1e3", "100000"].map(
    (port) => `|1|192.0.2.1|${port}|`,
  );
  for (const text of [...shapes, ...families, ...addresses, ...more, ...ports]) {
    assert.equal(parseEprt(text), undefined, JSON.stringify(text));
  }
});

test("227 is read wherever its six numbers stand (RFC 1123 §4.1.2.6)", () => {
  assert.equal(format227(example), "Entering Passive Mode (192,0,2,1,4,210).");
  for (const text of ["(192,0,2,1,4,210)", "=192,0,2,1,4,210", "to 192,0,2,1,4,210", "192,000,002,001,004,210."]) {
    assert.deepEqual(parse227(text), example, text);
  }
  for (const text of [
    "",
    "no numbers",
    "1,2,3,4,5",
    "1234,2,3,4,5,6",
    "1,2,3,4,5,2556",
    "1,2,3,4,5,256",
    "1,2,3,4,0,0",
  ]) {
    assert.equal(parse227(text), undefined, text);
  }
});

test("229 is read with any delimiter (RFC 2428 §3)", () => {
  assert.equal(format229(6446), "Entering Extended Passive Mode (|||6446|)");
  for (const text of ["(|||6446|)", "(!!!6446!)", "x |||6446|", "((((6446()"]) assert.equal(parse229(text), 6446, text);
  for (const text of [
    "",
    "(||6446|)",
    "(|||6446)",
    "(||!6446|)",
    "(|||0|)",
    "(|||65536|)",
    "(|||06446|)",
    "111644611",
  ]) {
    assert.equal(parse229(text), undefined, text);
  }
});

const port = fc.integer({ min: 1, max: 65_535 });
const anyHostPort: fc.Arbitrary<HostPort> = fc.oneof(
  fc.tuple(fc.ipV4(), port).map(([address, number]): HostPort => ({ family: "IPv4", address, port: number })),
  fc.tuple(fc.ipV6(), port).map(([address, number]): HostPort => ({ family: "IPv6", address, port: number })),
);

test("every address comes back from each form that holds it", () => {
  fc.assert(
    fc.property(anyHostPort, fc.string(), (hostPort, text) => {
      assert.deepEqual(parseEprt(formatEprt(hostPort)), { kind: "address", hostPort });
      assert.equal(parse229(format229(hostPort.port)), hostPort.port);
      if (hostPort.family === "IPv4") {
        assert.deepEqual(parsePort(formatPort(hostPort)), hostPort);
        assert.deepEqual(parse227(`${text.replaceAll(/\d/g, "")} ${format227(hostPort)}`), hostPort);
      }
    }),
  );
});

test("no text makes a parser throw, and what comes out is an address and a port", () => {
  const near = fc
    .array(fc.constantFrom("|", "||", "1", "2", "0", "255", ",", ".", ":", "::", "%", "(", ")", "65535"))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: "binary" })), (text) => {
      const eprt = parseEprt(text);
      const found = [parsePort(text), parse227(text), eprt?.kind === "address" ? eprt.hostPort : undefined];
      for (const each of found) assert.ok(each === undefined || (each.port >= 1 && each.port <= 65_535));
      const fourth = parse229(text);
      assert.ok(fourth === undefined || (fourth >= 1 && fourth <= 65_535));
    }),
    { numRuns: 1000 },
  );
});
