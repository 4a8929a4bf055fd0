/** The benchmark's own arithmetic: medians, ratios, targets, what `--check` compares, the page and its picture. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bars } from "../../bench/report/bars.ts";
import { fallen } from "../../bench/report/check.ts";
import { page, targetTable } from "../../bench/report/page.ts";
import {
  type Report,
  type ReportCell,
  type ReportRow,
  bestPeer,
  cpuRatio,
  judge,
  median,
  ratioToBest,
  report,
} from "../../bench/report/report.ts";
import { affordable, inTurn, isDone } from "../../bench/rounds.ts";
import { mainTable, markdown, plain } from "../../bench/report/tables.ts";
import { REMARKS, WORKLOADS, remarkKey, withRemarks } from "../../bench/workloads.ts";

function cell(server: string, value?: number, more: Partial<ReportCell> = {}): ReportCell {
  return { server, values: value === undefined ? [] : [value], ...(value === undefined ? {} : { value }), ...more };
}

function row(cells: readonly ReportCell[], more: Partial<ReportRow> = {}): ReportRow {
  const fixed = {
    id: "a-1",
    group: "a",
    title: "RETR, 1 session",
    unit: "MiB/s",
    better: "higher",
    targets: [],
  } as const;
  return { ...fixed, targets: [], cells: [...cells], ...more };
}

function runOf(rows: readonly ReportRow[]): Report {
  const names = [...new Set(rows.flatMap(({ cells }) => cells.map(({ server }) => server)))];
  const servers = names
    .filter((name) => name !== "raw")
    .map((name) => ({ name, ours: name.startsWith("ferryman"), version: "1 <2>", setup: "as it comes" }));
  const facts = { date: "2026-01-31T12:00", quick: true, rounds: 2, seconds: 60, machine: {}, conditions: [] };
  return { format: 1, ...facts, servers, rows: [...rows] };
}

test("a median is the middle one, or the mean of the two in the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (numbers) => {
      const found = median(numbers);
      assert.ok(numbers.filter((each) => each <= found).length * 2 >= numbers.length);
      assert.ok(numbers.filter((each) => each >= found).length * 2 >= numbers.length);
    }),
  );
});

test("the best peer is neither ours nor the bare limit, whatever is better", () => {
  const cells = [
    cell("ferryman", 300),
    cell("ferryman-1", 900),
    cell("slow", 100),
    cell("fast", 200),
    cell("raw", 999),
  ];
  assert.equal(bestPeer(row(cells))?.server, "fast");
  assert.equal(ratioToBest(row(cells)), 1.5);
  assert.equal(bestPeer(row(cells, { better: "lower" }))?.server, "slow");
  assert.equal(ratioToBest(row(cells, { better: "lower" })), 1 / 3);
});

test("without a figure there is no ratio, and no target is judged", () => {
  const lonely = row([cell("ferryman"), cell("fast", 2)]);
  assert.equal(ratioToBest(lonely), undefined);
  assert.equal(judge(lonely, { kind: "ratio", least: 1 }).met, undefined);
  assert.equal(judge(lonely, { kind: "cpu", most: 1 }).met, undefined);
  assert.equal(judge(lonely, { kind: "value", most: 1 }).met, undefined);
});

test("targets are judged against the best peer, a named one, the thriftiest one, or by the figure itself", () => {
  const found = row([
    cell("ferryman", 12, { cpuPerGib: 0.5 }),
    cell("fast", 10, { cpuPerGib: 1 }),
    cell("thrifty", 5, { cpuPerGib: 0.4 }),
    cell("raw", 90, { cpuPerGib: 0.1 }),
  ]);
  assert.equal(judge(found, { kind: "ratio", least: 1.2 }).met, true);
  assert.equal(judge(found, { kind: "ratio", least: 1.21 }).met, false);
  assert.equal(judge(found, { kind: "ratio", least: 2.4, peer: "thrifty" }).met, true);
  assert.equal(cpuRatio(found), 1.25);
  assert.equal(judge(found, { kind: "cpu", most: 1.2 }).met, false);
  assert.equal(judge(found, { kind: "value", most: 12 }).met, true);
  assert.equal(judge(found, { kind: "value", most: 11 }).met, false);
});

test("--check: a ratio may fall by a fifth and no further, and no figure of ours may vanish", () => {
  const before = runOf([row([cell("ferryman", 20), cell("fast", 10)])]);
  const now = (...cells: readonly ReportCell[]): Report => runOf([row(cells)]);
  assert.deepEqual(fallen(before, now(cell("ferryman", 16), cell("fast", 10))), []);
  assert.equal(fallen(before, now(cell("ferryman", 15.9), cell("fast", 10)))[0]?.before, 2);
  assert.equal(fallen(before, now(cell("ferryman"), cell("fast", 10)))[0]?.now, undefined);
  const other = row([cell("ferryman", 1), cell("fast", 10)], { id: "new" });
  assert.deepEqual(fallen(before, runOf([other])), []);
});

test("the page names targets as met or missed, and says why a figure is not there", () => {
  const targets: ReportRow["targets"] = [
    { kind: "ratio", least: 1.5 },
    { kind: "ratio", least: 3 },
  ];
  const cells = [cell("ferryman", 20), cell("fast", 10), cell("old", undefined, { problem: "not offered: 500 What?" })];
  const text = page(runOf([row(cells, { targets })]));
  assert.match(text, /\| RETR, 1 session \| ≥ 1\.5 × best peer \| 2\.00 × \| met \| {2}\|/);
  assert.match(text, /\| RETR, 1 session \| ≥ 3 × best peer \| 2\.00 × \| \*\*missed\*\* \| {2}\|/);
  assert.match(text, /- old: not offered: 500 What\? \(RETR, 1 session\)/);
  assert.match(text, /Of 2 targets 1 are met and 1 are missed\./);
});

test("a remark stands beside a missed target alone, and follows the table of today", () => {
  const targets: ReportRow["targets"] = [
    { kind: "ratio", least: 1.5, remark: "an old one" },
    { kind: "ratio", least: 3 },
    { kind: "ratio", least: 4, peer: "fast" },
    { kind: "cpu", most: 1 },
  ];
  const run = runOf([row([cell("ferryman", 20, { cpuPerGib: 2 }), cell("fast", 10, { cpuPerGib: 1 })], { targets })]);
  const verdicts = targetTable(withRemarks(run, { "a-1": "the loop", "a-1 fast": "the copy", "a-1 cpu": "the hash" }));
  assert.deepEqual(
    verdicts.slice(1).map((line) => line.slice(3)),
    [
      ["met", ""],
      ["missed", "the loop"],
      ["missed", "the copy"],
      ["missed", "the hash"],
    ],
  );
});

test("each remark belongs to a target that there is", () => {
  const keys = WORKLOADS.flatMap(({ rows }) =>
    rows.flatMap(({ id, targets }) => targets.map((aim) => remarkKey(id, aim))),
  );
  assert.deepEqual(
    Object.keys(REMARKS).filter((key) => !keys.includes(key)),
    [],
  );
  assert.deepEqual([...new Set(keys)], keys);
});

test("tables tell the rounds, and the bare limit where there is one", () => {
  const cells = [cell("ferryman", 2, { values: [1, 2, 3] }), cell("fast", 2, { values: [2] }), cell("gone")];
  const [head, line] = mainTable(["ferryman", "fast", "gone"], [row(cells)]);
  assert.deepEqual(head, ["workload", "unit", "rounds", "ferryman", "fast", "gone", "best peer", "to best"]);
  assert.deepEqual(line, ["RETR, 1 session", "MiB/s", "1 to 3", "2.00", "2.00", "–", "fast", "1.00 ×"]);
  assert.deepEqual(mainTable(["ferryman"], [row([...cells, cell("raw", 4)])])[1]?.slice(-2), ["4.00", "0.50 ×"]);
});

function barsOfTenAndTwenty(better: "higher" | "lower"): readonly number[] {
  const picture = bars(runOf([row([cell("ferryman", 10), cell("a<b", 20)], { better })]));
  assert.match(picture, /a&lt;b/);
  return [...picture.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, width]) => Number(width));
}

test("the longest bar belongs to the best figure, also where less is better", () => {
  const [ours = 0, other = 0] = barsOfTenAndTwenty("higher");
  assert.ok(Math.abs(other - ours * 2) < 0.2, `${ours} ${other}`);
  assert.deepEqual(barsOfTenAndTwenty("lower"), [other, ours]);
});

test("tables: columns in line on the terminal, and no cell that breaks Markdown", () => {
  assert.equal(
    plain([
      ["a", "bbbb", "c"],
      ["ccc", "1.5", "d"],
      ["e", "–", "longer"],
    ]),
    "a    bbbb  c\nccc   1.5  d\ne       –  longer",
  );
  assert.equal(
    markdown([
      ["a", "ferryman"],
      ["b|c", "1"],
    ]),
    "| a | **ferryman** |\n| --- | ---: |\n| b\\|c | 1 |",
  );
});

test("a report survives being written and read, and a foreign file is refused", () => {
  const written = runOf([row([cell("ferryman", 20), cell("fast", 10)])]);
  assert.deepEqual(report.parse(JSON.parse(JSON.stringify(written))), written);
  assert.throws(() => report.parse({ format: 2 }));
});

test("rounds are left out when time runs out, and never the least that a median needs", () => {
  const least = 3;
  assert.equal(affordable(5, { passed: 0, left: 100_000, behind: 0, ahead: 100, least }), 5);
  assert.equal(affordable(5, { passed: 0, left: 80_000, behind: 0, ahead: 100, least }), 4);
  assert.equal(affordable(5, { passed: 20_000, left: 160_000, behind: 10, ahead: 100, least }), 4);
  assert.equal(affordable(5, { passed: 8_000, left: 80_000, behind: 10, ahead: 100, least }), 5);
  assert.equal(affordable(5, { passed: 1_000, left: 60_000, behind: 10, ahead: 100, least }), 4);
  assert.equal(affordable(5, { passed: 20_000, left: -1, behind: 10, ahead: 100, least }), 3);
  assert.equal(affordable(2, { passed: 20_000, left: -1, behind: 10, ahead: 100, least }), 2);
  assert.equal(affordable(5, { passed: 20_000, left: Infinity, behind: 10, ahead: 100, least }), 5);
});

test("a slow server gets the least rounds, one that fails may try again, and one that hangs may not", () => {
  const plan = { leastRounds: 3, budgetMs: 1_000, stopped: () => false };
  const fresh = { measured: [1, 2], spentMs: 0, faults: 0, isHopeless: false };
  assert.equal(isDone(fresh, plan), false);
  assert.equal(isDone({ ...fresh, spentMs: 1_001 }, plan), false);
  assert.equal(isDone({ ...fresh, measured: [1, 2, 3], spentMs: 1_001 }, plan), true);
  assert.equal(isDone({ ...fresh, faults: 2 }, plan), false);
  assert.equal(isDone({ ...fresh, faults: 3 }, plan), true);
  assert.equal(isDone({ ...fresh, faults: 1, spentMs: 1_001 }, plan), true);
  assert.equal(isDone({ ...fresh, isHopeless: true }, plan), true);
  assert.equal(isDone(fresh, { ...plan, stopped: () => true }), true);
});

test("nobody always comes after the same one: each second round goes the other way round", () => {
  const rounds = [0, 1, 2].map((round) => inTurn(["a", "b", "c"], round).join(""));
  assert.deepEqual(rounds, ["cba", "abc", "cba"]);
});
