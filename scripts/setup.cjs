"use strict";
/**
 * What `npm start` and `npm test` need before they can run: the locked packages (with the pinned Node among them),
 * and for tests the FTP clients of Debian. Old syntax on purpose: it runs on the Node that the machine has.
 *
 *   node scripts/setup.cjs start|test
 *
 * One set of packages serves both: leaving out the development part saves about a second of ten, while adding it
 * later would take node_modules away from under a server that `npm start` left running.
 */
var childProcess = require("child_process");
var crypto = require("crypto");
var fs = require("fs");
var path = require("path");
var node = require("../bin/find-node.cjs");
var debian = require("./debian-packages.cjs");
var installLock = require("./install-lock.cjs");

var ROOT = path.join(__dirname, "..");
var MODULES = path.join(ROOT, "node_modules");
var LOCK = path.join(ROOT, "package-lock.json");
/** npm's own note of what it put there. */
var INSTALLED = path.join(MODULES, ".package-lock.json");
/** Written when an install is whole; holds the hash of the lockfile that it followed. */
var STAMP = path.join(MODULES, ".ferryman-setup");
/** Wrong set-up: EX_CONFIG of sysexits.h, as everywhere in Ferryman. */
var CONFIGURATION = 78;
/** Milliseconds for the servers that tests of the client talk to: some 10 MB from a Debian mirror, once. */
var PEERS_LIMIT_MS = 180 * 1000;
/** What npm may say before the rest is dropped, octets. */
var OUTPUT_LIMIT = 1024 * 1024;

/** What npm's output says, and what to do then. The first that fits is shown. */
var REMEDIES = [
  [/ENOSPC/, "The disk is full: about 350 MB are needed in " + ROOT + "."],
  [/EACCES|EPERM|EROFS/, "No right to write. Own the folder (chown) or clone it again as the user who runs this."],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|network/,
    "The package registry cannot be reached. Check the network, HTTPS_PROXY and: npm config get registry",
  ],
  [/EINTEGRITY/, "A package differs from what package-lock.json expects. Try: npm cache clean --force"],
  [/EUSAGE|in sync/, "package.json and package-lock.json disagree. Run npm install, then commit the lockfile."],
  [/ETARGET|E404/, "The registry does not have a locked package. Is a mirror behind? npm config get registry"],
];

module.exports = { followsLock: followsLock, remedyFor: remedyFor };
if (require.main === module) main(process.argv[2]);

function main(profile) {
  if (profile !== "start" && profile !== "test") {
    console.error("usage: node scripts/setup.cjs start|test");
    process.exit(2);
  }
  if (isReady()) return provide(profile);
  checkWritable();
  var lock = acquireLock();
  // What we waited for may have been this very install.
  if (isReady()) {
    lock.release();
    return provide(profile);
  }
  install(lock, function () {
    provide(profile);
  });
}

function provide(profile) {
  if (profile !== "test") return;
  debian.provide(console.error);
  var script = path.join(__dirname, "fetch-peers.mjs");
  childProcess.spawnSync(node.findNode(ROOT), [script], { stdio: "inherit", timeout: PEERS_LIMIT_MS });
}

function acquireLock() {
  try {
    return installLock.acquire(path.join(ROOT, ".ferryman-setup.lock"), console.error);
  } catch (error) {
    return fail(error.message);
  }
}

function isReady() {
  if (node.findNode(ROOT) === undefined) return false;
  var hash = lockHash();
  if (read(STAMP) === hash) return true;
  // Somebody ran npm ci or npm install by hand: that counts when it followed this lockfile.
  var installed = read(INSTALLED);
  if (installed === undefined || !followsLock(JSON.parse(read(LOCK)), JSON.parse(installed))) return false;
  return writeStamp(hash);
}

/**
 * Whether what npm installed is what the lockfile says. Optional packages may be absent: those of other platforms are.
 * @param {{packages: Object}} lock package-lock.json
 * @param {{packages: Object}} installed node_modules/.package-lock.json
 */
function followsLock(lock, installed) {
  return Object.keys(lock.packages).every(function (name) {
    var wanted = lock.packages[name];
    var found = installed.packages[name];
    if (name.indexOf("node_modules/") !== 0) return true;
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && (!wanted.integrity || found.integrity === wanted.integrity);
  });
}

