/**
 * `npm run bench -- --clients`: `ferryman get`, `put`, `mirror` and `ls` beside other clients, from and to vsftpd and our
 * own server, alternating. `--help` says what can be asked for, docs/performance-client.md what was found and how.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { machine } from "../machine.ts";
import { makeGroup, removeGroup } from "../meter.ts";
import { type Surroundings, surrounded } from "../namespace.ts";
import { ferryman } from "../peers/ferryman.ts";
import { vsftpd } from "../peers/vsftpd.ts";
import { plain } from "../report/tables.ts";
import { Stand } from "../stand.ts";
import { conditions } from "./conditions.ts";
import { type ClientWish, USAGE, WrongFlag, readFlags } from "./flags.ts";
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
import { type ClientReport, OURS, clientReport, figureOf } from "./report.ts";
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
/** Exit codes: flags that make no sense, and ended by Ctrl-C (128 + SIGINT). */
const [WRONG_USE, INTERRUPTED] = [2, 130];
const SERVERS = { vsftpd, ferryman };

function say(line: string): void {
  console.error(line);
}

/** @throws {WrongFlag} when it is no report. */
function readReport(file: string): ClientReport {
  try {
    return clientReport.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new WrongFlag(`${file} holds no figures of an earlier run (${why}): leave out --page to measure them`);
  }
}

function writePage(found: ClientReport): void {
  writeFileSync(join(DOCS, "performance-client.json"), `${JSON.stringify(found, undefined, 1)}\n`);
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

type Stage = { readonly wish: ClientWish; readonly around: Surroundings };

/** The clients of the report, and of them the ones that run. */
async function cast({ wish, around }: Stage): Promise<Pick<ClientReport, "clients"> & Pick<ClientPlan, "rivals">> {
  const clients: ClientReport["clients"] = [];
  for (const { name, setup, version, absent: provided } of wish.rivals) {
    const absent = around.absent[`client ${name}`];
    if (absent !== undefined) say(`${name} is absent: ${absent}`);
    // In the inner process nothing has been asked for yet; what is there already is not fetched again.
    else await provided();
    clients.push({ name, setup, ...(absent === undefined ? { version: await version() } : { version: "–", absent }) });
  }
  return { clients, rivals: wish.rivals.filter(({ name }) => around.absent[`client ${name}`] === undefined) };
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
  const { quick, rounds, tasks } = wish;
  const { clients, rivals } = await cast({ wish, around });
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
    stopped: () => isStopped,
  };
  try {
    const rows = await runClients({ ground, stand, state }, plan);
    const connections = wish.matrix ? await whatConnects(say, plan.stopped) : [];
    if (isStopped) return INTERRUPTED;
    const [date, seconds] = [new Date().toISOString().slice(0, 16), Math.round((performance.now() - started) / 1_000)];
    const about = {
      date,
      quick,
      rounds,
      seconds,
      machine: facts,
      conditions: [...conditions(ground, around.isolated)],
    };
    return finish({ format: 1, ...about, clients, rows: [...rows], connections: [...connections] }, wish);
  } finally {
    await stand.close();
    await removeGroup(around.folder);
  }
}

/** Prints and keeps what was found. @returns the exit code. */
function finish(found: ClientReport, { json, page: wantsPage, tasks }: ClientWish): number {
  const clients = clientsOf(found);
  for (const { heading, rows } of groupsOf(found)) {
    const tables = [wallTable(clients, rows), costTable(clients, rows, "cpu"), costTable(clients, rows, "peakMib")];
    console.log(`\n${heading}\n${tables.map(plain).join("\n\n")}`);
  }
  const targets = targetTable(found);
  if (targets.length > 1) console.log(`\nTargets\n${plain(targets)}`);
  if (found.connections.length > 0) console.log(`\nWhat connects\n${plain(connectionTable(found.connections))}`);
  for (const problem of problems(found)) console.log(`\n${problem}`);
  const file = json ?? LATEST;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(found, undefined, 1)}\n`);
  console.log(`\n${found.seconds} s; all figures: ${relative(process.cwd(), file)}`);
  if (tasks.length > 0 && found.rows.every((row) => figureOf(row, OURS) === undefined)) {
    console.error("\nFerryman has no figure at all: see above why. Nothing else was written.");
    return 1;
  }
  // Remarks are about the run that is committed.
  if (wantsPage) writePage(withRemarks(found));
  return 0;
}

async function main(): Promise<number> {
  const wish = readFlags(process.argv.slice(2));
  if (wish.help) {
    console.log(USAGE);
    return 0;
  }
  if (wish.page && wish.quick) throw new WrongFlag("--page: the page is for a full run, not for --quick");
  if (wish.page && wish.json !== undefined) {
    writePage(withRemarks(readReport(wish.json)));
    return 0;
  }
  return await surrounded(wish.folder, {
    provide: async () => await provide(wish),
    work: async (around) => await measureAll({ wish, around }),
  });
}

/** @returns the exit code. */
export async function benchClients(): Promise<number> {
  try {
    return await main();
  } catch (error) {
    if (!(error instanceof WrongFlag)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return WRONG_USE;
  }
}
