/** `ferryman user` as people and scripts meet it: a process of its own, real files, real exit codes. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createFileAccounts } from "../src/account/file.ts";
import { bytesOfText } from "../src/base/bytes.ts";
import { type Ran, fails, ok, run } from "./support/run.ts";

const MAIN = join(import.meta.dirname, "..", "src", "cli", "main.ts");

type Shell = AsyncDisposable & {
  readonly folder: string;
  readonly file: string;
  /** Runs `ferryman user` in the folder, `input` on its standard input. */
  user(args: readonly string[], options?: { input?: string; env?: Readonly<Record<string, string>> }): Promise<Ran>;
};

async function shell(): Promise<Shell> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-user-"));
  return {
    folder,
    file: join(folder, "users.toml"),
    user: async (args, { input = "", env = {} } = {}) =>
      await run(process.execPath, [MAIN, "user", ...args], {
        cwd: folder,
        input,
        env: { HOME: folder, XDG_CONFIG_HOME: "", FERRYMAN_USERS: "", NO_COLOR: "1", ...env },
      }),
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }),
  };
}

async function signIn(file: string, name: string, password: string): Promise<string> {
  const store = createFileAccounts(file, { defaultHome: tmpdir() });
  return (await store.authenticate({ name: bytesOfText(name), password: bytesOfText(password), from: "x" })).kind;
}

const ADD = ["--users", "users.toml", "--password-stdin"];

test("add, show, mod, passwd, list, del: the life of an account", async () => {
  await using sh = await shell();
  const home = join(sh.folder, "home", "ann");
  const added = await ok(
    sh.user(["add", "ann", ...ADD, "--home", "home/ann", "--create-home"], { input: "geheim ü\n" }),
  );
  assert.match(added, /^Added ann to .*users\.toml: full in .*\nServe it with: node .*ferryman\.cjs serve --users /);
  assert.ok((await stat(home)).isDirectory());
  assert.equal((await stat(sh.file)).mode & 0o777, 0o600);
  assert.equal(await signIn(sh.file, "ann", "geheim ü"), "accepted");
  const changes = ["--rights", "read", "--folder", "/in/**=drop", "--folder", "*.a=b=none", "--limit", "sessions=2"];
  const rates = ["download-rate=2MiB", "session-download-rate=1MiB", "session-upload-rate=0"];
  for (const rate of rates) changes.push("--limit", rate);
  await ok(sh.user(["mod", "ann", ...changes, "--expires", "2999-01-31"]));
  const card = await ok(sh.user(["show", "ann"]));
  assert.deepEqual(
    card
      .trim()
      .split("\n")
      .map((line) => line.replace(/ +/, " ")),
    [
      "name ann",
      "status ok",
      "hash argon2id",
      `home ${home}`,
      "rights read (list, read)",
      "folder /in/**: drop",
      "folder *.a=b: none",
      "limit sessions 2",
      "limit download 2MiB/s",
      "limit download 1MiB/s per session",
      "limit upload per session unlimited",
      "expires 2999-01-31T00:00:00.000Z",
    ],
  );
  await ok(
    sh.user([
      "mod",
      "ann",
      "--disable",
      "--no-home",
      "--no-expires",
      "--limit",
      "sessions=none",
      "--remove-folder",
      "/in/**",
    ]),
  );
  assert.equal(await signIn(sh.file, "ann", "geheim ü"), "refused");
  await ok(sh.user(["mod", "ann", "--enable"]));
  await ok(sh.user(["passwd", "ann", "--password-stdin"], { input: "newer" }));
  assert.deepEqual(
    [await signIn(sh.file, "ann", "geheim ü"), await signIn(sh.file, "ann", "newer")],
    ["refused", "accepted"],
  );
  const listed: unknown = JSON.parse(await ok(sh.user(["list", "--json"])));
  const folders = [{ pattern: "*.a=b", rights: [] }];
  const limits = { downloadRate: 2_097_152, sessionDownloadRate: 1_048_576, sessionUploadRate: 0 };
  assert.deepEqual(listed, [
    {
      name: "ann",
      status: "ok",
      hash: "argon2id",
      home: null,
      rights: ["list", "read"],
      folders,
      limits,
      disabled: false,
      expires: null,
      tls: null,
    },
  ]);
  assert.match(await ok(sh.user(["del", "ann"])), /^Removed ann/);
  assert.equal(await signIn(sh.file, "ann", "newer"), "unknown");
  assert.deepEqual(await readdir(sh.folder), ["home", "users.toml"]);
});

