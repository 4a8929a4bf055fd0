/** Lines of progress as golden strings: no line is wider than the terminal, whatever names and figures there are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { widthOf } from "../columns.ts";
import { padded, shownName, shownRate, shownSize, shownTime } from "./figures.ts";
import { measured, rateOf, startedMeter } from "./meter.ts";
import {
  type ShownFile,
  type ShownTotals,
  activeLines,
  doneLine,
  failedLine,
  fileLine,
  plainLine,
  redrawn,
  totalLine,
} from "./render.ts";

const MIB = 1_048_576;
const FILE: ShownFile = { name: "report.pdf", bytes: 5 * MIB, resumedAt: 0, total: 10 * MIB, rate: MIB };
const TOTALS: ShownTotals = { ended: 3, files: 40, failed: 1, bytes: 20 * MIB, total: 100 * MIB, rate: 8 * MIB };

test("an active file has name, bar, percent, rate and time left, as far as they fit", () => {
  assert.equal(fileLine(FILE, 79), "report.pdf                    [#######--------]       50%  1.00 MiB/s      0:05");
  assert.equal(fileLine(FILE, 50), "report.pdf               50%  1.00 MiB/s      0:05");
  assert.equal(fileLine(FILE, 30), `${"report.pdf".padEnd(20)}       50%`);
  assert.equal(fileLine(FILE, 6), "50%");
  assert.equal(fileLine(FILE, 2), "50");
  assert.equal(fileLine(FILE, 0), "");
});

test("without a size there is what has come, and 100 % is not said too early", () => {
  assert.equal(
    fileLine({ ...FILE, total: undefined }, 79),
    "report.pdf                    [               ]  5.00 MiB  1.00 MiB/s      -:--",
  );
  assert.match(fileLine({ ...FILE, bytes: 10 * MIB - 1 }, 79), / 99% /);
  assert.match(fileLine({ ...FILE, bytes: 10 * MIB }, 79), / 100% .* 0:00$/);
  assert.match(fileLine({ ...FILE, total: 0, bytes: 0 }, 79), / 100% /);
  assert.match(fileLine({ ...FILE, resumedAt: 4 * MIB }, 79), / 90% .* 0:01$/);
  assert.match(fileLine({ ...FILE, rate: 0 }, 79), / 0 B\/s {6}-:--$/);
});

test("the total line counts files", () => {
  assert.match(totalLine(TOTALS, 120), /^Total 3\/40 files, 1 failed +\[####-+\] +20% +8\.00 MiB\/s +0:10$/);
  assert.match(totalLine({ ...TOTALS, files: undefined, failed: 0 }, 120), /^Total 3 done +\[/);
});

test("lines of files that have ended, well or not, and of long ones without a terminal", () => {
  assert.equal(doneLine({ ...FILE, bytes: 10 * MIB, ms: 5_000 }), "report.pdf  10.0 MiB in 0:05, 2.00 MiB/s");
  assert.equal(
    doneLine({ ...FILE, resumedAt: 5 * MIB, ms: 500 }),
    "report.pdf  5.00 MiB in 500 ms, 10.0 MiB/s, resumed at 5.00 MiB",
  );
  assert.equal(doneLine({ ...FILE, bytes: 0, ms: 0 }), "report.pdf  0 B in 0 ms, - B/s");
  assert.equal(failedLine(FILE, "it is full"), "report.pdf  failed after 5.00 MiB: it is full");
  assert.equal(failedLine({ ...FILE, bytes: 0 }, "it is full"), "report.pdf  failed: it is full");
  assert.equal(plainLine(FILE), "report.pdf  50% of 10.0 MiB, 1.00 MiB/s, 0:05 left");
  assert.equal(plainLine({ ...FILE, total: undefined }), "report.pdf  5.00 MiB, 1.00 MiB/s");
});

test("attack 64: a name's control characters never reach the terminal", () => {
  const name = "a\x1b[2Jb\r\nc\u202ed";
  const expected = "a?[2Jb??c?d";
  assert.ok(fileLine({ ...FILE, name }, 79).startsWith(`${expected} `));
  assert.ok(doneLine({ ...FILE, name, ms: 1 }).startsWith(`${expected} `));
  assert.ok(failedLine({ ...FILE, name }, "no").startsWith(`${expected} `));
  assert.ok(plainLine({ ...FILE, name }).startsWith(`${expected} `));
});

test("names lose their middle by columns: wide letters count two", () => {
  assert.equal(shownName("abcdefghij", 10), "abcdefghij");
  assert.equal(shownName("abcdefghijk", 10), "abcde…hijk");
  assert.equal(shownName("漢字漢字漢字", 8), "漢字…字");
  assert.equal(widthOf("漢字…字"), 7);
  assert.equal(shownName("abc", 1), "…");
  assert.equal(shownName("abc", 0), "");
  assert.equal(padded("漢", 4), "漢  ");
});

test("sizes, rates and times keep within their columns", () => {
  const sizes = [0, 999, 1_000, 1_536, 10_229, 10_235, 1_023_488, MIB, 12.34 * MIB, 2 ** 40, 2 ** 62];
  assert.deepEqual(sizes.map(shownSize), [
    "0 B",
    "999 B",
    "0.98 KiB",
    "1.50 KiB",
    "9.99 KiB",
    "10.0 KiB",
    "0.98 MiB",
    "1.00 MiB",
    "12.3 MiB",
    "1.00 TiB",
    "4096 PiB",
  ]);
  assert.deepEqual([undefined, 0, 5_000, Infinity].map(shownRate), ["- B/s", "0 B/s", "4.88 KiB/s", "- B/s"]);
  assert.deepEqual([undefined, 0, 7.4, 60, 3_599.6, 3_723, 86_399, 97_200, 1e9, NaN].map(shownTime), [
    "-:--",
    "0:00",
    "0:07",
    "1:00",
    "1:00:00",
    "1:02:03",
    "23:59:59",
    "1d 03h",
    ">99d",
    "-:--",
  ]);
});

test("no active line is wider than the terminal, and there are two rows less than it has", () => {
  const file = fc.record({
    name: fc.string({ unit: "grapheme", maxLength: 60 }),
    bytes: fc.nat(2 ** 31 - 1),
    resumedAt: fc.nat(1_000),
    total: fc.option(fc.nat(2 ** 31 - 1), { nil: undefined }),
    rate: fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }), { nil: undefined }),
  });
  fc.assert(
    fc.property(
      fc.array(file, { maxLength: 12 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 15 }),
      (files, columns, rows) => {
        const lines = activeLines(files, { ...TOTALS, files: undefined }, { columns, rows });
        assert.ok(lines.length <= Math.max(1, rows - 2), `${lines.length} lines in ${rows} rows`);
        for (const each of lines) assert.ok(widthOf(each) <= Math.max(1, columns - 1), `${widthOf(each)}: ${each}`);
      },
    ),
    { numRuns: 300 },
  );
});

test("what does not fit is counted, and the total stays", () => {
  const files = Array.from({ length: 9 }, (_, at) => ({ ...FILE, name: `file${at}` }));
  const lines = activeLines(files, TOTALS, { columns: 80, rows: 7 });
  assert.deepEqual(
    lines.map((each) => each.slice(0, 10).trimEnd()),
    ["file0", "file1", "file2", "and 6 more", "Total 3/40"],
  );
  assert.equal(activeLines(files, TOTALS, { columns: 80, rows: 3 }).length, 1);
  assert.equal(activeLines([FILE], { ...TOTALS, files: undefined }, { columns: 80, rows: 24 }).length, 1);
  assert.equal(activeLines([FILE], TOTALS, { columns: 80, rows: 24 }).length, 2);
  assert.deepEqual(activeLines([], TOTALS, { columns: 80, rows: 24 }), []);
});

test("a redraw goes up by as many rows as the lines before take now", () => {
  assert.equal(redrawn({ before: [], above: [], lines: ["a", "b"] }, 80), "a\nb");
  assert.equal(redrawn({ before: ["a", "b"], above: ["done"], lines: ["c"] }, 80), "\r\x1b[1A\x1b[Jdone\nc");
  assert.equal(redrawn({ before: ["x".repeat(79)], above: [], lines: [] }, 40), "\r\x1b[1A\x1b[J");
  assert.equal(redrawn({ before: [], above: [], lines: [] }, 80), "");
});

test("the rate follows the last seconds, and needs no past at the start", () => {
  let meter = startedMeter(0);
  assert.equal(rateOf(meter), undefined);
  meter = measured(meter, { now: 100, bytes: 100_000 });
  assert.equal(Math.round(rateOf(meter) ?? 0), 1_000_000);
  for (let now = 200; now <= 20_000; now += 100) meter = measured(meter, { now, bytes: 100_000 });
  assert.ok((rateOf(meter) ?? 0) < 5_000, "it stalled, and the rate says so");
  assert.equal(measured(meter, { now: 20_000, bytes: 1e9 }), meter);
  assert.equal(rateOf(measured(startedMeter(0), { now: 10, bytes: -5 })), 0);
});
