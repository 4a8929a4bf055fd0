/** The connection: open, close, user, exit, status, and commands that go to the server as they stand. */
import { type FtpReply, printable } from "../../../client/errors.ts";
import type { Client, ConnectOptions } from "../../../client/types.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ExitRequest, ShellError, UsageError } from "../errors.ts";
import { readFlags, wholeNumber } from "../flags.ts";
import { keepMacro, macroText } from "../macros.ts";
import { remotePath } from "../place.ts";

export const CONNECTION_COMMANDS: readonly ShellCommand[] = [
  {
    name: "open",
    aliases: ["connect", "ftp"],
    topic: "connection",
    usage: "[-u USER] [-p PORT] URL | HOST [PORT] | BOOKMARK",
    help: "connect to a server",
    more: [
      "ftp:// takes TLS where it is offered, ftpes:// demands it, ftps:// begins so.",
      "The password is asked for, or comes from ~/.netrc. -u USER,PASSWORD and one in",
      "the URL work as with lftp, and the history does not keep them.",
    ],
    examples: ["open ftp.example.org", "open ftpes://ann@ftp.example.org/pub", "open work"],
    foreground: true,
    run: open,
  },
  {
    name: "close",
    aliases: ["disconnect"],
    topic: "connection",
    usage: "",
    help: "end the connection, not the shell",
    foreground: true,
    run: async (call) => {
      call.client();
      noJobs(call);
      await call.shell.connection.close();
    },
  },
  {
    name: "user",
    aliases: ["login"],
    topic: "connection",
    usage: "NAME [PASSWORD]",
    help: "log in as somebody else",
    examples: ["user ann"],
    foreground: true,
    run: async (call) => {
      const [name, password] = call.words;
      if (name === undefined) throw new UsageError("which name?");
      noJobs(call);
      const secret = password?.text ?? (await call.shell.ask("Password: ", { isSecret: true }));
      const client = await call.shell.connection.reopen({ user: name.text, password: secret, signal: call.signal });
      if (client === undefined) throw new ShellError("there is no connection: open HOST first");
      arrived(call, client, undefined);
    },
  },
  {
    name: "bye",
    aliases: ["quit", "exit", "logout"],
    topic: "connection",
    usage: "[CODE]",
    help: "end the shell",
    run: async (call) => {
      const [code] = call.words;
      throw new ExitRequest(code === undefined ? undefined : wholeNumber(code, { from: 0, to: 255 }));
    },
  },
  {
    name: "status",
    topic: "connection",
    usage: "",
    help: "show the connection and what is set",
    run: status,
  },
  {
    name: "system",
    aliases: ["syst"],
    topic: "connection",
    usage: "",
    help: "show what the server says about itself",
    run: async (call) => {
      const { system, greeting, features } = call.client().info;
      await call.line(`greeting  ${printable(greeting)}`);
      await call.line(`system    ${printable(system)}`);
      await call.line(`features  ${printable([...features.keys()].join(" "))}`);
    },
  },
  {
    name: "quote",
    aliases: ["literal", "raw"],
    topic: "connection",
    usage: "COMMAND...",
    help: "send a command as it stands, and show the reply",
    more: ["It goes out on one of several connections: what it sets, the others lack."],
    examples: ["quote STAT", "quote FEAT"],
    run: async (call) => await raw(call, ""),
  },
  {
    name: "site",
    topic: "connection",
    usage: "COMMAND...",
    help: "send a SITE command",
    examples: ["site help", "site chmod 644 a.txt"],
    run: async (call) => await raw(call, "SITE"),
  },
  {
    name: "rhelp",
    aliases: ["remotehelp"],
    topic: "connection",
    usage: "[COMMAND]",
    help: "show the help of the server",
    run: async (call) => await raw(call, "HELP"),
  },
  {
    name: "idle",
    topic: "connection",
    usage: "[SECONDS]",
    help: "show or set when the server ends idle connections (SITE IDLE)",
    more: ["What is set holds for all connections to this server, the later ones too."],
    run: async (call) => {
      const [seconds] = call.words;
      if (seconds === undefined) return await raw(call, "SITE IDLE");
      await everywhere(call, "SITE IDLE", String(wholeNumber(seconds, { from: 1, to: 1_000_000 })));
    },
  },
];

async function open(call: Call): Promise<void> {
  const flags = readFlags(call.words, "u:p:");
  const [target, port] = flags.rest;
  if (target === undefined) throw new UsageError("which server?");
  noJobs(call);
  const number = flags.value("p") ?? port;
  // USER,PASSWORD is lftp's.
  const [user, ...secret] = flags.value("u")?.text.split(",") ?? [];
  await openTarget(call, target.text, {
    ...(number === undefined ? {} : { port: wholeNumber(number, { from: 1, to: 65_535 }) }),
    ...(user === undefined ? {} : { user }),
    ...(secret.length === 0 ? {} : { password: secret.join(",") }),
  });
}