test("a file that people keep stays as they wrote it", async () => {
  await using sh = await shell();
  const hand = `# Accounts of the archive. Ask Bea.\n\n# in the order of their desks\n[users.zoe]   # window\nrights = "read"\n\n# the new one\n[users.amy]\nrights = "write" # until May\n`;
  await writeFile(sh.file, hand);
  await ok(sh.user(["passwd", "zoe", "--password-stdin"], { input: "z" }));
  await ok(sh.user(["passwd", "amy", "--password-stdin"], { input: "a" }));
  await ok(sh.user(["mod", "amy", "--rights", "list,read"]));
  const [zoe, amy] = (await readFile(sh.file, "utf8")).matchAll(/password = "[^"]*"\n/g).map(([line]) => line);
  const expected = hand
    .replace('rights = "read"\n', `rights = "read"\n${zoe}`)
    .replace('rights = "write" # until May\n', `rights = "read" # until May\n${amy}`);
  assert.equal(await readFile(sh.file, "utf8"), expected);
  assert.equal(await signIn(sh.file, "zoe", "z"), "accepted");
});

test("six adds at once, in processes of their own, are all there; of two for one name one wins", async () => {
  await using sh = await shell();
  const names = ["a", "b", "c", "d", "e", "e"];
  const ran = await Promise.all(names.map(async (name) => await sh.user(["add", name, ...ADD], { input: "x" })));
  assert.deepEqual(
    ran.map(({ code }) => code).toSorted((left, right) => Number(left) - Number(right)),
    [0, 0, 0, 0, 0, 1],
  );
  assert.match(ran.map(({ stderr }) => stderr).join(""), /there is a user e .*already/);
  for (const name of names) assert.equal(await signIn(sh.file, name, "x"), "accepted", name);
  assert.deepEqual(await readdir(sh.folder), ["users.toml"]);
});

test("a hash from elsewhere comes by standard input, alone or in its line; what is none changes nothing", async () => {
  await using sh = await shell();
  const hash = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
  const add = async (name: string, input: string): Promise<Ran> =>
    await sh.user(["add", name, "--users", "users.toml", "--hash-stdin"], { input });
  for (const [input, reason] of [
    ["", /no hash on standard input/],
    [`bob:${hash}:19000:0:99999:7:::\n`, /of another name than ann/],
    ["ann:abJnggxhB/yWI", /hash of ann: a DES hash.*ferryman user passwd/],
    [`ann:!${hash}`, /lock/],
    [`ann:${hash}\nbob:${hash}`, /one line/],
    ["x".repeat(5_000), /octets/],
    ["hunter2", /expected a hash/],
  ] as const) {
    const { code, stdout, stderr } = await add("ann", input);
    assert.equal(code, 2, stderr);
    assert.match(stderr, reason);
    assert.ok(!(stdout + stderr).includes("svn8") && !(stdout + stderr).includes("hunter2"));
  }
  assert.deepEqual(await readdir(sh.folder), []);
  assert.equal((await add("ann", `${hash}\n`)).code, 0);
  assert.match((await add("bob", "bob:$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e0:1:2:3\r\n")).stderr, /bob is kept as MD5/);
  assert.match(await ok(sh.user(["list"])), /^ann +ok +full +sha512-crypt .*\nbob +ok +full +md5-crypt /m);
  const set = ["passwd", "bob", "--hash-stdin"];
  await ok(sh.user(set, { input: hash }));
  assert.match(await ok(sh.user(["show", "bob"])), /^hash +sha512-crypt$/m);
  assert.equal((await sh.user([...set, "--password-stdin"], { input: hash })).code, 2);
});

test("the table is aligned, shows what is broken, and never a hash; control characters are not obeyed", async () => {
  await using sh = await shell();
  await ok(sh.user(["add", "bartholomew", ...ADD, "--rights", "drop"], { input: "x" }));
  await ok(sh.user(["add", "用户", ...ADD, "--disable", "--limit", "idle=10m"], { input: "x" }));
  await writeFile(sh.file, `${await readFile(sh.file, "utf8")}\n[users."e\\u001b[2J"]\nhoem = 1\n`);
  const { code, stdout, stderr } = await sh.user(["list"]);
  assert.equal(code, 0);
  assert.deepEqual(stdout.split("\n"), [
    "NAME         STATUS     RIGHTS  HASH      HOME                 LIMITS",
    "bartholomew  ok         drop    argon2id  (the served folder)",
    "用户         disabled   full    argon2id  (the served folder)  idle 10m",
    "e\\u{1b}[2J   malformed",
    "",
  ]);
  assert.match(stderr, /users\.toml:14: .*hoem: unknown key\. Did you mean "home"/);
  assert.ok(!(stdout + stderr).includes("m=19456") && !(stdout + stderr).includes("\u001b"));
  const colours = await sh.user(["list"], { env: { NO_COLOR: "", FORCE_COLOR: "1" } });
  assert.ok(colours.stdout.startsWith("\u001b[1mNAME"));
});

