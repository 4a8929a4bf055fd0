/**
 * `npm run bench -- --clients`: `ferryman get`, `put`, `mirror` and `ls` beside other clients, from and to vsftpd and our
 * own server, alternating. `--help` says what can be asked for, docs/performance-client.md what was found and how.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
} from "../front.ts";
import { machine } from "../machine.ts";
import { makeGroup, removeGroup } from "../meter.ts";
import type { Surroundings } from "../namespace.ts";
import { ferryman } from "../peers/ferryman.ts";
import { vsftpd } from "../peers/vsftpd.ts";
import { OURS } from "../report/report.ts";
import { plain } from "../report/tables.ts";
import { Stand } from "../stand.ts";
import { conditions } from "./conditions.ts";
import { type ClientWish, USAGE, readFlags } from "./flags.ts";
import { FULL, QUICK, prepare } from "./ground.ts";
import { whatConnects } from "./matrix.ts";
import {
  clientPage,
  clientsOf,
  connectionTable,
  costTable,
  groupsOf,
  problems,
  targetTable,
  wallTable,
} from "./page.ts";
import { type ClientReport, clientReport, figureOf } from "./report.ts";
import { type ClientPlan, runClients } from "./rounds.ts";
import { withRemarks } from "./tasks.ts";
import { buildUsage } from "./usage.ts";

const DOCS = join(import.meta.dirname, "..", "..", "docs");
const LATEST = join(import.meta.dirname, "..", ".cache", "latest-client.json");
/** Milliseconds of one client in one workload, after which it gets no further round. */
const [BUDGET_MS, QUICK_BUDGET_MS] = [25_000, 4_000];
/** Milliseconds after which each workload that is left gets one round, so that all ends in 15 minutes, quick in 2. */
const [ENOUGH_MS, QUICK_ENOUGH_MS] = [10.5 * 60_000, 60_000];
/** Milliseconds after which no workload begins: a machine that is busy or slow measures fewer. */
const [END_MS, QUICK_END_MS] = [14 * 60_000, 90_000];
/** Milliseconds that one run of a client may take. */
const [LIMIT_MS, QUICK_LIMIT_MS] = [45_000, 10_000];
const SERVERS = { vsftpd, ferryman };

function writePage(found: ClientReport): void {
  writeReport(join(DOCS, "performance-client.json"), found);
  writeFileSync(join(DOCS, "performance-client.md"), clientPage(found));
  say("written: docs/performance-client.md and .json");
}

/** Fetches and builds all. @returns what is not to be had, and why; clients have a prefix. */
async function provide({ rivals }: ClientWish): Promise<Readonly<Record<string, string>>> {
  buildUsage();
  const absent: Record<string, string> = {};
  for (const [prefix, all] of [
    ["server", Object.values(SERVERS)],
    ["client", rivals],
  ] as const) {
    for (const each of all) {
      const reason = await each.absent();
      if (reason !== undefined) absent[`${prefix} ${each.name}`] = reason;
    }
  }
  return absent;
}

async function measureAll(wish: ClientWish, around: Surroundings): Promise<number> {
  const started = performance.now();
  let stand: Stand | undefined;
  const stopped = interruption(() => void stand?.close());
  const { quick, rounds, tasks } = wish;
  // In the inner process nothing has been asked for yet; what is there already is not fetched again.
  for (const { name, absent } of wish.rivals) {
    if (around.absent[`client ${name}`] === undefined) await absent();
  }
  const { told: clients, present: rivals } = await cast(wish.rivals, { reasons: around.absent, prefix: "client " });
  const facts = await machine(around.folder);
  say("Making the files …");
  const ground = await prepare(around.folder, { sizes: quick ? QUICK : FULL, ownMounts: around.isolated });
  const state = join(around.folder, "clients");
  // As every home has one; Node keeps there what it has compiled.
  mkdirSync(join(state, ".cache"), { recursive: true });
  const servers = Object.fromEntries(
    Object.entries(SERVERS).filter(([name]) => around.absent[`server ${name}`] === undefined),
  );
  stand = new Stand(ground.ground, makeGroup(around.folder));
  const plan: ClientPlan = {
    tasks,
    rivals,
    servers,
    rounds,
    budgetMs: quick ? QUICK_BUDGET_MS : BUDGET_MS,
    deadline: started + (quick ? QUICK_ENOUGH_MS : ENOUGH_MS),
    end: started + (quick ? QUICK_END_MS : END_MS),
    limitMs: quick ? QUICK_LIMIT_MS : LIMIT_MS,
    say,
    stopped,
  };
  try {
    const rows = await runClients({ ground, stand, state }, plan);
    const connections = wish.matrix ? await whatConnects(say, stopped) : [];
    if (stopped()) return INTERRUPTED;
    const about = {
      ...ended(started),
      quick,
      rounds,
      machine: facts,
      conditions: [...conditions(ground, around.isolated)],
    };
    return finish({ format: 1, ...about, clients: [...clients], rows: [...rows], connections: [...connections] }, wish);
  } finally {
    await stand.close();
    await removeGroup(around.folder);
  }
}

/** Prints and keeps what was found. @returns the exit code. */
function finish(found: ClientReport, { json, page: wantsPage, tasks }: ClientWish): number {
  const clients = clientsOf(found);
  const targets = targetTable(found);
  keep(found, json ?? LATEST, [
    ...groupsOf(found).map(({ heading, rows }) => {
      const tables = [wallTable(clients, rows), costTable(clients, rows, "cpu"), costTable(clients, rows, "peakMib")];
      return `${heading}\n${tables.map(plain).join("\n\n")}`;
    }),
    ...(targets.length > 1 ? [`Targets\n${plain(targets)}`] : []),
    ...(found.connections.length > 0 ? [`What connects\n${plain(connectionTable(found.connections))}`] : []),
    ...problems(found),
  ]);
  if (tasks.length > 0 && found.rows.every((row) => figureOf(row, OURS) === undefined)) return withoutOurs();
  // Remarks are about the run that is committed.
  if (wantsPage) writePage(withRemarks(found));
  return 0;
}

/** @returns the exit code. */
export async function benchClients(): Promise<number> {
  return await front({
    usage: USAGE,
    readFlags,
    showEarlier: (file) => writePage(withRemarks(readReport(file, clientReport))),
    provide,
    measure: measureAll,
  });
}
