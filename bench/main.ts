/**
 * `npm run bench`: Ferryman beside other FTP servers, all of them started here, on loopback, alternating. `--help` says
 * what can be asked for, docs/performance.md what was found and how.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WrongFlag } from "./asked.ts";
import { type Bench, warmUp } from "./cells.ts";
import { conditions } from "./conditions.ts";
import { USAGE, type Wish, readFlags } from "./flags.ts";
import {
  INTERRUPTED,
  cast,
  ended,
  front,
  interruption,
  keep,
  readReport,
  say,
  withoutOurs,
  writeReport,
} from "./front.ts";
import { FULL, QUICK, prepare } from "./ground.ts";
import { loadGenerator } from "./load/build.ts";
import { machine } from "./machine.ts";
import { makeGroup, removeGroup } from "./meter.ts";
import type { Surroundings } from "./namespace.ts";
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

function writePage(found: Report): void {
  writeReport(COMMITTED, found);
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

async function measureAll(wish: Wish, around: Surroundings): Promise<number> {
  const started = performance.now();
  let stand: Stand | undefined;
  const stopped = interruption(() => void stand?.close());
  const { command, kind, tls } = await loadGenerator();
  if (!tls) say("The load generator has no TLS (libssl-dev is missing): those workloads will fail.");
  const { told, present: peers } = await cast(wish.peers, { reasons: around.absent });
  const ours = new Set(wish.peers.filter((peer) => peer.ours).map(({ name }) => name));
  const servers = told.map((each) => ({ ...each, ours: ours.has(each.name) }));
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
  const plan: Plan = { workloads, peers, ...pace, say, stopped };
  const warmUpSeconds = peers.length * (quick ? QUICK_WARM_UP_S : WARM_UP_S);
  const minutes = Math.ceil((estimate(plan) + warmUpSeconds) / 60);
  say(`${rounds} ${rounds === 1 ? "round" : "rounds"}, ${peers.length} servers, about ${minutes} min`);
  try {
    if (!stopped()) await warmUp(bench, peers, quick ? QUICK_WARM_UP_S : WARM_UP_S);
    const rows = await runRounds(bench, plan);
    if (stopped()) return INTERRUPTED;
    const circumstances = { generator: kind, groups: group !== undefined, budgetMs, leastRounds, servers: peers };
    const shared = await conditions(bench, circumstances);
    const about = { ...ended(started), quick, rounds, machine: facts, conditions: [...shared] };
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
  const targets = targetTable(found);
  keep(found, json ?? LATEST, [
    ...groupsOf(found).map(({ heading, rows }) => `${heading}\n${plain(mainTable(servers, rows))}`),
    ...(targets.length > 1 ? [`Targets\n${plain(targets)}`] : []),
    ...problems(found),
  ]);
  // Before the page is written: that would be a comparison of the run with itself.
  const worse = check ? fallen(readReport(COMMITTED, report), found) : [];
  const missing = found.rows.every(
    ({ cells }) => !cells.some(({ server, value }) => isOurs(server) && value !== undefined),
  );
  if (missing) return withoutOurs();
  // Remarks are about the run that is committed.
  if (wantsPage) writePage(withRemarks(found));
  for (const { title, before, now } of worse) {
    console.log(`fallen: ${title}: ${times(before)} before, ${times(now)} now`);
  }
  return worse.length === 0 ? 0 : 1;
}

/** @throws {WrongFlag} */
function asked(args: readonly string[]): Wish {
  const wish = readFlags(args);
  if (wish.check && !wish.help && !existsSync(COMMITTED)) {
    throw new WrongFlag("--check: there is no docs/performance.json yet");
  }
  return wish;
}

process.exitCode = process.argv.includes("--clients")
  ? await (await import("./clients/main.ts")).benchClients()
  : await front({
      usage: USAGE,
      readFlags: asked,
      showEarlier: (file) => writePage(withRemarks(readReport(file, report))),
      provide,
      measure: measureAll,
    });
// A server that did not end would keep this process.
process.exit();
