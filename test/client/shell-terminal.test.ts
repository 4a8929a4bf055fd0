/** `ferryman open` as a program on a true pseudo terminal, with real servers: Ctrl-C, Ctrl-Z, lost connections, 80 columns. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type Socket, createConnection, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Kept } from "../../src/cli/shell/test-client.ts";
import { type Ran, missing, run } from "../support/run.ts";
import { CONTENT, absentPeer, startPeer } from "./peers.ts";
import { scratch } from "../../src/client/test-folder.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/ferryman.cjs");
/** Node has no pseudo terminals: this hands octets to one of 80 by 24, and ends with the program's code. */
const TERMINAL = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
sources = [0, fd]
while True:
    for ready in select.select(sources, [], [])[0]:
        try:
            data = os.read(ready, 65536)
        except OSError:
            data = b""
        if ready == 0 and data:
            os.write(fd, data)
        elif ready == 0:
            sources.remove(0)
        elif data:
            os.write(1, data)
        else:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
/** Milliseconds after which a test has hung. */
const LIMIT_MS = 60_000;
const PROMPT = "]> ";

type Person = AsyncDisposable & {
  readonly screen: Kept;
  /** Types a line at the next prompt. */
  readonly type: (line: string) => Promise<void>;
  /** Presses a key now. */
  readonly press: (key: string) => void;
  readonly code: () => Promise<number | null>;
};

function sitDown(folder: string, words: readonly string[]): Person {
  const open = [
    process.execPath,
    PROGRAM,
    "open",
    "--no-store",
    "--no-rc",
    "--no-netrc",
    "--tls-trust",
    "any",
    ...words,
  ];
  const child: ChildProcess = spawn("python3", ["-c", TERMINAL, ...open], {
    cwd: folder,
    env: { ...process.env, HOME: folder, XDG_STATE_HOME: folder, TERM: "xterm", LC_ALL: "C.UTF-8" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const screen = new Kept();
  child.stdout?.pipe(screen);
  const ended = once(child, "close");
  const press = (key: string): void => void child.stdin?.write(key);
  return {
    screen,
    press,
    async type(line) {
      await screen.until(PROMPT);
      press(`${line}\r`);
    },
    async code() {
      await ended;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) child.kill("SIGKILL");
      await ended;
    },
  };
}

for (const name of ["ferryman", "vsftpd", "pure-ftpd", "proftpd"] as const) {
  const skip = missing("python3") || absentPeer(name);
  test(
    `${name}: Ctrl-C ends a transfer, Ctrl-Z puts it aside, and the next command works`,
    { skip, timeout: LIMIT_MS },
    async () => {
      await using here = await scratch();
      await using peer = await startPeer(name);
      await using person = sitDown(here.path, [peer.url()]);
      const { screen, type, press } = person;
      await type("cd sub");
      await type("set rate 40KiB; get /big.bin");
      await screen.until("%");
      press("\u0003");
      await screen.until("interrupted");
      await type("get 'a name with spaces'");
      await type("get /big.bin");
      await screen.until("%");
      press("\u001a");
      await screen.until("[1] goes on in the background: get /big.bin");
      await type("pwd");
      await screen.until("/sub\r\n");
      await type("kill 1");
      await screen.until("[1] ended");
      await type("set rate off; get /big.bin");
      await type("get nothing");
      await screen.until("nothing  failed:");
      await type("exit 3");
      assert.equal(await person.code(), 3);
      assert.deepEqual(await readFile(here.at("big.bin")), CONTENT["/big.bin"]);
      assert.equal(await readFile(here.at("a name with spaces"), "utf8"), "spaces\n");
    },
  );
}

test(
  "a connection that was lost while nobody typed comes back in the same folder",
  { skip: missing("python3"), timeout: LIMIT_MS },
  async () => {
    await using here = await scratch();
    await using peer = await startPeer("ferryman");
    await using way = await cuttable(peer.port);
    await using person = sitDown(here.path, [peer.url("/sub").replace(`:${peer.port}`, `:${way.port}`)]);
    await person.type("get deep.txt -o one");
    await person.screen.until("one");
    await person.type("pwd");
    await person.screen.until("/sub\r\n");
    assert.ok(way.cut() > 0);
    await person.type("get deep.txt -o two");
    await person.type("ls -1");
    await person.screen.until("deep.txt\r\n");
    await person.type("bye");
    assert.equal(await person.code(), 0);
    assert.equal(await readFile(here.at("two"), "utf8"), "deep\n");
  },
);

test(
  "what is shown fits 80 columns: help, the listing, the bars",
  { skip: missing("python3"), timeout: LIMIT_MS },
  async () => {
    await using here = await scratch();
    await using peer = await startPeer("ferryman");
    await using person = sitDown(here.path, ["-q", peer.url()]);
    await person.type("set rate 100KiB; help; help all; help get; ls; get big.bin; frobnicate; get -x");
    await person.screen.until("usage: get");
    await person.type("bye");
    assert.equal(await person.code(), 0);
    // oxlint-disable-next-line no-control-regex -- control characters are what is meant
    const lines = person.screen.text.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, "").split(/[\r\n]+/);
    const long = lines.filter((line) => line.length > 80 && !line.includes(PROMPT));
    assert.deepEqual(long, []);
  },
);

test("init of .netrc runs after the login, and --env-password takes $LFTP_PASSWORD alone where it is asked to", async () => {
  await using here = await scratch();
  await using peer = await startPeer("ferryman");
  const netrc = here.at("netrc");
  await writeFile(netrc, "machine 127.0.0.1 login ann password secret\nmacdef init\ncd sub\npwd\n\n", { mode: 0o600 });
  const opened = async (...words: readonly string[]): Promise<Ran> => {
    const given = [PROGRAM, "open", "--no-store", "--no-rc", "-q", "-c", "echo in", ...words, `127.0.0.1:${peer.port}`];
    return await run(process.execPath, given, { env: { LFTP_PASSWORD: "secret", HOME: here.path } });
  };
  assert.equal((await opened("--tls", "off", "--netrc", netrc)).stdout, "/sub\nin\n");
  const known = ["--tls", "off", "--no-netrc", "-u", "ann"];
  assert.equal((await opened(...known, "--env-password")).stdout, "in\n");
  const unasked = await opened(...known);
  assert.deepEqual([unasked.code, unasked.stdout], [77, ""]);
});

type Way = AsyncDisposable & {
  readonly port: number;
  /** @returns how many connections there were. */ readonly cut: () => number;
};

/** A port that leads to another, and whose connections can be cut as by a firewall that forgets them. */
async function cuttable(port: number): Promise<Way> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection({ port, host: "127.0.0.1" });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): number => {
    const { size } = open;
    for (const socket of open) socket.destroy();
    return size;
  };
  const address = server.address();
  return {
    port: address === null || typeof address === "string" ? 0 : address.port,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
