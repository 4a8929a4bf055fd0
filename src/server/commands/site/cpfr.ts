import { reply } from "../../../protocol/reply.ts";
import { StorageError } from "../../../workspace/files.ts";
import { pathArgument } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";

export const cpfr: Command = command({
  verb: "CPFR",
  access: "signed-in",
  help: "SITE CPFR <path> - name the file that SITE CPTO copies",
  source: "SITE CPFR as in ProFTPD mod_copy",
  parse: pathArgument,
  async run({ session, argument: path, say }) {
    session.workspace.demand("read", path, "SITE CPFR");
    const { kind } = await session.workspace.stat(path);
    if (kind !== "file") throw new StorageError("not-a-file", path);
    say(reply(350, "Ready for SITE CPTO."));
    return { ...session, pending: { copy: path } };
  },
});
