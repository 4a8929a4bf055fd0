/** The table of commands: no two share a name, each says how it is used, and a beginning finds one or none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TOPICS } from "./command.ts";
import { SHELL_COMMANDS } from "./commands/index.ts";
import { Settings, settingNames } from "./settings.ts";
import { CommandTable } from "./table.ts";

const table = new CommandTable(SHELL_COMMANDS);

test("no two commands share a name or an alias", () => {
  const names = SHELL_COMMANDS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted());
  const [first] = SHELL_COMMANDS;
  assert.ok(first !== undefined);
  assert.throws(() => new CommandTable([first, first]), /two commands are called "open"/);
});

test("each has one line of help without a full stop, and a topic", () => {
  for (const { name, help, topic, usage, more = [] } of SHELL_COMMANDS) {
    assert.match(name, /^[a-z]+$/);
    assert.match(help, /^[^\n]{4,78}[^.]$/, name);
    assert.ok(TOPICS.includes(topic) && !usage.startsWith(name), name);
    for (const line of more) assert.ok(line.length <= 110, line);
  }
});

test("what fingers know is there", () => {
  const known = (
    "open close disconnect user bye quit exit ? help ls dir nlist mls mlst pwd cd cdup lcd lpwd lls lmkdir find du df stat " +
    "size modtime get recv mget put send mput reget reput newer append page less more cat zcat edit delete rm mdelete mrm " +
    "rmdir mkdir rename mv mmv cp chmod umask utimes ascii binary image type passive active epsv hash tick progress bell " +
    "verbose debug prompt glob quote literal site rhelp remotehelp idle system status queue jobs kill wait fg repeat sleep " +
    "set alias cache history source"
  ).split(" ");
  assert.deepEqual(
    known.filter((name) => !table.find(name).ok),
    [],
  );
});

function found(name: string): string {
  const result = table.find(name);
  return result.ok ? result.command.name : result.problem;
}

test("beginnings: the only one, or several of the same command, or none", () => {
  assert.equal(found("GE"), "get");
  assert.equal(found("bi"), "binary");
  assert.equal(found("asc"), "ascii");
  assert.equal(found("disc"), "close");
  assert.equal(found("q").includes("could be"), true);
  assert.match(found(""), /^there is no command "". See: help$/);
  assert.match(found("gte"), /Did you mean "get"\?/);
});

test("settings take what they say, and nothing else", () => {
  const settings = new Settings();
  for (const name of settingNames()) {
    assert.throws(() => settings.set(name, "no such value"), /takes/, name);
    // Their own value is one that they take.
    settings.set(name, name === "connections" ? "8" : settings.get(name));
  }
  assert.equal(settings.set("modes", "PORT,epsv,port"), true);
  assert.deepEqual(settings.modes(), ["port", "epsv"]);
  assert.equal(settings.set("rate", "2MiB"), false);
  assert.equal(settings.rate(), 2_097_152);
  settings.set("rate", "off");
  assert.equal(settings.rate(), undefined);
  settings.set("charset", "latin1");
  assert.equal(settings.get("charset"), "windows-1252");
  settings.set("prompt", "1");
  assert.equal(settings.isOn("prompt"), true);
  assert.equal(settings.set("proxy", "socks5://[::1]:1080"), true);
  assert.throws(() => settings.set("proxy", "gopher://x"), /socks5/);
});
