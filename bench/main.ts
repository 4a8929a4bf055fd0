/**
 * `npm run bench`: Ferryman beside other FTP servers, all of them started here, on loopback, alternating. `--help` says
 * what can be asked for, docs/performance.md what was found and how.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Bench, warmUp } from "./cells.ts";
import { conditions } from "./conditions.ts";
import { USAGE, type Wish, WrongFlag, readFlags } from "./flags.ts";
import { FULL, QUICK, prepare } from "./ground.ts";
import { loadGenerator } from "./load/build.ts";
import { machine } from "./machine.ts";
import { makeGroup, removeGroup } from "./meter.ts";
import { type Surroundings, surrounded } from "./namespace.ts";
import type { Peer } from "./peers/peer.ts";
import { bars } from "./report/bars.ts";
import { fallen } from "./report/check.ts";
import { page, targetTable } from "./report/page.ts";
import { type Report, report, times } from "./report/report.ts";
import { groupsOf, mainTable, plain, problems, serversOf } from "./report/tables.ts";
import { type Plan, estimate, runRounds } from "./rounds.ts";
import { Stand } from "./stand.ts";
import { withRemarks } from "./workloads.ts";

const DOCS = join(import.meta.dirname, "..", "docs");
/** The run that the page shows, and that `--check` compares with. */
const COMMITTED = join(DOCS, "performance.json");
const LATEST = join(import.meta.dirname, ".cache", "latest.json");
/** Milliseconds of one server in one workload. */
const [BUDGET_MS, QUICK_BUDGET_MS] = [8_000, 3_000];
/** Seconds for which each server moves small files before the first round. */
const [WARM_UP_S, QUICK_WARM_UP_S] = [5, 1];
/** Rounds that each server gets whatever they take. */
const [LEAST_ROUNDS, QUICK_LEAST_ROUNDS] = [3, 1];
/** Milliseconds for all, unless --rounds is given: what the page promises, with room for the end. */
const [LIMIT_MS, QUICK_LIMIT_MS] = [23 * 60_000, 105_000];
/** What a quick cell takes of the time of a full one. */
const QUICK_FACTOR = 0.35;
/** Exit codes: flags that make no sense, and ended by Ctrl-C (128 + SIGINT). */
const [WRONG_USE, INTERRUPTED] = [2, 130];

function say(line: string): void {
  console.error(line);
}

/** @throws {WrongFlag} when it is no report. */
function readReport(file: string): Report {
  try {
    return report.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new WrongFlag(`${file} holds no figures of an earlier run (${why}): leave out --page to measure them`);
  }
}

function writePage(found: Report): void {
  writeFileSync(COMMITTED, `${JSON.stringify(found, undefined, 1)}\n`);
  writeFileSync(join(DOCS, "performance.md"), page(found));
  writeFileSync(join(DOCS, "performance.svg"), bars(found));
  say("written: docs/performance.md, .svg and .json");
}

/** Fetches the peers and builds the load generator. @returns what is not to be had, and why. */
async function provide({ peers }: Wish): Promise<Readonly<Record<string, string>>> {
  await loadGenerator();
  const absent: Record<string, string> = {};
  for (const peer of peers) {
    const reason = await peer.absent();
    if (reason !== undefined) absent[peer.name] = reason;
  }
  return absent;
}

type Stage = { readonly wish: Wish; readonly around: Surroundings };

/** The servers of the report, and of them the ones that run. */
async function cast({ wish, around }: Stage): Promise<{ servers: Report["servers"]; peers: readonly Peer[] }> {
  const servers: Report["servers"] = [];
  for (const { name, ours, setup, version } of wish.peers) {
    const absent = around.absent[name];
    if (absent !== undefined) say(`${name} is absent: ${absent}`);
    const known = absent === undefined ? { version: await version() } : { version: "–", absent };
    servers.push({ name, ours, setup, ...known });
  }
  return { servers, peers: wish.peers.filter(({ name }) => around.absent[name] === undefined) };
}