test("which file: the flag, the variable, this folder, the user's configuration; all say which", async () => {
  await using sh = await shell();
  const standard = join(sh.folder, ".config", "ferryman", "users.toml");
  assert.ok((await ok(sh.user(["add", "ann", "--password-stdin"], { input: "x" }))).includes(` ${standard}:`));
  assert.equal((await stat(join(sh.folder, ".config", "ferryman"))).mode & 0o777, 0o700);
  await mkdir(join(sh.folder, "xdg"));
  const env = { XDG_CONFIG_HOME: join(sh.folder, "xdg") };
  assert.match(
    await ok(sh.user(["add", "ann", "--password-stdin"], { input: "x", env })),
    /\/xdg\/ferryman\/users\.toml:/,
  );
  assert.match(await ok(sh.user(["add", "ann", "--file", "f.toml", "--password-stdin"], { input: "x" })), /\/f\.toml:/);
  const variable = { FERRYMAN_USERS: "v.toml" };
  assert.match(await ok(sh.user(["add", "ann", "--password-stdin"], { input: "x", env: variable })), /\/v\.toml:/);
  await writeFile(sh.file, "");
  assert.match(await ok(sh.user(["list"])), /No accounts in .*users\.toml\. Make one with/);
});

test("what is wrong: words that help, and the exit codes of the manual", async () => {
  await using sh = await shell();
  await ok(sh.user(["add", "ann", ...ADD], { input: "x" }));
  const before = await readFile(sh.file, "utf8");
  const input = "x";
  await fails(
    sh.user(["add", "ann", ...ADD], { input }),
    1,
    /there is a user ann .* node .*ferryman\.cjs user mod ann/,
  );
  await fails(sh.user(["del", "amn"]), 1, /there is no user "amn".*Did you mean "ann"/);
  await fails(sh.user(["show", "amn"]), 1, /Did you mean "ann"/);
  for (const name of ["..", "a/b", "a\nb", "x".repeat(65)]) {
    await fails(sh.user(["add", name, ...ADD], { input }), 2, /the name /);
  }
  await fails(sh.user(["add", "bob", ...ADD], { input: "\n" }), 2, /password is empty/);
  await fails(sh.user(["add", "bob", ...ADD], { input: "a\nb\n" }), 2, /line end/);
  await fails(sh.user(["add", "bob", ...ADD], { input: "x".repeat(5_000) }), 2, /longer than 1024/);
  await fails(sh.user(["add", "bob"]), 2, /no terminal.*--password-stdin/);
  await fails(sh.user(["mod", "ann"]), 2, /nothing to change/);
  await fails(sh.user(["mod", "ann", "--rights", "raed"]), 2, /Did you mean "read"/);
  await fails(sh.user(["mod", "ann", "--limit", "seshions=3"]), 2, /Did you mean "sessions"/);
  await fails(sh.user(["mod", "ann", "--limit", "sessions=few"]), 2, /users\.ann\.limits\.sessions/);
  await fails(sh.user(["mod", "ann", "--folder", "/in"]), 2, /PATTERN=RIGHTS/);
  await fails(sh.user(["mod", "ann", "--expires", "2027-02-31"]), 2, /no date "2027-02-31"/);
  await fails(sh.user(["mod", "ann", "--enable", "--disable"]), 2, /cannot be used with/);
  await fails(sh.user(["add", "bob", ...ADD, "--create-home"], { input }), 2, /needs --home/);
  await fails(sh.user(["add", "bob", "--users", "no/u.toml", "--password-stdin"], { input }), 1, /mkdir -p .*no/);
  await fails(sh.user(["list", "--users", "none.toml"]), 78, /none\.toml: there is no such file/);
  assert.equal(await readFile(sh.file, "utf8"), before);
  await writeFile(sh.file, `${before}[users.ann`);
  await fails(sh.user(["add", "bob", ...ADD], { input }), 78, /users\.toml:\d+:\d+: not TOML/);
});

test("a password on the command line is refused and not printed", async () => {
  await using sh = await shell();
  const { code, stdout, stderr } = await sh.user(["add", "ann", "tr0ub4dor"]);
  assert.equal(code, 2);
  assert.match(stderr, /no password.*--password-stdin/);
  assert.ok(!(stdout + stderr).includes("tr0ub4dor"));
});

test("a home that is missing is a warning, and each sub-command has help with an example", async () => {
  await using sh = await shell();
  const added = await sh.user(["add", "ann", ...ADD, "--home", "nowhere"], { input: "x" });
  assert.equal(added.code, 0);
  assert.match(added.stderr, /warning: .*nowhere is no folder yet.*mkdir -p/);
  for (const name of ["add", "mod", "del", "passwd", "list", "show"]) {
    assert.match(await ok(sh.user([name, "--help"])), new RegExp(`Example:\\n  .*ferryman user ${name}`));
  }
  assert.match(await ok(sh.user(["--help"])), /Examples:\n(?:  .*\n){5}/);
});
