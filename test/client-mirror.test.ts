/** The mirror against our own server: whole trees both ways, and what a run that was cut left is gone on with. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, lstat, mkdir, readFile, readlink, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { type Socket, createServer } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { connect } from "../src/client/client.ts";
import { mirror } from "../src/client/mirror/mirror.ts";
import type { MirrorSpec, Report } from "../src/client/mirror/types.ts";
import type { Client } from "../src/client/types.ts";
import { listen } from "../src/client/test-proxies.ts";
import { scratch } from "../src/client/test-folder.ts";
import { until } from "./support/attack.ts";
import { portOf } from "./support/ports.ts";
import { run } from "./support/run.ts";
import { startServer } from "./support/server.ts";
import { clearClient } from "./client/clear-client.ts";

const THEN = new Date("2024-05-06T07:08:09Z");
const MEBIBYTE = 1_048_576;

async function put(root: string, path: string, data: string | Buffer, mode = 0o644): Promise<void> {
  const full = join(root, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, data);
  await chmod(full, mode);
  await utimes(full, THEN, THEN);
}

/** Path, content, mode and time of all files; links with their targets. */
async function contentOf(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const lines = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const shown = path.slice(root.length + 1);
    if (entry.isSymbolicLink()) return `${shown} -> ${await readlink(path)}`;
    if (entry.isDirectory()) return `${shown}/`;
    const { mode, mtimeMs } = await lstat(path);
    return `${shown} ${(await readFile(path)).toString("base64").slice(0, 60)} ${mode.toString(8)} ${mtimeMs}`;
  });
  // Where the server takes notes of its own, which it shows nobody.
  return (await Promise.all(lines)).filter((line) => !line.startsWith(".ferryman-")).toSorted();
}

async function withTrees(
  work: (client: Client, trees: { remote: string; local: string }) => Promise<void>,
): Promise<void> {
  await using server = await startServer();
  await using ownLocal = await scratch();
  const local = ownLocal.path;
  await using client = await clearClient(server);
  await work(client, { remote: server.root, local });
}

async function makeTree(root: string): Promise<void> {
  for (let at = 0; at < 60; at++) await put(root, `f${at % 7}/g${at % 3}/file ${at}`, `content ${at}`);
  await put(root, "script", "#!", 0o755);
  await put(root, "private", "p", 0o600);
  await put(root, "d\u00fcrre Bl\u00e4tter/*[odd] name; $HOME", "odd");
  await put(root, "empty", "");
  await mkdir(join(root, "empty folder"));
  await symlink("script", join(root, "link"));
}

test("a tree comes down as it is, a second run moves nothing, and what is extra goes", async () => {
  await withTrees(async (client, { remote, local }) => {
    await makeTree(remote);
    const spec = { direction: "down", remote: "/", local, delete: true } as const;
    const report = await mirror(client, spec).run({ parallel: 8 });
    assert.deepEqual([report.failures, report.warnings, report.copied], [0, [], 64], JSON.stringify(report.failed[0]));
    assert.deepEqual(await contentOf(local), await contentOf(remote));
    const again = await mirror(client, spec).run();
    assert.deepEqual([again.copied, again.replaced, again.modesSet, again.linked, again.deleted], [0, 0, 0, 0, 0]);
    await rm(join(remote, "f1"), { recursive: true });
    await put(remote, "private", "other", 0o600);
    const last = await mirror(client, { ...spec, compare: "hash" }).run();
    assert.equal(last.replaced, 1);
    assert.ok(last.deleted > 5);
    assert.deepEqual(await contentOf(local), await contentOf(remote));
  });
});

