/**
 * Runs the tests: one process per file, two files at a time on two cores, and says at the end what was skipped and why.
 * protocol/ runs first and by itself, because each of its lines and branches must be covered by its own tests. What
 * touches data connections runs twice: on this machine's own data path, and on the portable one (decision 018).
 *
 *   node scripts/test.cjs                  everything
 *   node scripts/test.cjs src/net ftplib   the files whose path contains one of these words
 */
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";

const ROOT = join(import.meta.dirname, "..");
/** Milliseconds for one test file; the swap race of 100,000 rounds is the longest and needs a third of it. */
const FILE_LIMIT_MS = 180_000;
/** Loads all of protocol/, so that a file without a test shows up in its coverage as what it is. */
const LOADS_PROTOCOL = "test/tidy/coverage.test.ts";
/** Folders of which no test comes near a data connection. */
const WITHOUT_DATA = [
  "base",
  "protocol",
  "config",
  "account",
  "guard",
  "control",
  "jail",
  "sys",
  "storage",
  "cli",
  "testing",
];
const TOUCHES_DATA = (file) =>
  !file.startsWith("test/tidy/") && !WITHOUT_DATA.some((name) => file.startsWith(`src/${name}/`));

process.env.FERRYMAN_TEST_FILE_MS = String(FILE_LIMIT_MS);
const words = process.argv.slice(2);
const all = globSync(["src/**/*.test.ts", "test/**/*.test.ts"], { cwd: ROOT }).sort();
const files = all.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
if (files.length === 0) {
  console.error(`No test file's path contains: ${words.join(", ")}`);
  process.exit(2);
}

const started = performance.now();
const totals = { tests: 0, passed: 0, failed: 0, skipped: [], failures: [] };
if (words.length > 0) await runFiles(files, {});
else {
  const isProtocol = (file) => file.startsWith("src/protocol/") || file === LOADS_PROTOCOL;
  await runFiles(files.filter(isProtocol), {
    coverage: true,
    coverageIncludeGlobs: ["src/protocol/**/*.ts"],
    coverageExcludeGlobs: ["**/*.test.ts"],
  });
  await runFiles(
    files.filter((file) => !isProtocol(file)),
    {},
  );
  if (process.env.FERRYMAN_DATA_PATH === undefined) {
    console.log("\nOnce more on the portable data path:");
    process.env.FERRYMAN_DATA_PATH = "portable";
    await runFiles(files.filter(TOUCHES_DATA), {});
  }
}
summarize();

async function runFiles(some, coverage) {
  if (some.length === 0) return;
  const perFile = new Map(some.map((file) => [file, { names: [], tests: 0, failed: 0, skipped: 0 }]));
  const stream = run({
    cwd: ROOT,
    files: some.map((file) => join(ROOT, file)),
    concurrency: availableParallelism(),
    timeout: FILE_LIMIT_MS,
    execArgv: ["--import", new URL("watchdog.mjs", import.meta.url).href],
    ...coverage,
  });
  for await (const event of stream) {
    if (event.type === "test:coverage") checkCoverage(event.data.summary);
    else if (event.type === "test:stderr") process.stderr.write(event.data.message);
    else if (event.data?.file !== undefined) note(event, perFile);
  }
}

/** Keeps the names of the tests around this one, counts the innermost ones, prints a line when a file is through. */
function note({ type, data }, perFile) {
  const file = relative(ROOT, data.file);
  const counts = perFile.get(file);
  if (counts === undefined) return;
  if (type === "test:start") {
    counts.names.length = data.nesting;
    counts.names[data.nesting] = data.name;
  } else if (type === "test:pass" || type === "test:fail") {
    counts.names.length = data.nesting;
    record({ file, counts, data, passed: type === "test:pass" });
  } else if (type === "test:summary") {
    const mark = counts.failed > 0 ? "FAIL" : "ok  ";
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    console.log(`${mark} ${file}: ${counts.tests} tests${skipped}, ${seconds(data.duration_ms)}`);
  }
}

function record({ file, counts, data, passed }) {
  // A suite fails when something in it does, and a file is reported like a suite: only what stands for itself counts.
  if (data.details.type === "suite" || data.details.error?.failureType === "subtestsFailed") return;
  const name = [file, ...counts.names, ...(data.name === data.file ? [] : [data.name])].join(" › ");
  counts.tests += 1;
  totals.tests += 1;
  if (data.skip !== undefined || data.todo !== undefined) {
    counts.skipped += 1;
    totals.skipped.push({ name, reason: data.skip ?? data.todo });
  } else if (passed) totals.passed += 1;
  else fail(name, data.details.error, counts);
}

function fail(name, error, counts) {
  counts.failed += 1;
  totals.failed += 1;
  totals.failures.push(name);
  const cause = error?.exitCode === undefined ? (error?.cause ?? error) : `the process ended with ${error.exitCode}`;
  const text = typeof cause === "string" ? cause : inspect(cause, { colors: process.stdout.isTTY });
  console.log(`FAIL ${name}\n${text.replace(/^/gm, "     ")}`);
}

/** RFC words in, RFC words out: what is not covered here has never run. */
function checkCoverage({ files: covered, totals: sum }) {
  for (const file of covered) {
    const lines = file.lines.filter(({ count }) => count === 0).map(({ line }) => line);
    const branches = file.branches.filter(({ count }) => count === 0).map(({ line }) => line);
    if (lines.length === 0 && branches.length === 0) continue;
    totals.failed += 1;
    totals.failures.push(`coverage of ${relative(ROOT, file.path)}`);
    console.log(
      `FAIL coverage of ${relative(ROOT, file.path)}: lines ${list(lines)}; branches at line ${list(branches)}`,
    );
  }
  const percent = `${sum.coveredLinePercent.toFixed(2)} % lines, ${sum.coveredBranchPercent.toFixed(2)} % branches`;
  console.log(`coverage of src/protocol: ${percent} in ${covered.length} files`);
}

function summarize() {
  if (totals.skipped.length > 0) console.log("\nSkipped:");
  for (const { name, reason } of totals.skipped) {
    console.log(`  ${name}: ${typeof reason === "string" && reason !== "" ? reason : "no reason given"}`);
  }
  if (totals.failures.length > 0) console.log(`\nFailed:\n  ${totals.failures.join("\n  ")}`);
  const { tests, passed, failed, skipped } = totals;
  console.log(`\n${files.length} files, ${tests} tests: ${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  console.log(`time ${seconds(performance.now() - started)}`);
  process.exitCode = failed > 0 ? 1 : 0;
}

function list(lines) {
  return lines.length === 0 ? "none" : [...new Set(lines)].join(", ");
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
