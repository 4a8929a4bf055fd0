/** Files of the server changed in place: rm, mv, cp, chmod, utimes, hash. */
import { printable, shownReply } from "../../../client/errors.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { readFlags } from "../flags.ts";
import { type RemoteName, remoteNames } from "../globs.ts";
import { asking, eachPiece } from "../moving.ts";
import { inFolder, lastPart, namesFolder, remotePath } from "../place.ts";
import type { Word } from "../words.ts";
import { everywhere } from "./connection.ts";

export const FILE_COMMANDS: readonly ShellCommand[] = [
  {
    name: "rm",
    aliases: ["delete", "del"],
    topic: "files",
    usage: "[-rf] NAME...",
    help: "remove files; -r: folders with all in them",
    examples: ["rm a.txt", "rm -r old", "rm *.tmp"],
    more: ["On a terminal it asks once about several files or a folder; -f: it does not."],
    completes: "remote",
    run: remove,
  },
  {
    name: "mdelete",
    aliases: ["mrm", "mdel"],
    topic: "files",
    usage: "[-f] NAME...",
    help: "remove several files; * and ? are understood",
    completes: "remote",
    run: remove,
  },
  {
    name: "mv",
    aliases: ["rename", "mmv"],
    topic: "files",
    usage: "NAME NEW | NAME... FOLDER",
    help: "rename a file, or move several into a folder",
    examples: ["mv a.txt b.txt", "mv *.log logs/"],
    completes: "remote",
    run: move,
  },
  {
    name: "cp",
    topic: "files",
    usage: "NAME NEW",
    help: "copy a file on the server, or through us where it cannot",
    completes: "remote",
    run: copy,
  },
  {
    name: "ln",
    topic: "files",
    usage: "-s TARGET NAME",
    help: "make a symbolic link (SITE SYMLINK; few servers do)",
    more: ["TARGET stands in the link as it is written. Hard links are SITE LINK."],
    examples: ["ln -s current.log latest"],
    completes: "remote",
    run: link,
  },
  {
    name: "chmod",
    topic: "files",
    usage: "MODE NAME...",
    help: "set the permission bits, as in 644",
    examples: ["chmod 644 *.html"],
    completes: "remote",
    run: chmod,
  },
  {
    name: "umask",
    topic: "files",
    usage: "[BITS]",
    help: "show or set the bits that new files do not get (SITE UMASK)",
    more: ["What is set holds for all connections to this server, the later ones too."],
    run: async (call) => {
      const [bits] = call.words;
      if (bits !== undefined) {
        if (!/^[0-7]{1,4}$/.test(bits.text)) throw new UsageError(`"${bits.text}" is no mask such as 022`);
        return await everywhere(call, "SITE UMASK", bits.text);
      }
      const reply = await call.client().raw("SITE UMASK", { signal: call.signal });
      for (const line of reply.lines) await call.line(printable(line));
    },
  },
  {
    name: "utimes",
    aliases: ["touch"],
    topic: "files",
    usage: "[-d TIME] NAME...",
    help: "set when a file was changed; without -d: now",
    more: ["TIME is as in 2026-01-31T12:00:00Z; without a zone it is that of this host."],
    completes: "remote",
    run: utimes,
  },
  {
    name: "digest",
    aliases: ["checksum", "xsha"],
    topic: "files",
    usage: "NAME...",
    help: "show the digest that the server computes",
    completes: "remote",
    run: digest,
  },
];

