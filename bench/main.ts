/**
 * `npm run bench`: Ferryman beside other FTP servers, all of them started here, on loopback, alternating.
 * Usage: node bench/main.ts [--quick] [--rounds N] [--only a,d-retr-1] [--servers ferryman,vsftpd] [--json FILE]
 *                           [--folder DIR] [--check] [--page [--json FILE]]
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { type Bench, warmUp } from "./cells.ts";
import { FULL, QUICK, prepare } from "./ground.ts";
import { loadGenerator } from "./load/build.ts";
import { hasNetem } from "./long-haul.ts";
import { machine } from "./machine.ts";
import { makeGroup, removeGroup } from "./meter.ts";
import { type Surroundings, surrounded } from "./namespace.ts";
import { PEERS, QUICK_PEERS } from "./peers/index.ts";
import type { Peer } from "./peers/peer.ts";
import { bars } from "./report/bars.ts";
import { fallen } from "./report/check.ts";
import { page, targetTable } from "./report/page.ts";
import { type Report, report, times } from "./report/report.ts";
import { groupsOf, mainTable, plain, problems, serversOf } from "./report/tables.ts";
import { type Plan, estimate, runRounds } from "./rounds.ts";
import { Stand } from "./stand.ts";
import type { Workload } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

const PROJECT = join(import.meta.dirname, "..");
const DOCS = join(PROJECT, "docs");
/** The run that the page shows, and that `--check` compares with. */
const COMMITTED = join(DOCS, "performance.json");
const LATEST = join(import.meta.dirname, ".cache", "latest.json");
/** Rounds of a full run and of a quick one, and the time of one server in one workload. */
const [ROUNDS, QUICK_ROUNDS] = [5, 2];
const [BUDGET_MS, QUICK_BUDGET_MS] = [12_000, 3_000];
/** What a quick cell takes of the time of a full one. */
const QUICK_FACTOR = 0.35;

const OPTIONS = {
  quick: { type: "boolean", default: false },
  rounds: { type: "string" },
  only: { type: "string" },
  servers: { type: "string" },
  json: { type: "string" },
  folder: { type: "string" },
  check: { type: "boolean", default: false },
  page: { type: "boolean", default: false },
} as const;
const { values: flags } = parseArgs({ options: OPTIONS });

function words(list: string | undefined): readonly string[] | undefined {
  return list?.split(",").map((word) => word.trim());
}

function wantedWorkloads(): readonly Workload[] {
  const only = words(flags.only);
  if (only === undefined) return WORKLOADS.filter(({ quick }) => quick || !flags.quick);
  const isWanted = ({ group, rows }: Workload): boolean =>
    only.includes(group) || rows.some(({ id }) => only.some((word) => id === word || id.startsWith(`${word}-`)));
  return WORKLOADS.filter(isWanted);
}

function wantedPeers(): readonly Peer[] {
  const names = words(flags.servers);
  const unknown = names?.filter((name) => PEERS.every((peer) => peer.name !== name)) ?? [];
  if (unknown.length > 0)
    throw new Error(`no such server: ${unknown.join(", ")}; there are ${PEERS.map(({ name }) => name).join(", ")}`);
  return PEERS.filter(({ name }) => names?.includes(name) ?? (!flags.quick || QUICK_PEERS.has(name)));
}

function say(line: string): void {
  console.error(line);
}

function readReport(file: string): Report {
  return report.parse(JSON.parse(readFileSync(file, "utf8")));
}

function writePage(found: Report): void {
  mkdirSync(DOCS, { recursive: true });
  writeFileSync(COMMITTED, `${JSON.stringify(found, undefined, 1)}\n`);
  writeFileSync(join(DOCS, "performance.md"), page(found));
  writeFileSync(join(DOCS, "performance.svg"), bars(found));
  say("written: docs/performance.md, .svg and .json");
}

