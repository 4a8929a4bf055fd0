"use strict";
/**
 * Where Node keeps what it has compiled of our sources, so that the next start is twice as fast. Whoever can write there
 * can make us run what he likes, root too: so the folder and all above it must be ours or root's. Old syntax, as all here.
 */
var fs = require("fs");
var path = require("path");
var os = require("os");

/** Bits of a mode: writable for the group or for others; only its owner removes what is in it. */
var OTHERS_WRITE = 18;
var STICKY = 512;

/** Turns the cache on where that is safe; NODE_DISABLE_COMPILE_CACHE=1 leaves it off. Never throws. */
function enableCache() {
  var enable = require("module").enableCompileCache;
  if (enable === undefined || process.getuid === undefined || process.env.NODE_COMPILE_CACHE) return;
  try {
    var parent = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
    // A user's first program makes it, as the XDG base directory specification says; not root in another's home.
    if (!fs.existsSync(parent) && isOurs(fs.realpathSync(path.dirname(parent)))) fs.mkdirSync(parent, { mode: 448 });
    var folder = path.join(fs.realpathSync(parent), "ferryman");
    if (!isOurs(path.dirname(folder))) return;
    fs.mkdirSync(folder, { mode: 448, recursive: true });
    // In a sticky folder others could add files.
    if (isOurs(folder) && (fs.lstatSync(folder).mode & OTHERS_WRITE) === 0) enable(folder);
  } catch (error) {
    // No home, or one that cannot be written to: it starts as fast as it did the first time.
  }
}

/** Whether nobody but us and root can change what stands below a folder. */
function isOurs(folder) {
  var facts = fs.lstatSync(folder);
  var owned = facts.uid === process.geteuid() || facts.uid === 0;
  var closed = (facts.mode & OTHERS_WRITE) === 0 || (facts.mode & STICKY) !== 0;
  if (!facts.isDirectory() || !owned || !closed) return false;
  return path.dirname(folder) === folder || isOurs(path.dirname(folder));
}

module.exports = { enableCache: enableCache, isOurs: isOurs };
