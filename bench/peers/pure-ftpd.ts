/** Pure-FTPd with virtual users in its own database. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRoot, run } from "../processes.ts";
import { debianPeers, libraries, packageVersion, unpacked } from "./debian.ts";
import { GUEST, NEEDS_ROOT, type Peer } from "./peer.ts";

/** User and group of the virtual user: nobody's, like those of the other servers' sessions. */
const OWNER = 64_990;
const NO_LIMITS = [":", "", "", "", "", "", "", "", "", "", "", ""].join(":");

export const pureFtpd: Peer = {
  name: "pure-ftpd",
  ours: false,
  setup:
    "Virtual users in PureDB with the same hashes as ours; no reverse DNS (`-H`), no log (`-f none`), no limits of clients, `-Y 1` for TLS.",
  absent: async () => (isRoot() ? await debianPeers() : NEEDS_ROOT),
  version: async () => `Pure-FTPd ${packageVersion("pure-ftpd")}`,
  share: { g: 0.1 },
  logins({ password, argon2id, sha512Crypt }) {
    const files = { user: argon2id.user, password };
    return { guest: GUEST, files, hashed: { user: sha512Crypt.user, password }, argon2id: files };
  },
  async prepare({ root, state, pem, argon2id, sha512Crypt }, port) {
    const folder = join(state, "pure-ftpd");
    mkdirSync(folder, { recursive: true });
    const [list, database] = [join(folder, "users"), join(folder, "users.pdb")];
    const lines = [argon2id, sha512Crypt].map(
      ({ user, hash }) => `${user}:${hash}:${OWNER}:${OWNER}::${root}/./${NO_LIMITS}\n`,
    );
    writeFileSync(list, lines.join(""));
    await run(unpacked("usr/bin/pure-pw"), ["mkdb", database, "-f", list], { environment: libraries() });
    const flags = ["-S", `127.0.0.1,${port}`, "-l", `puredb:${database}`, "-H", "-f", "none", "-c", "100000"];
    const more = ["-C", "100000", "-I", "60", "-p", "20000:30000", "-L", "1000000:10", "-k", "100", "-D", "-Y", "1"];
    const files = ["-2", pem, "-g", join(folder, "pid")];
    return {
      command: [unpacked("usr/sbin/pure-ftpd"), ...flags, ...more, ...files],
      environment: { ...libraries(), FTP_ANON_DIR: root },
    };
  },
};
