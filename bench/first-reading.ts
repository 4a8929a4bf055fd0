/**
 * A first reading of speed: Ferryman and vsftpd side by side, alternating, on loopback, with the same clients. The real
 * benchmark has an issue of its own; this one says whether we are in the right street. Needs root and vsftpd.
 * Usage: node bench/first-reading.ts [rounds]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wire, listenLocally } from "../test/support/wire.ts";
import { run } from "../test/support/run.ts";

const rounds = Number(process.argv[2] ?? 3);
const FILES = 10_000;
const GIB = 1_073_741_824;

const root = mkdtempSync(join(tmpdir(), "ferryman-bench-"));
chmodSync(root, 0o755);
mkdirSync(join(root, "small"));
mkdirSync(join(root, "incoming"), { mode: 0o777 });
chmodSync(join(root, "incoming"), 0o777);
for (let at = 0; at < FILES; at++) writeFileSync(join(root, "small", `${at}.bin`), Buffer.alloc(1_024, at));
writeFileSync(join(root, "big.bin"), "");
truncateSync(join(root, "big.bin"), GIB);
await run("cp", ["--sparse=never", join(root, "big.bin"), join(root, "full.bin")]);

type Peer = { readonly name: string; readonly port: number; readonly child: ChildProcess };

async function freePort(): Promise<number> {
  const { server, port } = await listenLocally();
  server.close();
  await once(server, "close");
  return port;
}

async function startVsftpd(): Promise<Peer> {
  const port = await freePort();
  const config = join(root, "..", `vsftpd-bench-${process.pid}.conf`);
  const lines = [
    "listen=YES",
    "background=NO",
    `listen_port=${port}`,
    "listen_address=127.0.0.1",
    "anonymous_enable=YES",
    "local_enable=NO",
    `anon_root=${root}`,
    "write_enable=YES",
    "anon_upload_enable=YES",
    "anon_other_write_enable=YES",
    "anon_umask=022",
    "xferlog_enable=NO",
    "seccomp_sandbox=NO",
    "pasv_min_port=20000",
    "pasv_max_port=30000",
    "max_per_ip=0",
    "max_clients=0",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const child = spawn("/usr/sbin/vsftpd", [config], { stdio: "ignore" });
  await listens(port);
  rmSync(config);
  return { name: "vsftpd", port, child };
}

async function startFerryman(): Promise<Peer> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, "server.ts"), root, `${port}`], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  await listens(port);
  return { name: "Ferryman", port, child };
}

async function listens(port: number): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    const socket = createConnection({ port, host: "127.0.0.1" });
    const open = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on ${port}`);
}

type Work = { readonly name: string; readonly of: (peer: Peer) => Promise<void> };

const user = "anonymous";
const WORK: readonly Work[] = [
  { name: "RETR 1 GiB (curl)", of: async ({ port }) => curl(["-o", "/dev/null", `ftp://127.0.0.1:${port}/full.bin`]) },
  {
    name: "STOR 1 GiB (curl)",
    of: async ({ port }) => curl(["-T", join(root, "full.bin"), `ftp://127.0.0.1:${port}/incoming/up-${Date.now()}`]),
  },
  {
    name: "RETR 10,000 x 1 KiB, EPSV each",
    of: async ({ port }) =>
      small(port, async (wire, at) => {
        await wire.fetch(`RETR small/${at}.bin`);
      }),
  },
  {
    name: "STOR 10,000 x 1 KiB, EPSV each",
    of: async ({ port }) => {
      const content = Buffer.alloc(1_024, "x");
      const stamp = Date.now();
      await small(port, async (wire, at) => {
        await wire.store(`STOR incoming/${stamp}-${at}`, content);
      });
    },
  },
];

async function curl(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run("curl", ["-sS", "--ftp-method", "nocwd", ...args]);
  if (code !== 0) throw new Error(`curl: exit ${code} ${stderr}`);
}

async function small(port: number, one: (wire: Wire, at: number) => Promise<void>): Promise<void> {
  using wire = await Wire.login(port, { user, password: "x@y" });
  await wire.expect(200, "TYPE I");
  for (let at = 0; at < FILES; at++) await one(wire, at);
}

const peers = [await startVsftpd(), await startFerryman()];
console.log(`${rounds} rounds, alternating; medians; wall ms\n`);
try {
  for (const { name, of } of WORK) {
    const figures = new Map<string, number[]>();
    for (let round = 0; round < rounds; round++) {
      for (const peer of peers) {
        const started = performance.now();
        await of(peer);
        const wall = performance.now() - started;
        figures.set(peer.name, [...(figures.get(peer.name) ?? []), wall]);
        await run("sh", ["-c", `rm -f ${join(root, "incoming")}/up-*; find ${join(root, "incoming")} -type f -delete`]);
      }
    }
    const shown = [...figures].map(([peer, all]) => `${peer} ${median(all)}`);
    console.log(`${name.padEnd(34)} ${shown.join("   ")}`);
  }
} finally {
  for (const { child } of peers) child.kill("SIGTERM");
  rmSync(root, { recursive: true, force: true });
}

function median(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((one, other) => one - other);
  return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0);
}
