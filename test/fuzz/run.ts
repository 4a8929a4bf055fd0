/**
 * `npm run fuzz`: a million random and mutated command lines over a thousand sessions against a server of its own, in
 * a process of its own. Fails on a crash, an unhandled rejection, a missing or second answer, or growing memory.
 * Arguments: lines, sessions, seconds, seed.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fuzz } from "./fuzz.ts";

const [lines = 1_000_000, sessions = 1_000, seconds = 600, seed = Date.now() % 1_000_000] = process.argv
  .slice(2)
  .map(Number);

const server = fork(join(import.meta.dirname, "server.ts"), {
  stdio: ["ignore", "inherit", "inherit", "ipc"],
  execArgv: ["--expose-gc"],
});
let exited: string | undefined;
server.once("exit", (code, signal) => {
  exited = `${code ?? signal}`;
});
const [ready]: { port: number }[] = await once(server, "message");
const port = ready?.port ?? 0;

/** MiB: what the system gave, and what is still in use after a collection. */
async function memory(): Promise<{ rss: number; live: number }> {
  const answer = once(server, "message");
  server.send("memory");
  const [got]: { rss: number; live: number }[] = await answer;
  return { rss: (got?.rss ?? 0) / 1_048_576, live: (got?.live ?? 0) / 1_048_576 };
}

console.log(`fuzz: ${lines} lines, ${sessions} sessions, at most ${seconds} s, seed ${seed}`);
const started = Date.now();
const timeLimitMs = seconds * 1000;
// The first tenth warms up: code gets compiled, pools get filled.
const warm = await fuzz({
  port,
  lines: Math.ceil(lines / 10),
  sessions: Math.ceil(sessions / 10),
  parallel: 8,
  seed,
  timeLimitMs,
});
const before = exited === undefined ? await memory() : { rss: 0, live: 0 };
const left = timeLimitMs - (Date.now() - started);
const main = await fuzz({
  port,
  lines: lines - warm.sent,
  sessions: Math.max(sessions - warm.sessions, 1),
  parallel: 8,
  seed: seed + warm.sessions,
  timeLimitMs: left,
});
const after = exited === undefined ? await memory() : { rss: 0, live: 0 };
server.send("stop");
if (exited === undefined) await once(server, "exit");

const wrong = [...warm.wrong, ...main.wrong];
const sent = warm.sent + main.sent;
const codes = [...main.codes].toSorted(([one], [other]) => one - other).map(([code, count]) => `${code}:${count}`);
console.log(
  `sent ${sent} lines in ${((Date.now() - started) / 1000).toFixed(1)} s over ${warm.sessions + main.sessions} sessions`,
);
console.log(`replies ${codes.join(" ")}`);
console.log(
  `memory of the server after the first tenth, and at the end: ${before.rss.toFixed(0)} and ${after.rss.toFixed(0)} MiB, in use ${before.live.toFixed(1)} and ${after.live.toFixed(1)} MiB`,
);
for (const each of wrong) console.error(each);
// The young generation takes what it may: the system's figure has room to move, what is in use has little.
const grew = after.live > before.live + 8 || after.rss > before.rss * 2 + 64;
if (grew) console.error("memory grew");
if (exited !== "0") console.error(`the server ended with ${exited ?? "nothing"}`);
process.exitCode = wrong.length > 0 || grew || exited !== "0" ? 1 : 0;
