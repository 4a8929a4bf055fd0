/**
 * A program: puts itself under the terms in its environment, then becomes the worker. Landlock and no_new_privs hold
 * for one thread, and Node has many before its first line runs; after execve this thread is the only one, and all
 * that come are under the same (deps.md 0.2).
 *
 * It is loaded by `node --require launch launch`: required, it runs before the event loop turns, so that no message of
 * the broker is read from the channel and lost. As the main file it does nothing a second time.
 */
import { accessSync, constants, readdirSync, writeSync } from "node:fs";
import { faultMessage } from "../base/fault-text.ts";
import { loadProcessCalls, type ProcessCalls } from "../sys/process-calls.ts";
import { confine } from "./confine.ts";
import { LAUNCH_FAILED, TERMS_VARIABLE, type Terms, checkedTerms } from "./terms.ts";

/** Always passed on. */
const STANDARD_DESCRIPTORS = [0, 1, 2];

try {
  launch();
} catch (error) {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${faultMessage(error.cause)})` : "";
  writeSync(2, `ferryman: cannot start a confined process: ${faultMessage(error)}${cause}\n`);
}
// Reached by failures alone: what was to be confined must not run otherwise.
process.exit(LAUNCH_FAILED);

function launch(): void {
  const terms = readTerms();
  const calls = loadProcessCalls();
  if (calls === undefined) throw new Error("koffi is missing or not for this system: npm install koffi");
  confine(calls, terms);
  for (const path of [process.execPath, terms.script]) assertReadable(path);
  keepDescriptors(calls, [...STANDARD_DESCRIPTORS, ...terms.descriptors]);
  const { nodeArguments, script, scriptArguments } = terms;
  calls.execute(process.execPath, [process.execPath, ...nodeArguments, script, ...scriptArguments], environment(terms));
}

/** Node has marked those that it found at start as its own alone, but stops looking at the first gap. */
function keepDescriptors(calls: ProcessCalls, kept: readonly number[]): void {
  const open = readdirSync("/proc/self/fd").map(Number);
  for (const descriptor of open) {
    try {
      calls.setCloseOnExec(descriptor, !kept.includes(descriptor));
    } catch (error) {
      // The one through which the list was read is closed again.
      if (kept.includes(descriptor)) throw error;
    }
  }
}

function readTerms(): Terms {
  const text = process.env[TERMS_VARIABLE];
  if (text === undefined) throw new Error(`${TERMS_VARIABLE} is not set; this program is started by Ferryman alone`);
  try {
    return checkedTerms(JSON.parse(text));
  } catch (error) {
    throw new Error(`its terms are wrong: ${faultMessage(error)}`, { cause: error });
  }
}

function assertReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new Error(
      `user ${process.getuid?.()} may not read ${path}: install Node and Ferryman where every user can read them`,
      { cause: error },
    );
  }
}

/** Node takes the channel's variables away when it has read them; the next one needs them again. */
function environment({ channel }: Terms): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && name !== TERMS_VARIABLE) variables[name] = value;
  }
  if (channel !== undefined) {
    variables["NODE_CHANNEL_FD"] = String(channel);
    variables["NODE_CHANNEL_SERIALIZATION_MODE"] = "advanced";
  }
  return variables;
}
