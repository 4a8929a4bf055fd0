/** The connection: open, close, user, exit, status, and commands that go to the server as they stand. */
import { type FtpReply, printable } from "../../../client/errors.ts";
import type { Client, ConnectOptions } from "../../../client/types.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ExitRequest, ShellError, UsageError } from "../errors.ts";
import { readFlags, wholeNumber } from "../flags.ts";
import { remotePath } from "../place.ts";

export const CONNECTION_COMMANDS: readonly ShellCommand[] = [
  {
    name: "open",
    aliases: ["connect", "ftp"],
    topic: "connection",
    usage: "[-u USER] [-p PORT] URL | HOST [PORT]",
    help: "connect to a server",
    more: [
      "A URL is as in ftp://ann@host/folder; ftpes: TLS or nothing, ftps: TLS from the start.",
      "The password is asked for; written into the line it would stay in the history.",
    ],
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
    help: "send a command to the server as it stands, and show its reply",
    run: async (call) => await raw(call, ""),
  },
  {
    name: "site",
    topic: "connection",
    usage: "COMMAND...",
    help: "send a SITE command",
    run: async (call) => await raw(call, "SITE "),
  },
  {
    name: "rhelp",
    aliases: ["remotehelp"],
    topic: "connection",
    usage: "[COMMAND]",
    help: "show the help of the server",
    run: async (call) => await raw(call, "HELP "),
  },
  {
    name: "idle",
    topic: "connection",
    usage: "[SECONDS]",
    help: "show or set after how long the server ends an idle connection (SITE IDLE)",
    run: async (call) => await raw(call, "SITE IDLE "),
  },
];

async function open(call: Call): Promise<void> {
  const flags = readFlags(call.words, "u:p:");
  const [target, port] = flags.rest;
  if (target === undefined) throw new UsageError("which server?");
  noJobs(call);
  const number = flags.value("p") ?? port;
  const user = flags.value("u")?.text;
  await openTarget(call, target.text, {
    ...(number === undefined ? {} : { port: wholeNumber(number, { from: 1, to: 65_535 }) }),
    ...(user === undefined ? {} : { user }),
  });
}

/** Connects, and enters the folder that the URL names. @throws {FtpError} */
export async function openTarget(call: Call, target: string, options: ConnectOptions): Promise<void> {
  const { client, path } = await call.shell.connection.open(target, { ...options, signal: call.signal });
  arrived(call, client, undefined);
  if (path === "" || path === "/") return;
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

/** Jobs hold the connection that they began with. */
export function noJobs(call: Pick<Call, "shell">): void {
  const count = call.shell.jobs.all.length;
  if (count > 0)
    throw new ShellError(`${count} ${count === 1 ? "job uses" : "jobs use"} the connection: wait, or kill all`);
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
  const line = `${verb}${call.words.map(({ text }) => text).join(" ")}`.trim();
  if (line === "") throw new UsageError("which command?");
  const [first = "", ...rest] = line.split(" ");
  const reply = await call
    .client()
    .session(async (session) => await session.ask(first, ...(rest.length === 0 ? [] : [rest.join(" ")])), {
      signal: call.signal,
    });
  for (const each of wireLines(reply)) await call.line(printable(each));
  call.shell.names.clear();
  if (reply.code >= 400) throw new ShellError(`the server refused it (${reply.code})`);
}

/** As the server wrote them (RFC 959 §4.2). */
function wireLines({ code, lines }: FtpReply): readonly string[] {
  const last = lines.length - 1;
  return lines.map((line, at) => (at === last ? `${code} ${line}` : at === 0 ? `${code}-${line}` : line));
}
