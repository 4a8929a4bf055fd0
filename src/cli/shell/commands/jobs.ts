/** Work beside the prompt: jobs, wait, fg, bg, kill, queue; and repeat, at, sleep. */
import { setTimeout as delay } from "node:timers/promises";
import { parseDuration } from "../../../base/units.ts";
import { printable } from "../../../client/errors.ts";
import type { Call, ShellCommand } from "../command.ts";
import { Interrupted, ShellError, UsageError } from "../errors.ts";
import { readFlags, wholeNumber } from "../flags.ts";
import type { Job } from "../jobs.ts";
import { JOBS_MOST, REPEAT_MOST, SLEEP_MOST } from "../limits.ts";
import { type Word, quoted } from "../words.ts";

export const JOB_COMMANDS: readonly ShellCommand[] = [
  {
    name: "jobs",
    topic: "jobs",
    usage: "",
    help: "show what runs beside the prompt (COMMAND &, or Ctrl-Z)",
    examples: ["get a.iso &", "jobs", "fg 1", "kill all"],
    run: async (call) => {
      for (const job of call.shell.jobs.all) await call.line(jobLine(job));
    },
  },
  {
    name: "wait",
    topic: "jobs",
    usage: "[NUMBER]",
    help: "wait for a job, or for all",
    foreground: true,
    run: async (call) => await waitFor(call, { isShown: false }),
  },
  {
    name: "fg",
    topic: "jobs",
    usage: "[NUMBER]",
    help: "wait for a job and see what it says; Ctrl-C ends it",
    foreground: true,
    run: async (call) => await waitFor(call, { isShown: true }),
  },
  {
    name: "bg",
    topic: "jobs",
    usage: "[NUMBER]",
    help: "show a job: Ctrl-Z has sent it there already, and it runs on",
    run: async (call) => {
      const [word] = call.words;
      await call.line(jobLine(call.shell.jobs.find(word === undefined ? undefined : jobNumber(word))));
    },
  },
  {
    name: "kill",
    topic: "jobs",
    usage: "NUMBER... | all",
    help: "end jobs",
    run: async (call) => {
      if (call.words.length === 0) throw new UsageError("which job?");
      const isAll = call.words.some(({ text }) => text === "all");
      const { jobs } = call.shell;
      const chosen = isAll ? jobs.all : call.words.map((word) => jobs.find(jobNumber(word)));
      for (const job of chosen) job.stop.abort(new Interrupted());
    },
  },
  {
    name: "queue",
    topic: "jobs",
    usage: "[COMMAND... | stop | start]",
    help: "run a command once those before have ended; alone: show them",
    more: ["queue stop begins no further ones until queue start.", "set queue-parallel N runs N at the same time."],
    examples: ["queue get a.iso", "queue 'get b.iso && rm b.iso'", "queue"],
    completes: "command",
    run: queue,
  },
  {
    name: "repeat",
    topic: "jobs",
    usage: "[-d SECONDS] [COUNT] COMMAND...",
    help: "run a command again and again until Ctrl-C",
    examples: ["repeat -d 60 10 ls"],
    completes: "command",
    run: repeat,
  },
  {
    name: "at",
    topic: "jobs",
    usage: "TIME [--] COMMAND...",
    help: "run a command at a time; with & behind it beside the prompt",
    more: ["TIME is as in 23:30 (today or tomorrow), 2026-01-31T12:00, +90s, +15m, +2h."],
    examples: ["at 23:30 get a.iso &", "at +2h 'get a.iso && bye'"],
    completes: "command",
    run: at,
  },
  {
    name: "sleep",
    topic: "jobs",
    usage: "SECONDS",
    help: "wait for some seconds",
    run: async (call) => {
      const [seconds] = call.words;
      if (seconds === undefined) throw new UsageError("how long?");
      await waited(wholeNumber(seconds, { from: 0, to: SLEEP_MOST }), call.signal);
    },
  },
];

export function jobLine({ id, state, title, about }: Job): string {
  const doing = about();
  return `[${id}] ${state.padEnd(8)} ${printable(title)}${doing === "" ? "" : `  (${doing})`}`;
}

function jobNumber(word: Word): number {
  return wholeNumber({ text: word.text.replace(/^[%[]|\]$/g, "") }, { from: 1, to: JOBS_MOST });
}

async function waitFor(call: Call, { isShown }: { readonly isShown: boolean }): Promise<void> {
  const { jobs } = call.shell;
  const [word] = call.words;
  const isAll = !isShown && (word === undefined || word.text === "all");
  const chosen = isAll ? jobs.all : [jobs.find(word === undefined ? undefined : jobNumber(word))];
  let failed = 0;
  for (const job of chosen) {
    const isWell = isShown ? await followed(call, job) : await orAborted(job.went, call.signal);
    if (!isWell) failed += 1;
  }
  if (failed > 0) throw new ShellError(failed === 1 ? "it failed" : `${failed} of them failed`);
}

