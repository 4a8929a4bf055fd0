import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";

export const clnt: Command = command({
  verb: "CLNT",
  access: "anyone",
  feature: () => ["CLNT"],
  help: "CLNT <name> - tell which client you are; noted in the log",
  source: "common use: BulletProof FTP, and most clients since",
  parse: (argument) => argument,
  run({ session, say }) {
    say(reply(200, "Noted."));
    return session;
  },
});
