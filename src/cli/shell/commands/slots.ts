/** Several servers: slots with a connection each, and bookmarks. */
import { bookmarksFile, readBookmarks, removeBookmark, saveBookmark } from "../../../client/bookmarks.ts";
import { printable } from "../../../client/errors.ts";
import { formatFtpUrl, parseFtpUrl } from "../../../client/url.ts";
import { alignment } from "../../columns.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";

export const SLOT_COMMANDS: readonly ShellCommand[] = [
  {
    name: "slot",
    aliases: ["scache"],
    topic: "connection",
    usage: "[NAME]",
    help: "go to another connection, or to a new one; alone: show them",
    more: ["Each has a server and a folder of its own. Jobs stay where they began."],
    examples: ["slot two; open ftp.example.org", "slot 1"],
    foreground: true,
    run: slot,
  },
  {
    name: "bookmark",
    topic: "connection",
    usage: "[add NAME [URL] | remove NAME]",
    help: "keep servers under names, which open takes; alone: show them",
    more: ["Without a URL: this server and this folder. Passwords are not kept."],
    examples: ["bookmark add work", "open work", "bookmark remove work"],
    run: bookmark,
  },
];

async function slot(call: Call): Promise<void> {
  const [name] = call.words;
  const { connection, names } = call.shell;
  if (name === undefined) {
    for (const { name: each, target } of connection.slots) {
      const mark = each === connection.slot ? "*" : " ";
      await call.line(`${mark} ${printable(each)}  ${target === undefined ? "not connected" : printable(target)}`);
    }
    return;
  }
  if (!/^[\w.-]{1,32}$/.test(name.text)) throw new UsageError("a name of letters, digits, - and _");
  const { localFolder, previousLocal } = call.place;
  const there = connection.enterSlot(name.text, { ...call.place });
  // This host's folder is one for all of them.
  const empty = { folder: "/", home: "/", previous: undefined };
  Object.assign(call.place, there ?? empty, { localFolder, previousLocal });
  names.clear();
}

async function bookmark(call: Call): Promise<void> {
  const [verb, name, url] = call.words.map(({ text }) => text);
  const file = bookmarksFile({ env: call.shell.environment });
  if (verb === undefined || verb === "list") return await listed(call, file);
  if (verb === "add" && name !== undefined) {
    for (const warning of await saveBookmark(file, { name, url: parseFtpUrl(url ?? here(call), { lenient: true }) }))
      call.say(`warning: ${printable(warning)}`);
  } else if (/^(?:remove|delete|del|rm)$/.test(verb) && name !== undefined) await removeBookmark(file, name);
  else throw new UsageError("add, remove, or nothing");
}

async function listed(call: Call, file: string): Promise<void> {
  const { byName, warnings } = await readBookmarks(file);
  for (const warning of warnings) call.say(`warning: ${printable(warning)}`);
  const rows = [...byName].map(([name, { url }]) => [printable(name), printable(formatFtpUrl(url))]);
  const line = alignment(rows);
  for (const row of rows) await call.line(line(row));
  if (rows.length === 0) call.say("there are none yet: bookmark add NAME");
}

/** The server and the folder of now. */
function here(call: Call): string {
  const { user, host, port } = call.client().info;
  const { target } = call.shell.connection;
  if (target === undefined) throw new ShellError("this connection was made elsewhere: bookmark add NAME URL");
  const scheme = /^(ftps|ftpes):/i.exec(target)?.[1]?.toLowerCase() ?? "ftp";
  return formatFtpUrl({ ...parseFtpUrl(`${scheme}://host`), user, host, port, path: call.place.folder });
}
