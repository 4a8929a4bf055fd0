/** Commands of the shell against a server in memory: what they call, what they say, and with which code a script ends. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { MemoryClient, ran } from "./test-client.ts";

const FILES = {
  "/base/a.txt": "hello\n",
  "/base/b c.gz": "packed",
  "/base/.hidden": "",
  "/base/pub": undefined,
  "/base/pub/deep": undefined,
  "/base/pub/deep/x": "xx",
};

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ferryman-shell-"));
  context.after(async () => await rm(path, { recursive: true }));
  return path;
}

test("folders: the shell knows where it is, and the server is asked only whether it may be entered", async () => {
  const lines = "pwd; cd pub/deep; pwd; cd ..; pwd; cd -; pwd; cd; pwd; cd ~/pub; pwd; cd /; cdup; pwd";
  const { code, out } = await ran(new MemoryClient(FILES), lines);
  assert.equal(code, 0);
  assert.equal(out, "/base\n/base/pub/deep\n/base/pub\n/base/pub/deep\n/base\n/base/pub\n/\n");
});

test("a failure ends a script with code 1, unless a - or a setting says otherwise", async () => {
  const first = await ran(new MemoryClient(FILES), "cd nowhere; pwd");
  assert.deepEqual([first.code, first.out], [1, ""]);
  assert.match(first.err, /^cd: \/base\/nowhere: no such file\n$/);
  const ignored = await ran(new MemoryClient(FILES), "-cd nowhere\npwd");
  assert.deepEqual([ignored.code, ignored.out], [0, "/base\n"]);
  const going = await ran(new MemoryClient(FILES), "set continue-on-error yes\ncd nowhere\npwd");
  assert.deepEqual([going.code, going.out], [1, "/base\n"]);
  const either = await ran(new MemoryClient(FILES), "cd nowhere && echo a || echo b; cd pub && echo c");
  assert.deepEqual([either.code, either.out], [0, "b\nc\n"]);
  assert.equal((await ran(new MemoryClient(), "exit 7; pwd")).code, 7);
  assert.equal((await ran(new MemoryClient(), "nonsense")).code, 1);
  assert.equal((await ran(new MemoryClient(), "get 'a")).code, 1);
});

test("names and beginnings of commands, in any case, and what is ambiguous", async () => {
  assert.equal((await ran(new MemoryClient(FILES), "PWD; pw; LPW")).code, 0);
  assert.match((await ran(new MemoryClient(FILES), "m")).err, /could be mkdir, mdir, mls, mlsd, mlst, modtime\./);
  assert.match((await ran(new MemoryClient(FILES), "pdw")).err, /Did you mean "pwd"\?/);
  assert.match(
    (await ran(new MemoryClient(FILES), "get")).err,
    /^get: which file\?\nusage: get \[-caErp\] .*LOCAL\]\n$/,
  );
  assert.match(
    (await ran(new MemoryClient(FILES), "ls -X")).err,
    /^ls: there is no option -X \(a name that begins with - needs -- before it\)\nusage: ls /,
  );
});

test("ls: long, short, hidden, sorted, one name", async () => {
  const long = await ran(new MemoryClient(FILES), "ls");
  assert.match(
    long.out,
    /^-rw-r----- {2}ann {2}6 {2}2026-01-0\d \d\d:\d\d {2}a\.txt\n-rw-r-----.* b c\.gz\nd .* pub\/\n$/,
  );
  assert.equal((await ran(new MemoryClient(FILES), "nlist -a")).out, ".hidden\na.txt\nb c.gz\npub\n");
  assert.equal((await ran(new MemoryClient(FILES), "nlist -r *.*")).out, "b c.gz\na.txt\n");
  assert.equal((await ran(new MemoryClient(FILES), "ls -1 pub/*/x")).out, "x\n");
  assert.equal((await ran(new MemoryClient(FILES), "ls -1 '*.gz'")).code, 1);
  assert.equal((await ran(new MemoryClient(FILES), "ls -1 a.txt")).out, "a.txt\n");
  const hollow = new MemoryClient(FILES);
  hollow.list = () => new MemoryClient().list("/base");
  assert.match((await ran(hollow, "ls pub; ls none")).err, /^ls: \/base\/none is not there\n$/);
  assert.equal(
    (await ran(new MemoryClient(FILES), "find")).out,
    "a.txt\nb c.gz\n.hidden\npub/\npub/deep/\npub/deep/x\n",
  );
  assert.equal((await ran(new MemoryClient(FILES), "du -b pub")).out, "        2  /base/pub\n");
});

