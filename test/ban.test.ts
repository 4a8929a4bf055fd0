/** `ferryman ban` as people and scripts meet it: against a server in a process of its own, by its control socket. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadSystemCalls } from "../src/sys/ffi.ts";
import { type Ran, fails, ok, run } from "./support/run.ts";

const MAIN = join(import.meta.dirname, "..", "src", "cli", "main.ts");
const SERVER = join(import.meta.dirname, "support", "control-process.ts");

type Place = AsyncDisposable & {
  readonly folder: string;
  readonly socket: string;
  start(): Promise<ChildProcess>;
  stop(child: ChildProcess): Promise<void>;
  ban(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
};

async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-ban-"));
  const socket = join(folder, "run", "control.sock");
  const running = new Set<ChildProcess>();
  const stop = async (child: ChildProcess): Promise<void> => {
    running.delete(child);
    child.stdin?.end();
    if (child.exitCode === null) await once(child, "close");
  };
  return {
    folder,
    socket,
    async start() {
      const child = spawn(process.execPath, [SERVER, socket, join(folder, "state")], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      running.add(child);
      await once(child.stdout, "data");
      return child;
    },
    stop,
    ban: async (args, env = {}) =>
      await run(process.execPath, [MAIN, "ban", ...args], {
        cwd: folder,
        input: "",
        env: { HOME: folder, NO_COLOR: "1", FERRYMAN_CONTROL_SOCKET: socket, ...env },
      }),
    async [Symbol.asyncDispose]() {
      for (const child of running) await stop(child);
      await rm(folder, { recursive: true });
    },
  };
}

test("add, list, lift; and the bans are there again after a restart", async () => {
  await using at = await place();
  const child = await at.start();
  assert.equal(await ok(at.ban(["list"])), "Nobody is banned.\n");
  const added = await ok(at.ban(["add", "192.0.2.0/24", "--for", "1d", "--reason", "scans\u001b[2J"]));
  assert.equal(added, "Banned 192.0.2.0/24 for 1d.\n");
  assert.equal(await ok(at.ban(["add", "account:ann"])), "Banned account:ann until it is lifted.\n");
  assert.equal(await ok(at.ban(["add", "::ffff:198.51.100.1", "--for", "90s"])), "Banned 198.51.100.1 for 1m30s.\n");
  assert.equal(await ok(at.ban(["lift", "198.51.100.1"])), "Lifted the ban of 198.51.100.1.\n");
  await at.stop(child);
  await at.start();
  const [header = "", first = "", second = "", ...rest] = (await ok(at.ban(["list"]))).split("\n");
  assert.equal(header, "TARGET        ENDS IN  BY    REASON");
  assert.match(first, /^192\.0\.2\.0\/24 +(?:1d|23h59m) +hand {2}scans \[2J$/);
  assert.match(second, /^account:ann +never +hand$/);
  assert.deepEqual(rest, [""]);
  const json: unknown = JSON.parse(await ok(at.ban(["list", "--json"])));
  assert.ok(Array.isArray(json) && json.length === 2);
  assert.deepEqual(json[1].until, null);
  assert.match(json[0].until, /^\d{4}-\d\d-\d\dT.*Z$/);
});

test("what is wrong is said with what to do, and by the exit code", async () => {
  await using at = await place();
  await fails(at.ban(["add", "192.0.2.1/24"]), 2, /write 192\.0\.2\.0\/24, or 192\.0\.2\.1 for that host/);
  await fails(at.ban(["add", "ann"]), 2, /an account is written account:ann/);
  await fails(at.ban(["add", "192.0.2.1", "--for", "soon"]), 2, /Write a time like 90s/);
  await fails(at.ban(["list"]), 75, /No running server was found at .*control\.sock.*serve, or name its socket/);
  await at.start();
  await fails(at.ban(["lift", "192.0.2.1"]), 1, /192\.0\.2\.1 is not banned/);
  await ok(at.ban(["add", "192.0.2.0/24"]));
  await fails(at.ban(["lift", "192.0.2.1"]), 1, /but by 192\.0\.2\.0\/24: lift that/);
});

test("the server is found by --control, by the configuration, by the usual places; off is off", async () => {
  await using at = await place();
  await at.start();
  const none = { FERRYMAN_CONTROL_SOCKET: "", FERRYMAN_CONFIG: "" };
  const config = join(at.folder, "ferryman.toml");
  await writeFile(config, `[control]\ncontrol-socket = ${JSON.stringify(at.socket)}\n`);
  const own = { HOME: at.folder, NO_COLOR: "1" };
  const bare = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
    await run(process.execPath, [MAIN, "ban", ...args], { cwd: at.folder, input: "", env: { ...own, ...env } });
  await ok(bare(["list", "--control", at.socket], { ...none, FERRYMAN_CONFIG: join(at.folder, "gone") }));
  await ok(bare(["list", "--config", config]));
  await ok(bare(["list"], { RUNTIME_DIRECTORY: join(at.folder, "run") }));
  await fails(bare(["list"], { FERRYMAN_CONTROL_SOCKET: "off" }), 78, /control-socket is off/);
  await writeFile(config, "[control]\ncontrol-sockt = 1\n");
  await fails(bare(["list", "--config", config]), 78, /Did you mean "control-socket"\?[\s\S]*With --control PATH/);
});

const skip = process.getuid?.() !== 0 || loadSystemCalls() === undefined ? "needs root and the system calls" : false;

test(
  "attack 62: another user cannot ban or lift, whether the folder or only the kernel stops him",
  { skip },
  async () => {
    await using at = await place();
    await at.start();
    // A process of the other user that needs no file of ours: the checkout may not be readable to it.
    const code =
      'const s = require("node:net").connect(process.argv[1]); s.on("error", (e) => console.log(e.code));' +
      's.on("data", (d) => console.log(`${d}`)); s.write(`{"ask":"ban.add","about":{"target":"192.0.2.1"}}\\n`);';
    const asNobody = async (): Promise<string> => {
      const child = spawn(process.execPath, ["-e", code, at.socket], {
        uid: 65_534,
        gid: 65_534,
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
    await chmod(at.folder, 0o755);
    assert.equal(await asNobody(), "EACCES\n");
    await chmod(join(at.folder, "run"), 0o755);
    assert.equal(await asNobody(), "EACCES\n");
    await chmod(at.socket, 0o666);
    assert.doesNotMatch(await asNobody(), /ok/);
    assert.equal(await ok(at.ban(["list"])), "Nobody is banned.\n");
  },
);

test("the socket goes with the server", async () => {
  await using at = await place();
  const child = await at.start();
  await at.stop(child);
  await assert.rejects(access(at.socket), { code: "ENOENT" });
});
