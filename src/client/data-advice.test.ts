import assert from "node:assert/strict";
import { test } from "node:test";
import { type Blockade, OUTCOMES, adviceOn } from "./data-advice.ts";
import type { DataAttempt, DataMode } from "./errors.ts";

const SERVER = "198.51.100.1";

function tried(mode: DataMode, outcome: string, named?: string): DataAttempt {
  return { mode, outcome, ms: 1, ...(named === undefined ? {} : { named }) };
}

function advice(attempts: readonly DataAttempt[], changes: Partial<Blockade> = {}): string {
  return adviceOn({
    tried: attempts,
    server: SERVER,
    isTls: false,
    isBehindRouter: false,
    router: undefined,
    ...changes,
  });
}

const { silent, closed, absent, unused } = OUTCOMES;
const refused = "refused (500 No.)";

test("silent, closed and refused passive ports are told apart", () => {
  assert.match(advice([tried("epsv", silent), tried("pasv", silent)]), /do not answer: a firewall on the way swallows/);
  assert.match(advice([tried("epsv", refused), tried("pasv", closed)]), /are closed: its firewall rejects them/);
  assert.match(advice([tried("epsv", "no port in the reply (229 ok)")]), /cannot be used/);
  assert.equal(advice([tried("epsv", refused), tried("pasv", refused)]), "The server refuses passive mode.");
  assert.match(advice([tried("epsv", silent)]), /At the server: set a range of passive ports/);
});

test("an address of a 227 that was not believed is named", () => {
  const text = advice([tried("pasv", silent, "192.168.77.7")]);
  assert.match(text, /names the private address 192\.168\.77\.7, which was not used/);
  assert.match(advice([tried("pasv", silent, "203.0.113.9")]), /names the address 203/);
});

test("active mode: a firewall here, a router, or a server that will not", () => {
  assert.match(advice([tried("eprt", absent)]), /a firewall here must let it in/);
  assert.match(advice([tried("eprt", unused)]), /does not reach this machine/);
  assert.equal(advice([tried("eprt", refused), tried("port", refused)]), "The server refuses active mode.");
  const router = "the router does not answer (PCP, NAT-PMP)";
  const behind = advice([tried("eprt", refused)], { isBehindRouter: true, router });
  assert.match(behind, /behind its router; the router does not answer \(PCP, NAT-PMP\): forward ports/);
  assert.match(advice([tried("eprt", absent)], { isBehindRouter: true }), /behind its router: forward ports/);
});

test("over TLS helpers on the way are blind, which is said where one might have helped", () => {
  assert.match(advice([tried("epsv", silent)], { isTls: true }), /the control connection is TLS\.$/);
  assert.doesNotMatch(advice([tried("epsv", refused)], { isTls: true }), /TLS/);
  assert.doesNotMatch(advice([tried("epsv", silent)]), /TLS/);
});

test("it is a few lines, each a sentence; nothing tried is no verdict", () => {
  const all = [tried("epsv", silent), tried("pasv", silent, "10.0.0.1"), tried("eprt", absent)];
  const lines = advice(all, { isTls: true, isBehindRouter: true, router: "it is old" }).split("\n");
  assert.ok(lines.length <= 5, lines.join("\n"));
  for (const line of lines) assert.match(line, /\.$/);
  assert.match(advice([]), /ferryman doctor/);
});