test("a tree goes up as it is, a second run moves nothing, and what is extra goes", async () => {
  await withTrees(async (client, { remote, local }) => {
    await makeTree(local);
    const spec: MirrorSpec = { direction: "up", remote: "/", local, delete: true, journal: false };
    const report = await mirror(client, spec).run({ parallel: 8 });
    assert.deepEqual([report.failures, report.warnings, report.copied], [0, [], 64], JSON.stringify(report.failed[0]));
    assert.deepEqual(await contentOf(remote), await contentOf(local));
    const again = await mirror(client, spec).run();
    assert.deepEqual([again.copied, again.replaced, again.modesSet, again.linked, again.deleted], [0, 0, 0, 0, 0]);
    await rm(join(local, "f1"), { recursive: true });
    await put(local, "private", "other", 0o600);
    await put(local, "script", "#?", 0o755);
    const last = await mirror(client, { ...spec, compare: "hash" }).run();
    assert.equal(last.replaced, 2);
    assert.ok(last.deleted > 5);
    assert.deepEqual(await contentOf(remote), await contentOf(local));
  });
});

/** Ends a run in the middle of its file. */
async function cut(client: Client, spec: MirrorSpec, path: string): Promise<void> {
  const stop = new AbortController();
  const running: Promise<Report> = mirror(client, spec).run({
    signal: stop.signal,
    rate: 8 * MEBIBYTE,
    onEvent: (event) => {
      if (event.kind === "progress" && event.path === path && event.bytes > MEBIBYTE) stop.abort(new Error("cut"));
    },
  });
  await assert.rejects(running, { message: "cut" });
}

test("a run that was cut goes on with the file in which it was cut", async () => {
  await withTrees(async (client, { remote, local }) => {
    const data = randomBytes(6 * MEBIBYTE);
    await put(remote, "down/large", data);
    const down: MirrorSpec = { direction: "down", remote: "/down", local: join(local, "down") };
    await cut(client, down, "large");
    const came = await mirror(client, down).run();
    assert.deepEqual([came.copied, came.failures], [1, 0]);
    assert.ok(came.octets > 0 && came.octets < 5.5 * MEBIBYTE, String(came.octets));
    assert.deepEqual(await readdir(join(local, "down")), ["large"]);
    assert.ok(data.equals(await readFile(join(local, "down", "large"))));

    await put(local, "up/large", data);
    const up: MirrorSpec = {
      direction: "up",
      remote: "/up",
      local: join(local, "up"),
      journal: join(local, "journal"),
    };
    await cut(client, up, "large");
    const went = await mirror(client, up).run();
    assert.deepEqual([went.copied + went.replaced, went.failures], [1, 0], JSON.stringify(went.failed[0]));
    assert.ok(went.octets > 0 && went.octets < 5.5 * MEBIBYTE, String(went.octets));
    assert.ok(data.equals(await readFile(join(remote, "up", "large"))));
    assert.deepEqual(await readdir(join(local, "journal")), []);
  });
});

const LAUNCHER = join(import.meta.dirname, "..", "bin", "ferryman.cjs");

/** Octets of the largest hidden part in a folder. */
async function partIn(folder: string): Promise<number> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".part"));
  const sizes = names.map(async (name) => (await lstat(join(folder, name)).catch(() => undefined))?.size ?? 0);
  return Math.max(0, ...(await Promise.all(sizes)));
}

test("after kill -9 the same command goes on where it was", async () => {
  await using server = await startServer();
  await using ownLocal = await scratch();
  const local = ownLocal.path;
  const data = randomBytes(6 * MEBIBYTE);
  await put(server.root, "large", data);
  await put(server.root, "small", "s");
  const url = `ftp://ann:secret@127.0.0.1:${server.port}/`;
  const args = [LAUNCHER, "mirror", url, local, "--tls", "off", "--no-store", "--no-netrc"];
  const child = spawn(process.execPath, [...args, "--limit-rate", String(4 * MEBIBYTE)], { stdio: "ignore" });
  const ended = once(child, "exit");
  await until("a part of the file", async () => (await partIn(local)) > MEBIBYTE);
  child.kill("SIGKILL");
  await ended;
  const ran = await run(process.execPath, [...args, "--json"]);
  assert.equal(ran.code, 0, ran.stderr);
  const octets = Number(/"event":"report".*"octets":(\d+)/.exec(ran.stdout)?.[1]);
  assert.ok(octets > 0 && octets < 5 * MEBIBYTE + 2, ran.stdout);
  assert.deepEqual((await readdir(local)).toSorted(), ["large", "small"]);
  assert.ok(data.equals(await readFile(join(local, "large"))));
});

