#!/usr/bin/env node
"use strict";
/**
 * Starts Ferryman. On a Node that is too old it finds the one that a checkout brings along, or says what to do.
 * Old syntax on purpose: everything that a recent Node needs is behind the import() at the end.
 */
var fs = require("fs");
var path = require("path");
var url = require("url");
var node = require("./find-node.cjs");
var cache = require("./compile-cache.cjs");
var firstFile = require("./first-file.cjs").firstFile;

/** Wrong set-up: the exit code EX_CONFIG of sysexits.h. */
var CONFIGURATION = 78;

var root = path.join(__dirname, "..");
var source = path.join(root, "src", "cli", "start.ts");
var inCheckout = fs.existsSync(source);
/** Set for the second start only: a pinned Node that is too old itself must not start the next one for ever. */
var isSecondStart = process.env.FERRYMAN_LAUNCHED === "1";
delete process.env.FERRYMAN_LAUNCHED;

if (node.isRecent(process.versions.node)) load();
else if (inCheckout && !isSecondStart && node.pinnedNode(root) !== undefined) runAgain(node.pinnedNode(root));
else complain();

function load() {
  var first = firstFile(process.argv.slice(2));
  var main = inCheckout ? source : path.join(root, "dist", "bundle", first.file);
  if (!fs.existsSync(main)) return fail(main + " is missing: install the package again, or run npm run build.");
  // V8's space for new objects stays at its first size: 5 MiB less. Before the cache, whose contents are for these flags.
  if (first.isMover) require("v8").setFlagsFromString("--semi-space-growth-factor=1");
  cache.enableCache();
  if (path.extname(main) === ".cjs") return loadAtOnce(main);
  import(url.pathToFileURL(main).href).catch(function (error) {
    if (error.code === "ERR_MODULE_NOT_FOUND" && inCheckout) {
      return fail("A package is missing. Run this first: node scripts/setup.cjs start\n" + error.message);
    }
    fail(error.stack || String(error));
  });
}

function loadAtOnce(main) {
  try {
    require(main);
  } catch (error) {
    fail(error.stack || String(error));
  }
}

/** The same command line on the pinned Node; descriptors (--ready-fd), signals and the exit code are passed on. */
function runAgain(binary) {
  var options = { stdio: openDescriptors(), env: Object.assign({}, process.env, { FERRYMAN_LAUNCHED: "1" }) };
  var child = require("child_process").spawn(binary, process.argv.slice(1), options);
  ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"].forEach(function (signal) {
    // A terminal's Ctrl-C has reached the child already; `serve` takes signals that come together as one.
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child.on("error", function (error) {
    fail("Cannot start " + binary + ": " + error.message);
  });
  child.on("exit", function (code, signal) {
    if (signal === null) return process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** [0, 1, 2] and every descriptor that a --ready-fd names, so that the child has it under the same number. */
function openDescriptors() {
  var highest = 2;
  process.argv.forEach(function (argument, index) {
    var found = /^--ready-fd(?:=(\d+))?$/.exec(argument);
    if (found !== null) highest = Math.max(highest, Number(found[1] || process.argv[index + 1]) || 0);
  });
  var stdio = [];
  for (var fd = 0; fd <= Math.min(highest, 255); fd++) stdio.push(fd <= 2 || fd === highest ? fd : "ignore");
  return stdio;
}

function complain() {
  fail(
    [
      "Ferryman needs Node.js " + node.NEEDED.join(".") + " or later; this is " + process.versions.node + ".",
      inCheckout
        ? "In this checkout run: npm start   (it brings its own Node along)"
        : "Without installing anything: npx -y -p node@24 -p ferryman -- ferryman " + process.argv.slice(2).join(" "),
      "Newer versions of Node.js: https://nodejs.org/",
    ].join("\n"),
  );
}

function fail(text) {
  console.error(text);
  process.exitCode = CONFIGURATION;
}