/** What is the same for all servers. */
async function conditions(
  { isolated }: Surroundings,
  bench: Bench,
  { kind, group }: { kind: string; group: boolean },
): Promise<readonly string[]> {
  const haul =
    isolated && (await hasNetem())
      ? "the kernel's netem on loopback, 50 ms each way, 0.01 % loss"
      : "a proxy of ours that holds octets back for 50 ms each way, without loss (this kernel has no netem for us)";
  return [
    isolated ? "loopback of a network namespace of its own" : "the machine's own loopback: no namespace could be made",
    `load: our own generator in ${kind === "c" ? "C; it throws downloads away in the kernel (over TLS it reads the records and does not decrypt them)" : "Node, because there is no C compiler: it may be the bottleneck"}`,
    `CPU seconds from ${group ? "a control group for each server" : "/proc: processes that nobody waited for are missed"}`,
    "the same files for all servers, read before and so in the page cache; uploads go to the same folder and are deleted after each cell",
    bench.ground.memory === "tmpfs"
      ? "uploads to memory: a tmpfs"
      : "uploads to memory go to the disk too: no mount of our own",
    "TLS 1.3 with the same certificate (ECDSA P-256); the client offers AES-128/256-GCM and resumes each data connection",
    "64 sessions download 64 MiB each instead of 1 GiB; 4 sessions upload 512 MiB each",
    "logins of guests check no password; those of users check one argon2id hash of 64 KiB and one pass, where a server can",
    "before the first round each server does a few hundred logins and small files that are not counted",
    "all logs are off; every server is ended and started anew for the measures of memory and of the start",
    `a server that needs more than ${BUDGET_MS / 1_000} s for a workload gets no further round of it; ftp-srv is asked for a fiftieth of the small files, ProFTPD for a tenth of the logins`,
    `the long way is ${haul}`,
    "raw: a sender and a receiver in C without FTP, over the same loopback, from and to the same files",
  ];
}

/** Fetches the peers and builds the load generator. @returns what is not to be had, and why. */
async function provide(): Promise<Readonly<Record<string, string>>> {
  await loadGenerator();
  const absent: Record<string, string> = {};
  for (const peer of wantedPeers()) {
    const reason = await peer.absent();
    if (reason !== undefined) absent[peer.name] = reason;
  }
  return absent;
}

async function measureAll(around: Surroundings): Promise<number> {
  const started = performance.now();
  const { command, kind, tls } = await loadGenerator();
  if (!tls) say("The load generator has no TLS (libssl-dev is missing): those workloads will fail.");
  const servers: Report["servers"] = [];
  const peers: Peer[] = [];
  for (const peer of wantedPeers()) {
    const { name, ours, setup } = peer;
    const absent = around.absent[name];
    if (absent === undefined) peers.push(peer);
    else say(`${name} is absent: ${absent}`);
    const version = absent === undefined ? await peer.version() : "–";
    servers.push({ name, ours, version, setup, ...(absent === undefined ? {} : { absent }) });
  }
  const facts = await machine(around.folder);
  say("Making the files …");
  const ground = await prepare(around.folder, { sizes: flags.quick ? QUICK : FULL, ownMounts: around.isolated });
  const group = makeGroup();
  const stand = new Stand(ground, group);
  const bench: Bench = { ground, stand, load: command, isolated: around.isolated };
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      say("ending …");
      stopped = true;
      void stand.close();
    });
  }
  const rounds = Number(flags.rounds ?? (flags.quick ? QUICK_ROUNDS : ROUNDS));
  const budgetMs = flags.quick ? QUICK_BUDGET_MS : BUDGET_MS;
  const plan: Plan = { workloads: wantedWorkloads(), peers, rounds, budgetMs, say, stopped: () => stopped };
  say(
    `${rounds} rounds, ${peers.length} servers, about ${Math.ceil(estimate(plan, flags.quick ? QUICK_FACTOR : 1) / 60)} min`,
  );
  try {
    await warmUp(bench, peers);
    const rows = await runRounds(bench, plan);
    const seconds = Math.round((performance.now() - started) / 1_000);
    const shared = await conditions(around, bench, { kind, group: group !== undefined });
    const date = new Date().toISOString().slice(0, 16);
    if (stopped) return 130;
    return finish({
      format: 1,
      date,
      quick: flags.quick,
      rounds,
      seconds,
      machine: facts,
      conditions: [...shared],
      servers,
      rows: [...rows],
    });
  } finally {
    await stand.close();
    removeGroup(group);
  }
}

/** Prints and keeps what was found. @returns the exit code. */
function finish(found: Report): number {
  const servers = serversOf(found);
  for (const { heading, rows } of groupsOf(found)) console.log(`\n${heading}\n${plain(mainTable(servers, rows))}`);
  const targets = targetTable(found);
  if (targets.length > 1) console.log(`\nTargets\n${plain(targets)}`);
  for (const problem of problems(found)) console.log(`\n${problem}`);
  const file = flags.json ?? LATEST;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(found, undefined, 1)}\n`);
  console.log(`\n${found.seconds} s; all figures: ${relative(process.cwd(), file)}`);
  if (flags.page) writePage(found);
  if (!flags.check) return 0;
  const worse = fallen(readReport(COMMITTED), found);
  for (const { title, before, now } of worse)
    console.log(`fallen: ${title}: ${times(before)} before, ${times(now)} now`);
  return worse.length === 0 ? 0 : 1;
}

// With a file of figures, the page is written from them, and nothing is measured.
if (flags.page && flags.json !== undefined) writePage(readReport(flags.json));
else process.exitCode = await surrounded(flags.folder, { provide, work: measureAll });
process.exit();
