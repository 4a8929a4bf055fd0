/** vsftpd, as Debian ships it and as its manual lets one tune it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ground } from "../ground.ts";
import { isRoot } from "../processes.ts";
import { debianPeers, libraries, packageVersion, unpacked } from "./debian.ts";
import { GUEST, NEEDS_ROOT, type Peer } from "./peer.ts";

type Variant = {
  readonly name: string;
  readonly setup: string;
  readonly share: NonNullable<Peer["share"]>;
  readonly more: readonly string[];
};

function settings({ root, cert, key }: Ground, { port, empty }: { port: number; empty: string }): readonly string[] {
  return [
    "listen=YES",
    "listen_ipv6=NO",
    "background=NO",
    `listen_port=${port}`,
    "listen_address=127.0.0.1",
    `secure_chroot_dir=${empty}`,
    "anonymous_enable=YES",
    "local_enable=NO",
    "no_anon_password=NO",
    `anon_root=${root}`,
    "write_enable=YES",
    "anon_upload_enable=YES",
    "anon_other_write_enable=YES",
    "anon_world_readable_only=NO",
    "anon_umask=022",
    "xferlog_enable=NO",
    "ascii_download_enable=YES",
    "pasv_min_port=20000",
    "pasv_max_port=30000",
    "max_per_ip=0",
    "max_clients=0",
    "idle_session_timeout=3600",
    "ssl_enable=YES",
    "allow_anon_ssl=YES",
    "force_local_logins_ssl=NO",
    "force_local_data_ssl=NO",
    "require_ssl_reuse=YES",
    "ssl_ciphers=HIGH",
    `rsa_cert_file=${cert}`,
    `rsa_private_key_file=${key}`,
  ];
}

function variant({ name, setup, share, more }: Variant): Peer {
  return {
    name,
    ours: false,
    setup,
    absent: async () => (isRoot() ? await debianPeers() : NEEDS_ROOT),
    version: async () => `vsftpd ${packageVersion("vsftpd")}`,
    share,
    logins: () => ({ files: GUEST, guest: GUEST }),
    async prepare(ground, port) {
      const empty = join(ground.state, "empty");
      mkdirSync(empty, { recursive: true });
      const file = join(ground.state, `${name}.conf`);
      writeFileSync(file, [...settings(ground, { port, empty }), ...more, ""].join("\n"));
      return { command: [unpacked("usr/sbin/vsftpd"), file], environment: libraries() };
    },
  };
}

const COMMON = "xferlog off, no limits of clients, TLS offered to guests, data connections must resume the session";

export const vsftpd: Peer = variant({
  name: "vsftpd",
  setup: `\`seccomp_sandbox=NO\`, \`one_process_model=YES\` (guests only); ${COMMON}.`,
  share: { g: 0.1 },
  more: ["seccomp_sandbox=NO", "one_process_model=YES"],
});

export const vsftpdDefault: Peer = variant({
  name: "vsftpd-default",
  setup: `Debian's defaults: sandbox on, two processes a session; ${COMMON}.`,
  share: { d: 0.5, g: 0.1 },
  more: [],
});
