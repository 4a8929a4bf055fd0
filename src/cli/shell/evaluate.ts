/** Runs parsed lines: chains and their conditions, aliases, output to files and programs, and what a failure means. */
import type { Writable } from "node:stream";
import type { Call, Context, Shell, ShellCommand } from "./command.ts";
import { ExitRequest, Interrupted, OutputClosed, PartsFailed, ShellError, UsageError, described } from "./errors.ts";
import { NESTING_MOST } from "./limits.ts";
import { type Out, fileOut, programOut } from "./out.ts";
import { type Chain, type Step, parseCommands } from "./parse.ts";
import { localPath } from "./place.ts";
import { type Word, plainWord, quoted } from "./words.ts";

type CommandStep = Extract<Step, { readonly kind: "command" }>;

/** What the evaluation needs beside the shell that commands see. */
export type Evaluation = {
  readonly shell: Shell;
  /** Whether a chain that failed ends the text: in scripts that do not say otherwise. */
  readonly stopsAtFailure: () => boolean;
  /** Where programs behind `|` write. */
  readonly programOutput: Writable | "inherit";
  /** The same in the background. */
  readonly besideOutput: Writable;
};

/**
 * Runs all chains of a text. Failures are told, not thrown.
 * @returns whether all went well where failures stop, else whether the last did.
 * @throws {ExitRequest} @throws {Interrupted}
 */
export async function runText(evaluation: Evaluation, text: string, context: Context): Promise<boolean> {
  let isWell = true;
  // Line by line: a mistake in the tenth is no reason to leave out the nine before, and a long file is no long line.
  const lines = text.split("\n");
  const isFile = lines.length > 1;
  const inside = isFile ? { ...context, nextLine: async () => lines.shift() } : context;
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const parsed = parseCommands(line);
    if (!parsed.ok) context.say(parsed.problem);
    isWell = parsed.ok ? await runChains(evaluation, parsed.chains, inside, isWell) : false;
    if (!isWell && evaluation.stopsAtFailure()) return false;
  }
  return isWell;
}

/** @param before what is said where there is no chain: an empty line changes nothing. */
async function runChains(
  evaluation: Evaluation,
  chains: readonly Chain[],
  context: Context,
  before: boolean,
): Promise<boolean> {
  let isWell = before;
  for (const chain of chains) {
    isWell = await runOrStart(evaluation, chain, context);
    if (!isWell && evaluation.stopsAtFailure()) return false;
  }
  return isWell;
}

async function runOrStart(evaluation: Evaluation, chain: Chain, context: Context): Promise<boolean> {
  if (!chain.isBackground || context.isBackground) return await runChain(evaluation, chain, context);
  try {
    evaluation.shell.runBeside(chain.text, context, { queued: false });
    return true;
  } catch (error) {
    context.say(described(error));
    return false;
  }
}

async function runChain(evaluation: Evaluation, { steps }: Chain, context: Context): Promise<boolean> {
  let isWell = true;
  for (const step of steps) {
    if (step.joiner === "and" && !isWell) continue;
    if (step.joiner === "or" && isWell) continue;
    if (context.signal.aborted) throw new Interrupted();
    isWell = (await runStep(evaluation, step, context)) || step.ignoresFailure;
  }
  return isWell;
}

/** One step. @returns whether it went well; failures are told. */
export async function runStep(evaluation: Evaluation, step: Step, context: Context): Promise<boolean> {
  const name = step.kind === "program" ? "!" : (step.words[0]?.text ?? "");
  try {
    if (step.kind === "program") return await evaluation.shell.program(step.program, context);
    const alias = evaluation.shell.aliases.get(name);
    // `alias ls "ls -a"` means the command itself the second time.
    if (alias !== undefined && !context.expanding.has(name))
      return await runAlias(evaluation, { step, alias }, context);
    return await runCommand(evaluation, step, context);
  } catch (error) {
    if (error instanceof ExitRequest || error instanceof Interrupted) throw error;
    if (error instanceof OutputClosed) return true;
    if (context.signal.aborted) throw new Interrupted();
    tell(context, name, error);
    return false;
  }
}

function tell({ say }: Context, name: string, error: unknown): void {
  if (!(error instanceof PartsFailed) || error.isNews) say(`${name}: ${described(error)}`);
  if (error instanceof ShellError && error.usage !== undefined) say(`usage: ${error.usage}`);
}

/** The words behind an alias go to the end of what it stands for; so does where the output goes. */
async function runAlias(
  evaluation: Evaluation,
  { step, alias }: { readonly step: CommandStep; readonly alias: string },
  context: Context,
): Promise<boolean> {
  if (context.depth >= NESTING_MOST) throw new ShellError(`aliases are more than ${NESTING_MOST} levels deep`);
  const [first, ...rest] = step.words;
  const words = rest.map(({ pattern, isGlob, text }) => (isGlob ? pattern : quoted(text)));
  const inside = {
    ...context,
    depth: context.depth + 1,
    expanding: new Set([...context.expanding, first?.text ?? ""]),
  };
  return await withOut(evaluation, step, inside, async (out) => {
    return await runText(evaluation, [alias, ...words].join(" "), { ...inside, out });
  });
}

async function runCommand(evaluation: Evaluation, step: CommandStep, context: Context): Promise<boolean> {
  const [first, ...words] = callOfMacro(step.words);
  const found = evaluation.shell.table.find(first?.text ?? "");
  if (!found.ok) throw new ShellError(found.problem);
  const { command } = found;
  if (command.foreground === true && context.isBackground) throw new ShellError("it does not work in the background");
  return await withOut(evaluation, step, context, async (out) => {
    await called(command, { ...context, out, shell: evaluation.shell, name: command.name, words });
    return true;
  });
}

/** `$name` is `$ name`. */
function callOfMacro(words: readonly Word[]): readonly Word[] {
  const [first, ...rest] = words;
  if (first === undefined || !/^\$./.test(first.text)) return words;
  return [plainWord("$"), plainWord(first.text.slice(1)), ...rest];
}

async function called(command: ShellCommand, context: Omit<Call, "client" | "line">): Promise<void> {
  const call: Call = {
    ...context,
    client: () => context.pin.client ?? context.shell.connection.current(),
    line: async (text) => await context.out.write(`${text}\n`),
  };
  try {
    await command.run(call);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const usage = `${command.name} ${command.usage}`.trimEnd();
    throw new ShellError(error.message, { cause: error, usage });
  }
}

/** The output where the step wants it, and its end awaited. */
async function withOut(
  evaluation: Evaluation,
  { redirect, pipe }: CommandStep,
  context: Context,
  work: (out: Out) => Promise<boolean>,
): Promise<boolean> {
  if (redirect !== undefined) {
    const out = fileOut(localPath(context.place, redirect.file), redirect.isAppend);
    return await ending(out, work);
  }
  if (pipe === undefined) return await work(context.out);
  const { out, went } = programOut(pipe, {
    cwd: context.place.localFolder,
    output: context.isBackground ? evaluation.besideOutput : evaluation.programOutput,
    signal: context.signal,
  });
  const isWell = await ending(out, work);
  return (await went) && isWell;
}

async function ending(out: Out, work: (out: Out) => Promise<boolean>): Promise<boolean> {
  try {
    return await work(out);
  } catch (error) {
    if (error instanceof OutputClosed) return true;
    throw error;
  } finally {
    await out.end();
  }
}
