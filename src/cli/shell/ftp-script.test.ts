/** Scripts of ftp.exe: what each line means, and whole scripts to their end. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { FtpError } from "../../client/errors.ts";
import { scriptAction, scriptWords } from "./ftp-script.ts";
import type { WindowsScript } from "./options.ts";
import { type Ended, MemoryClient, ran } from "./test-client.ts";

const FILES = { "/base/a.txt": "hello\n", "/base/b.txt": "b", "/base/pub": undefined };

type Opened = { readonly target: string; readonly user: string | undefined; readonly password: string | undefined };
type Played = Ended & { readonly opened: readonly Opened[]; readonly localFolder: string };

async function play(
  context: TestContext,
  text: string,
  { refused = "nobody", ...more }: Partial<WindowsScript> & { readonly refused?: string } = {},
): Promise<Played> {
  const localFolder = await mkdtemp(join(tmpdir(), "ferryman-script-"));
  context.after(async () => await rm(localFolder, { recursive: true }));
  await writeFile(join(localFolder, "up one.csv"), "1\n");
  await writeFile(join(localFolder, "two.csv"), "2\n");
  const client = new MemoryClient(FILES);
  const opened: Opened[] = [];
  const windowsScript = { text, logsIn: true, isAnonymous: false, usesGlobs: true, ...more };
  const ended = await ran(client, "", {
    commands: undefined,
    windowsScript,
    localFolder,
    connect: async (target, { user, password }) => {
      opened.push({ target, user, password });
      if (user === refused) throw new FtpError("AUTH", "login refused", { phase: "login" });
      return { client, path: "" };
    },
  });
  return { ...ended, opened, localFolder };
}

test("words at blanks, with double quotes and without escapes", () => {
  assert.deepEqual(scriptWords('put "C:\\my files\\a.txt"  b'), ["put", "C:\\my files\\a.txt", "b"]);
  assert.deepEqual(scriptWords('get "open'), ["get", "open"]);
  assert.deepEqual(scriptWords('  "" x'), ["", "x"]);
});

test("the two lines behind open are name and password, and files are octets", async (context) => {
  const script = [
    "open ftp.example.org",
    "ann",
    "secret",
    "binary",
    "cd pub",
    "lcd .",
    "mput *.csv",
    'put "up one.csv" one.csv',
    "cd ..",
    "get a.txt",
    "prompt",
    "hash",
    "mget *.txt",
    "ls pub list.txt",
    "rename b.txt c.txt",
    "bye",
    "get nothing",
  ].join("\r\n");
  const { code, err, client, opened, localFolder } = await play(context, script);
  assert.equal(code, 0, err);
  assert.deepEqual(opened, [{ target: "ftp://ftp.example.org", user: "ann", password: "secret" }]);
  assert.deepEqual((await readdir(localFolder)).toSorted(), ["a.txt", "b.txt", "list.txt", "two.csv", "up one.csv"]);
  assert.match(await readFile(join(localFolder, "list.txt"), "utf8"), /up one\.csv\n/);
  assert.equal(client.files.get("/base/pub/one.csv"), "1\n");
  assert.ok(client.calls.includes("rename /base/b.txt /base/c.txt"));
});

test("-n waits for user, also as quote USER and PASS; open takes a port", async (context) => {
  const plain = await play(context, "open ::1 2121\nuser ann secret\nquit", { logsIn: false });
  assert.deepEqual(plain.opened, [{ target: "ftp://[::1]:2121", user: "ann", password: "secret" }]);
  const asked = await play(context, "open h\nuser ann\nsecret word\nquit", { logsIn: false });
  assert.deepEqual(asked.opened[0]?.password, "secret word");
  const quoted = await play(context, "quote USER ann\nquote PASS secret\nget a.txt\nbye", { logsIn: false, host: "h" });
  assert.deepEqual([quoted.code, quoted.opened], [0, [{ target: "ftp://h", user: "ann", password: "secret" }]]);
  const guest = await play(context, "dir\nbye", { isAnonymous: true, host: "h" });
  assert.deepEqual([guest.code, guest.opened[0]?.user], [0, "anonymous"]);
});

test("a failure ends nothing, and the end says that there was one", async (context) => {
  const { code, err, localFolder } = await play(context, "open h\nann\nx\nget nothing\nfrobnicate\nget a.txt\n");
  assert.equal(code, 1);
  assert.match(err, /nothing {2}failed: .*\nfrobnicate: there is no command "frobnicate"/s);
  assert.ok((await readdir(localFolder)).includes("a.txt"));
  const refused = await play(context, "open h\nann\nx\nget a.txt\nbye\n", { refused: "ann" });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /open: login refused\nget: there is no connection/);
  assert.equal((await play(context, "user ann x\n")).code, 1);
});

test("what a command was not told stands in the next lines", async (context) => {
  const { code, client } = await play(
    context,
    "open\nh\nann\nx\nrename\na.txt\nnew name\ncd\npub\nmput\n*.csv\n!exit 0\n",
  );
  assert.equal(code, 0);
  assert.ok(client.calls.includes("rename /base/a.txt /base/new name"));
  assert.equal(client.files.get("/base/pub/two.csv"), "2\n");
});

test("a beginning means a command of ftp.exe first, *.* is every file, and the last line needs no end", async (context) => {
  const script = [
    "op h",
    "ann",
    "x",
    "pr",
    "mkd new",
    "cd new",
    "mp *.*",
    "mget *.*",
    'lcd "C:\\x y"',
    "pw",
    "by",
  ].join("\r\n");
  const { code, err, out, client, localFolder } = await play(context, script);
  await writeFile(join(localFolder, "plain"), "p");
  assert.equal(code, 1);
  assert.match(err, /^lcd: .*C:\\x y is not there \(on this host\)$/m);
  assert.equal(out, "/base/new\n");
  const dotless = await play(context, "open h\nann\nx\nget a.txt noext\nmput *.*\nmdelete *.*\nbye");
  assert.equal(dotless.code, 0, dotless.err);
  assert.equal(dotless.client.files.get("/base/noext"), "hello\n");
  // What is removed is what the pattern says: a file without a dot stays.
  assert.ok(!dotless.client.files.has("/base/a.txt"));
  assert.ok(client.calls.includes("mkdir /base/new"));
});

test("any line means something, and never takes more lines than there are", () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string(), { maxLength: 3 }), (line, following) => {
      const rest = [...following];
      const state = { nextLine: () => rest.shift(), nameOf: () => undefined, isWaitingForUser: true, usesGlobs: true };
      assert.ok(scriptAction(line, state).kind !== undefined);
    }),
  );
});
