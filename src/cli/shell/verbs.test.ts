/** Commands that fingers know from ftp and lftp: what they do, and where they say honestly what there is instead. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FtpError } from "../../client/errors.ts";
import type { ConnectOptions } from "../../client/types.ts";
import { secondsUntil } from "./commands/jobs.ts";
import { macroText } from "./macros.ts";
import type { ShellOptions } from "./options.ts";
import { promptText } from "./prompt.ts";
import { type Ended, MemoryClient, ran } from "./test-client.ts";

const FILES = { "/base/A.TXT": "hello\n", "/base/b.txt": "bb", "/base/pub": undefined, "/base/pub/x": "xx" };

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ferryman-verbs-"));
  context.after(async () => await rm(path, { recursive: true }));
  return path;
}

type Opened = Ended & { readonly opened: readonly (ConnectOptions & { readonly target: string })[] };

/** A script whose connections are made by the shell, as those of people are. */
async function opened(commands: string, options: Partial<ShellOptions> = {}): Promise<Opened> {
  const calls: (ConnectOptions & { readonly target: string })[] = [];
  const connect: ShellOptions["connect"] = async (target, given) => {
    calls.push({ ...given, target });
    return { client: new MemoryClient(FILES, { host: target }), path: "" };
  };
  const ended = await ran(new MemoryClient(FILES), commands, { connect, target: "one", ...options });
  return { ...ended, opened: calls };
}

test("case, nmap and runique change names of files that come", async (context) => {
  const localFolder = await folder(context);
  const lines = "case on; get A.TXT; nmap $1.$2 $1-x.$2; mget *.txt; nmap; nmap off; runique on; get b.txt b-x.txt; cr";
  const { code, out, err } = await ran(new MemoryClient(FILES), lines, { localFolder });
  assert.equal(code, 0, err);
  assert.equal(
    out,
    "nmap $1.$2 $1-x.$2\ntexts (ascii) get the line ends of this host; binary keeps every octet as it is\n",
  );
  assert.deepEqual((await readdir(localFolder)).toSorted(), ["a.txt", "b-x.txt", "b-x.txt.1"]);
  const evil = await ran(new MemoryClient(FILES), "nmap $1 ../$1; get b.txt", { localFolder });
  assert.equal(evil.code, 1);
  assert.match(evil.err, /cannot be used here/);
});

test("sunique and ntrans change names of files that go", async (context) => {
  const localFolder = await folder(context);
  await writeFile(join(localFolder, "b.txt"), "new");
  await writeFile(join(localFolder, "c d"), "cd");
  const { code, client, err } = await ran(new MemoryClient(FILES), "sunique; ntrans ' ' _; put b.txt; put 'c d'", {
    localFolder,
  });
  assert.equal(code, 0, err);
  assert.equal(client.files.get("/base/b.txt"), "bb");
  assert.equal(client.files.get("/base/b.txt.1"), "new");
  assert.ok(client.calls.includes("upload /base/c_d exclusive"));
});

