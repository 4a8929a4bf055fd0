/** What is there: ls, nlist, mlsd, find, du, stat, size, modtime, df. */
import { printable } from "../../../client/errors.ts";
import type { Entry } from "../../../client/types.ts";
import { TYPES, formatTimeVal } from "../../../protocol/facts.ts";
import { widthOf } from "../../columns.ts";
import { aboutSize } from "../../remote/entry-lines.ts";
import { shownSize } from "../../progress/figures.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { type Flags, readFlags } from "../flags.ts";
import { type RemoteName, isOneName, remoteNames } from "../globs.ts";
import { GLOB_FOLDERS } from "../limits.ts";
import { columnLines, longLines, shownEntry, shownModified } from "../listing.ts";
import { inFolder, lastPart, remotePath } from "../place.ts";

/** Entries that are sorted and aligned together: beyond it a listing comes as the server has it, in blocks. */
const SORTED_MOST = 10_000;

const LS_MORE = [
  "-a  names that begin with a dot too    -1  names alone, one in each line",
  "-h  sizes as 1.2 MiB                   -d  the folder, not what is in it",
  "-t  the newest first                   -S  the largest first",
  "-r  the other way round                -R  what is in the folders below, too",
];

export const LISTING_COMMANDS: readonly ShellCommand[] = [
  {
    name: "ls",
    aliases: ["dir", "mdir", "mls", "list"],
    topic: "listing",
    usage: "[-a1hdtSrRl] [NAME...]",
    help: "show what is in a folder, in long lines",
    more: LS_MORE,
    examples: ["ls", "ls -lat pub", "ls *.gz", "ls -R > list.txt", "ls | less"],
    completes: "remote",
    run: async (call) => await ls(call, {}),
  },
  {
    name: "nlist",
    aliases: ["nls", "cls"],
    topic: "listing",
    usage: "[-a1tSr] [NAME...]",
    help: "show the names in a folder",
    completes: "remote",
    run: async (call) => await ls(call, { isShort: true }),
  },
  {
    name: "mlsd",
    topic: "listing",
    usage: "[FOLDER]",
    help: "show names and facts for programs (in the form of RFC 3659)",
    completes: "folder",
    run: async (call) => {
      const [word] = call.words;
      const folder = word === undefined ? call.place.folder : remotePath(call.place, word);
      const listing = call.client().list(folder, { hidden: true, signal: call.signal });
      for await (const entry of listing) await call.line(factsLine(entry));
    },
  },
  {
    name: "find",
    topic: "listing",
    usage: "[-d LEVELS] [FOLDER]",
    help: "show all that is below a folder",
    examples: ["find", "find -d 2 pub > list.txt"],
    completes: "folder",
    run: find,
  },
  {
    name: "du",
    topic: "listing",
    usage: "[-sb] [NAME...]",
    help: "add up sizes",
    more: ["-s  the sum alone    -b  in octets"],
    completes: "remote",
    run: du,
  },
  {
    name: "stat",
    aliases: ["mlst"],
    topic: "listing",
    usage: "NAME...",
    help: "show all that the server says about a name",
    completes: "remote",
    run: async (call) => await forEach(call, stat),
  },
  {
    name: "size",
    topic: "listing",
    usage: "NAME...",
    help: "show the size of a file in octets",
    completes: "remote",
    run: async (call) =>
      await forEach(call, async ({ path }) => {
        const { size } = await call.client().stat(path, { signal: call.signal });
        await call.line(`${printable(lastPart(path))}  ${size ?? "the server does not say"}`);
      }),
  },
  {
    name: "modtime",
    topic: "listing",
    usage: "NAME...",
    help: "show when a file was changed, in UTC",
    completes: "remote",
    run: async (call) =>
      await forEach(call, async ({ path }) => {
        const { modified } = await call.client().stat(path, { signal: call.signal });
        const time = modified === undefined ? "the server does not say" : new Date(modified.ms).toISOString();
        await call.line(`${printable(lastPart(path))}  ${time}`);
      }),
  },
  {
    name: "df",
    topic: "listing",
    usage: "[FOLDER]",
    help: "show the free space (AVBL; few servers say it)",
    completes: "folder",
    run: async (call) => {
      const [folder] = call.words;
      const path = folder === undefined ? call.place.folder : remotePath(call.place, folder);
      const reply = await call.client().raw(`AVBL ${path}`, { signal: call.signal });
      const octets = Number(/(\d+)\s*$/.exec(reply.lines.at(-1) ?? "")?.[1]);
      if (!Number.isSafeInteger(octets)) throw new ShellError("the server's answer is no number");
      await call.line(`${octets}  (${shownSize(octets)})`);
    },
  },
];

