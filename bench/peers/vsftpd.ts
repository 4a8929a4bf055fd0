/** vsftpd, as Debian ships it and as its manual lets one tune it. Of accounts it asks PAM, which asks pam_pwdfile. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ground } from "../ground.ts";
import { isRoot, run } from "../processes.ts";
import { debianPeers, libraries, packageVersion, pamModule, unpacked } from "./debian.ts";
import { GUEST, NEEDS_ROOT, type Peer } from "./peer.ts";

type Variant = {
  readonly name: string;
  readonly setup: string;
  readonly share: NonNullable<Peer["share"]>;
  readonly more: readonly string[];
  readonly hasAccounts: boolean;
  readonly forAccounts?: Peer;
};

/** Of PAM: it reads this name's file below /etc/pam.d. */
const SERVICE = "ferryman-bench";

/** An account is a guest with a password, which is how its manual has virtual users: PAM knows them, the system does not. */
function accountSettings({ root }: Ground): readonly string[] {
  return [
    "local_enable=YES",
    `pam_service_name=${SERVICE}`,
    "guest_enable=YES",
    "guest_username=ftp",
    `local_root=${root}`,
    "chroot_local_user=YES",
  ];
}

let pam: Promise<string> | undefined;

/** Puts a folder of ours over /etc/pam.d, in this run's own table of mounts. */
async function ownPam({ state, sha512Crypt: { user, hash } }: Ground): Promise<string> {
  const [folder, users] = [join(state, "pam.d"), join(state, "vsftpd-users")];
  cpSync("/etc/pam.d", folder, { recursive: true });
  writeFileSync(users, `${user}:${hash}\n`, { mode: 0o600 });
  const lines = [`auth required ${pamModule("pam_pwdfile.so")} pwdfile=${users}`, "account required pam_permit.so", ""];
  writeFileSync(join(folder, SERVICE), lines.join("\n"));
  return await run("mount", ["--bind", folder, "/etc/pam.d"]);
}

function settings({ root, cert, key }: Ground, { port, empty }: { port: number; empty: string }): readonly string[] {
  return [
    "listen=YES",
    "listen_ipv6=NO",
    "background=NO",
    `listen_port=${port}`,
    "listen_address=127.0.0.1",
    `secure_chroot_dir=${empty}`,
    "anonymous_enable=YES",
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

function variant({ name, setup, share, more, hasAccounts, forAccounts }: Variant): Peer {
  return {
    name,
    ...(forAccounts === undefined ? {} : { forAccounts }),
    ours: false,
    setup,
    absent: async () => (isRoot() ? await debianPeers() : NEEDS_ROOT),
    version: async () => `vsftpd ${packageVersion("vsftpd")}`,
    share,
    // /etc/pam.d of the machine is not ours to write.
    logins: ({ ownMounts, password, sha512Crypt: { user } }) => ({
      files: GUEST,
      guest: GUEST,
      ...(ownMounts ? { hashed: { user, password } } : {}),
    }),
    async prepare(ground, port) {
      const accounts = hasAccounts && ground.ownMounts;
      if (accounts) await (pam ??= ownPam(ground));
      const empty = join(ground.state, "empty");
      mkdirSync(empty, { recursive: true });
      const file = join(ground.state, `${name}.conf`);
      const who = accounts ? accountSettings(ground) : ["local_enable=NO"];
      writeFileSync(file, [...settings(ground, { port, empty }), ...who, ...more, ""].join("\n"));
      return { command: [unpacked("usr/sbin/vsftpd"), file], environment: libraries() };
    },
  };
}

const COMMON = "xferlog off, no limits of clients, TLS offered to guests, data connections must resume the session";

const ACCOUNTS = "users by PAM with pam_pwdfile, as virtual users of its own guest_enable";

const tunedAccounts: Peer = variant({
  name: "vsftpd-accounts",
  setup: "",
  share: {},
  more: ["seccomp_sandbox=NO"],
  hasAccounts: true,
});

export const vsftpd: Peer = variant({
  name: "vsftpd",
  setup: `\`seccomp_sandbox=NO\`, \`one_process_model=YES\` (guests only; for users, whom that does not allow, a second one without it); ${COMMON}; ${ACCOUNTS}.`,
  share: { g: 0.1 },
  more: ["seccomp_sandbox=NO", "one_process_model=YES"],
  hasAccounts: false,
  forAccounts: tunedAccounts,
});

export const vsftpdDefault: Peer = variant({
  name: "vsftpd-default",
  setup: `Debian's defaults: sandbox on, two processes a session; ${COMMON}; ${ACCOUNTS}.`,
  share: { d: 0.5, g: 0.1 },
  more: [],
  hasAccounts: true,
});
