/** pyftpdlib, in Debian's Python. */
import { join } from "node:path";
import { findProgram } from "../processes.ts";
import { debianPeers, packageVersion, unpacked } from "./debian.ts";
import { GUEST, type Peer } from "./peer.ts";

/** Debian's own interpreter: its packages are made for that one. */
const PYTHON = "/usr/bin/python3";

export const pyftpdlib: Peer = {
  name: "pyftpdlib",
  ours: false,
  setup:
    "One process with the event loop, `use_sendfile`, logging off, no limits of clients, TLS by `TLS_FTPHandler`; an authorizer that asks libcrypt about users, in the one thread that there is.",
  absent: async () => (findProgram("python3") === undefined ? "no python3 here" : await debianPeers()),
  version: async () => `pyftpdlib ${packageVersion("python3-pyftpdlib")}`,
  logins: ({ password, sha512Crypt: { user } }) => ({ files: GUEST, guest: GUEST, hashed: { user, password } }),
  share: { d: 0.5, g: 0.3 },
  async prepare({ root, pem, sha512Crypt: { user, hash } }, port) {
    const script = join(import.meta.dirname, "pyftpdlib-server.py");
    return {
      command: [PYTHON, script, root, String(port), pem, user, hash],
      environment: { PYTHONPATH: unpacked("usr/lib/python3/dist-packages"), PYTHONDONTWRITEBYTECODE: "1" },
    };
  },
};
