import { joined } from "../../../protocol/octets.ts";
import { parseTimeVal } from "../../../protocol/facts.ts";
import { reply } from "../../../protocol/reply.ts";
import { pathArgument } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";
import { Refusal } from "../../errors.ts";

/** `name ATIME MTIME CTIME UTC`, as ncftp sends it, and `YYYYMMDDhhmm[ss] name`, as Pure-FTPd's clients do. */
const LONG = /^(.+) (\d{14}) (\d{14}) (\d{14}) UTC$/is;
const SHORT = /^(\d{12}(?:\d{2})?) (.+)$/s;

export const utime: Command = command({
  verb: "UTIME",
  access: "signed-in",
  help: "SITE UTIME <YYYYMMDDhhmm[ss]> <path>, or <path> <accessed> <modified> <created> UTC - set times",
  source: "SITE UTIME as in ncftpd and Pure-FTPd",
  parse(argument, session) {
    const [, longPath, access, modify] = LONG.exec(argument) ?? [];
    const [, time, shortPath] = SHORT.exec(argument) ?? [];
    const name = longPath ?? shortPath;
    const modified = parseTimeVal(modify ?? (time ?? "").padEnd(14, "0"));
    const accessed = longPath === undefined ? modified : parseTimeVal(access ?? "");
    if (name === undefined || modified === undefined || accessed === undefined) {
      throw new Refusal(501, "SITE UTIME needs YYYYMMDDhhmm[ss] and a path, or a path, three times and UTC.");
    }
    return { path: pathArgument(joined(name), session), modified, accessed };
  },
  async run({ session, argument: { path, modified, accessed }, say }) {
    await session.workspace.setTimes(path, { modified, accessed });
    say(reply(200, "SITE UTIME done."));
    return session;
  },
});
