import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { loadSystemCalls } from "../sys/ffi.ts";
import { Guard } from "../guard/guard.ts";
import { type AskError, askServer } from "./ask-server.ts";
import { BAN_ANSWERS, banHandlers } from "./ban-requests.ts";
import { ControlServer, ControlSocketError, type ControlTerms } from "./control-server.ts";
import { ControlProblem, handler } from "./handlers.ts";
import { CLIENT_LIMIT, REQUEST_LIMIT } from "./limits.ts";
import { likelySockets, standardSocket } from "./socket-path.ts";

const HANDLERS = {
  echo: handler(z.strictObject({ text: z.string() }), ({ text }) => text),
  no: handler(z.strictObject({}), () => {
    throw new ControlProblem("not today");
  }),
  fail: handler(z.strictObject({}), () => {
    throw new Error("/etc/secret");
  }),
} as const;

type Scene = AsyncDisposable & { readonly path: string; readonly folder: string; readonly faults: unknown[] };

async function scene(terms: Partial<ControlTerms> = {}): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-control-"));
  const path = join(folder, "run", "control.sock");
  const faults: unknown[] = [];
  const server = new ControlServer({ path, handlers: HANDLERS, onFault: (fault) => faults.push(fault), ...terms });
  await server.listen();
  return {
    path,
    folder,
    faults,
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function raw(path: string, text: string): Promise<string> {
  const socket = createConnection(path);
  socket.on("error", () => {});
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    answer += part;
  });
  socket.write(text);
  await once(socket, "close");
  return answer;
}

async function askProblem(path: string, ask: string, about: unknown): Promise<string> {
  const outcome = await askServer(path, { ask, about, schema: z.string() }).catch((error: AskError) => error);
  assert.ok(typeof outcome !== "string");
  return `${outcome.kind}: ${outcome.message}`;
}

async function refusal(terms: ControlTerms): Promise<string> {
  const error: unknown = await new ControlServer(terms).listen().catch((fault: unknown) => fault);
  assert.ok(error instanceof ControlSocketError, String(error));
  return error.message;
}

test("a question and its answer; what is wrong is said, what failed is not told to the client", async () => {
  await using at = await scene();
  assert.equal(await askServer(at.path, { ask: "echo", about: { text: "ä\n" }, schema: z.string() }), "ä\n");
  assert.match(await askProblem(at.path, "echo", { text: 1 }), /^refused: wrong request: .*string/);
  assert.match(await askProblem(at.path, "echo", { text: "", more: 1 }), /^refused: wrong request/);
  assert.match(await askProblem(at.path, "toString", {}), /^refused: this server does not know "toString"/);
  assert.equal(await askProblem(at.path, "no", {}), "refused: not today");
  assert.equal(await askProblem(at.path, "fail", {}), "refused: the server failed at this; its log says why");
  assert.match(String(at.faults), /secret/);
  const other = await askServer(at.path, { ask: "echo", about: { text: "1" }, schema: z.number() }).catch(String);
  assert.match(String(other), /older or newer/);
});

