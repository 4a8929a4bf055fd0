"use strict";
/**
 * The Debian packages whose programs the tests talk to: installed where we may, named where we may not. A missing one
 * never fails the set-up, because its tests skip and say why. Old syntax on purpose, like setup.cjs.
 */
var childProcess = require("child_process");
var fs = require("fs");
var path = require("path");

/** Package → the program that shows that it is there, and what is not tested without it. */
var PACKAGES = [
  { name: "curl", program: "curl", without: "interop with curl" },
  { name: "lftp", program: "lftp", without: "interop with lftp" },
  { name: "tnftp", program: "tnftp", without: "interop with tnftp" },
  { name: "ncftp", program: "ncftpget", without: "interop with ncftp" },
  { name: "wget", program: "wget", without: "interop with wget" },
  { name: "python3", program: "python3", without: "interop with Python's ftplib" },
  { name: "openssl", program: "openssl", without: "a second opinion on our certificates" },
  { name: "vsftpd", program: "vsftpd", without: "the comparison with vsftpd" },
  { name: "nginx-light", program: "nginx", without: "fetching trees from nginx" },
  { name: "iproute2", program: "ss", without: "tests that count sockets" },
];
/** Programs for daemons lie where an ordinary PATH does not look. */
var EXTRA_FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin"];
var POLICY = "/usr/sbin/policy-rc.d";
/** Says "no" (101) to every package that wants to start its daemon; taken away again by its first words. */
var POLICY_TEXT =
  "#!/bin/sh\n# Ferryman's setup: no daemon is started while its test packages are installed.\nexit 101\n";
/** Seconds to wait while another apt holds the lock. */
var LOCK_SECONDS = 120;

module.exports = { PACKAGES: PACKAGES, missing: missing, provide: provide };

/** The packages whose program is nowhere on the search path. */
function missing(packages, folders) {
  return packages.filter(function (each) {
    return !folders.some(function (folder) {
      return fs.existsSync(path.join(folder, each.program));
    });
  });
}

/** Installs what is missing if this is root on a Debian, and tells what stays missing. @param say gets lines. */
function provide(say) {
  var folders = (process.env.PATH || "").split(path.delimiter).concat(EXTRA_FOLDERS);
  var wanted = missing(PACKAGES, folders);
  if (wanted.length === 0) return;
  var isRoot = typeof process.getuid === "function" && process.getuid() === 0;
  if (isRoot && missing([{ program: "apt-get" }], folders).length === 0) {
    say("Installing Debian packages for the tests (first time only): " + names(wanted) + " …");
    withoutDaemons(function () {
      installAll(wanted);
    });
    wanted = missing(PACKAGES, folders);
  }
  if (wanted.length === 0) return;
  wanted.forEach(function (each) {
    say("Not installed: " + each.name + ". Skipped for that: " + each.without + ".");
  });
  say("To have them all, as root: apt-get install --no-install-recommends " + names(wanted));
}

/** All at once; if that fails, with fresh lists; then one by one, so that one conflict costs one package. */
function installAll(wanted) {
  if (apt(installCommand(wanted))) return;
  apt(["update", "-qq"]);
  if (apt(installCommand(wanted))) return;
  wanted.forEach(function (each) {
    apt(installCommand([each]));
  });
}

function installCommand(packages) {
  return ["install", "-y", "-qq", "--no-install-recommends", "--no-remove"].concat(
    packages.map(function (each) {
      return each.name;
    }),
  );
}

function apt(args) {
  var environment = Object.assign({}, process.env, { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" });
  var options = ["-o", "DPkg::Lock::Timeout=" + LOCK_SECONDS];
  return childProcess.spawnSync("apt-get", options.concat(args), { env: environment, stdio: "ignore" }).status === 0;
}

/** Runs `work` while no package may start a daemon, and leaves neither a file nor a daemon for the next boot behind. */
function withoutDaemons(work) {
  var ours = false;
  var hadVsftpd = fs.existsSync("/usr/sbin/vsftpd");
  try {
    fs.writeFileSync(POLICY, POLICY_TEXT, { mode: 0o755, flag: "wx" });
    ours = true;
  } catch (error) {
    // The machine has a policy of its own (every container does), which we leave alone.
  }
  try {
    work();
    if (!hadVsftpd && fs.existsSync("/usr/sbin/vsftpd")) {
      childProcess.spawnSync("systemctl", ["disable", "--quiet", "vsftpd"], { stdio: "ignore" });
    }
  } finally {
    if (ours && fs.readFileSync(POLICY, "utf8") === POLICY_TEXT) fs.unlinkSync(POLICY);
  }
}

function names(packages) {
  return packages
    .map(function (each) {
      return each.name;
    })
    .join(" ");
}
