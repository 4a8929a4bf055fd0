/** Pure-FTPd with one virtual user in its own database. */
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
    "A virtual user in PureDB with the same argon2id hash as ours; no reverse DNS (`-H`), no log (`-f none`), no limits of clients, `-Y 1` for TLS.",
  absent: async () => (isRoot() ? await debianPeers() : NEEDS_ROOT),
  version: async () => `Pure-FTPd ${packageVersion("pure-ftpd")}`,
  share: { g: 0.1 },
  logins: ({ user, password }) => ({ files: { user, password }, guest: GUEST, hashed: { user, password } }),
  async prepare({ root, state, pem, user, hash }, port) {
    const folder = join(state, "pure-ftpd");
    mkdirSync(folder, { recursive: true });
    const [list, database] = [join(folder, "users"), join(folder, "users.pdb")];
    writeFileSync(list, `${user}:${hash}:${OWNER}:${OWNER}::${root}/./${NO_LIMITS}\n`);
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