async function ls(call: Call, { isShort = false }: { readonly isShort?: boolean }): Promise<void> {
  const flags = readFlags(call.words, "a1hdtSrlFRA");
  const names = flags.rest.length === 0 ? [{ path: call.place.folder }] : await remoteNames(call, flags.rest);
  const show = isShort ? shortly : longly;
  const single: Entry[] = [];
  const folders: string[] = [];
  for (const { path, entry } of names) {
    // A word without a glob is a folder until the server says otherwise: one command less for the usual case.
    if (entry !== undefined && (entry.type !== "directory" || flags.has("d"))) single.push(entry);
    else if (flags.has("d")) single.push(await call.client().stat(path, { signal: call.signal }));
    else folders.push(path);
  }
  if (single.length > 0) await show(call, sorted(single, flags), flags);
  for (const folder of folders) {
    if (flags.has("R")) {
      await listedTree(call, { folder, flags, show });
      continue;
    }
    if (folders.length > 1 || single.length > 0) await call.line(`\n${printable(folder)}:`);
    if (flags.rest.length === 0) await listed(call, { folder, flags, show });
    else await listedOrFile(call, { folder, flags, show });
  }
}

/** As `ls -R`: a folder, and then those in it. Links are not followed. */
async function listedTree(call: Call, { folder: top, flags, show }: Listed): Promise<void> {
  const folders = [top];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    await call.line(`\n${printable(folder)}:`);
    const below: string[] = [];
    const onEntry = ({ type, name }: Entry): void => {
      if (type !== "directory" || !isOneName(name)) return;
      if (below.length + folders.length >= GLOB_FOLDERS)
        throw new ShellError(`there are more than ${GLOB_FOLDERS} folders`);
      below.push(inFolder(folder, name));
    };
    await listed(call, { folder, flags, show, onEntry });
    folders.push(...below.toSorted().toReversed());
  }
}

/** What RFC 3659 §7.2 calls an entry, without what nobody has told us. */
function factsLine({ name, type, size, modified, mode }: Entry): string {
  const facts = [
    `type=${TYPES[type]}`,
    ...(size === undefined ? [] : [`size=${size}`]),
    ...(modified === undefined ? [] : [`modify=${formatTimeVal(modified.ms)}`]),
    ...(mode === undefined ? [] : [`UNIX.mode=0${mode.toString(8)}`]),
  ];
  return `${facts.join(";")}; ${printable(name)}`;
}

type Show = (call: Call, entries: readonly Entry[], flags: Flags) => Promise<void>;
type Listed = {
  readonly folder: string;
  readonly flags: Flags;
  readonly show: Show;
  readonly onEntry?: (entry: Entry) => void;
};

/** What was named may be a file; and there are servers that list what is not there as an empty folder. */
async function listedOrFile(call: Call, about: Listed): Promise<void> {
  const { folder, flags, show } = about;
  const client = call.client();
  const { signal } = call;
  try {
    if ((await listed(call, about)) > 0 || folder === "/" || (await client.exists(folder, { signal })) !== false)
      return;
  } catch (error) {
    const entry = signal.aborted ? undefined : await client.stat(folder, { signal }).catch(() => undefined);
    if (entry === undefined || entry.type === "directory") throw error;
    await show(call, [entry], flags);
    return;
  }
  throw new ShellError(`${printable(folder)} is not there`);
}

/** @returns how many names there are. */
async function listed(call: Call, { folder, flags, show, onEntry = () => {} }: Listed): Promise<number> {
  const hidden = flags.has("a") || flags.has("A") || call.shell.settings.isOn("hidden");
  const listing = call.client().list(folder, { hidden, signal: call.signal });
  let block: Entry[] = [];
  let count = 0;
  for await (const entry of listing) {
    count += 1;
    if (!hidden && entry.name.startsWith(".")) continue;
    onEntry(entry);
    block.push(entry);
    if (block.length < SORTED_MOST) continue;
    await show(call, count > SORTED_MOST ? block : sorted(block, flags), flags);
    block = [];
  }
  await show(call, count > SORTED_MOST ? block : sorted(block, flags), flags);
  if (count > SORTED_MOST) call.say(`note: more than ${SORTED_MOST} names, so they are not all sorted`);
  const [warning = ""] = listing.warnings;
  const { length } = listing.warnings;
  if (length > 0) call.say(`note: ${length} lines of the listing were not understood: ${printable(warning)}`);
  return count;
}

