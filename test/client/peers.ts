/**
 * Real servers for tests of the client, each on a free port of loopback with the same files: those that Debian packages,
 * set up as the benchmark has them, and ours in this process. Each ends with the test, and after its life's limit at last.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type Socket, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ground, QUICK, hashOf } from "../../bench/ground.ts";
import { hasDebianPeers } from "../../bench/peers/debian.ts";
import type { Login, Peer } from "../../bench/peers/peer.ts";
import { proftpd } from "../../bench/peers/proftpd.ts";
import { pureFtpd } from "../../bench/peers/pure-ftpd.ts";
import { pyftpdlib } from "../../bench/peers/pyftpdlib.ts";
import { vsftpd } from "../../bench/peers/vsftpd.ts";
import { isRoot } from "../../bench/processes.ts";
import { showEndpoint } from "../../src/net/addresses.ts";
import { until } from "../support/attack.ts";
import { freePort } from "../support/ports.ts";
import { childrenOf, isAlive } from "../support/serve-process.ts";
import { startServer } from "../support/server.ts";
import { pairFor } from "../support/tls.ts";
import { missing } from "../support/run.ts";

export const PEER_NAMES = ["ferryman", "vsftpd", "pure-ftpd", "proftpd", "pyftpdlib"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** Content of what is served: by path, beside the folder `/incoming`, in which everybody may write. */
export const CONTENT = {
  "/hello.txt": Buffer.from("Hello, this is a file.\n"),
  "/empty": Buffer.alloc(0),
  "/big.bin": Buffer.from(Array.from({ length: 300_007 }, (_, index) => (index * 31 + (index >> 8)) & 0xff)),
  "/sub/deep.txt": Buffer.from("deep\n"),
  "/sub/a name with spaces": Buffer.from("spaces\n"),
  "/sub/ümlaut": Buffer.from("ü\n"),
} as const;
export const INCOMING = "/incoming";

export type StartedPeer = AsyncDisposable & {
  readonly name: PeerName;
  readonly port: number;
  readonly login: Login;
  /** The folder of this machine that it serves. */
  readonly root: string;
  /** @param scheme default: `ftps` where it was started for TLS from the first octet, else `ftp`. */
  url(path?: string, scheme?: string): string;
};

export type PeerWishes = {
  /** TLS from the first octet on; only some can. */
  readonly implicit?: boolean;
  /** Where it listens, for networks of a test's own. Default 127.0.0.1. pyftpdlib knows no other. */
  readonly host?: string;
  /** More lines of its configuration, for vsftpd and ProFTPD. */
  readonly lines?: readonly string[];
};

/** Those that can begin with TLS. */
export const IMPLICIT_PEERS: ReadonlySet<PeerName> = new Set(["ferryman", "vsftpd", "proftpd"]);

const HERE = "127.0.0.1";

type OtherName = Exclude<PeerName, "ferryman">;
const OTHERS: Readonly<Record<OtherName, Peer>> = { vsftpd, "pure-ftpd": pureFtpd, proftpd, pyftpdlib };
/** What turns a configuration into one for implicit TLS; which of a command's words is its file. */
const IMPLICIT_LINES: Partial<Readonly<Record<OtherName, string>>> = {
  vsftpd: "implicit_ssl=YES\n",
  proftpd: "TLSOptions UseImplicitSSL\n",
};
/** Milliseconds until a server must greet, between two looks, and after which it is killed whatever the test wants. */
const [START_LIMIT_MS, LOOK_MS, LIFE_LIMIT_MS] = [10_000, 10, 90_000];
/** How often another port is tried: between its choice and the server's start somebody else may take it. */
const PORTS_TRIED = 3;
/** Characters of what a server says that are kept for an error. */
const TOLD = 2_000;

/** For `skip`: why a server cannot run here, or false. */
export function absentPeer(name: PeerName): string | false {
  if (name === "ferryman") return false;
  if (!hasDebianPeers()) return "the servers of Debian are not there (node scripts/setup.cjs test fetches them)";
  if (name === "pyftpdlib") return missing("python3");
  return isRoot() ? false : `${name} needs root: it changes its user for each session`;
}

/** @throws where it does not come up. */
export async function startPeer(name: PeerName, wishes: PeerWishes = {}): Promise<StartedPeer> {
  if (wishes.implicit === true && !IMPLICIT_PEERS.has(name)) throw new Error(`${name} has no implicit TLS`);
  return name === "ferryman" ? startOurs(wishes) : startOther(name, wishes);
}

async function startOurs({ implicit = false, host = HERE }: PeerWishes): Promise<StartedPeer> {
  const served = await startServer({ host, tls: { implicit, settings: { tls: "allow", dataBinding: "require" } } });
  fill(served.root);
  return described("ferryman", {
    port: served.port,
    login: { user: "ann", password: "secret" },
    root: served.root,
    implicit,
    host,
    close: async () => served[Symbol.asyncDispose](),
  });
}