/** Connects, and enters the folder that the URL names. @throws {FtpError} */
export async function openTarget(call: Call, target: string, options: ConnectOptions): Promise<void> {
  const {
    client,
    path,
    type,
    macros = [],
  } = await call.shell.connection.open(target, { ...options, signal: call.signal });
  arrived(call, client, undefined);
  if (type !== undefined) call.shell.settings.set("type", type);
  if (path !== "" && path !== "/") await entered(call, client, path);
  for (const macro of macros) keepMacro(call.shell.macros, macro);
  const init = macros.find(({ name }) => name === "init");
  if (init === undefined) return;
  if (!(await call.shell.run(macroText(init.lines, []), call)))
    call.say("note: a command of the macro init (~/.netrc) failed");
}

async function entered(call: Call, client: Client, path: string): Promise<void> {
  const folder = remotePath({ folder: call.place.home, home: call.place.home }, { text: path, isHome: false });
  await client.session(async (session) => await session.cd(folder), { signal: call.signal });
  call.place.folder = folder;
}

/** @param home in place of what the server says. */
export function arrived(call: Pick<Call, "place" | "shell" | "say">, client: Client, home: string | undefined): void {
  const { info } = client;
  const start = home ?? (info.home.startsWith("/") ? info.home : "/");
  call.place.home = start;
  call.place.folder = start;
  call.place.previous = undefined;
  call.shell.names.clear();
  if (!call.shell.isTerminal) return;
  const { tls } = info;
  const safety = tls === undefined ? "not encrypted: anybody on the way can read it" : `${tls.version}, ${tls.cipher}`;
  call.say(`connected to ${printable(info.host)} as ${printable(info.user)}; ${safety}`);
}

/** The same server, user and folder, with what `options` say beside. @throws {ShellError} while jobs run. */
export async function renewed(
  call: Pick<Call, "place" | "shell" | "say" | "signal">,
  options: ConnectOptions,
): Promise<void> {
  noJobs(call);
  const { folder, home, previous } = call.place;
  const client = await call.shell.connection.reopen({ ...options, signal: call.signal });
  if (client === undefined) throw new ShellError("there is no connection: open HOST first");
  arrived({ ...call, say: () => {} }, client, home);
  Object.assign(call.place, { folder, previous });
}

/** Sends a SITE command on this connection and on all that follow: each of a client's has a state of its own. */
export async function everywhere(call: Call, verb: string, value: string): Promise<void> {
  const { connection } = call.shell;
  const kept = (connection.commands ?? []).filter((line) => !line.startsWith(`${verb} `));
  await renewed(call, { commands: [...kept, `${verb} ${value}`] });
}

/** Jobs hold the connection that they began with. @throws {ShellError} while some hold that of now. */
function noJobs({ shell }: Pick<Call, "shell">): void {
  const { client } = shell.connection;
  const count = shell.jobs.all.filter((job) => client !== undefined && job.client === client).length;
  if (count === 0) return;
  const what = `${count} ${count === 1 ? "job uses" : "jobs use"} the connection`;
  throw new ShellError(`${what}: wait for them, kill all, or go to another slot`);
}

async function status(call: Call): Promise<void> {
  const { client, target } = call.shell.connection;
  if (client === undefined) await call.line("not connected");
  else {
    const { info } = client;
    await call.line(`server    ${printable(info.host)}, port ${info.port}, address ${printable(info.address)}`);
    await call.line(`user      ${printable(info.user)}`);
    await call.line(`folder    ${printable(call.place.folder)}`);
    await call.line(`encrypted ${info.tls === undefined ? "no" : `${info.tls.version}, ${info.tls.cipher}`}`);
    if (info.tls !== undefined) await call.line(`SHA-256   ${info.tls.fingerprint}`);
    if (target !== undefined) await call.line(`opened as ${printable(target)}`);
  }
  await call.line(`here      ${printable(call.place.localFolder)}`);
  for (const [name = "", value = ""] of call.shell.settings.rows()) await call.line(`${name.padEnd(18)} ${value}`);
}

/** The reply is shown also where it is a refusal: that is what was asked for. */
async function raw(call: Call, verb: string): Promise<void> {
  const line = `${verb} ${call.words.map(({ text }) => text).join(" ")}`.trim();
  if (line === "") throw new UsageError("which command?");
  const [first = "", ...rest] = line.split(" ");
  const reply = await call
    .client()
    .session(async (session) => await session.ask(first, ...(rest.length === 0 ? [] : [rest.join(" ")])), {
      signal: call.signal,
    });
  for (const each of wireLines(reply)) await call.line(printable(each));
  call.shell.names.clear();
  if (reply.code >= 400) throw new ShellError(refusal(reply.code));
}

/** What the code means, for people who do not know them by heart. */
function refusal(code: number): string {
  if (code === 500 || code === 502) return `the server does not know this command (${code})`;
  if (code === 501 || code === 504) return `the server does not take these words behind it (${code})`;
  if (code === 503) return `the server wants another command before it (${code})`;
  if (code === 530 || code === 532) return `the server wants a login for it (${code})`;
  if (code >= 550) return `the server did not do it; its words say why (${code})`;
  return code < 500 ? `the server cannot do it now; later it may (${code})` : `the server refused it (${code})`;
}

/** As the server wrote them (RFC 959 §4.2). */
function wireLines({ code, lines }: FtpReply): readonly string[] {
  const last = lines.length - 1;
  return lines.map((line, at) => (at === last ? `${code} ${line}` : at === 0 ? `${code}-${line}` : line));
}