async function remove(call: Call): Promise<void> {
  const flags = readFlags(call.words, "rRf");
  if (flags.rest.length === 0) throw new UsageError("which files?");
  const isTree = flags.has("r") || flags.has("R");
  if (isTree && flags.rest.some(({ text }) => /(?:^|\/)\.\.?\/*$/.test(text))) {
    throw new UsageError('"." and ".." go nowhere with all that is in them: name the folder itself');
  }
  const names = await remoteNames(call, flags.rest);
  const isForced = flags.has("f");
  const isMany = isTree || names.length > 1 || flags.rest.some(({ isGlob }) => isGlob);
  if (isMany && !isForced) await confirmed(call, names, isTree);
  const ask = asking(call);
  const wanted: RemoteName[] = [];
  for (const name of names) if (isForced || (await ask("remove", printable(name.path)))) wanted.push(name);
  await eachPiece(call, wanted, {
    work: async (name) => await removed(call, name, isTree),
    name: ({ path }) => printable(path),
    isOnBoard: false,
  }).finally(() => call.shell.names.clear());
}

/** Once for all of them, unless each is asked about anyway. @throws {ShellError} when the answer is no. */
async function confirmed(call: Call, names: readonly RemoteName[], isTree: boolean): Promise<void> {
  if (call.shell.settings.isOn("prompt") || !call.shell.isTerminal || call.isBackground) return;
  const what = names.length === 1 ? printable(names[0]?.path ?? "") : `${names.length} names`;
  const answer = await call.shell.ask(`remove ${what}${isTree ? " with all that is in it" : ""} [y/N]? `);
  if (answer?.trim().toLowerCase().startsWith("y") !== true) throw new ShellError("nothing was removed");
}

async function removed(call: Call, { path, entry }: RemoteName, isTree: boolean): Promise<void> {
  const client = call.client();
  const { signal } = call;
  const type = isTree ? (entry?.type ?? (await client.exists(path, { signal }))) : "file";
  if (type === "directory") await client.removeTree(path, { signal });
  else await client.remove(path, { signal });
}

async function move(call: Call): Promise<void> {
  const { last, names } = await sourcesAndTarget(call, "the old name and the new one");
  const target = remotePath(call.place, last);
  const client = call.client();
  const isInto =
    names.length > 1 ||
    namesFolder(last.text) ||
    (await client.exists(target, { signal: call.signal })) === "directory";
  for (const { path } of names) {
    await client.rename(path, isInto ? inFolder(target, lastPart(path)) : target, { signal: call.signal });
  }
  call.shell.names.clear();
}

async function sourcesAndTarget(
  call: Call,
  what: string,
): Promise<{ readonly last: Word; readonly names: readonly RemoteName[] }> {
  const last = call.words.at(-1);
  if (last === undefined || call.words.length < 2) throw new UsageError(what);
  return { last, names: await remoteNames(call, call.words.slice(0, -1)) };
}

async function copy(call: Call): Promise<void> {
  const { last, names } = await sourcesAndTarget(call, "the name and that of the copy");
  const [only] = names;
  if (only === undefined || names.length > 1) throw new UsageError("one file at a time");
  const target = remotePath(call.place, last);
  const client = call.client();
  const isInto = namesFolder(last.text) || (await client.exists(target, { signal: call.signal })) === "directory";
  const path = isInto ? inFolder(target, lastPart(only.path)) : target;
  if (path === only.path) throw new ShellError("it would be copied onto itself");
  if (!(await copiedThere(call, only.path, path))) await relayed(call, only, path);
  call.shell.names.clear();
}

/** FTP itself has no such command; some servers have one of their own. @returns whether this one has. */
async function copiedThere(call: Call, from: string, to: string): Promise<boolean> {
  return await call.client().session(
    async (session) => {
      const { code } = await session.ask("SITE", "CPFR", from);
      if (code !== 350) return false;
      await session.send("SITE", "CPTO", to);
      return true;
    },
    { signal: call.signal },
  );
}

/** What comes goes out again, without a file here. */
async function relayed(call: Call, { path: from, entry }: RemoteName, to: string): Promise<void> {
  const { signal, shell } = call;
  const transfer = call.board.begin({ name: lastPart(from), total: entry?.size });
  try {
    const { bytes } = await call.client().copyTo(call.client(), from, to, {
      signal,
      fxp: "never",
      keepTime: shell.settings.isOn("keep-time"),
      rate: shell.settings.rate(),
      onProgress: ({ bytes: moved, total }) => transfer.update(moved, { total }),
    });
    transfer.update(bytes);
    transfer.done();
  } catch (error) {
    transfer.failed(signal.aborted ? "interrupted" : "not copied");
    throw error;
  }
}

async function link(call: Call): Promise<void> {
  const flags = readFlags(call.words, "sf");
  const [target, name] = flags.rest;
  if (target === undefined || name === undefined || flags.rest.length > 2)
    throw new UsageError("the target and the name");
  const isSymbolic = flags.has("s");
  const words = isSymbolic ? target.text : remotePath(call.place, target);
  // The server takes them apart at blanks: the one that has some needs quotes, where the server knows them.
  if (/\s/.test(words)) throw new ShellError("a target with blanks cannot be said by SITE");
  const verb = isSymbolic ? "SYMLINK" : "LINK";
  const reply = await call
    .client()
    .session(async (session) => await session.ask("SITE", verb, `${words} ${remotePath(call.place, name)}`), {
      signal: call.signal,
    });
  call.shell.names.clear();
  if (reply.code < 400) return;
  const why =
    reply.code === 500 || reply.code === 502 || reply.code === 504 ? "this server makes no links" : "it was refused";
  throw new ShellError(`${why}: ${shownReply(reply)}`);
}

async function chmod(call: Call): Promise<void> {
  const [mode, ...words] = call.words;
  if (mode === undefined || words.length === 0) throw new UsageError("the mode and the files");
  if (!/^[0-7]{3,4}$/.test(mode.text)) throw new UsageError(`"${mode.text}" is no mode such as 644`);
  for (const { path } of await remoteNames(call, words)) {
    await call.client().chmod(path, Number.parseInt(mode.text, 8), { signal: call.signal });
  }
  call.shell.names.clear();
}

async function utimes(call: Call): Promise<void> {
  const flags = readFlags(call.words, "d:");
  if (flags.rest.length === 0) throw new UsageError("which files?");
  const given = flags.value("d")?.text;
  const time = given === undefined ? new Date() : new Date(given);
  if (Number.isNaN(time.getTime())) throw new UsageError(`"${given}" is no time such as 2026-01-31T12:00:00Z`);
  for (const { path } of await remoteNames(call, flags.rest))
    await call.client().utime(path, time, { signal: call.signal });
}

async function digest(call: Call): Promise<void> {
  if (call.words.length === 0) throw new UsageError("which files?");
  for (const { path } of await remoteNames(call, call.words)) {
    const found = await call.client().hash(path, { signal: call.signal });
    if (found === undefined) throw new ShellError("the server computes no digests");
    await call.line(`${found.hash}  ${printable(lastPart(path))}  (${found.algorithm})`);
  }
}
