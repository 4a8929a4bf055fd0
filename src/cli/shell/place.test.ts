/** Paths as the shell makes them, names that may become files, options of commands, and lines as the history keeps them. */
import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { SHELL_COMMANDS } from "./commands/index.ts";
import { readFlags } from "./flags.ts";
import { historyPath, keptLine, startFilePath } from "./history.ts";
import { nameProblem } from "./local-names.ts";
import { localPath, remotePath } from "./place.ts";
import { CommandTable } from "./table.ts";
import { plainWord } from "./words.ts";

const PLACE = { folder: "/pub/a", home: "/base", localFolder: "/tmp/here" };

function path(text: string, isHome = false): string {
  return remotePath(PLACE, { text, isHome });
}

test("paths of the server are absolute, and nothing leads above the root", () => {
  assert.deepEqual(
    ["x", "../x/", "/x//y", "../../../x", ".", ""].map((text) => path(text)),
    ["/pub/a/x", "/pub/x", "/x/y", "/x", "/pub/a", "/pub/a"],
  );
  assert.deepEqual(
    [path("~", true), path("~/x", true), path("~x", true), path("~")],
    ["/base", "/base/x", "/pub/a/~x", "/pub/a/~"],
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parts = new Set(path(text).split("/").slice(1));
      assert.ok(!parts.has("..") && !parts.has("."));
    }),
  );
});

test("paths of this host", () => {
  assert.equal(localPath(PLACE, plainWord("x")), "/tmp/here/x");
  assert.equal(localPath(PLACE, { text: "~/x", isHome: true }), join(homedir(), "x"));
  assert.equal(localPath(PLACE, plainWord("~/x")), "/tmp/here/~/x");
});

test("attack 64: names that must not become files, here and on Windows", () => {
  for (const name of ["", ".", "..", "a/b", "../x", "a\0b", "a\nb", "\u001b[2J"]) {
    assert.notEqual(nameProblem(name, "linux"), undefined, JSON.stringify(name));
    assert.notEqual(nameProblem(name, "win32"), undefined, JSON.stringify(name));
  }
  for (const name of ["C:x", "a\\b", "con", "NUL.txt", "a.", "b ", "com1", "a?b"]) {
    assert.equal(nameProblem(name, "linux"), undefined, name);
    assert.notEqual(nameProblem(name, "win32"), undefined, name);
  }
  for (const name of ["a b.txt", "ü", "..a", "console", "-rf"])
    assert.equal(nameProblem(name, "win32"), undefined, name);
});

function read(line: string): ReturnType<typeof readFlags> {
  return readFlags(line.split(" ").map(plainWord), "lao:x:", { output: "o", all: "a" });
}

test("options: in clusters, with values, long ones, and what comes behind --", () => {
  const flags = read("-la -o out x -xone --all -x two -- -z");
  assert.deepEqual(["l", "a", "o"].map(flags.has), [true, true, true]);
  assert.equal(flags.value("o")?.text, "out");
  assert.deepEqual(
    flags.values("x").map(({ text }) => text),
    ["one", "two"],
  );
  assert.deepEqual(
    flags.rest.map(({ text }) => text),
    ["x", "-z"],
  );
  assert.equal(read("--output=b").value("o")?.text, "b");
  assert.deepEqual(
    read("- x").rest.map(({ text }) => text),
    ["-", "x"],
  );
  assert.throws(() => read("-q"), /no option -q/);
  assert.throws(() => read("--quick"), /no option --quick/);
  assert.throws(() => read("-o"), /-o needs a value/);
});

test("the history keeps no secrets, and no line that begins with a blank", () => {
  const table = new CommandTable(SHELL_COMMANDS);
  const kept = (line: string): string | undefined => keptLine(line, table);
  assert.equal(kept("get a.txt"), "get a.txt");
  assert.equal(kept("open ftp://ann:secret@host/x; ls"), "open ftp://ann@host/x; ls");
  assert.equal(kept("user ann"), "user ann");
  for (const line of [
    "",
    "  ",
    " get a",
    "user ann secret",
    "ls; USE ann secret",
    "quote PASS x",
    "lit acct x",
    "site pswd a b",
    "get 'x",
  ]) {
    assert.equal(kept(line), undefined, line);
  }
});

test("files lie where XDG says, unless it says nonsense", () => {
  assert.equal(historyPath({ XDG_STATE_HOME: "/s" }), "/s/ferryman/history");
  assert.equal(historyPath({ XDG_STATE_HOME: "s" }), join(homedir(), ".local/state/ferryman/history"));
  assert.equal(startFilePath({}), join(homedir(), ".config/ferryman/shellrc"));
});
