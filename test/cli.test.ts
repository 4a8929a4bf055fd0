/** The command line as people and scripts meet it: exit codes, what it says, when it is ready, how it stops. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFile, chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, suite, test } from "node:test";
import { listening } from "./support/ports.ts";

const LAUNCHER = join(import.meta.dirname, "..", "bin", "ferryman.cjs");
/** Octets that no pair of socket buffers on loopback takes in, so that a download of them waits for its reader. */
const LARGE = 64 * 1_048_576;

/** Milliseconds after which a command that should have ended counts as one that hangs. */
const PATIENCE_MS = 20_000;

let folder = "";
/** No test leaves a certificate or a socket in the places of a real server. */
let ownPlaces: Readonly<Record<string, string>> = {};
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ferryman-cli-"));
  const state = await mkdtemp(join(tmpdir(), "ferryman-state-"));
  ownPlaces = { FERRYMAN_STATE_FOLDER: state, FERRYMAN_CONTROL_SOCKET: "off" };
  // Workers under root run as nobody.
  await chmod(folder, 0o777);
  await writeFile(join(folder, "hello.txt"), "hello\n");
  await writeFile(join(folder, "large.bin"), Buffer.alloc(LARGE));
});
after(async () => {
  await rm(folder, { recursive: true });
  await rm(ownPlaces["FERRYMAN_STATE_FOLDER"] ?? "", { recursive: true, force: true });
});

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [LAUNCHER, ...args], {
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, ...ownPlaces },
    timeout: PATIENCE_MS,
  });
}

type Served = AsyncDisposable & {
  readonly child: ChildProcess;
  readonly port: number;
  readonly said: () => string;
  readonly code: () => Promise<number | null>;
};

