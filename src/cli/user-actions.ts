/** What each sub-command of `ferryman user` does; what goes wrong becomes a CliError that says what to do. */
import { PROGRAM, shellWord } from "./program.ts";
import { chown, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AccountError } from "../account/account.ts";
import { UserEditError, addUser, deleteUser, modifyUser, setPassword } from "../account/edit-users.ts";
import { readUsers } from "../account/file.ts";
import { hashNotes } from "../account/hash-forms.ts";
import { GUEST_NAMES, nameProblem } from "../account/names.ts";
import { PASSWORDS } from "../account/passwords.ts";
import { FileLocked } from "../base/replace-file.ts";
import { PRESETS, formatRights } from "../account/rights.ts";
import { type UserEntry, type Users, findingLines } from "../account/users-toml.ts";
import { didYouMean } from "../base/nearest.ts";
import { CliError, EXIT } from "./exit.ts";
import { importedHash } from "./imported-hash.ts";
import { type PasswordSource, newPassword } from "./new-password.ts";
import { type AccountFlags, type FileFlags, changeOf } from "./user-flags.ts";
import { printable } from "./columns.ts";
import { userCard, userJson, userTable } from "./user-table.ts";
import { usersFile } from "./users-file.ts";
import { workerUser } from "./worker-user.ts";

/** Where the commands read and write; tests give their own. */
export type UserIo = PasswordSource & {
  readonly stdout: NodeJS.WritableStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

export async function add(name: string, flags: AccountFlags, io: UserIo): Promise<void> {
  const { path, standard } = await usersFile(flags.users, io.environment);
  const problem = nameProblem(name);
  if (problem !== undefined) throw new CliError(`the name ${problem}`, EXIT.usage);
  if ((await usersIn(path)).has(name)) throw taken(name, path);
  const rights = flags.rights ?? new Set(PRESETS.full);
  const password = await hashFor(name, flags, io);
  if (standard) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await makeHome(flags);
  await addUser(path, name, { ...changeOf(flags), rights, password });
  say(io, `Added ${name} to ${path}: ${formatRights(rights)} in ${homeText(flags.home)}.`);
  if (GUEST_NAMES.includes(name.toLowerCase())) {
    warn(io, `guests sign in as ${name} too; this account works only with anonymous access off`);
  }
  await warnOfHome(flags, io);
  await warnOfHash(name, password, io);
  say(io, `Serve it with: ${PROGRAM} serve --users ${shellWord(path)}`);
}

export async function mod(name: string, flags: AccountFlags, io: UserIo): Promise<void> {
  const { path } = await usersFile(flags.users, io.environment);
  const change = changeOf(flags);
  if (Object.keys(change).length === 0) {
    throw new CliError(`nothing to change was given; see: ${PROGRAM} user mod --help`, EXIT.usage);
  }
  await makeHome(flags);
  await withNames(path, name, async () => await modifyUser(path, name, change));
  say(io, `Changed ${name} in ${path}.`);
  await warnOfHome(flags, io);
}

export async function del(name: string, flags: FileFlags, io: UserIo): Promise<void> {
  const { path } = await usersFile(flags.users, io.environment);
  const entry = (await usersIn(path)).get(name);
  await withNames(path, name, async () => await deleteUser(path, name));
  const home = entry?.kind === "good" ? entry.user.home : undefined;
  const rest = home === undefined ? "" : ` Its files stay in ${printable(home)}.`;
  say(io, `Removed ${printable(name)} from ${path}.${rest}`);
}

export async function passwd(name: string, flags: FileFlags, io: UserIo): Promise<void> {
  const { path } = await usersFile(flags.users, io.environment);
  await entryOf(path, name);
  const password = await hashFor(name, flags, io);
  await withNames(path, name, async () => await setPassword(path, name, password));
  say(io, `Set a new password for ${name} in ${path}.`);
  await warnOfHash(name, password, io);
}

export async function list(flags: FileFlags, io: UserIo): Promise<void> {
  const { path } = await usersFile(flags.users, io.environment);
  const users = await readUsers(path);
  const entries = [...users.values()];
  const now = Date.now();
  if (flags.json === true)
    say(
      io,
      JSON.stringify(
        entries.map((entry) => userJson(entry, now)),
        undefined,
        2,
      ),
    );
  else if (entries.length === 0) say(io, `No accounts in ${path}. Make one with: ${PROGRAM} user add NAME`);
  else say(io, userTable(entries, { now, stream: io.stdout }));
  for (const entry of entries) {
    if (entry.kind === "malformed") for (const line of findingLines(path, entry.findings)) warn(io, printable(line));
  }
}

export async function show(name: string, flags: FileFlags, io: UserIo): Promise<void> {
  const { path } = await usersFile(flags.users, io.environment);
  const entry = await entryOf(path, name);
  const now = Date.now();
  if (flags.json === true) say(io, JSON.stringify(userJson(entry, now), undefined, 2));
  else if (entry.kind === "good") say(io, userCard(entry.user, { now, stream: io.stdout }));
  if (entry.kind === "malformed") {
    throw new CliError(printable(findingLines(path, entry.findings).join("; ")), EXIT.configuration);
  }
}

/** Turns what may go wrong in an action into its exit code. */
export async function told(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof AccountError) throw new CliError(error.message, EXIT.configuration);
    if (error instanceof FileLocked) throw new CliError(error.message, EXIT.tryAgain);
    if (error instanceof UserEditError) {
      const codes = { exists: EXIT.failed, unknown: EXIT.failed, invalid: EXIT.usage, "by-hand": EXIT.configuration };
      throw new CliError(error.message, codes[error.kind]);
    }
    throw ofSystem(error) ?? error;
  }
}

