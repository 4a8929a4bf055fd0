/** The table of commands: no two share a name, each says how it is used, and a beginning finds one or none. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { TOPICS } from "./command.ts";
import { SHELL_COMMANDS } from "./commands/index.ts";
import { Settings, settingNames } from "./settings.ts";
import { CommandTable } from "./table.ts";
import { MemoryClient, ran } from "./test-client.ts";

const table = new CommandTable(SHELL_COMMANDS);

test("no two commands share a name or an alias", () => {
  const names = SHELL_COMMANDS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted());
  const [first] = SHELL_COMMANDS;
  assert.ok(first !== undefined);
  assert.throws(() => new CommandTable([first, first]), /two commands are called "open"/);
});

/** Columns of a terminal that is as narrow as they come; lines of a list stand two columns in. */
const [COLUMNS, LISTED_COLUMNS] = [80, 66];

test("each has one line of help without a full stop, a topic, and nothing that 80 columns do not show", () => {
  for (const { name, help, topic, usage, more = [], examples = [] } of SHELL_COMMANDS) {
    assert.match(name, /^[a-z]+$/);
    assert.match(help, /^[^\n]{4,}[^.]$/, name);
    assert.ok(help.length <= LISTED_COLUMNS, help);
    assert.ok(TOPICS.includes(topic) && !usage.startsWith(name), name);
    for (const line of [...more, ...examples, usage]) assert.ok(line.length + 2 <= COLUMNS, line);
  }
});

test("help fits a screen of 80 by 24 and names every command", async () => {
  const { out } = await ran(new MemoryClient(), "help");
  const lines = out.trimEnd().split("\n");
  assert.ok(lines.length <= 23, `${lines.length} lines and the prompt`);
  for (const line of lines) assert.ok(line.length < COLUMNS, line);
  const words = new Set(out.split(/\s+/));
  for (const name of table.names()) assert.ok(words.has(name), name);
  const all = (await ran(new MemoryClient(), "help all; help transfers; help jobs")).out.split("\n");
  for (const line of all) assert.ok(line.length < COLUMNS, line);
});

test("examples of the help begin with a command that there is", () => {
  for (const { name, examples = [] } of SHELL_COMMANDS) {
    if (name === "macdef") continue;
    for (const line of examples) {
      const word = line.split(/[ ;]/, 1)[0] ?? "";
      assert.ok(word.startsWith("$") || table.find(word).ok, `${name}: ${line}`);
    }
  }
});

test("what fingers know is there, all of it, and docs/client.md names it", async () => {
  const known = (
    "open close disconnect user bye quit exit ? help ls dir nlist mls mlsd mlst pwd cd cdup lcd lpwd lls lmkdir find du df " +
    "stat size modtime get recv mget put send mput reget reput mreget newer append page less more cat zcat fget edit delete " +
    "rm mdelete mrm rmdir mkdir rename mv mmv cp ln chmod umask utimes ascii binary image type mode struct tenex passive " +
    "active epsv epsv4 sendport restart hash tick progress bell verbose debug prompt glob case cr nmap ntrans sunique " +
    "runique macdef $ quote literal site rhelp remotehelp idle system status proxy gate account mirror pget queue jobs kill " +
    "wait fg bg at repeat sleep set alias bookmark slot cache history source local scache"
  ).split(" ");
  const exact = new Set(table.names());
  assert.deepEqual(
    known.filter((name) => !exact.has(name)),
    [],
  );
  const page = await readFile(join(import.meta.dirname, "../../../docs/client.md"), "utf8");
  const section = page.slice(page.indexOf("## Shell"), page.indexOf("## Library"));
  const written = new Set(section.match(/`[^`\s]+`/g) ?? []);
  assert.deepEqual(
    SHELL_COMMANDS.map(({ name }) => name).filter((name) => !written.has(`\`${name}\``)),
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
    settings.set(name, settings.get(name));
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
