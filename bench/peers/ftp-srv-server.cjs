"use strict";
/** ftp-srv for the benchmark. Arguments: the folder of its packages, root, port, certificate, key. */
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const [packages, root, port, cert, key] = process.argv.slice(2);
const { FtpSrv } = createRequire(join(packages, "package.json"))("ftp-srv");
const nothing = () => {};
const log = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing };
log.child = () => log;

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
server.on("login", (_login, accept) => accept({ root }));
server.listen();