/** `ferryman serve` on a free port, once it says that it is ready. */
async function serve(...args: readonly string[]): Promise<Served> {
  const command = [LAUNCHER, "serve", folder, "--listen", "127.0.0.1:0", "--ready-fd", "3", ...args];
  const child = spawn(process.execPath, command, {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    env: { ...process.env, ...ownPlaces },
  });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  // All that was said has been read by then, unlike at "exit".
  const closed = once(child, "close");
  const ready = child.stdio[3];
  assert.ok(ready instanceof Readable);
  let line = "";
  for await (const chunk of ready) line += String(chunk);
  const parsed: unknown = JSON.parse(line || "null");
  const port = Number(/"port":(\d+)/.exec(line)?.[1]);
  assert.deepEqual(parsed, { addresses: [{ address: "127.0.0.1", port }] }, said);
  return {
    child,
    port,
    said: () => said,
    code: async () => closed.then(() => child.exitCode),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

/** Sends lines and collects what comes until it contains `wanted`. */
async function talk(socket: Socket, wanted: string, ...lines: readonly string[]): Promise<string> {
  let heard = "";
  for (const line of lines) socket.write(`${line}\r\n`);
  while (!heard.includes(wanted)) {
    const [chunk]: unknown[] = await once(socket, "data");
    heard += String(chunk);
  }
  return heard;
}

/** A client with a download that does not go on because nobody reads it. */
async function stuckDownload(port: number): Promise<Socket> {
  const control = connect(port, "127.0.0.1");
  control.on("error", () => {});
  await talk(control, "220 ");
  await talk(control, "230 ", "USER anonymous", "PASS x");
  const passive = await talk(control, "229 ", "TYPE I", "EPSV");
  const data = connect(Number(/\|\|\|(\d+)\|/.exec(passive)?.[1]), "127.0.0.1");
  data.on("error", () => {});
  data.pause();
  control.on("close", () => data.destroy());
  await talk(control, "150 ", "RETR large.bin");
  return control;
}

suite("usage", () => {
  test("--version and --help end with 0", () => {
    assert.match(run("--version").stdout, /^\d+\.\d+\.\d+\n$/);
    const help = run("--help");
    assert.equal(help.status, 0);
    assert.match(help.stdout, /serve[^]*user[^]*Examples:[^]*Exit codes/);
    assert.match(run("serve", "--help").stdout, /--listen[^]*Examples:/);
    assert.match(run("help", "serve").stdout, /--listen/);
  });

  test("what is not known ends with 2 and the nearest name", () => {
    const command = run("sevre");
    assert.equal(command.status, 2);
    assert.match(command.stderr, /Did you mean: node .*ferryman\.cjs serve/);
    const flag = run("serve", "--lisen", "127.0.0.1:0");
    assert.equal(flag.status, 2);
    assert.match(flag.stderr, /--listen/);
  });

  test("TLS that cannot be had is refused rather than served without", async () => {
    const lone = join(folder, "lone.key");
    await writeFile(lone, "no key");
    for (const [args, code, words] of [
      [["--tls", "always"], 78, /--tls: "always": expected one of/],
      [["--cert", "absent.pem"], 78, /absent\.pem/],
      [["--key", lone], 78, /a key without a certificate/],
      [["--tls", "off", "--cert", "absent.pem"], 78, /TLS is off/],
      [["--listen", "ftps://127.0.0.1:0?tls=off"], 2, /ftps:\/\/ is TLS/],
    ] as const) {
      const { status, stderr } = run("serve", "--listen", "127.0.0.1:0", ...args);
      assert.equal(status, code, `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, words);
    }
  });

  test("a wrong configuration ends with 78 and all findings", async () => {
    const file = join(folder, "ferryman.toml");
    await writeFile(file, "[server]\nidle-timout = 5\n");
    const { status, stderr } = run("serve", "--config", file, "--anonymous", "maybe");
    assert.equal(status, 78);
    assert.match(stderr, /ferryman\.toml:2: idle-timout: .*Did you mean "idle-timeout"/);
    assert.match(stderr, /--anonymous: "maybe": expected one of/);
    assert.doesNotMatch(stderr, /at .*\.ts:\d/);
  });

  test("a folder that is not there, a descriptor that is not open", () => {
    const gone = run("serve", join(folder, "gone"));
    assert.equal(gone.status, 78);
    assert.match(gone.stderr, /There is no folder .*mkdir -p/);
    const users = run("serve", "--users", join(folder, "gone.toml"));
    assert.equal(users.status, 78);
    assert.match(users.stderr, /There is no .*gone\.toml\. Make it with: node .*ferryman\.cjs user add/);
    assert.equal(run("serve", "--ready-fd", "99").status, 2);
    assert.equal(run("serve", "--ready-fd", "x").status, 2);
  });

  test("a taken port is named with what to do", async () => {
    const other = createServer();
    const { status, stderr } = run("serve", "--listen", `127.0.0.1:${await listening(other)}`);
    other.close();
    assert.equal(status, 1);
    assert.match(stderr, /is taken by another program[^]*--listen/);
  });
});

suite("serve", () => {
  test("says where and how, serves, and ends with 0 at SIGTERM", async () => {
    await using served = await serve();
    const control = connect(served.port, "127.0.0.1");
    await talk(control, "220 ");
    await talk(control, "230 ", "USER anonymous", "PASS x");
    assert.match(await talk(control, "213 ", "TYPE I", "SIZE hello.txt"), /213 6\r\n/);
    served.child.kill("SIGTERM");
    assert.match(await talk(control, "421 "), /421 /);
    control.destroy();
    assert.equal(await served.code(), 0);
    assert.match(served.said(), new RegExp(`curl ftp://127\\.0\\.0\\.1:${served.port}/`));
    assert.match(served.said(), /Stopped\./);
  });

  test("FERRYMAN_FFI=off serves from the portable jail", async () => {
    process.env["FERRYMAN_FFI"] = "off";
    try {
      await using served = await serve();
      const control = connect(served.port, "127.0.0.1");
      await talk(control, "230 ", "USER anonymous", "PASS x@y");
      assert.match(await talk(control, "250 ", "MLST /"), /type=dir/);
      control.destroy();
    } finally {
      delete process.env["FERRYMAN_FFI"];
    }
  });

  test("an account from --user may write, and guests are not let in then", async () => {
    await using served = await serve("--user", "ann:secret");
    const control = connect(served.port, "127.0.0.1");
    await talk(control, "220 ");
    await talk(control, "530 ", "USER anonymous", "PASS x");
    await talk(control, "257 ", "USER ann", "PASS secret", "MKD made");
    control.destroy();
  });

  test("an account from a users file may write; its broken neighbour is told; the xferlog has the transfer", async () => {
    const [users, xferlog] = [join(folder, "users.toml"), join(folder, "xferlog")];
    const args = ["user", "add", "bob", "--users", users, "--home", folder, "--password-stdin"];
    const added = spawnSync(process.execPath, [LAUNCHER, ...args], { encoding: "utf8", input: "geheim\n" });
    assert.equal(added.status, 0, added.stderr);
    await appendFile(users, '\n[users.eve]\nrights = "everything"\n');
    await using served = await serve("--users", users, "--xferlog", xferlog);
    const control = connect(served.port, "127.0.0.1");
    await talk(control, "220 ");
    await talk(control, "530 ", "USER anonymous", "PASS x");
    await talk(control, "230 ", "USER bob", "PASS geheim");
    const passive = await talk(control, "229 ", "TYPE I", "EPSV");
    const data = connect(Number(/\|\|\|(\d+)\|/.exec(passive)?.[1]), "127.0.0.1");
    control.write("STOR up.txt\r\n");
    data.end("hello");
    data.resume();
    await talk(control, "226 ");
    control.destroy();
    served.child.kill("SIGTERM");
    assert.equal(await served.code(), 0);
    assert.match(served.said(), /bob +everything/);
    assert.match(served.said(), /cannot sign in: .*users\.toml:\d+: users\.eve/);
    assert.match(await readFile(xferlog, "utf8"), / 5 \/up\.txt b _ i r bob ftp 0 \* c\n$/);
  });

  test("in JSON mode standard error holds nothing but JSON lines", async () => {
    await using served = await serve("--log", "json");
    served.child.kill("SIGTERM");
    assert.equal(await served.code(), 0);
    const lines = served.said().trim().split("\n");
    assert.ok(lines.length >= 2);
    for (const line of lines) assert.equal(typeof JSON.parse(line), "object");
  });

  test("Ctrl-C waits for transfers and says for whom; twice ends at once with 1", async () => {
    await using served = await serve("--log", "off");
    const control = await stuckDownload(served.port);
    // Twice within a press, as npm and a terminal send it: still one.
    served.child.kill("SIGINT");
    served.child.kill("SIGINT");
    while (!served.said().includes("Waiting")) await once(served.child.stderr ?? served.child, "data");
    assert.match(served.said(), /Waiting up to 10 s for the transfers of anonymous at 127\.0\.0\.1/);
    assert.equal(served.child.exitCode, null);
    // Longer than one press lasts; the server offers no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 500));
    served.child.kill("SIGINT");
    assert.equal(await served.code(), 1);
    assert.match(served.said(), /ended at once/);
    control.destroy();
  });
});
