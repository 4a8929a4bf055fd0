/** Copies straight between two vsftpd, as Debian ships it, and from it to ours. It needs root, and is passed over without. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import { until } from "../support/attack.ts";
import { freePort } from "../support/ports.ts";
import { startServer } from "../support/server.ts";
import { oddServer } from "./odd-server.ts";
import { type Scratch, scratch } from "../../src/client/test-folder.ts";
import { clearClient } from "./clear-client.ts";

const PROGRAM = "/usr/sbin/vsftpd";
const isPossible = existsSync(PROGRAM) && process.getuid?.() === 0;
const skip = isPossible ? false : "vsftpd is not here, or we are not root";
const octets = randomBytes(2_000_003);

type Vsftpd = AsyncDisposable & { readonly client: Client; readonly file: (name: string) => string };

/** With or without leave to speak to a third host. Guests may upload to `in`. */
async function vsftpd(folder: Scratch, { host, isOpen }: { host: string; isOpen: boolean }): Promise<Vsftpd> {
  const root = folder.at(`root-${host}`);
  const uploads = join(root, "in");
  mkdirSync(uploads, { recursive: true });
  mkdirSync(folder.at("empty"), { recursive: true });
  chmodSync(folder.path, 0o755);
  const [uid, gid] = guest();
  chownSync(uploads, uid, gid);
  writeFileSync(join(uploads, "big"), octets);
  chownSync(join(uploads, "big"), uid, gid);
  const port = await freePort(host);
  const leave = isOpen ? "YES" : "NO";
  const lines = `
    listen=YES listen_ipv6=NO background=NO seccomp_sandbox=NO xferlog_enable=NO connect_from_port_20=NO
    listen_port=${port} listen_address=${host} secure_chroot_dir=${folder.at("empty")}
    anonymous_enable=YES local_enable=NO anon_root=${root} write_enable=YES anon_upload_enable=YES
    anon_other_write_enable=YES anon_world_readable_only=NO anon_umask=022
    pasv_promiscuous=${leave} port_promiscuous=${leave}`;
  const file = folder.at(`${host}.conf`);
  writeFileSync(file, `${lines.trim().split(/\s+/).join("\n")}\n`);
  const child = spawn(PROGRAM, [file], { stdio: "ignore" });
  const gone = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  try {
    await until("vsftpd", async () => await answers(host, port));
    const client = await connect(`ftp://${host}:${port}/`, { store: false, tls: "off" });
    return {
      client,
      file: (name) => join(uploads, name),
      async [Symbol.asyncDispose]() {
        await client.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Whom vsftpd makes of anonymous users. */
function guest(): readonly [number, number] {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((user) => user.startsWith("ftp:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  return [Number(uid), Number(gid)];
}

async function answers(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection({ host, port });
    socket.once("data", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("data", () => socket.destroy());
  });
}

test("a file goes straight between two vsftpd that allow it", { skip }, async () => {
  await using folder = await scratch();
  await using one = await vsftpd(folder, { host: "127.0.0.1", isOpen: true });
  await using two = await vsftpd(folder, { host: "127.0.0.2", isOpen: true });
  const done = await one.client.copyTo(two.client, "in/big", "in/copy", { fxp: "require" });
  assert.deepEqual([done.way, done.verified], ["fxp", "size"]);
  assert.ok(readFileSync(two.file("copy")).equals(octets));
});

test(
  "a vsftpd as it is shipped neither calls a third host nor lets it in: to ours it goes through us",
  { skip },
  async () => {
    await using folder = await scratch();
    await using one = await vsftpd(folder, { host: "127.0.0.1", isOpen: false });
    await using ours = await startServer({ host: "127.0.0.2", settings: { fxp: true } });
    await using to = await clearClient(ours, { host: "127.0.0.2" });
    const done = await one.client.copyTo(to, "in/big", "copy");
    assert.equal(done.way, "relay");
    assert.match(done.why ?? "", /500 Illegal PORT command.*425 Security: Bad IP connecting/);
    assert.ok(readFileSync(join(ours.root, "copy")).equals(octets));
  },
);

test("between two vsftpd as they are shipped it goes through us", { skip }, async () => {
  await using folder = await scratch();
  await using one = await vsftpd(folder, { host: "127.0.0.1", isOpen: false });
  await using two = await vsftpd(folder, { host: "127.0.0.2", isOpen: false });
  const done = await one.client.copyTo(two.client, "in/big", "in/copy");
  assert.equal(done.way, "relay");
  assert.match(done.why ?? "", /500 Illegal PORT command/);
  assert.ok(readFileSync(two.file("copy")).equals(octets));
});

test("what a source that breaks off has left at a vsftpd is gone on with", { skip }, async () => {
  await using folder = await scratch();
  await using target = await vsftpd(folder, { host: "127.0.0.1", isOpen: false });
  await using odd = await oddServer({ file: octets, cutAfter: (transfer) => (transfer < 3 ? 700_000 : undefined) });
  await using from = await clearClient(odd);
  const done = await from.copyTo(target.client, "big", "in/copy", { fxp: "never", retry: { firstMs: 1 } });
  assert.equal(done.bytes, octets.length);
  assert.ok(readFileSync(target.file("copy")).equals(octets));
  // How much of it had come when it was cut is up to chance; the file would not be whole if it was not that.
  assert.equal(odd.commands.filter((line) => line.includes("REST")).length, 2);
});