test("lines that are no request, too long ones, and clients that leave", async () => {
  await using at = await scene();
  for (const line of ["\n", "[]\n", '{"ask":1}\n', '{"ask":"echo","more":1}\n', "\u0000\n"]) {
    assert.match(await raw(at.path, line), /"problem":"a request is one line/, line);
  }
  assert.match(await raw(at.path, "x".repeat(REQUEST_LIMIT + 1)), /"problem":"a request has 65536 octets/);
  const leaving = createConnection(at.path);
  leaving.end('{"ask":');
  await once(leaving.resume(), "close");
  assert.equal(await askServer(at.path, { ask: "echo", about: { text: "1" }, schema: z.string() }), "1");
  assert.deepEqual(at.faults, []);
});

test("more clients than it takes are turned away, and it answers again when they are gone", async () => {
  await using at = await scene();
  const idle = Array.from({ length: CLIENT_LIMIT }, () => createConnection(at.path));
  await Promise.all(idle.map(async (socket) => once(socket, "connect")));
  const outcome = await askServer(at.path, { ask: "echo", about: { text: "1" }, schema: z.string() }).catch(String);
  assert.match(outcome, /AskError/);
  for (const socket of idle) socket.destroy();
  await Promise.all(idle.map(async (socket) => (socket.closed ? undefined : once(socket, "close"))));
  let answer: unknown;
  // Our side is closed; the server learns of it a moment later.
  while (answer !== "2") {
    answer = await askServer(at.path, { ask: "echo", about: { text: "2" }, schema: z.string() }).catch(() => undefined);
  }
});

test("attack 62: folder 0700, socket 0600, gone with the server", async () => {
  const at = await scene();
  assert.equal((await stat(at.path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(at.path, ".."))).mode & 0o777, 0o700);
  const { path } = at;
  await at[Symbol.asyncDispose]();
  assert.match(await askProblem(path, "echo", {}), /^absent: /);
});

test("attack 62: a client of another user is turned away, root and the own user are not", async () => {
  let uid = 12_345;
  let confined = false;
  await using at = await scene({ peer: () => ({ uid, confined }) });
  assert.match(await askProblem(at.path, "echo", { text: "" }), /^(?:forbidden|broken): /);
  assert.match(String(at.faults), /user 12345 was turned away/);
  uid = process.getuid?.() ?? 0;
  confined = uid !== 0;
  if (confined) assert.match(await askProblem(at.path, "echo", { text: "" }), /^(?:forbidden|broken): /);
  confined = false;
  assert.equal(await askServer(at.path, { ask: "echo", about: { text: "1" }, schema: z.string() }), "1");
  uid = 0;
  assert.equal(await askServer(at.path, { ask: "echo", about: { text: "1" }, schema: z.string() }), "1");
});

const skip = process.getuid?.() !== 0 || loadSystemCalls() === undefined ? "needs root and the system calls" : false;

test("attack 62: the kernel says who the client is, even when every mode lets him in", { skip }, async () => {
  await using at = await scene();
  await chmod(at.folder, 0o755);
  await chmod(join(at.path, ".."), 0o755);
  await chmod(at.path, 0o666);
  const code =
    'const s = require("node:net").connect(process.argv[1]); s.on("error", () => {}); s.on("data", (d) => process.stdout.write(d));' +
    's.write(`{"ask":"echo","about":{"text":"in"}}\\n`);';
  const answerOf = async (uid: number): Promise<string> => {
    const child = spawn(process.execPath, ["-e", code, at.path], {
      uid,
      cwd: "/",
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    await once(child, "close");
    return text;
  };
  assert.equal(await answerOf(65_534), "");
  assert.match(String(at.faults), /user 65534 was turned away/);
  assert.equal(await answerOf(0), '{"ok":true,"answer":"in"}\n');
});

test("attack 62: a folder that others own or can write, a link, a file in the way", async () => {
  await using at = await scene();
  const open = join(at.folder, "open");
  await mkdir(open);
  await chmod(open, 0o777);
  assert.match(await refusal({ path: join(open, "s"), handlers: {} }), /can be written by others; make it mode 0700/);
  await symlink(open, join(at.folder, "link"));
  assert.match(await refusal({ path: join(at.folder, "link", "s"), handlers: {} }), /no folder of its own/);
  if (process.getuid?.() === 0) {
    await mkdir(join(at.folder, "theirs"));
    await chown(join(at.folder, "theirs"), 4_321, 4_321);
    assert.match(await refusal({ path: join(at.folder, "theirs", "s"), handlers: {} }), /belongs to another user/);
  }
  await writeFile(join(at.folder, "file"), "");
  assert.match(await refusal({ path: join(at.folder, "file"), handlers: {} }), /is no socket; remove it/);
  assert.match(
    await refusal({ path: join(at.folder, "a", "b", "s"), handlers: {} }),
    /folder cannot be made \(ENOENT\)/,
  );
  assert.match(await refusal({ path: join(at.folder, "x".repeat(200)), handlers: {} }), /longer than the 103 octets/);
});

test("two servers do not share a socket; one that is gone leaves nothing in the way", async () => {
  await using at = await scene();
  assert.match(await refusal({ path: at.path, handlers: {} }), /another server answers there/);
  assert.equal(await askServer(at.path, { ask: "echo", about: { text: "1" }, schema: z.string() }), "1");
  const path = join(at.folder, "left");
  const child = spawn(process.execPath, [
    "-e",
    'require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))',
    path,
  ]);
  await once(child, "close");
  assert.ok((await stat(path)).isSocket());
  await using again = new ControlServer({ path, handlers: HANDLERS });
  await again.listen();
  assert.equal(await askServer(path, { ask: "echo", about: { text: "2" }, schema: z.string() }), "2");
});

test("the requests about bans reach the guard", async () => {
  const guard = new Guard();
  await using at = await scene({ handlers: banHandlers(guard) });
  const ban = await askServer(at.path, {
    ask: "ban.add",
    about: { target: "192.0.2.0/24", seconds: 60, reason: "noise" },
    schema: BAN_ANSWERS.add,
  });
  assert.deepEqual([ban.target, ban.reason, ban.automatic], ["192.0.2.0/24", "noise", false]);
  assert.equal(guard.isBanned("192.0.2.7")?.target, "192.0.2.0/24");
  const list = await askServer(at.path, { ask: "ban.list", about: {}, schema: BAN_ANSWERS.list });
  assert.deepEqual(list, guard.bans());
  assert.match(await askProblem(at.path, "ban.lift", { target: "192.0.2.7" }), /but by 192\.0\.2\.0\/24: lift that/);
  await askServer(at.path, { ask: "ban.lift", about: { target: "192.0.2.0/24" }, schema: BAN_ANSWERS.lift });
  assert.deepEqual(guard.bans(), []);
});

test("an answer that is none, and a server that says nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-control-"));
  const path = join(folder, "s");
  let answer = "220 hello\r\n";
  const server = createServer((socket) => socket.end(answer));
  server.listen(path);
  await once(server, "listening");
  assert.match(await askProblem(path, "echo", {}), /^broken: .*is this a Ferryman server/);
  answer = "";
  assert.match(await askProblem(path, "echo", {}), /^forbidden: /);
  server.close();
  await rm(folder, { recursive: true });
});

function pathFor(uid: number | undefined, environment: Record<string, string> = {}): string {
  return standardSocket({ uid, environment });
}

test("where the socket lies, and where it is looked for", async () => {
  assert.equal(pathFor(0), "/run/ferryman/control.sock");
  assert.equal(pathFor(0, { RUNTIME_DIRECTORY: "/run/a:/run/b" }), "/run/a/control.sock");
  assert.equal(pathFor(7, { XDG_RUNTIME_DIR: "/run/user/7" }), "/run/user/7/ferryman/control.sock");
  assert.equal(pathFor(7, { XDG_RUNTIME_DIR: "relative" }), join(tmpdir(), "ferryman-7", "control.sock"));
  const own = { XDG_RUNTIME_DIR: "/run/user/7" };
  const usual = ["/run/user/7/ferryman/control.sock", "/run/ferryman/control.sock"];
  // No folder of ours is among the temporary ones: none is asked there, whoever may have made it.
  assert.deepEqual(await likelySockets({ uid: 4_000_000_007, environment: own }), usual);
});
