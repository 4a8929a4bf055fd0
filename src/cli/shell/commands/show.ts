/** Contents of files: cat, zcat, page, edit. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FtpError, printable } from "../../../client/errors.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { remoteNames } from "../globs.ts";
import { EDIT_MOST } from "../limits.ts";
import { nameProblem } from "../local-names.ts";
import { type Out, programOut } from "../out.ts";
import { lastPart, remotePath } from "../place.ts";

export const SHOW_COMMANDS: readonly ShellCommand[] = [
  {
    name: "cat",
    topic: "files",
    usage: "NAME...",
    help: "show what is in files",
    examples: ["cat a.txt", "cat log | tail", "cat a.txt > b.txt"],
    completes: "remote",
    run: async (call) => await cat(call, call.out),
  },
  {
    name: "zcat",
    topic: "files",
    usage: "NAME...",
    help: "show what is in files that gzip has packed",
    completes: "remote",
    run: async (call) => await cat(call, call.out, { isPacked: true }),
  },
  {
    name: "page",
    aliases: ["less", "more"],
    topic: "files",
    usage: "NAME...",
    help: "show files page by page ($PAGER, else less)",
    completes: "remote",
    run: async (call) => await page(call, {}),
  },
  {
    name: "zless",
    aliases: ["zmore"],
    topic: "files",
    usage: "NAME...",
    help: "show files that gzip has packed page by page",
    completes: "remote",
    run: async (call) => await page(call, { isPacked: true }),
  },
  {
    name: "edit",
    aliases: ["fedit"],
    topic: "files",
    usage: "NAME",
    help: "change a file with $VISUAL, $EDITOR or vi, and send it back",
    completes: "remote",
    foreground: true,
    run: edit,
  },
];

type Reading = { readonly isPacked?: boolean };

async function cat(call: Call, out: Out, { isPacked = false }: Reading = {}): Promise<void> {
  if (call.words.length === 0) throw new UsageError("which files?");
  for (const { path } of await remoteNames(call, call.words)) {
    const source = call.client().open(path, { signal: call.signal });
    await copied(isPacked ? unpacked(source) : source, out);
  }
}

/** Octets as they come; `out` stays open. */
export async function copied(source: Readable, out: Out): Promise<void> {
  try {
    for await (const chunk of source) {
      if (!(chunk instanceof Uint8Array) && typeof chunk !== "string")
        throw new ShellError("the stream is not one of octets");
      await out.write(chunk);
    }
  } finally {
    // Whoever stops early, at a pager's end, wants no more of the file.
    source.destroy();
  }
}

function unpacked(source: Readable): Readable {
  const unpacking = createGunzip();
  source.on("error", (error) => unpacking.destroy(error));
  unpacking.on("close", () => source.destroy());
  return source.pipe(unpacking);
}

/** Not a terminal: all of it, as `cat`. */
async function page(call: Call, reading: Reading): Promise<void> {
  if (!call.out.isTerminal || call.isBackground) return await cat(call, call.out, reading);
  const pager = process.env["PAGER"] ?? "";
  const { out, went } = programOut(pager === "" ? "less" : pager, {
    cwd: call.place.localFolder,
    output: "inherit",
    signal: call.signal,
  });
  try {
    await cat(call, out, reading);
  } finally {
    await out.end();
    await went;
  }
}

async function edit(call: Call): Promise<void> {
  const [word, ...others] = call.words;
  if (word === undefined || others.length > 0) throw new UsageError("which file?");
  if (!call.shell.isTerminal) throw new ShellError("an editor needs a terminal");
  const path = remotePath(call.place, word);
  const folder = await mkdtemp(join(tmpdir(), "ferryman-edit-"));
  let isKept = false;
  try {
    // The editor knows kinds of files by their names.
    const name = nameProblem(lastPart(path)) === undefined ? lastPart(path) : "file";
    const local = join(folder, name);
    await fetched(call, path, local);
    const before = await stat(local).catch(() => undefined);
    const editor = process.env["VISUAL"] ?? process.env["EDITOR"] ?? "vi";
    if (!(await call.shell.program(`${editor} '${local.replaceAll("'", "'\\''")}'`, call)))
      throw new ShellError(`${editor} failed`);
    const after = await stat(local).catch(() => undefined);
    if (after === undefined || (before?.mtimeMs === after.mtimeMs && before.size === after.size)) {
      call.say("nothing was changed");
      return;
    }
    isKept = true;
    await call.client().upload(local, path, { signal: call.signal, keepTime: false });
    isKept = false;
    call.say(`${printable(path)} is sent`);
    call.shell.names.clear();
  } finally {
    if (isKept) call.say(`what you wrote is in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

/** A file that is not there yet is a new one. */
async function fetched(call: Call, path: string, local: string): Promise<void> {
  try {
    const { size = 0 } = await call.client().stat(path, { signal: call.signal });
    if (size > EDIT_MOST) throw new ShellError(`it has more than ${EDIT_MOST} octets: get it instead`);
    await call.client().download(path, local, { signal: call.signal });
  } catch (error) {
    if (!(error instanceof FtpError) || error.code !== "NOT_FOUND") throw error;
    call.say("it is a new file");
  }
}
