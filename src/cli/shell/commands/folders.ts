/** Where one is, there and here: cd, pwd, lcd, lpwd, lls, and folders made and removed. */
import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { makeFolders } from "../../../base/make-folders.ts";
import { printable } from "../../../client/errors.ts";
import { widthOf } from "../../columns.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { readFlags } from "../flags.ts";
import { remoteNames } from "../globs.ts";
import { columnLines } from "../listing.ts";
import { localPath, remotePath } from "../place.ts";
import { plainWord } from "../words.ts";

export const FOLDER_COMMANDS: readonly ShellCommand[] = [
  {
    name: "cd",
    aliases: ["cwd"],
    topic: "folders",
    usage: "[FOLDER | -]",
    help: "go to a folder of the server; alone: home, -: back",
    examples: ["cd pub", "cd -", "cd", "cd ~/in"],
    completes: "folder",
    run: async (call) => await cd(call, call.words[0]?.text),
  },
  {
    name: "cdup",
    topic: "folders",
    usage: "",
    help: "go to the folder above",
    run: async (call) => await cd(call, ".."),
  },
  {
    name: "pwd",
    topic: "folders",
    usage: "",
    help: "show the folder of the server",
    run: async (call) => {
      call.client();
      await call.line(printable(call.place.folder));
    },
  },
  {
    name: "lcd",
    topic: "folders",
    usage: "[FOLDER | -]",
    help: "go to a folder of this host; alone: home, -: back",
    completes: "local-folder",
    run: lcd,
  },
  {
    name: "lpwd",
    topic: "folders",
    usage: "",
    help: "show the folder of this host",
    run: async (call) => await call.line(printable(call.place.localFolder)),
  },
  {
    name: "lls",
    aliases: ["ldir"],
    topic: "folders",
    usage: "[FOLDER]",
    help: "show what is in a folder of this host; with options: by its ls",
    completes: "local",
    run: lls,
  },
  {
    name: "lmkdir",
    topic: "folders",
    usage: "FOLDER...",
    help: "make folders on this host",
    completes: "local-folder",
    run: async (call) => {
      if (call.words.length === 0) throw new UsageError("which folder?");
      for (const word of call.words) await makeFolders(localPath(call.place, word));
    },
  },
  {
    name: "mkdir",
    topic: "folders",
    usage: "[-p] FOLDER...",
    help: "make folders; -p: those above too",
    completes: "folder",
    run: async (call) => {
      const flags = readFlags(call.words, "p");
      if (flags.rest.length === 0) throw new UsageError("which folder?");
      const options = { recursive: flags.has("p"), signal: call.signal };
      for (const word of flags.rest) await call.client().mkdir(remotePath(call.place, word), options);
      call.shell.names.clear();
    },
  },
  {
    name: "rmdir",
    topic: "folders",
    usage: "FOLDER...",
    help: "remove empty folders",
    completes: "folder",
    run: async (call) => {
      if (call.words.length === 0) throw new UsageError("which folder?");
      for (const { path } of await remoteNames(call, call.words))
        await call.client().rmdir(path, { signal: call.signal });
      call.shell.names.clear();
    },
  },
];

async function cd(call: Call, text: string | undefined): Promise<void> {
  const { place } = call;
  const [word] = call.words;
  if (call.words.length > 1) throw new UsageError("one folder; a blank in its name needs quotes");
  if (text === "-" && place.previous === undefined) throw new ShellError("there is no folder to go back to");
  const named = text === undefined ? place.home : text === "-" ? (place.previous ?? place.home) : undefined;
  const path = named ?? remotePath(place, word ?? plainWord(text ?? ""));
  // The server decides whether it is a folder that may be entered; the path stays ours.
  await call.client().session(async (session) => await session.cd(path), { signal: call.signal });
  if (path !== place.folder) place.previous = place.folder;
  place.folder = path;
  if (text === "-") call.say(printable(path));
}

async function lcd(call: Call): Promise<void> {
  const { place } = call;
  const [word] = call.words;
  if (call.words.length > 1) throw new UsageError("one folder; a blank in its name needs quotes");
  if (word?.text === "-" && place.previousLocal === undefined) throw new ShellError("there is no folder to go back to");
  const back = word?.text === "-" ? place.previousLocal : undefined;
  const path = back ?? (word === undefined ? homedir() : localPath(place, word));
  const facts = await stat(path);
  if (!facts.isDirectory()) throw new ShellError(`${path} is no folder`);
  if (path !== place.localFolder) place.previousLocal = place.localFolder;
  place.localFolder = path;
  if (call.shell.isTerminal) call.say(printable(path));
}

async function lls(call: Call): Promise<void> {
  const [word] = call.words;
  if (word?.text.startsWith("-") === true) {
    const texts = call.words.map(({ text }) => `'${text.replaceAll("'", "'\\''")}'`);
    if (!(await call.shell.program(`ls ${texts.join(" ")}`, call))) throw new ShellError("the host's ls failed");
    return;
  }
  const entries = await readdir(word === undefined ? call.place.localFolder : localPath(call.place, word), {
    withFileTypes: true,
  });
  const names = entries
    .filter(({ name }) => !name.startsWith("."))
    .map((entry) => printable(entry.name) + (entry.isDirectory() ? "/" : ""))
    .toSorted();
  for (const line of call.out.isTerminal ? columnLines(names, call.out.columns, widthOf) : names) await call.line(line);
}
