/** The shell on the client against our own server: what a session does, with several jobs at once, and aborts on the wire. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "../src/client/client.ts";
import type { ShellOptions } from "../src/cli/shell/shell.ts";
import { MemoryClient, type Stage, ran, staged, until } from "../src/cli/shell/test-client.ts";
import { type TestServer, startServer } from "./support/server.ts";

const BIG = randomBytes(3_000_000);

/** A folder of this host, and how the shell reaches the server. */
async function prepared(context: TestContext, { port, root }: TestServer): Promise<Partial<ShellOptions>> {
  await mkdir(join(root, "pub", "sub"), { recursive: true });
  await writeFile(join(root, "pub", "big.bin"), BIG);
  await writeFile(join(root, "pub", "a b.txt"), "hello\n");
  await writeFile(join(root, "pub", "sub", "ü.txt"), "deep\n");
  const localFolder = await mkdtemp(join(tmpdir(), "ferryman-shell-"));
  context.after(async () => await rm(localFolder, { recursive: true }));
  return {
    localFolder,
    target: "own server",
    connect: async (_target, options) => ({
      client: await connect(`ftp://ann:secret@127.0.0.1:${port}`, { ...options, store: false, tls: "off" }),
      path: "pub",
    }),
  };
}

const NOBODY = new MemoryClient();

test("a script: folders, files both ways, trees, pipes, jobs", async (context) => {
  await using server = await startServer();
  const options = await prepared(context, server);
  const { localFolder = "" } = options;
  const script = [
    "pwd",
    "get big.bin &",
    "get 'a b.txt' x.txt",
    "get -r /pub/sub in/",
    "wait",
    "cat *.txt | tr a-z A-Z",
    "put x.txt one.txt; mput *.txt -O up/ || mkdir up && mput *.txt -O up/",
    "cd up; put -r in; cp x.txt y.txt; mv y.txt ..; chmod 600 x.txt; touch -d 2026-01-31T12:00:00Z x.txt; modtime x.txt",
    "cd -; rm one.txt; nlist; size y.txt; digest y.txt > digest.txt",
    "reget big.bin; append x.txt /pub/up/x.txt; rm -r sub; quote NOOP",
  ].join("\n");
  const { code, out, err } = await ran(NOBODY, script, options);
  assert.equal(code, 0, err);
  const shown = "/pub\nHELLO\nx.txt  2026-01-31T12:00:00.000Z\na b.txt\nbig.bin\nsub\nup\ny.txt\ny.txt  6\n200 ";
  assert.equal(out.slice(0, shown.length), shown);
  assert.ok((await readFile(join(localFolder, "big.bin"))).equals(BIG));
  assert.equal(await readFile(join(localFolder, "in", "sub", "ü.txt"), "utf8"), "deep\n");
  assert.equal(await readFile(join(server.root, "pub", "up", "x.txt"), "utf8"), "hello\nhello\n");
  assert.deepEqual((await readdir(join(server.root, "pub", "up"), { recursive: true })).toSorted(), [
    "in",
    "in/sub",
    "in/sub/ü.txt",
    "x.txt",
  ]);
  assert.equal((await stat(join(server.root, "pub", "up", "x.txt"))).mode & 0o777, 0o600);
  assert.match(await readFile(join(localFolder, "digest.txt"), "utf8"), /^[\da-f]{40,} {2}y\.txt {2}\(/);
});

test("mirror in both ways, and a failure in a script", async (context) => {
  await using server = await startServer();
  const options = await prepared(context, server);
  const script =
    "cd /\nmirror pub\nlmkdir pub/new\n!echo n > pub/new/n.txt\nmirror -R --delete -x '*.bin' pub copy\nmirror pub\nget nothing\npwd";
  const { code, out, err } = await ran(NOBODY, script, { ...options, environment: {} });
  assert.deepEqual([code, out], [1, ""], err);
  assert.match(err, /3 new, 2 folders made; 2\.86 MiB moved\n/);
  assert.deepEqual((await readdir(join(server.root, "copy"), { recursive: true })).toSorted(), [
    "a b.txt",
    "new",
    "new/n.txt",
    "sub",
    "sub/ü.txt",
  ]);
});

test("Ctrl-C ends a transfer on the wire, and the same session goes on", async (context) => {
  await using server = await startServer();
  const options = await prepared(context, server);
  const { localFolder = "" } = options;
  const stage = staged(NOBODY, { ...options, terminal: true, settings: { rate: "100KiB" } });
  await typed(stage, "get big.bin; pwd");
  await until(() => server.events.some(({ type }) => type === "command"));
  await until(() => stage.signals.listenerCount("SIGINT") > 0);
  while ((await sizeOfPart(localFolder)) === 0) await new Promise(setImmediate);
  stage.signals.emit("SIGINT");
  await stage.errorOutput.until("interrupted\n");
  await typed(stage, "cat 'a b.txt'");
  await stage.output.until("\nhello\n");
  assert.ok(!(await readdir(localFolder)).includes("big.bin"), "no file is left that looks whole");
  await typed(stage, "set rate off; get big.bin; exit");
  assert.equal(await stage.ended, 0);
  assert.match(stage.errorOutput.text, /big\.bin {2}\d.* resumed at \d/);
  assert.ok((await readFile(join(localFolder, "big.bin"))).equals(BIG));
});

test("-c goes on with what lies there, and moves nothing where it is whole", async (context) => {
  await using server = await startServer();
  const options = await prepared(context, server);
  const { localFolder = "" } = options;
  await writeFile(join(localFolder, "big.bin"), BIG.subarray(0, 1_000_000));
  const { code, err } = await ran(NOBODY, "get -c big.bin; reget big.bin; put big.bin up; reput big.bin up", options);
  assert.equal(code, 0, err);
  assert.match(err, /^big\.bin {2}1\.91 MiB in .* resumed at 977 KiB\nbig\.bin {2}is there already\n/);
  assert.ok((await readFile(join(localFolder, "big.bin"))).equals(BIG));
  assert.ok((await readFile(join(server.root, "pub", "up"))).equals(BIG));
});

test("active and passive connect anew in the same folder", async (context) => {
  await using server = await startServer();
  const options = await prepared(context, server);
  const { code, out, err } = await ran(
    NOBODY,
    "cd sub; active; pwd; nlist; passive; nlist; set modes pasv; nlist",
    options,
  );
  assert.deepEqual([code, out], [0, "/pub/sub\nü.txt\nü.txt\nü.txt\n"], err);
  const verbs = server.events.flatMap((event) => (event.type === "command" ? [event.verb] : []));
  assert.ok(verbs.includes("EPRT") && verbs.includes("EPSV") && verbs.includes("PASV"), verbs.join(" "));
});

test("a refused password is code 77, with what the server says", async () => {
  await using server = await startServer();
  const { errorOutput, ended } = staged(NOBODY, {
    target: "own server",
    commands: "ls",
    connect: async (_target, options) => ({
      client: await connect(`ftp://ann:wrong@127.0.0.1:${server.port}`, { ...options, store: false, tls: "off" }),
      path: "",
    }),
  });
  assert.equal(await ended, 77);
  assert.match(errorOutput.text, /^open: .*530/);
});

/** Octets that have come of the file that is on its way. */
async function sizeOfPart(folder: string): Promise<number> {
  const name = (await readdir(folder)).find((each) => each.endsWith(".part"));
  return name === undefined ? 0 : (await stat(join(folder, name))).size;
}

async function typed(stage: Stage, line: string): Promise<void> {
  await stage.output.until("> ");
  stage.input.write(`${line}\r`);
}