test("get and put: names, targets, globs, trees", async (context) => {
  const localFolder = await folder(context);
  const lines = [
    "get a.txt",
    "get a.txt b.txt",
    "get -o c.txt a.txt",
    "lmkdir in",
    "get a.txt in",
    "mget *.gz",
    "get -r pub",
  ];
  const { code, err, client } = await ran(new MemoryClient(FILES), lines.join("\n"), { localFolder });
  assert.equal(code, 0, err);
  assert.deepEqual((await readdir(localFolder, { recursive: true })).toSorted(), [
    "a.txt",
    "b c.gz",
    "b.txt",
    "c.txt",
    "in",
    "in/a.txt",
    "pub",
    "pub/deep",
    "pub/deep/x",
  ]);
  assert.match(err, /^a\.txt {2}6 B in \d+ ms/);
  await ran(client, "put b.txt; put b.txt /new; put b.txt pub; mput *.txt -O /up; put -r pub /", { localFolder });
  const made = [...client.files.keys()].filter((path) => !(path in FILES));
  const wanted = ["/base/b.txt", "/new", "/base/pub/b.txt", "/up/a.txt", "/up/b.txt", "/up/c.txt"];
  assert.deepEqual(made.toSorted(), ["/", "/base", ...wanted, "/pub", "/pub/deep", "/pub/deep/x"].toSorted());
});

test("files that fail do not keep the others from coming, and are counted", async (context) => {
  const localFolder = await folder(context);
  const client = new MemoryClient(FILES);
  const { code, err } = await ran(client, "mget a.txt nothing 'b c.gz' none", { localFolder });
  assert.equal(code, 1);
  assert.match(err, /nothing {2}failed: \/base\/nothing: no such file\n/);
  assert.match(err, /mget: 2 of 4 failed\n$/);
  assert.deepEqual((await readdir(localFolder)).toSorted(), ["a.txt", "b c.gz"]);
  const quiet = await ran(client, "get nothing", { localFolder, board: "none" });
  assert.equal(quiet.err, "nothing: /base/nothing: no such file\n");
});

