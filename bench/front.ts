/** What both benchmarks, of servers and of clients, do around their measures: questions, Ctrl-C, files, and who is there. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { type CommonWish, WrongFlag } from "./asked.ts";
import { type Surroundings, surrounded } from "./namespace.ts";

/** Exit codes: flags that make no sense, and ended by Ctrl-C (128 + SIGINT). */
const WRONG_USE = 2;
export const INTERRUPTED = 130;

export function say(line: string): void {
  console.error(line);
}

export type Front<Wish> = {
  readonly usage: string;
  /** @throws {WrongFlag} */
  readonly readFlags: (args: readonly string[]) => Wish;
  /** Writes the page from the figures of an earlier run. @throws {WrongFlag} when the file holds none. */
  readonly showEarlier: (file: string) => void;
  /** Fetches and builds all. @returns what is not to be had, and why. */
  readonly provide: (wish: Wish) => Promise<Readonly<Record<string, string>>>;
  /** @returns the exit code. */
  readonly measure: (wish: Wish, around: Surroundings) => Promise<number>;
};

/** @returns the exit code. */
export async function front<Wish extends CommonWish>(parts: Front<Wish>): Promise<number> {
  try {
    return await run(parts);
  } catch (error) {
    if (!(error instanceof WrongFlag)) throw error;
    console.error(`${error.message}\n\n${parts.usage}`);
    return WRONG_USE;
  }
}

async function run<Wish extends CommonWish>(parts: Front<Wish>): Promise<number> {
  const wish = parts.readFlags(process.argv.slice(2));
  if (wish.help) {
    console.log(parts.usage);
    return 0;
  }
  if (wish.page && wish.quick) throw new WrongFlag("--page: the page is for a full run, not for --quick");
  if (wish.page && wish.json !== undefined) {
    parts.showEarlier(wish.json);
    return 0;
  }
  return await surrounded(wish.folder, {
    provide: async () => await parts.provide(wish),
    work: async (around) => await parts.measure(wish, around),
  });
}

/** Has Ctrl-C end what is measured. @param end called then. @returns whether it was pressed. */
export function interruption(end: () => void): () => boolean {
  let isStopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      say("ending …");
      isStopped = true;
      end();
    });
  }
  return () => isStopped;
}

type Candidate = { readonly name: string; readonly setup: string; readonly version: () => Promise<string> };
type Cast<Each> = {
  /** All, as the report tells them. */
  readonly told: readonly { name: string; setup: string; version: string; absent?: string }[];
  readonly present: readonly Each[];
};

/** Who is there, with versions. @param reasons why others are not, by prefix and name. */
export async function cast<Each extends Candidate>(
  all: readonly Each[],
  { reasons, prefix = "" }: { readonly reasons: Readonly<Record<string, string>>; readonly prefix?: string },
): Promise<Cast<Each>> {
  const told: { name: string; setup: string; version: string; absent?: string }[] = [];
  const present: Each[] = [];
  for (const each of all) {
    const { name, setup } = each;
    const absent = reasons[`${prefix}${name}`];
    if (absent === undefined) {
      present.push(each);
      told.push({ name, setup, version: await each.version() });
    } else {
      say(`${name} is absent: ${absent}`);
      told.push({ name, setup, version: "–", absent });
    }
  }
  return { told, present };
}

/** @param started on the clock of performance.now(). @returns when a run ended, and the seconds that it took. */
export function ended(started: number): { date: string; seconds: number } {
  return {
    date: new Date().toISOString().slice(0, 16),
    seconds: Math.round((performance.now() - started) / 1_000),
  };
}

/** @throws {WrongFlag} when it is no report. */
export function readReport<Found>(file: string, schema: { readonly parse: (json: unknown) => Found }): Found {
  try {
    return schema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new WrongFlag(`${file} holds no figures of an earlier run (${why}): leave out --page to measure them`);
  }
}

export function writeReport(file: string, found: unknown): void {
  writeFileSync(file, `${JSON.stringify(found, undefined, 1)}\n`);
}

/** Prints what was found, text by text, and keeps all figures in a file. */
export function keep(found: { readonly seconds: number }, file: string, texts: readonly string[]): void {
  for (const text of texts) console.log(`\n${text}`);
  mkdirSync(dirname(file), { recursive: true });
  writeReport(file, found);
  console.log(`\n${found.seconds} s; all figures: ${relative(process.cwd(), file)}`);
}

/** Says that a run measured everyone but us. @returns the exit code. */
export function withoutOurs(): number {
  console.error("\nFerryman has no figure at all: see above why. Nothing else was written.");
  return 1;
}
