/** Ferryman as it runs in earnest: broker and workers, limits lifted as far as one machine's clients need, log off. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ground } from "../ground.ts";
import { GUEST, type Peer } from "./peer.ts";
import { readFileSync } from "node:fs";

const PROJECT = join(import.meta.dirname, "..", "..");

/** Everything comes from one address and waits for long: no limit may say no to that, and no ban. */
const LIMITS = `
[limits]
sessions = 100000
sessions-per-address = 100000
connection-rate = 1000000
[bans]
automatic-bans = false
[server]
idle-timeout = "12h"
login-timeout = "1h"
[tls]
handshake-timeout = 300
[control]
control-socket = "off"
`;

function variant(name: string, { workers, setup }: { workers: readonly string[]; setup: string }): Peer {
  return {
    name,
    ours: true,
    setup,
    absent: async () => undefined,
    version: async () =>
      `Ferryman ${/"version": "([^"]+)"/.exec(readFileSync(join(PROJECT, "package.json"), "utf8"))?.[1] ?? "unknown"}`,
    logins: ({ user, password }) => ({ files: { user, password }, guest: GUEST, hashed: { user, password } }),
    async prepare(ground, port) {
      const { root, state, cert, key } = ground;
      const [config, users] = [join(state, `${name}.toml`), join(state, `${name}-users.toml`)];
      writeFileSync(users, usersOf(ground), { mode: 0o600 });
      writeFileSync(config, `[serve]\nanonymous = "read"\nlog = "off"\n${LIMITS}`);
      const where = [root, "--listen", `127.0.0.1:${port}`, "--config", config, "--users", users];
      const more = ["--state-folder", join(state, name), "--cert", cert, "--key", key, ...workers];
      return { command: [process.execPath, join(PROJECT, "bin", "ferryman.cjs"), "serve", ...where, ...more] };
    },
  };
}

function usersOf({ root, user, hash }: Ground): string {
  return `[users.${user}]\npassword = "${hash}"\nhome = "${root}"\nrights = "write"\n`;
}

const COMMON = "limits and bans lifted, log off, its sandbox on; under root a broker and workers without rights";

export const ferryman: Peer = variant("ferryman", {
  workers: [],
  setup: `As it comes: one worker a processor; ${COMMON}.`,
});
export const ferrymanOne: Peer = variant("ferryman-1", {
  workers: ["--workers", "1"],
  setup: `One worker; ${COMMON}.`,
});