function install(lock, done) {
  var started = Date.now();
  console.error("Installing the locked packages and Node " + node.NEEDED[0] + " into node_modules (first time only) …");
  // An interrupted install must not look like a whole one.
  [STAMP, INSTALLED].forEach(remove);
  runNpm(
    ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev", "--include=optional", "--loglevel=error"],
    lock,
    function (outcome) {
      lock.release();
      if (outcome.error !== undefined && outcome.error.code === "ENOENT") {
        fail("npm was not found. Install it (on Debian: apt-get install npm) and try again.");
      }
      if (outcome.error !== undefined) fail("npm could not be started: " + outcome.error.message);
      if (outcome.signal) fail("The install was interrupted (" + outcome.signal + "); run it again.");
      if (outcome.status !== 0) {
        console.error(outcome.output.trim() + "\n");
        fail(remedyFor(outcome.output));
      }
      checkNode();
      writeStamp(lockHash());
      console.error("Installed in " + ((Date.now() - started) / 1000).toFixed(1) + " s.");
      done();
    },
  );
}

/** Through the npm that started us, so that its Node and its settings stay the same. */
function runNpm(args, lock, done) {
  var npm = startNpm(args);
  var output = "";
  var outcome;
  if (npm.pid !== undefined) lock.add(npm.pid);
  // Who stops the set-up stops npm with it.
  ["SIGINT", "SIGTERM", "SIGHUP"].forEach(function (signal) {
    process.once(signal, function () {
      npm.kill(signal);
    });
  });
  [npm.stdout, npm.stderr].forEach(function (stream) {
    stream.setEncoding("utf8").on("data", function (text) {
      output = (output + text).slice(0, OUTPUT_LIMIT);
    });
  });
  npm.on("error", function (error) {
    outcome = { error: error };
    if (npm.pid === undefined) done(outcome);
  });
  npm.on("close", function (status, signal) {
    if (outcome === undefined) done({ status: status, signal: signal, output: output });
  });
}

function startNpm(args) {
  var options = { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] };
  var script = process.env.npm_execpath;
  if (script !== undefined && /\.c?js$/.test(script)) {
    return childProcess.spawn(process.env.npm_node_execpath || process.execPath, [script].concat(args), options);
  }
  options.shell = process.platform === "win32";
  return childProcess.spawn("npm", args, options);
}

function remedyFor(output) {
  var found = REMEDIES.filter(function (remedy) {
    return remedy[0].test(output);
  })[0];
  return found === undefined ? "npm could not install the packages; its words are above." : found[1];
}

function checkWritable() {
  try {
    fs.accessSync(ROOT, fs.constants.W_OK);
    if (fs.existsSync(MODULES)) fs.accessSync(MODULES, fs.constants.W_OK);
  } catch (error) {
    fail("No right to write in " + ROOT + ". Own the folder (chown), or clone it again as the user who runs this.");
  }
}

/** The pinned Node is optional for npm: without one for this platform the install succeeds, and nothing would run. */
function checkNode() {
  var found = node.findNode(ROOT);
  var needed = node.NEEDED.join(".");
  if (found === undefined) {
    var platform = process.platform + "-" + process.arch;
    fail("No Node is pinned for " + platform + ". Install Node.js " + needed + " or later and try again.");
  }
  if (found !== process.execPath && childProcess.spawnSync(found, ["--version"]).status !== 0) {
    fail("The pinned Node does not run here (it needs glibc 2.28). Install Node.js " + needed + " or later.");
  }
}

function lockHash() {
  return crypto.createHash("sha256").update(fs.readFileSync(LOCK)).digest("hex");
}

function writeStamp(hash) {
  try {
    fs.writeFileSync(STAMP, hash);
  } catch (error) {
    // Only costs the comparison next time: a checkout may be read-only and complete.
  }
  return true;
}

function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    return undefined;
  }
}

function remove(file) {
  try {
    fs.unlinkSync(file);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
  }
}

function fail(text) {
  console.error(text);
  process.exit(CONFIGURATION);
}