async function longly(call: Call, entries: readonly Entry[], flags: Flags): Promise<void> {
  if (flags.has("1") && !flags.has("l")) return await shortly(call, entries, flags);
  for (const line of longLines(entries, { isHuman: flags.has("h") })) await call.line(line);
}

async function shortly(call: Call, entries: readonly Entry[], flags: Flags): Promise<void> {
  if (flags.has("l")) return await longly(call, entries, flags);
  const isLines = flags.has("1") || !call.out.isTerminal;
  const names = entries.map((entry) => (isLines ? printable(entry.name) : shownEntry(entry)));
  for (const line of isLines ? names : columnLines(names, call.out.columns, widthOf)) await call.line(line);
}

function byName(left: Entry, right: Entry): number {
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}

function sorted(entries: readonly Entry[], flags: Flags): readonly Entry[] {
  const order = (left: Entry, right: Entry): number => {
    if (flags.has("t")) return (right.modified?.ms ?? 0) - (left.modified?.ms ?? 0) || byName(left, right);
    if (flags.has("S")) return (aboutSize(right) ?? 0) - (aboutSize(left) ?? 0) || byName(left, right);
    return byName(left, right);
  };
  const inOrder = entries.toSorted(order);
  return flags.has("r") ? inOrder.toReversed() : inOrder;
}

async function find(call: Call): Promise<void> {
  const flags = readFlags(call.words, "d:");
  const depth = flags.value("d")?.text;
  if (depth !== undefined && !/^\d{1,3}$/.test(depth)) throw new UsageError("-d takes a number of levels");
  const [folder] = flags.rest;
  const path = folder === undefined ? call.place.folder : remotePath(call.place, folder);
  const walk = call
    .client()
    .walk(path, { hidden: true, signal: call.signal, ...(depth === undefined ? {} : { depth: Number(depth) }) });
  const prefix = path === "/" ? 1 : path.length + 1;
  for await (const each of walk)
    await call.line(printable(each.path.slice(prefix)) + (each.type === "directory" ? "/" : ""));
}

async function du(call: Call): Promise<void> {
  const flags = readFlags(call.words, "sbh");
  const names = flags.rest.length === 0 ? [{ path: call.place.folder }] : await remoteNames(call, flags.rest);
  const shown = (octets: number): string => (flags.has("b") ? String(octets) : shownSize(octets)).padStart(9);
  let all = 0;
  for (const { path, entry } of names) {
    const facts = entry ?? (path === "/" ? undefined : await call.client().stat(path, { signal: call.signal }));
    let sum = facts?.type === "file" ? (aboutSize(facts) ?? 0) : 0;
    if (facts === undefined || facts.type === "directory") {
      for await (const each of call.client().walk(path, { hidden: true, signal: call.signal }))
        sum += aboutSize(each) ?? 0;
    }
    all += sum;
    if (!flags.has("s")) await call.line(`${shown(sum)}  ${printable(path)}`);
  }
  if (flags.has("s") || names.length > 1) await call.line(`${shown(all)}  in all`);
}

async function forEach(call: Call, work: (name: RemoteName, call: Call) => Promise<void>): Promise<void> {
  if (call.words.length === 0) throw new UsageError("which name?");
  for (const name of await remoteNames(call, call.words)) await work(name, call);
}

async function stat({ path }: RemoteName, call: Call): Promise<void> {
  const entry = await call.client().stat(path, { signal: call.signal });
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["path", printable(path)],
    ["type", entry.type],
    ["size", entry.size === undefined ? undefined : `${entry.size} octets (${shownSize(entry.size)})`],
    [
      "changed",
      entry.modified === undefined
        ? undefined
        : `${shownModified(entry.modified)} (to the ${entry.modified.precision})`,
    ],
    ["mode", entry.mode?.toString(8).padStart(4, "0")],
    ["owner", entry.owner],
    ["group", entry.group],
    ["target", entry.target],
  ];
  for (const [name, value] of rows) if (value !== undefined) await call.line(`${name.padEnd(8)} ${printable(value)}`);
}