test("after kill -9 in the middle of an upload the same command goes on inside the file", async () => {
  await using server = await startServer();
  await using own = await scratch();
  const local = own.path;
  const data = randomBytes(8 * MEBIBYTE);
  await put(local, "site/large", data);
  const url = `ftp://ann:secret@127.0.0.1:${server.port}/`;
  const args = [LAUNCHER, "mirror", join(local, "site"), url, "--tls", "off", "--no-store", "--no-netrc", "--json"];
  // The notes about uploads that have begun.
  const env = { XDG_STATE_HOME: join(local, "state") };
  const child = spawn(process.execPath, [...args, "--limit-rate", String(4 * MEBIBYTE)], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...env },
  });
  const ended = once(child, "exit");
  let said = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    said += String(chunk);
    const moved = [...said.matchAll(/"event":"progress".*"bytes":(\d+)/g)].at(-1)?.[1];
    if (Number(moved) > MEBIBYTE) break;
  }
  child.kill("SIGKILL");
  await ended;
  const ran = await run(process.execPath, args, { env });
  assert.equal(ran.code, 0, ran.stderr);
  const octets = Number(/"event":"report".*"octets":(\d+)/.exec(ran.stdout)?.[1]);
  assert.ok(octets > 0 && octets < 7.5 * MEBIBYTE, ran.stdout);
  assert.ok(data.equals(await readFile(join(server.root, "large"))));
});

const FOLDER = "type=dir;modify=20240506070809; sub\r\n";
const FILE = "type=file;size=1;modify=20240506070809; one\r\n";

/** Lists the root whole and, in the folder below it, one file of two before it dies with both connections. */
function dyingServer(socket: Socket): void {
  const answers: Readonly<Record<string, string>> = {
    USER: "331 password",
    PASS: "230 in",
    FEAT: "211-\r\n MLST type*;size*;modify*;\r\n EPSV\r\n211 end",
    PWD: '257 "/"',
    MLST: "250-\r\n type=dir; /\r\n250 end",
  };
  const data = createServer();
  data.unref().listen(0, "127.0.0.1");
  const calls: Socket[] = [];
  data.on("connection", (call) => calls.push(call.on("error", () => {})));
  socket.on("error", () => {}).on("close", () => data.close());
  socket.write("220 ready\r\n");
  socket.on("data", (line: Buffer) => {
    const [verb = "", path = ""] = line.toString().trim().split(/ (.*)/s);
    if (verb === "EPSV") return void socket.write(`229 here (|||${portOf(data)}|)\r\n`);
    if (verb !== "MLSD") return void socket.write(`${answers[verb] ?? "200 well"}\r\n`);
    const send = (call: Socket): void => {
      socket.write("150 listing\r\n");
      call.end(path === "/" ? FOLDER : FILE, () => (path === "/" ? socket.write("226 done\r\n") : socket.destroy()));
    };
    const call = calls.pop();
    if (call !== undefined) return send(call);
    data.once("connection", (late) => {
      calls.pop();
      send(late);
    });
    return undefined;
  });
}

test("a listing that the server's end cut short deletes nothing", async () => {
  await using server = await listen(dyingServer);
  await using ownLocal = await scratch();
  const local = ownLocal.path;
  await put(local, "sub/one", "1");
  await put(local, "sub/two", "2");
  await put(local, "extra", "3");
  await using client = await connect(`ftp://ann:x@127.0.0.1:${server.port}`, {
    tls: "off",
    store: false,
    retry: { attempts: 1 },
  });
  const report = await mirror(client, { direction: "down", remote: "/", local, delete: true }).run();
  assert.deepEqual([report.failures, report.deleted], [1, 0], JSON.stringify(report));
  assert.equal(report.failed[0]?.error.code, "RESET");
  assert.deepEqual((await readdir(local, { recursive: true })).toSorted(), ["extra", "sub", "sub/one", "sub/two"]);
});
