"use strict";
/** ftp-srv for the benchmark. Arguments: the folder of its packages, root, port, certificate, key, a user and his hash. */
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const [packages, root, port, cert, key, user, hash] = process.argv.slice(2);
const { FtpSrv } = createRequire(join(packages, "package.json"))("ftp-srv");
const nothing = () => {};
const log = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing };
log.child = () => log;

/** Octets of struct crypt_data. */
const DATA = 32768;
let cryptR;

/** crypt_r(3) on a thread of libuv's pool; loaded for the first user, so that guests start without it. */
function crypt(password, done) {
  const koffi = require("koffi");
  cryptR ??= koffi.load("libcrypt.so.1").func("crypt_r", "str", ["void*", "void*", "void*"]);
  const values = [Buffer.from(`${password}\0`), Buffer.from(`${hash}\0`), Buffer.alloc(DATA)];
  // Held until the end: the other thread reads them.
  cryptR.async(...values, (error, found) => done(error === null && values.length > 0 ? found : undefined));
}

const server = new FtpSrv({
  url: `ftp://127.0.0.1:${port}`,
  pasv_url: "127.0.0.1",
  pasv_min: 20000,
  pasv_max: 30000,
  anonymous: true,
  timeout: 0,
  log,
  tls: { cert: readFileSync(cert), key: readFileSync(key) },
});
server.on("login", ({ username, password }, accept, refuse) => {
  if (username !== user) accept({ root });
  else crypt(password, (found) => (found === hash ? accept({ root }) : refuse(new Error("wrong password"))));
});
server.listen();
