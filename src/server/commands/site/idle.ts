import { parseOffset } from "../../../protocol/numbers.ts";
import { reply } from "../../../protocol/reply.ts";
import { type Command, command } from "../../command.ts";
import { Refusal } from "../../errors.ts";

/** Seconds; below it a person has no time to type. */
const SHORTEST = 30;

export const idle: Command = command({
  verb: "IDLE",
  access: "signed-in",
  help: "SITE IDLE [seconds] - tell or set after how long without a command this session ends",
  source: "SITE IDLE as in wu-ftpd",
  parse(argument) {
    if (argument === "") return undefined;
    const seconds = parseOffset(argument);
    if (seconds === undefined) throw new Refusal(501, "SITE IDLE needs a number of seconds.");
    return seconds;
  },
  run({ session, argument: seconds, context, say }) {
    const most = context.settings.idleMaximum;
    if (seconds === undefined) {
      say(reply(200, `The current idle time limit is ${context.idleSeconds} seconds; the maximum is ${most}.`));
      return session;
    }
    if (seconds < SHORTEST || seconds > most) {
      throw new Refusal(501, `SITE IDLE must be between ${SHORTEST} and ${most} seconds.`);
    }
    context.setIdleSeconds(seconds);
    say(reply(200, `Maximum idle time set to ${seconds} seconds.`));
    return session;
  },
});
