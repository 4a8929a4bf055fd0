/** Work beside the prompt: jobs, wait, fg, kill, queue; and repeat, sleep. */
import { setTimeout as delay } from "node:timers/promises";
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
    help: "show what runs beside the prompt (COMMAND & starts it, Ctrl-Z sends it there)",
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
    help: "run a command once those queued before have ended; alone: show them",
    more: ["queue stop begins no further ones until queue start. `set queue-parallel N` runs N at the same time."],
    completes: "command",
    run: queue,
  },
  {
    name: "repeat",
    topic: "jobs",
    usage: "[-d SECONDS] [COUNT] COMMAND...",
    help: "run a command again and again until Ctrl-C",
    completes: "command",
    run: repeat,
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
  const flags = readFlags(call.words[0]?.text === "-d" ? call.words.slice(0, 2) : [], "d:");
  const seconds = flags.value("d");
  const words = call.words.slice(seconds === undefined ? 0 : 2);
  const pause = seconds === undefined ? 1 : wholeNumber(seconds, { from: 0, to: SLEEP_MOST });
  const isCounted = /^\d+$/.test(words[0]?.text ?? "");
  const count = isCounted && words[0] !== undefined ? wholeNumber(words[0], { from: 1, to: REPEAT_MOST }) : REPEAT_MOST;
  const line = written(words.slice(isCounted ? 1 : 0));
  if (line === "") throw new UsageError("which command?");
  for (let done = 0; done < count; done += 1) {
    if (done > 0) await waited(pause, call.signal);
    if (call.signal.aborted) throw new Interrupted();
    await call.shell.run(line, call);
  }
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