/** What the job says comes here while somebody waits for it. */
async function followed(call: Call, job: Job): Promise<boolean> {
  const stop = (): void => job.stop.abort(new Interrupted());
  call.signal.addEventListener("abort", stop);
  try {
    call.say(printable(job.title));
    await job.out.turn(call.out);
    return await job.went;
  } finally {
    call.signal.removeEventListener("abort", stop);
    await job.out.turn(undefined);
    call.shell.jobs.forget(job);
  }
}

/** Ctrl-C ends the wait, not the job. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new Interrupted());
  signal.addEventListener("abort", stop);
  try {
    if (signal.aborted) throw new Interrupted();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function queue(call: Call): Promise<void> {
  const { jobs } = call.shell;
  const [first] = call.words;
  if (first === undefined) {
    if (jobs.isHalted) await call.line("the queue begins nothing until: queue start");
    for (const job of jobs.waiting) await call.line(jobLine(job));
    return;
  }
  if (call.words.length === 1 && (first.text === "stop" || first.text === "start"))
    return jobs.halt(first.text === "stop");
  call.shell.runBeside(written(call.words), call, { queued: true });
}

async function repeat(call: Call): Promise<void> {
  const { pause, count, line } = readRepeat(call.words);
  if (line === "") throw new UsageError("which command?");
  let isWell = true;
  for (let done = 0; done < count; done += 1) {
    if (done > 0) await waited(pause, call.signal);
    if (call.signal.aborted) throw new Interrupted();
    isWell = (await call.shell.run(line, call)) && isWell;
  }
  if (!isWell) throw new ShellError("the command failed, at least once");
}

type Repeat = { readonly pause: number; readonly count: number; readonly line: string };

/** `-d SECONDS` and COUNT stand in front of the command, whose own options follow. */
function readRepeat(given: readonly Word[]): Repeat {
  const flags = readFlags(given[0]?.text === "-d" ? given.slice(0, 2) : [], "d:");
  const seconds = flags.value("d");
  const pause = seconds === undefined ? 1 : wholeNumber(seconds, { from: 0, to: SLEEP_MOST });
  const words = given.slice(seconds === undefined ? 0 : 2);
  const [first] = words;
  if (first === undefined || !/^\d+$/.test(first.text)) return { pause, count: REPEAT_MOST, line: written(words) };
  return { pause, count: wholeNumber(first, { from: 1, to: REPEAT_MOST }), line: written(words.slice(1)) };
}

async function at(call: Call): Promise<void> {
  const [time, ...rest] = call.words;
  const line = written(rest[0]?.text === "--" ? rest.slice(1) : rest);
  if (time === undefined || line === "") throw new UsageError("a time and a command");
  const seconds = secondsUntil(time.text, new Date());
  if (seconds === undefined) throw new UsageError(`"${time.text}" is no time such as 23:30 or +15m`);
  if (seconds > SLEEP_MOST) throw new UsageError("it is more than a week from now");
  await waited(seconds, call.signal);
  if (!(await call.shell.run(line, call))) throw new ShellError("the command failed");
}

/** @returns undefined for what is no time. */
export function secondsUntil(text: string, now: Date): number | undefined {
  if (text === "now") return 0;
  if (text.startsWith("+")) return parseDuration(text.slice(1));
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  const date = clock === null && /^\d{4}-\d\d-\d\d/.test(text) ? new Date(text) : new Date(now);
  if (clock !== null) {
    const [hours = 0, minutes = 0, seconds = 0] = clock.slice(1).map((part) => Number(part ?? 0));
    date.setHours(hours, minutes, seconds, 0);
    if (date.getTime() < now.getTime()) date.setDate(date.getDate() + 1);
  } else if (date.getTime() === now.getTime()) return undefined;
  const ms = date.getTime() - now.getTime();
  return Number.isNaN(ms) || ms < 0 ? undefined : ms / 1_000;
}

/** Words as a line again. One word alone may be a line by itself: `queue 'get a && rm a'`. */
function written(words: readonly Word[]): string {
  const [only] = words;
  if (only !== undefined && words.length === 1) return only.text;
  return words.map((word) => (word.isGlob || word.isHome ? word.pattern : quoted(word.text))).join(" ");
}

async function waited(seconds: number, signal: AbortSignal): Promise<void> {
  await delay(seconds * 1_000, undefined, { signal }).catch(() => {
    throw new Interrupted();
  });
}