function ofSystem(error: unknown): CliError | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("path" in error)) return undefined;
  const folder = dirname(String(error.path));
  if (error.code === "ENOENT")
    return new CliError(`there is no folder ${folder}; make it with: mkdir -p ${shellWord(folder)}`, EXIT.failed);
  if (error.code === "EACCES" || error.code === "EPERM" || error.code === "EROFS") {
    return new CliError(`no right to write in ${folder}`, EXIT.refused);
  }
  return undefined;
}

/** None for a file that is not there yet. */
async function usersIn(path: string): Promise<Users> {
  try {
    return await readUsers(path);
  } catch (error) {
    const cause = error instanceof AccountError ? error.cause : undefined;
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return new Map();
    throw error;
  }
}

async function entryOf(path: string, name: string): Promise<UserEntry> {
  const users = await readUsers(path);
  const entry = users.get(name);
  if (entry === undefined) throw unknown(name, { path, known: users.keys() });
  return entry;
}

/** Of an unknown name the nearest one is told. */
async function withNames(path: string, name: string, action: () => Promise<void>): Promise<void> {
  try {
    await readUsers(path);
    await action();
  } catch (error) {
    if (!(error instanceof UserEditError) || error.kind !== "unknown" || (await usersIn(path)).has(name)) throw error;
    throw unknown(name, { path, known: (await usersIn(path)).keys() });
  }
}

function unknown(name: string, { path, known }: { readonly path: string; readonly known: Iterable<string> }): CliError {
  return new CliError(`there is no user ${JSON.stringify(name)} in ${path}.${didYouMean(name, known)}`, EXIT.failed);
}

function taken(name: string, path: string): CliError {
  return new CliError(
    `there is a user ${name} in ${path} already; change it with: ${PROGRAM} user mod ${shellWord(name)}`,
    EXIT.failed,
  );
}

/** Of a new password, or one that comes from elsewhere. */
async function hashFor(name: string, flags: FileFlags, io: UserIo): Promise<string> {
  if (flags.hashStdin === true) return await importedHash(name, io.stdin);
  return await PASSWORDS.hash(await newPassword(name, io, { fromStdin: flags.passwordStdin === true }));
}

async function warnOfHash(name: string, password: string, io: UserIo): Promise<void> {
  for (const note of await hashNotes([{ name, password }])) warn(io, note);
}

async function makeHome({ home, createHome }: AccountFlags): Promise<void> {
  if (createHome !== true) return;
  if (typeof home !== "string") throw new CliError("--create-home needs --home DIR", EXIT.usage);
  const made = await mkdir(home, { recursive: true });
  // Under root the account's files are those of the workers, who else could not write here.
  if (made === undefined || process.getuid?.() !== 0) return;
  const { user } = workerUser(undefined);
  await chown(home, user.uid, user.gid);
}

async function warnOfHome({ home }: AccountFlags, io: UserIo): Promise<void> {
  if (typeof home !== "string") return;
  const isThere = await stat(home).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isThere) warn(io, `${home} is no folder yet, so logins are refused; make it with: mkdir -p ${shellWord(home)}`);
}

function homeText(home: string | false | undefined): string {
  return typeof home === "string" ? printable(home) : "the folder that is served";
}

function say({ stdout }: UserIo, text: string): void {
  stdout.write(`${text}\n`);
}

function warn({ stderr }: UserIo, text: string): void {
  stderr.write(`ferryman: warning: ${text}\n`);
}
