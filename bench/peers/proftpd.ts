/** ProFTPD with the modules for TLS, MODE Z and digests. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRoot } from "../processes.ts";
import { debianPeers, libraries, packageVersion, unpacked } from "./debian.ts";
import { GUEST, NEEDS_ROOT, type Peer } from "./peer.ts";

/** User and group of the account: nobody's. */
const OWNER = 64_990;

export const proftpd: Peer = {
  name: "proftpd",
  ours: false,
  setup:
    "`UseSendfile on`, no reverse DNS, no ident, `DelayEngine off`, no logs, scoreboard on; mod_tls with one authority instead of all that the system trusts, which each session would read, a session cache in shared memory and tickets, mod_deflate, mod_digest without its cache; users in an `AuthUserFile`.",
  absent: async () => (isRoot() ? await debianPeers() : NEEDS_ROOT),
  version: async () => `ProFTPD ${packageVersion("proftpd-core")}`,
  share: { d: 0.5, e: 0.05, g: 0.02, h: 0.05 },
  logins: ({ password, sha512Crypt: { user } }) => ({ files: GUEST, guest: GUEST, hashed: { user, password } }),
  async prepare({ root, state, cert, key, sha512Crypt }, port) {
    const folder = join(state, "proftpd");
    mkdirSync(folder, { recursive: true });
    const [file, users] = [join(folder, "proftpd.conf"), join(folder, "users")];
    const { user, hash } = sha512Crypt;
    // It reads no list of users that others may read.
    writeFileSync(users, `${user}:${hash}:${OWNER}:${OWNER}::${root}:/bin/false\n`, { mode: 0o600 });
    const lines = [
      `ModulePath ${unpacked("usr/lib/proftpd")}`,
      "ModuleControlsACLs insmod,rmmod deny user *",
      ...["tls", "tls_shmcache", "deflate", "digest"].map((name) => `LoadModule mod_${name}.c`),
      'ServerName "bench"',
      "ServerType standalone",
      "DefaultAddress 127.0.0.1",
      "SocketBindTight on",
      `Port ${port}`,
      "UseIPv6 off",
      "UseReverseDNS off",
      "DelayEngine off",
      "UseSendfile on",
      "ControlsEngine off",
      "MaxInstances none",
      "TimeoutIdle 3600",
      "TimeoutNoTransfer 3600",
      "TimeoutLogin 3600",
      "PassivePorts 20000 30000",
      "RequireValidShell off",
      "AuthOrder mod_auth_file.c mod_auth_unix.c",
      `AuthUserFile ${users}`,
      "DefaultRoot ~",
      "User nobody",
      "Group nogroup",
      "SystemLog none",
      "TransferLog none",
      "WtmpLog off",
      `PidFile ${join(folder, "pid")}`,
      `ScoreboardFile ${join(folder, "scoreboard")}`,
      "AllowOverwrite on",
      "ListOptions -a",
      "TLSEngine on",
      "TLSRequired off",
      "TLSProtocol TLSv1.2 TLSv1.3",
      `TLSECCertificateFile ${cert}`,
      `TLSECCertificateKeyFile ${key}`,
      // Else each session reads all authorities that the system trusts, for a tenth of a second.
      `TLSCACertificateFile ${cert}`,
      `TLSSessionCache shm:/file=${join(folder, "sessions")}`,
      "TLSSessionTickets on",
      "DeflateEngine on",
      "DigestEngine on",
      "DigestCache off",
      `<Anonymous ${root}>`,
      "  User ftp",
      "  Group nogroup",
      "  UserAlias anonymous ftp",
      "  RequireValidShell off",
      "  MaxClients none",
      "  <Limit ALL>",
      "    AllowAll",
      "  </Limit>",
      "</Anonymous>",
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    return { command: [unpacked("usr/sbin/proftpd"), "-n", "-q", "-c", file], environment: libraries() };
  },
};
