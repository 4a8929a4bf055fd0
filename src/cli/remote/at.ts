/** Commands that do one thing at a server: connect, do it, close, and end with an exit code. */
import { Command } from "commander";
import { Failures, asCliError, ending, failureEvent } from "./failure.ts";
import { REMOTE_HELP, type RemoteFlags, withRemoteFlags, withVerbose } from "./flags.ts";
import { type RemoteIo, interruptible, sayer } from "./io.ts";
import { type Reached, reach, shownUrl } from "./reach.ts";

/** What a command's work is given. */
export type At = Reached & {
  readonly io: RemoteIo;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
};

/** A command with the flags of the way there. */
export function remoteCommand(name: string, about: string, examples: string): Command {
  return withVerbose(withRemoteFlags(new Command(name).description(about))).addHelpText(
    "after",
    `${examples}\n${REMOTE_HELP}`,
  );
}

type Terms = { readonly flags: RemoteFlags; readonly io: RemoteIo };

export async function at(text: string, terms: Terms, work: (at: At) => Promise<void>): Promise<void> {
  await atEach([text], terms, work);
}

/** Several URLs, one after another; what fails at one stops no other. @throws {CliError} */
export async function atEach(
  texts: readonly string[],
  { flags, io }: Terms,
  work: (at: At) => Promise<void>,
): Promise<void> {
  const failures = new Failures((line, error) => {
    if (flags.json === true) io.stdout.write(`${JSON.stringify(failureEvent(error))}\n`);
    else sayer(io)(line);
  });
  const all = async (signal: AbortSignal): Promise<void> => {
    for (const text of texts) {
      try {
        await one(text, { flags, io, signal }, work);
      } catch (error) {
        const url = shownUrl(text);
        if (signal.aborted || texts.length === 1) throw asCliError(error, url);
        failures.note(error, url === undefined ? {} : { url });
      }
    }
  };
  await ending(async () => await interruptible(all, { pipe: io.stdout, mostMs: flags.maxTime }));
  failures.end(texts.length);
}

async function one(
  text: string,
  { flags, io, signal }: Terms & { readonly signal: AbortSignal },
  work: (at: At) => Promise<void>,
): Promise<void> {
  const say = sayer(io);
  await using reached = await reach(text, flags, { say, signal });
  const { client, url, path } = reached;
  const close = async (): Promise<void> => await reached[Symbol.asyncDispose]();
  await work({ client, url, path, io, signal, say, [Symbol.asyncDispose]: close });
}