async function startOther(name: OtherName, wishes: PeerWishes): Promise<StartedPeer> {
  const { implicit = false, host = HERE } = wishes;
  const folder = await mkdtemp(join(tmpdir(), "ferryman-peer-"));
  const ground = prepareGround(folder);
  const peer = OTHERS[name];
  try {
    for (let tries = 1; ; tries += 1) {
      const port = await freePort(host);
      const { command, environment } = await peer.prepare(ground, port);
      const lines = [
        ...(implicit ? [IMPLICIT_LINES[name] ?? ""] : []),
        ...(wishes.lines ?? []).map((each) => `${each}\n`),
      ];
      if (lines.length > 0) appendFileSync(command.at(-1) ?? "", lines.join(""));
      const running = run(
        command.map((word) => elsewhere(word, host)),
        environment ?? {},
      );
      try {
        await running.greets({ port, host }, implicit);
      } catch (error) {
        await running.end();
        if (tries < PORTS_TRIED) continue;
        throw error;
      }
      const close = async (): Promise<void> => {
        await running.end();
        await rm(folder, { recursive: true, force: true });
      };
      return described(name, { port, login: peer.logins(ground).files, root: ground.root, implicit, host, close });
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** A word of a command, or the configuration that it names, for another address than loopback. */
function elsewhere(word: string, host: string): string {
  if (host === HERE) return word;
  if (word.endsWith(".conf")) writeFileSync(word, readFileSync(word, "utf8").replaceAll(HERE, host));
  return word.replace(HERE, host);
}

type Description = Pick<StartedPeer, "port" | "login" | "root"> & {
  readonly implicit: boolean;
  readonly host: string;
  readonly close: () => Promise<void>;
};

function described(name: PeerName, { port, login, root, implicit, host, close }: Description): StartedPeer {
  const who = `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}`;
  return {
    name,
    port,
    login,
    root,
    url: (path = "", scheme = implicit ? "ftps" : "ftp") =>
      `${scheme}://${who}@${showEndpoint({ address: host, port })}${path}`,
    [Symbol.asyncDispose]: close,
  };
}

function fill(root: string): void {
  for (const [path, content] of Object.entries(CONTENT)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  mkdirSync(join(root, INCOMING));
  chmodSync(join(root, INCOMING), 0o777);
}

/** What the benchmark's servers want to know, made in milliseconds. */
function prepareGround(folder: string): Ground {
  const [root, state] = [join(folder, "root"), join(folder, "state")];
  for (const each of [root, state]) mkdirSync(each);
  for (const each of [folder, root, state]) chmodSync(each, 0o755);
  fill(root);
  const pair = pairFor("localhost", "127.0.0.1");
  const [cert, key, pem] = [join(state, "cert.pem"), join(state, "key.pem"), join(state, "both.pem")];
  writeFileSync(cert, pair.cert);
  writeFileSync(key, pair.key, { mode: 0o600 });
  writeFileSync(pem, `${pair.key}${pair.cert}`, { mode: 0o600 });
  const password = "secret";
  const argon2id = { user: "ann", hash: hashOf(password) };
  // Nobody signs in as him here: a word that is no hash fits no password.
  const sha512Crypt = { user: "bob", hash: "*" };
  const accounts = { password, argon2id, sha512Crypt };
  return { root, state, sizes: QUICK, cert, key, pem, ...accounts, ownMounts: false, memory: "none" };
}

type RunningProgram = { greets(at: Place, implicit: boolean): Promise<void>; end(): Promise<void> };
type Place = { readonly port: number; readonly host: string };

function run(
  [program = "", ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
): RunningProgram {
  const child: ChildProcess = spawn(program, args, {
    env: { ...process.env, LC_ALL: "C.UTF-8", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => (told = `${told}${text}`.slice(-TOLD)));
  }
  const limit = setTimeout(() => void child.kill("SIGKILL"), LIFE_LIMIT_MS);
  const gone = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    async greets(at, implicit) {
      const deadline = performance.now() + START_LIMIT_MS;
      while (!(await answers(at, implicit))) {
        if (hasEnded() || performance.now() > deadline) throw new Error(`${program} did not come up: ${told.trim()}`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    async end() {
      clearTimeout(limit);
      // Sessions of some have a process each, which would outlive the one that was started.
      const family = hasEnded() ? [] : descendantsOf(child.pid ?? 0);
      if (!hasEnded()) child.kill("SIGKILL");
      for (const pid of family) endProcess(pid);
      await gone;
      await until(`the processes of ${program} end`, () => family.every((pid) => !isAlive(pid)));
    },
  };
}

function descendantsOf(pid: number): readonly number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Whether somebody greets there; with implicit TLS, whether somebody listens. */
async function answers(at: Place, implicit: boolean): Promise<boolean> {
  const socket: Socket = createConnection(at);
  socket.on("error", () => {});
  const greeting = await new Promise<boolean>((resolve) => {
    socket.once("data", () => resolve(true));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => {
      // Where nobody listens yet, the system may connect a socket to itself, which then holds the port.
      if (socket.localPort === at.port) socket.destroy();
      else if (implicit) resolve(true);
    });
  });
  socket.destroy();
  return greeting;
}
