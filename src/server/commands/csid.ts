import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";

export const csid: Command = command({
  verb: "CSID",
  access: "anyone",
  feature: () => ["CSID Name; Version;"],
  help: "CSID <Name=…;Version=…;> - who you are; the answer says who we are",
  source: "draft-peterson-streamlined-ftp-command-extensions-10 §2",
  parse: (argument) => argument,
  run({ session, say }) {
    say(reply(200, "Name=Ferryman;Version=0;CaseSensitive=1;DirSep=/;"));
    return session;
  },
});