test("attack 64: names of the server neither leave the folder nor reach the terminal as they are", async (context) => {
  const localFolder = await folder(context);
  const client = new MemoryClient({ "/base/ok": "1" });
  client.lies.push("..", "../evil", "a/b", "bell\u0007", "esc\u001b[2J");
  const listed = await ran(client, "ls; mget *", { localFolder });
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  assert.doesNotMatch(listed.out + listed.err, /[\u0007\u001b]/);
  assert.match(listed.out, /esc\?\[2J/);
  assert.equal(listed.code, 1);
  assert.ok((await readdir(localFolder)).every((name) => name === "ok"));
});

test("output goes to files and programs, with the code of the program", async (context) => {
  const localFolder = await folder(context);
  const lines = "cat a.txt > one; cat a.txt >> one; pwd | tr a-z A-Z; !cat one";
  const { code, out } = await ran(new MemoryClient(FILES), lines, { localFolder });
  assert.deepEqual([code, out], [0, "/BASE\nhello\nhello\n"]);
  assert.equal(await readFile(join(localFolder, "one"), "utf8"), "hello\nhello\n");
  assert.equal((await ran(new MemoryClient(FILES), "pwd | exit 3", { localFolder })).code, 1);
  assert.equal((await ran(new MemoryClient(FILES), "!exit 3", { localFolder })).code, 1);
  assert.match(
    (await ran(new MemoryClient(FILES), "pwd > no/such", { localFolder })).err,
    /the output could not be written/,
  );
  assert.equal(
    (await ran(new MemoryClient({ "/base/l": "y\n".repeat(1e6) }), "cat l | head -1", { localFolder })).out,
    "y\n",
  );
});

test("rm -r takes no . or .., which lead elsewhere", async () => {
  for (const word of ["..", "pub/..", ".", "pub/../"]) {
    const client = new MemoryClient(FILES);
    const { code, err } = await ran(client, `rm -rf ${word}`);
    assert.notEqual(code, 0, word);
    assert.match(err, /name the folder itself/);
    assert.ok(!client.calls.some((call) => call.startsWith("remove")), word);
  }
});

test("mirror -n is refused: it says to look first, or what to copy, by where one comes from", async () => {
  const { code, err } = await ran(new MemoryClient(FILES), "mirror -n -e pub");
  assert.equal(code, 1);
  assert.match(err, /--only-newer to some and --dry-run to others/);
});

test("files of the server: rm, mv, cp, chmod, touch, mkdir", async () => {
  const client = new MemoryClient(FILES);
  const lines =
    "rm *.gz; rm -r pub; mv a.txt b; mv b /; cp /b /c; chmod 600 /c; touch -d 2026-01-31T12:00:00Z /c; mkdir -p d/e";
  const { code, err } = await ran(client, lines);
  assert.equal(code, 0, err);
  assert.deepEqual(client.calls.slice(1), [
    "remove /base/b c.gz",
    "removeTree /base/pub",
    "rename /base/a.txt /base/b",
    "rename /base/b /b",
    "raw SITE CPFR /b",
    "upload /c replace",
    "chmod /c 600",
    "utime /c 2026-01-31T12:00:00.000Z",
    "mkdir /base/d/e",
  ]);
  assert.equal(client.files.get("/c"), "hello\n");
});

test("settings, aliases, files of commands, and how deep they go", async (context) => {
  const localFolder = await folder(context);
  await writeFile(join(localFolder, "rc"), "alias here 'pwd; echo'\n# nothing\nset type ascii\n");
  await writeFile(join(localFolder, "loop"), "source loop\n");
  const client = new MemoryClient(FILES);
  const { code, out, err } = await ran(
    client,
    "source rc; here a b; type; get a.txt; binary; type i; alias pwd 'echo x; pwd'; pwd",
    {
      localFolder,
      startFile: join(localFolder, "none"),
    },
  );
  assert.deepEqual([code, out], [0, "/base\na b\nascii\nx\n/base\n"], err);
  assert.ok(client.calls.includes("download /base/a.txt ascii"));
  assert.match((await ran(client, "source loop", { localFolder })).err, /more than 16 levels deep/);
  assert.match((await ran(client, "set parallel 99")).err, /parallel takes 1 to 32/);
  assert.match((await ran(client, "set pararel 2")).err, /Did you mean "parallel"/);
  assert.equal((await ran(client, "set par=2; set parallel")).out, "parallel 2\n");
  assert.equal((await ran(client, "pwd", { startFile: join(localFolder, "rc"), settings: { verbose: "on" } })).code, 0);
});

test("raw commands go out as they stand, and debug shows them", async () => {
  const client = new MemoryClient(FILES);
  const { out, code } = await ran(client, "quote STAT -l x; site umask 022; rhelp");
  assert.deepEqual([code, out], [0, "200 STAT -l x\n200 SITE umask 022\n200 HELP\n"]);
  const { err } = await ran(client, "debug on; passive");
  assert.match(err, /this connection was made elsewhere/);
});

test("-e runs first, and its failure is the end of a script; notes are told unless it is to be quiet", async () => {
  assert.equal((await ran(new MemoryClient(FILES), "pwd", { first: "cd pub" })).out, "/base/pub\n");
  assert.deepEqual((await ran(new MemoryClient(FILES), "pwd", { first: "cd x" })).code, 1);
  for (const [quiet, expected] of [
    [false, "note: by EPRT?\n"],
    [true, ""],
  ] as const) {
    const client = new MemoryClient(FILES);
    client.exists = async () => {
      client.emit("fallback", { id: 1, what: "by EPRT\u001b" });
      return "file";
    };
    assert.equal((await ran(client, "mv a.txt b.txt", { quiet })).err, expected);
  }
});

test("help knows every command, and the connection is closed at the end", async () => {
  const client = new MemoryClient(FILES);
  const { out, code } = await ran(client, "help; help get; ? mput; help nonsense");
  assert.equal(code, 1);
  assert.match(out, /^connection {2}open .*\nget \[-caErp\]/s);
  assert.match(out, /also: recv\n/);
  assert.equal(client.isClosed, true);
});