test("restart cuts the file here, wants that of the server to end there, and holds for one command", async (context) => {
  const localFolder = await folder(context);
  await writeFile(join(localFolder, "b.txt"), "bbbb");
  const client = new MemoryClient(FILES);
  const cut = await ran(client, "restart 1; get b.txt", { localFolder });
  assert.equal(cut.code, 0, cut.err);
  assert.ok(client.calls.includes("download /base/b.txt in place"));
  const far = await ran(client, "restart 99; get b.txt", { localFolder });
  assert.match(far.err, /restart 99: the file here has 2 octets/);
  const up = await ran(client, "restart 2; put b.txt; put b.txt", { localFolder });
  assert.equal(up.code, 0, up.err);
  assert.deepEqual(
    client.calls.filter((call) => call.startsWith("upload")),
    ["upload /base/b.txt resume", "upload /base/b.txt replace"],
  );
  assert.match((await ran(client, "restart 7; put b.txt", { localFolder })).err, /the server's file is 2 octets long/);
});

test("pget, fget, get -P and get -p say to the client what they promise", async (context) => {
  const localFolder = await folder(context);
  const client = new MemoryClient(FILES);
  const told: unknown[] = [];
  const download = client.download.bind(client);
  client.download = async (path, to, options) => {
    told.push([path, options?.segments, options?.keepTime]);
    return await download(path, to, options);
  };
  await writeFile(join(localFolder, "list"), "b.txt\r\n/base/pub/x\n\n");
  const lines = "pget -n 3 b.txt; set keep-time off; fget list -P 1; get -p A.TXT";
  const { code, err } = await ran(client, lines, { localFolder });
  assert.equal(code, 0, err);
  assert.deepEqual(told, [
    ["/base/b.txt", 3, true],
    ["/base/b.txt", undefined, false],
    ["/base/pub/x", undefined, false],
    ["/base/A.TXT", undefined, true],
  ]);
  assert.match((await ran(client, "get -P 99 b.txt")).err, /"99" is no whole number from 1 to 32/);
  assert.match((await ran(client, "fget nothing", { localFolder })).err, /nothing is not there \(on this host\)/);
});

test("-P moves as many files at the same time, and no more", async (context) => {
  const localFolder = await folder(context);
  const names = Array.from({ length: 9 }, (_, at) => [`/base/f${at}`, "x"]);
  const client = new MemoryClient(Object.fromEntries(names));
  let [now, most] = [0, 0];
  const download = client.download.bind(client);
  client.download = async (path, to, options) => {
    now += 1;
    most = Math.max(most, now);
    await new Promise(setImmediate);
    now -= 1;
    return await download(path, to, options);
  };
  assert.equal((await ran(client, "mget -P 2 f*", { localFolder })).code, 0);
  assert.equal(most, 2);
});

test("ls -R goes into folders, mlsd writes facts, and a folder that lies about its names is not left", async () => {
  const client = new MemoryClient(FILES);
  assert.equal((await ran(client, "ls -1R pub")).out, "\n/base/pub:\nx\n");
  assert.match((await ran(client, "ls -1R")).out, /^\n\/base:\nA\.TXT\nb\.txt\npub\n\n\/base\/pub:\nx\n$/);
  const facts = await ran(client, "mlsd pub");
  assert.equal(facts.out, "type=file;size=2;modify=20260102030405;UNIX.mode=0640; x\n");
});

test("macros: words, a loop over words, and what there is not", async () => {
  assert.equal(macroText(["put $1 $2", "ls \\$1"], ["a b"]), "put a\\ b \nls $1");
  assert.equal(macroText(["get $i", "rm $i"], ["a", "b"]), "get a\nrm a\nget b\nrm b");
  const { code, out } = await ran(new MemoryClient(FILES), "macdef hi\necho $1\necho again\n\n$hi x; $ hi y\nmacro");
  assert.deepEqual([code, out], [0, "x\nagain\ny\nagain\nhi\n  echo $1\n  echo again\n"]);
  assert.match((await ran(new MemoryClient(), "$none")).err, /there is no macro "none"/);
  assert.match((await ran(new MemoryClient(), "macdef loop\n$loop\n\n$loop")).err, /more than 16 levels deep/);
  assert.equal((await ran(new MemoryClient(), "macdef bad\ncd nowhere\n\n$bad")).code, 1);
});

test("macros of .netrc come with the login, and init runs in the folder of the URL", async () => {
  const macros = [
    { name: "init", lines: ["pwd", "macdef inner", "echo inner", ""] },
    { name: "other", lines: ["echo other"] },
  ];
  const connect: ShellOptions["connect"] = async () => ({ client: new MemoryClient(FILES), path: "pub", macros });
  const { code, out, err } = await ran(new MemoryClient(), "$other; $inner", { connect, target: "x" });
  assert.deepEqual([code, out], [0, "/base/pub\nother\ninner\n"], err);
});

test("slots have a server and a folder each, and a password is not shown", async () => {
  const lines = "cd pub; slot two; open -u ann,secret two; cd /; slot; slot 1; pwd; slot two; pwd; slot 1; close; slot";
  const { code, out, err, opened: calls } = await opened(lines);
  assert.equal(code, 0, err);
  assert.equal(out, "  1  one\n* two  two\n/base/pub\n/\n* 1  one\n  two  two\n");
  assert.deepEqual([calls[1]?.user, calls[1]?.password], ["ann", "secret"]);
});

test("a job stays with the server that it began with", async (context) => {
  const localFolder = await folder(context);
  const { code, err, out } = await opened("queue stop; queue get b.txt; slot two; queue start; wait; slot 1; pwd", {
    localFolder,
  });
  assert.deepEqual([code, out], [0, "/base\n"], err);
  assert.deepEqual(await readdir(localFolder), ["b.txt"]);
});

test("umask, idle and account hold for all connections of the client", async () => {
  const {
    code,
    opened: calls,
    err,
  } = await opened("cd pub; umask 022; idle 300; umask 027; account dept; cd x", {
    settings: { "continue-on-error": "on" },
  });
  assert.equal(code, 1);
  assert.match(err, /cd: \/base\/pub\/x/);
  assert.deepEqual(
    calls.map(({ commands, account }) => [commands, account]),
    [
      [undefined, undefined],
      [["SITE UMASK 022"], undefined],
      [["SITE UMASK 022", "SITE IDLE 300"], undefined],
      [["SITE IDLE 300", "SITE UMASK 027"], undefined],
      [["SITE IDLE 300", "SITE UMASK 027"], "dept"],
    ],
  );
});

test("proxy, gate and sendport set the way to the server; a second server is told of slots", async () => {
  const { code, out, opened: calls } = await opened("gate gw.example.org; proxy; gate off; sendport on; sendport");
  assert.deepEqual([code, out], [0, "proxy ftp://gw.example.org:21\n"]);
  assert.deepEqual(
    calls.map(({ proxy, data }) => [proxy, data?.modes]),
    [
      [undefined, undefined],
      ["ftp://gw.example.org:21", undefined],
      [undefined, undefined],
      [undefined, ["eprt", "port"]],
      [undefined, ["epsv", "pasv"]],
    ],
  );
  assert.match((await opened("proxy open two")).err, /for a second server: slot NAME/);
});

test("what RFC 959 knows and nobody does is said, and not pretended", async () => {
  const { code, out, err } = await ran(new MemoryClient(), "mode; struct f; form; ascii; tenex; type");
  assert.equal(code, 0, err);
  assert.match(out, /^mode is stream: .*\nstruct is file: .*\nform is non-print: .*\nbinary\n$/);
  const block = await ran(new MemoryClient(), "mode block");
  assert.deepEqual(
    [block.code, block.err],
    [1, 'mode: "block" is not done here, nor by servers of today; mode is stream: files go as a stream of octets\n'],
  );
});

test("ln makes links where the server does, and says where it does not", async () => {
  const client = new MemoryClient(FILES);
  assert.equal((await ran(client, "ln -s b.txt latest")).code, 0);
  assert.ok(client.calls.includes("raw SITE SYMLINK b.txt /base/latest"));
  client.raw = async () => ({ code: 500, lines: ["what?"] });
  assert.match((await ran(client, "ln -s b.txt latest")).err, /ln: this server makes no links: 500 what\?/);
});

test("at waits for a time, and a command of it that fails is a failure", async () => {
  const noon = new Date(2026, 0, 31, 12, 0, 0);
  for (const [text, seconds] of [
    ["12:00:30", 30],
    ["13:00", 3_600],
    ["11:00", 23 * 3_600],
    ["+15m", 900],
    ["2026-01-31T12:01", 60],
    ["now", 0],
    ["25:00", undefined],
    ["2026-01-30", undefined],
    ["soon", undefined],
  ] as const) {
    assert.equal(secondsUntil(text, noon), seconds, text);
  }
  assert.deepEqual((await ran(new MemoryClient(), "at now -- echo x")).out, "x\n");
  assert.equal((await ran(new MemoryClient(), "at now cd nowhere")).code, 1);
  assert.equal((await ran(new MemoryClient(), "repeat -d 0 2 cd nowhere")).code, 1);
  assert.match((await ran(new MemoryClient(), "at 25:00 ls")).err, /is no time such as 23:30/);
});

test("local runs commands for this host, and ours where there is one", async (context) => {
  const localFolder = await folder(context);
  const { code, out, err } = await ran(
    new MemoryClient(),
    "local mkdir 'a b'; local cd 'a b'; local pwd; local touch 'x y'",
    {
      localFolder,
    },
  );
  assert.deepEqual([code, out], [0, `${join(localFolder, "a b")}\n`], err);
  assert.deepEqual(await readdir(join(localFolder, "a b")), ["x y"]);
});

test("bookmarks of the shell are those of ferryman bookmark", async (context) => {
  const environment = { XDG_CONFIG_HOME: await folder(context) };
  const { code, out, err } = await opened(
    "bookmark add w ftp://ann:secret@h/pub; bookmark; bookmark remove w; bookmark",
    {
      environment,
    },
  );
  assert.deepEqual([code, out], [0, "w  ftp://ann@h/pub\n"], err);
  assert.match(err, /there are none yet/);
  const file = join(environment.XDG_CONFIG_HOME, "ferryman", "bookmarks.json");
  assert.doesNotMatch(await readFile(file, "utf8"), /secret/);
});

/** What is said at a level while one command goes well and one does not. */
async function saidAt(level: string): Promise<string> {
  const client = new MemoryClient(FILES);
  client.exists = async () => {
    client.emit("command", { id: 1, line: "RNFR x" });
    client.emit("reply", { id: 1, reply: { code: 200, lines: ["fine"] } });
    client.emit("reply", { id: 1, reply: { code: 550, lines: ["no"] } });
    return "file";
  };
  return (await ran(client, `debug ${level}; mv b.txt c`)).err;
}

test("debug has levels, passwords masked by the client", async () => {
  assert.equal(await saidAt("0"), "");
  assert.equal(await saidAt("1"), "550 no\n");
  assert.equal(await saidAt("2"), "200 fine\n550 no\n");
  assert.equal(await saidAt("on"), "[1] > RNFR x\n[1] < 200 fine\n[1] < 550 no\n");
  assert.match(await saidAt("9"), /^\d\d:\d\d:\d\d\.\d{3} \[1\] > RNFR x\n/);
});

test("a reply that says nothing is explained, and so are faults of this host", async () => {
  const client = new MemoryClient(FILES);
  client.remove = async () => {
    const reply = { code: 550, lines: ["Failed."] };
    throw new FtpError("NOT_FOUND", "cannot remove /base/b.txt: 550 Failed.", { phase: "command", reply });
  };
  assert.match((await ran(client, "rm b.txt")).err, /550 Failed\. \(it is not there, or not for this user: /);
  assert.equal((await ran(client, "lcd /no/such")).err, "lcd: /no/such is not there (on this host)\n");
  client.raw = async () => ({ code: 502, lines: ["Nope"] });
  const raw = await ran(client, "quote FOO");
  assert.deepEqual([raw.out, raw.err], ["502 Nope\n", "quote: the server does not know this command (502)\n"]);
});

test("FTPPROMPT is as of ftp, with what is encrypted beside, and no control characters of the server", () => {
  const info = { user: "ann", host: "ftp.example.org", tls: undefined };
  assert.equal(promptText(info, "/pub/in/deep", "%n@%m:%c %S %% %02> "), "ann@ftp:deep [clear] % %02> ");
  assert.equal(promptText(info, "/pub/in/deep", "%M %/ %c02> "), "ftp.example.org /pub/in/deep in/deep> ");
  assert.equal(promptText({ ...info, host: "a\u001b[2J" }, "/", "%M>"), "a?[2J>");
  assert.equal(promptText(info, "/", "%c>"), "/>");
});
