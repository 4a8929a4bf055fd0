import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NONCE_OCTETS,
  formatNatPmpAddress,
  formatNatPmpMap,
  formatPcpMap,
  parseNatPmpAddress,
  parseNatPmpMap,
  parsePcpMap,
} from "./pcp.ts";

const nonce = Buffer.from("0102030405060708090a0b0c", "hex");
const question = { address: "192.168.1.7", port: 0xc351, suggestedPort: 0x1234, lifetime: 300 };

/** As RFC 6887 §7.2 and §11.1 draw it. */
function pcpAnswer(
  changes: Readonly<Record<number, number>> = {},
  address = "00000000000000000000ffffcb007109",
): Buffer {
  const line = Buffer.from(
    `028100000000007800000001${"00".repeat(12)}${nonce.toString("hex")}06000000c3515678${address}`,
    "hex",
  );
  for (const [at, value] of Object.entries(changes)) line[Number(at)] = value;
  return line;
}

test("a MAP request is as RFC 6887 draws it", () => {
  assert.equal(
    formatPcpMap(question, nonce).toString("hex"),
    `020100000000012c00000000000000000000ffffc0a80107${nonce.toString("hex")}06000000c351123400000000000000000000ffff00000000`,
  );
  assert.equal(nonce.length, NONCE_OCTETS);
  const wide = formatPcpMap({ ...question, address: "2001:db8::7%eth0" }, nonce).toString("hex");
  assert.equal(wide.slice(16, 48), "20010db8000000000000000000000007");
  assert.equal(wide.slice(88), "0".repeat(32));
  const whole = formatPcpMap({ ...question, address: "2001:db8:1:2:3:4:5:6" }, nonce).toString("hex");
  assert.equal(whole.slice(16, 48), "20010db8000100020003000400050006");
});

test("an answer to a MAP request says where we can be reached, and for how long", () => {
  const mapped = { kind: "mapped", port: 0x5678, address: "203.0.113.9", lifetime: 120 };
  assert.deepEqual(parsePcpMap(pcpAnswer(), question, nonce), mapped);
  const wide = parsePcpMap(pcpAnswer({}, "20010db8000000000000000000000007"), question, nonce);
  assert.deepEqual(wide, { ...mapped, address: "2001:db8:0:0:0:0:0:7" });
});

test("a refusal is told in words, and an older protocol is told from it", () => {
  assert.deepEqual(parsePcpMap(pcpAnswer({ 3: 2 }), question, nonce), {
    kind: "refused",
    why: "it does not permit that",
  });
  assert.deepEqual(parsePcpMap(pcpAnswer({ 3: 99 }), question, nonce), { kind: "refused", why: "result 99" });
  assert.deepEqual(parsePcpMap(pcpAnswer({ 3: 1 }).subarray(0, 24), question, nonce), { kind: "older" });
  assert.deepEqual(parsePcpMap(Buffer.from("0080000100000000", "hex"), question, nonce), { kind: "older" });
});

test("what answers another question is passed over", () => {
  for (const changes of [{ 0: 1 }, { 1: 0x80 }, { 24: 0 }, { 36: 17 }, { 40: 0 }]) {
    assert.equal(parsePcpMap(pcpAnswer(changes), question, nonce), undefined, JSON.stringify(changes));
  }
  for (const length of [0, 7, 23, 59]) {
    assert.equal(parsePcpMap(pcpAnswer().subarray(0, length), question, nonce), undefined, `${length}`);
  }
});

test("NAT-PMP: the router's address, and a mapping", () => {
  assert.equal(formatNatPmpAddress().toString("hex"), "0000");
  assert.equal(parseNatPmpAddress(Buffer.from("0080000000000001cb007109", "hex")), "203.0.113.9");
  assert.deepEqual(parseNatPmpAddress(Buffer.from("0080000300000001", "hex")), { why: "its network is down" });
  assert.deepEqual(parseNatPmpAddress(Buffer.from("0080000900000001", "hex")), { why: "result 9" });
  for (const odd of ["", "0080000000000001", "0280000000000001cb007109", "0081000000000001cb007109"]) {
    assert.equal(parseNatPmpAddress(Buffer.from(odd, "hex")), undefined, odd);
  }
  assert.equal(formatNatPmpMap(question).toString("hex"), "00020000c35112340000012c");
  const answer = (text: string): ReturnType<typeof parseNatPmpMap> =>
    parseNatPmpMap(Buffer.from(text, "hex"), question, "203.0.113.9");
  const mapped = { kind: "mapped", port: 0x5678, address: "203.0.113.9", lifetime: 120 };
  assert.deepEqual(answer("0082000000000001c351567800000078"), mapped);
  assert.deepEqual(answer("0082000400000001c351567800000078"), { kind: "refused", why: "it has no room for more" });
  assert.deepEqual(answer("0082000900000001c351567800000078"), { kind: "refused", why: "result 9" });
  for (const odd of ["0082", "0182000000000001c351567800000078", "0081000000000001c351567800000078"]) {
    assert.equal(answer(odd), undefined, odd);
  }
  assert.equal(answer("0082000000000001c352567800000078"), undefined);
});