async function measureAll({ wish, around }: Stage): Promise<number> {
  const started = performance.now();
  let isStopped = false;
  let stand: Stand | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      say("ending …");
      isStopped = true;
      void stand?.close();
    });
  }
  const { command, kind, tls } = await loadGenerator();
  if (!tls) say("The load generator has no TLS (libssl-dev is missing): those workloads will fail.");
  const { servers, peers } = await cast({ wish, around });
  const facts = await machine(around.folder);
  say("Making the files …");
  const ground = await prepare(around.folder, { sizes: wish.quick ? QUICK : FULL, ownMounts: around.isolated });
  const group = makeGroup(around.folder);
  stand = new Stand(ground, group);
  const bench: Bench = { ground, stand, load: command, isolated: around.isolated };
  const { quick, rounds, workloads } = wish;
  const budgetMs = quick ? QUICK_BUDGET_MS : BUDGET_MS;
  const deadline = wish.strict ? Infinity : started + (quick ? QUICK_LIMIT_MS : LIMIT_MS);
  const leastRounds = quick ? QUICK_LEAST_ROUNDS : LEAST_ROUNDS;
  const pace = { rounds, budgetMs, leastRounds, factor: quick ? QUICK_FACTOR : 1, deadline };
  const plan: Plan = { workloads, peers, ...pace, say, stopped: () => isStopped };
  const warmUpSeconds = peers.length * (quick ? QUICK_WARM_UP_S : WARM_UP_S);
  const minutes = Math.ceil((estimate(plan) + warmUpSeconds) / 60);
  say(`${rounds} ${rounds === 1 ? "round" : "rounds"}, ${peers.length} servers, about ${minutes} min`);
  try {
    if (!isStopped) await warmUp(bench, peers, quick ? QUICK_WARM_UP_S : WARM_UP_S);
    const rows = await runRounds(bench, plan);
    if (isStopped) return INTERRUPTED;
    const circumstances = { generator: kind, groups: group !== undefined, budgetMs, leastRounds, servers: peers };
    const shared = await conditions(bench, circumstances);
    const [date, seconds] = [new Date().toISOString().slice(0, 16), Math.round((performance.now() - started) / 1_000)];
    const about = { date, quick, rounds, seconds, machine: facts, conditions: [...shared] };
    return finish({ format: 1, ...about, servers, rows: [...rows] }, wish);
  } finally {
    await stand.close();
    await removeGroup(around.folder);
  }
}

const isOurs = (server: string): boolean => server.startsWith("ferryman");

/** Prints and keeps what was found. @returns the exit code. */
function finish(found: Report, { json, check, page: wantsPage }: Wish): number {
  const servers = serversOf(found);
  for (const { heading, rows } of groupsOf(found)) console.log(`\n${heading}\n${plain(mainTable(servers, rows))}`);
  const targets = targetTable(found);
  if (targets.length > 1) console.log(`\nTargets\n${plain(targets)}`);
  for (const problem of problems(found)) console.log(`\n${problem}`);
  const file = json ?? LATEST;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(found, undefined, 1)}\n`);
  console.log(`\n${found.seconds} s; all figures: ${relative(process.cwd(), file)}`);
  // Before the page is written: that would be a comparison of the run with itself.
  const worse = check ? fallen(readReport(COMMITTED), found) : [];
  const missing = found.rows.every(
    ({ cells }) => !cells.some(({ server, value }) => isOurs(server) && value !== undefined),
  );
  if (missing) {
    console.error("\nFerryman has no figure at all: see above why. Nothing else was written.");
    return 1;
  }
  // Remarks are about the run that is committed.
  if (wantsPage) writePage(withRemarks(found));
  for (const { title, before, now } of worse) {
    console.log(`fallen: ${title}: ${times(before)} before, ${times(now)} now`);
  }
  return worse.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const wish = readFlags(process.argv.slice(2));
  if (wish.help) {
    console.log(USAGE);
    return 0;
  }
  if (wish.page && wish.quick) throw new WrongFlag("--page: the page is for a full run, not for --quick");
  if (wish.check && !existsSync(COMMITTED)) throw new WrongFlag("--check: there is no docs/performance.json yet");
  if (wish.page && wish.json !== undefined) {
    writePage(withRemarks(readReport(wish.json)));
    return 0;
  }
  return await surrounded(wish.folder, {
    provide: async () => await provide(wish),
    work: async (around) => await measureAll({ wish, around }),
  });
}

try {
  process.exitCode = process.argv.includes("--clients")
    ? await (await import("./clients/main.ts")).benchClients()
    : await main();
} catch (error) {
  if (!(error instanceof WrongFlag)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = WRONG_USE;
}
// A server that did not end would keep this process.
process.exit();
