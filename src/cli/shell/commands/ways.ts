/** What ftp lets one choose of the way to a server and of the form of files, as far as there is a choice here. */
import { printable } from "../../../client/errors.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { wholeNumber } from "../flags.ts";
import { renewed } from "./connection.ts";
import { change } from "./settings.ts";

export const WAY_COMMANDS: readonly ShellCommand[] = [
  {
    name: "proxy",
    topic: "connection",
    usage: "[URL | off]",
    help: "show or set the proxy on the way to the server",
    more: [
      "http://, https:// (CONNECT), socks5://, socks5h:// or ftp:// (an FTP proxy).",
      "A second server, for which ftp has its proxy command: slot NAME, then open.",
    ],
    examples: ["proxy socks5://127.0.0.1:1080", "proxy off"],
    foreground: true,
    run: proxy,
  },
  {
    name: "gate",
    topic: "connection",
    usage: "[HOST [PORT] | off]",
    help: "go by an FTP proxy that is told USER@HOST",
    examples: ["gate ftp-gw.example.org 21", "gate off"],
    foreground: true,
    run: gate,
  },
  {
    name: "account",
    aliases: ["acct"],
    topic: "connection",
    usage: "[ACCOUNT]",
    help: "log in anew with an account (ACCT), for servers that want one",
    more: ["Alone it is asked for; the history does not keep it."],
    foreground: true,
    run: account,
  },
  {
    name: "sendport",
    topic: "settings",
    usage: "[on | off]",
    help: "on: as active (PORT); off: as passive; alone: the other one",
    run: async (call) => {
      const isActive = call.shell.settings.get("modes") === "eprt,port";
      const value = call.words[0]?.text.toLowerCase() ?? (isActive ? "off" : "on");
      if (value !== "on" && value !== "off") throw new UsageError("on or off");
      await change(call, "modes", value === "on" ? "eprt,port" : "epsv,pasv");
    },
  },
  {
    name: "restart",
    aliases: ["rest"],
    topic: "transfers",
    usage: "OFFSET",
    help: "let the next get or put begin at an octet",
    more: [
      "get: the file here is cut there, and the rest comes. put: that of the server",
      "must end there. get -c and put -c find the place themselves.",
    ],
    examples: ["restart 1048576; get a.iso"],
    run: async (call) => {
      const [offset] = call.words;
      if (offset === undefined) throw new UsageError("at which octet?");
      call.shell.restartAt = wholeNumber(offset, { from: 0, to: Number.MAX_SAFE_INTEGER });
    },
  },
  only("mode", { word: "stream", is: "files go as a stream of octets" }),
  only("struct", { word: "file", is: "files are octets without records or pages" }),
  only("form", { word: "non-print", is: "texts have no marks for printers" }),
  {
    name: "tenex",
    topic: "settings",
    usage: "",
    help: "move octets as they are: what TYPE L 8 means today is binary",
    run: async (call) => {
      await change(call, "type", "binary");
      call.say("type is binary, which is what tenex (TYPE L 8) means on hosts with octets");
    },
  },
];

/** RFC 959 knows others, which no server of today has. */
function only(name: string, { word, is }: { readonly word: string; readonly is: string }): ShellCommand {
  return {
    name,
    topic: "settings",
    usage: `[${word}]`,
    help: `say the only ${name} that there is: ${word}`,
    run: async (call) => {
      const given = call.words[0]?.text.toLowerCase();
      if (given !== undefined && !word.startsWith(given))
        throw new ShellError(`"${given}" is not done here, nor by servers of today; ${name} is ${word}: ${is}`);
      await call.line(`${name} is ${word}: ${is}`);
    },
  };
}

/** Passwords in URLs are not shown. */
function withoutSecret(url: string): string {
  return printable(url.replace(/:[^:@/]*@/, "@"));
}

async function proxy(call: Call): Promise<void> {
  const [url, ...others] = call.words;
  if (url === undefined) return await call.line(`proxy ${withoutSecret(call.shell.settings.get("proxy"))}`);
  if (others.length > 0 || (call.shell.table.find(url.text).ok && url.text !== "off"))
    throw new ShellError(
      "it takes a URL; for a second server: slot NAME, then open HOST. Copies between them: ferryman cp",
    );
  await change(call, "proxy", url.text);
}

async function gate(call: Call): Promise<void> {
  const [host, port] = call.words;
  const { settings } = call.shell;
  if (host === undefined) return await call.line(`proxy ${withoutSecret(settings.get("proxy"))}`);
  if (host.text.toLowerCase() === "off") return await change(call, "proxy", "off");
  const number = port === undefined ? 21 : wholeNumber(port, { from: 1, to: 65_535 });
  const name = host.text.includes(":") ? `[${host.text}]` : host.text;
  await change(call, "proxy", `ftp://${name}:${number}`);
}

async function account(call: Call): Promise<void> {
  const given = call.words[0]?.text ?? (await call.shell.ask("Account: ", { isSecret: true }));
  if (given === undefined) throw new UsageError("which account?");
  await renewed(call, { account: given });
}
