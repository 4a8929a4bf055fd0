import { type VirtualPath, baseName } from "../../protocol/path.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import { carry, sendFile, sendFileAtOnce } from "../transfer.ts";

export const retr: Command = command({
  verb: "RETR",
  access: "signed-in",
  data: "transfer",
  help: "RETR <path> - download a file",
  source: "RFC 959 §4.1.3",
  parse: pathArgument,
  async run({ session, argument: path, context, say }) {
    context.data.demandPlan();
    const ascii = session.type === "ascii";
    const restart = session.pending?.restart ?? 0;
    const range = session.pending?.range;
    if (ascii && range !== undefined) throw new Refusal(550, "RANG counts octets of the file: it needs TYPE I.");
    // In TYPE A a restart counts octets of the wire, whose number only the conversion tells.
    const start = ascii ? 0 : (range?.start ?? restart);
    await using reading = await session.workspace.openRead(path, { offset: start, type: session.type });
    const size = Number(reading.reader.entry.size);
    const end = range === undefined ? size : Math.min(range.end, size);
    const span = { start, end };
    const length = ascii ? "" : ` (${Math.max(end - start, 0)} bytes)`;
    await carry(context, {
      session,
      say,
      direction: "download",
      path,
      log: reading.log,
      opening: `Opening ${ascii ? "ASCII" : "BINARY"} mode data connection for ${nameOf(path)}${length}.`,
      move: async (connection) => sendFile(connection, reading, { span, ascii, skip: ascii ? restart : 0 }),
      atOnce: ascii ? undefined : (ready) => sendFileAtOnce(ready, reading, span),
      closing: () => "Transfer complete.",
    });
    return session;
  },
});

function nameOf(path: VirtualPath): string {
  return baseName(path) || "/";
}
