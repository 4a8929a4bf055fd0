/** Commands that do one thing at a server: connect, do it, close, and end with an exit code. */
import { Command } from "commander";
import { ending } from "./failure.ts";
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

export async function at(
  text: string,
  { flags, io }: { readonly flags: RemoteFlags; readonly io: RemoteIo },
  work: (at: At) => Promise<void>,
): Promise<void> {
  const say = sayer(io);
  await ending(
    async () =>
      await interruptible(async (signal) => {
        await using reached = await reach(text, flags, { say, signal });
        const { client, url, path } = reached;
        await work({
          client,
          url,
          path,
          io,
          signal,
          say,
          [Symbol.asyncDispose]: async () => await reached[Symbol.asyncDispose](),
        });
      }),
    shownUrl(text),
  );
}

/** Several URLs, one after another. */
export async function atEach(
  texts: readonly string[],
  terms: { readonly flags: RemoteFlags; readonly io: RemoteIo },
  work: (at: At) => Promise<void>,
): Promise<void> {
  for (const text of texts) await at(text, terms, work);
}
