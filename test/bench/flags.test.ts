/** The benchmark's flags choose workloads and servers, and a wrong one is told with what there is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WrongFlag } from "../../bench/asked.ts";
import { readFlags } from "../../bench/flags.ts";
import { WORKLOADS } from "../../bench/workloads.ts";

function idsOf(...args: readonly string[]): readonly string[] {
  return readFlags(args).workloads.flatMap(({ rows }) => rows.map(({ id }) => id));
}

test("without flags everything runs, five times", () => {
  const wish = readFlags([]);
  assert.deepEqual(wish.workloads, WORKLOADS);
  assert.equal(wish.rounds, 5);
  assert.ok(wish.peers.some(({ name }) => name === "ftp-srv"));
});

test("--quick is a part of it, with Ferryman and the C servers", () => {
  const { workloads, peers, rounds } = readFlags(["--quick"]);
  assert.ok(workloads.length < WORKLOADS.length);
  assert.deepEqual(
    peers.map(({ name }) => name),
    ["ferryman", "vsftpd", "pure-ftpd", "proftpd"],
  );
  assert.ok(rounds < 5);
});

test("--only takes groups, rows and beginnings of rows", () => {
  assert.deepEqual(idsOf("--only", "j"), ["j-start"]);
  assert.deepEqual(idsOf("--only", "d-retr, j-start"), ["d-retr-1", "d-retr-16", "j-start"]);
  assert.deepEqual(idsOf("--only", "h-busy"), ["h-busy-p50", "h-busy-p99"]);
});

test("rows have names of their own, which the JSON and --check go by", () => {
  const ids = idsOf();
  assert.deepEqual([...new Set(ids)], ids);
});

test("what makes no sense is told", () => {
  for (const args of [["--only", "zz"], ["--servers", "iis"], ["--rounds", "0"], ["--rounds", "x"], ["--fast"]]) {
    assert.throws(() => readFlags(args), WrongFlag);
  }
  assert.throws(() => readFlags(["--servers", "iis"]), /vsftpd/);
});
