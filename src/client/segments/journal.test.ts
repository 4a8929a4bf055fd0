import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Kept, type Version, doneOf, formatJournal, parseJournal } from "./journal.ts";
import { JOURNAL_OCTETS, JOURNAL_RANGES } from "./limits.ts";
import { type Range, RangeSet } from "./ranges.ts";

const boot = "4f1c-run";
const kept = (written: readonly Range[], synced = written): Kept => ({ written, synced, boot });
const version: Version = { url: "ftp://host:21/big", size: 1_000, modifiedMs: 5 };
const rangeSets = fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { maxLength: 30 }).map((pairs) => {
  const set = new RangeSet();
  for (const [one, other] of pairs) set.add(Math.min(one, other), Math.max(one, other));
  return set;
});

test("a journal is read as it was written", () => {
  fc.assert(
    fc.property(rangeSets, ({ ranges }) => {
      const done = doneOf(parseJournal(formatJournal(version, kept(ranges))), version, boot);
      assert.deepEqual(done?.ranges, ranges);
    }),
  );
});

test("a journal that was cut anywhere is none", () => {
  const text = formatJournal(version, kept([{ start: 10, end: 20 }]));
  for (let length = 0; length < text.length; length += 1) assert.equal(parseJournal(text.slice(0, length)), undefined);
});

test("no text makes the parser fail, or gives ranges outside of the file", () => {
  const lines = fc.array(fc.oneof(fc.string(), fc.constantFrom("1 2", "5 3", "0 2000", "end", "", "size 9")));
  fc.assert(
    fc.property(lines, (extra) => {
      const text = formatJournal(version, kept([])).replace("end\n", `${extra.join("\n")}\nend\n`);
      for (const { start, end } of parseJournal(text)?.written ?? [])
        assert.ok(start >= 0 && start < end && end <= 1_000);
    }),
  );
});

test("a journal of another version, of another source, and of one without a time, is not believed", () => {
  const journal = parseJournal(formatJournal(version, kept([{ start: 0, end: 9 }])));
  assert.equal(doneOf(journal, version, boot)?.total, 9);
  assert.equal(doneOf(journal, { ...version, modifiedMs: 6 }, boot), undefined);
  assert.equal(doneOf(journal, { ...version, size: 999 }, boot), undefined);
  assert.equal(doneOf(journal, { ...version, url: "ftp://host:21/other" }, boot), undefined);
  const timeless = { ...version, modifiedMs: undefined };
  assert.equal(doneOf(parseJournal(formatJournal(timeless, kept([{ start: 0, end: 9 }]))), timeless, boot), undefined);
});

test("a journal has a size that it never exceeds: the shortest of too many ranges are left out", () => {
  const size = Number.MAX_SAFE_INTEGER;
  const step = Math.floor(size / (2 * JOURNAL_RANGES));
  const ranges = Array.from({ length: 2 * JOURNAL_RANGES - 1 }, (_, at) => ({
    start: at * step,
    end: at * step + (at % 2 === 0 ? step - 1 : 1),
  }));
  const text = formatJournal({ ...version, size }, kept(ranges));
  assert.ok(text.length <= JOURNAL_OCTETS, `${text.length}`);
  const left = parseJournal(text)?.written ?? [];
  assert.equal(left.length, JOURNAL_RANGES);
  assert.equal(left.filter(({ start, end }) => end - start === 1).length, 0);
});

test("after another start of the system only what was on the disk is believed", () => {
  const journal = parseJournal(formatJournal(version, kept([{ start: 0, end: 90 }], [{ start: 5, end: 9 }])));
  assert.equal(doneOf(journal, version, boot)?.total, 90);
  assert.equal(doneOf(journal, version, "other-run")?.total, 4);
  assert.equal(doneOf(journal, version, undefined)?.total, 4);
});
