/** Edits of TOML: what changes, what stays to the letter, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { TomlDate, parse } from "smol-toml";
import { type TomlEdit, TomlEditError, type TomlValue, editToml } from "./toml-edit.ts";
import { type TomlPath, tomlStatements } from "./toml-statements.ts";

const FILE = `# Users of the archive.
# Ask Bea before you change this.

# Ann, accounting
[users.ann]
home = "/srv/ann"  # on the big disk
rights = ["list", # she looks
  "read"]
note = """
[users.fake]
password = 'x' """ # end

[[users.ann.folders]]
pattern = '/in/**' # incoming
rights = "drop"

[[users.ann.folders]]
pattern = "/old"
rights = "none"

# Bob is away
[users."bob smith"]
home = '/srv/bob'
limits = { sessions = 3, idle = "10m" } # few

[users]
cy.home = "/srv/cy"
cy.disabled = true
`;

const set = (path: TomlPath, value: TomlValue): TomlEdit => ({ kind: "set", path, value });
const remove = (path: TomlPath): TomlEdit => ({ kind: "remove", path });

/** The lines that differ, as a diff shows them. */
function difference(before: string, after: string): readonly string[] {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < old.length && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < fresh.length - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  return [
    ...old.slice(head, old.length - tail).map((line) => `-${line}`),
    ...fresh.slice(head, fresh.length - tail).map((line) => `+${line}`),
  ];
}

test("statements: paths through quotes, dots, arrays of tables and multi-line values, with their lines", () => {
  const found = tomlStatements(FILE).map(({ kind, path, line }) => `${line} ${kind} ${path.join("|")}`);
  assert.deepEqual(found, [
    "5 table users|ann",
    "6 pair users|ann|home",
    "7 pair users|ann|rights",
    "9 pair users|ann|note",
    "13 element users|ann|folders|0",
    "14 pair users|ann|folders|0|pattern",
    "15 pair users|ann|folders|0|rights",
    "17 element users|ann|folders|1",
    "18 pair users|ann|folders|1|pattern",
    "19 pair users|ann|folders|1|rights",
    "22 table users|bob smith",
    "23 pair users|bob smith|home",
    "24 pair users|bob smith|limits",
    "26 table users",
    "27 pair users|cy|home",
    "28 pair users|cy|disabled",
  ]);
});

test("a value is replaced, its comment and all other lines stay", () => {
  const edited = editToml(FILE, [set(["users", "ann", "home"], 'C:\\"x"')]);
  assert.deepEqual(difference(FILE, edited), [
    '-home = "/srv/ann"  # on the big disk',
    '+home = "C:\\\\\\"x\\""  # on the big disk',
  ]);
});

test("a new key comes behind the last of its section; a new section behind the last of its user", () => {
  const disabled = editToml(FILE, [set(["users", "ann", "disabled"], true)]);
  assert.deepEqual(difference(FILE, disabled), ["+disabled = true"]);
  assert.equal(disabled.split("\n")[11], "disabled = true");
  const limited = editToml(FILE, [set(["users", "ann", "limits", "sessions"], 2)]);
  assert.deepEqual(difference(FILE, limited), ["+[users.ann.limits]", "+sessions = 2", "+"]);
  const rule = editToml(FILE, [set(["users", "ann", "folders", 2], { pattern: "*.exe", rights: "none" })]);
  assert.deepEqual(difference(FILE, rule), ["+[[users.ann.folders]]", '+pattern = "*.exe"', '+rights = "none"', "+"]);
});

test("inline tables and dotted keys stay what they are", () => {
  const inline = editToml(FILE, [
    set(["users", "bob smith", "limits", "sessions"], 9),
    remove(["users", "bob smith", "limits", "idle"]),
  ]);
  assert.deepEqual(difference(FILE, inline), [
    '-limits = { sessions = 3, idle = "10m" } # few',
    "+limits = { sessions = 9 } # few",
  ]);
  const dotted = editToml(FILE, [
    set(["users", "cy", "limits", "sessions"], 1),
    set(["users", "cy", "folders", 0], { pattern: "/x", rights: "read" }),
    remove(["users", "cy", "disabled"]),
  ]);
  assert.deepEqual(difference(FILE, dotted), [
    "-cy.disabled = true",
    "+cy.limits.sessions = 1",
    '+cy.folders = [{ pattern = "/x", rights = "read" }]',
  ]);
});

test("a table goes with its comment; the head of the file and the neighbours stay", () => {
  const without = editToml(FILE, [remove(["users", "ann"])]);
  assert.deepEqual(without.split("\n").slice(0, 5), [
    ...FILE.split("\n").slice(0, 3),
    "# Bob is away",
    '[users."bob smith"]',
  ]);
  assert.equal(difference(FILE, without).filter((line) => line.startsWith("+")).length, 0);
  const rule = editToml(FILE, [remove(["users", "ann", "folders", 0])]);
  assert.ok(!rule.includes("/in/**") && rule.includes('pattern = "/old"') && rule.includes("# Bob is away"));
  assert.equal(editToml("# Head\n[users.ann]\na = 1\n", [remove(["users", "ann"])]), "# Head\n");
});

test("new users at the end, of an empty file, a file without a last line end, and with CRLF", () => {
  const ann = { home: "/a", folders: [{ pattern: "/x", rights: ["list"] }], limits: { sessions: 3 } };
  const written =
    '[users.ann]\nhome = "/a"\n\n[[users.ann.folders]]\npattern = "/x"\nrights = ["list"]\n\n[users.ann.limits]\nsessions = 3\n';
  assert.equal(editToml("", [set(["users", "ann"], ann)]), written);
  assert.equal(editToml("# none yet", [set(["users", "ann"], ann)]), `# none yet\n\n${written}`);
  const crlf = editToml('[users.bob]\r\nhome = "/b"\r\n', [set(["users", "ann"], { home: "/a" })]);
  assert.equal(crlf, '[users.bob]\r\nhome = "/b"\r\n\r\n[users.ann]\r\nhome = "/a"\r\n');
  const date = editToml("", [set(["users", "a b"], { expires: new TomlDate("2027-01-31") })]);
  assert.equal(date, '[users."a b"]\nexpires = 2027-01-31\n');
});

test("what is not understood is left alone", () => {
  assert.throws(() => editToml('users = "none"\n', [set(["users", "ann"], { home: "/a" })]), TomlEditError);
  assert.throws(() => editToml("[[users]]\nhome = 1\n", [set(["users", "ann"], { home: "/a" })]), TomlEditError);
});

test("whatever is set reads back, and what was there is still there", () => {
  const key = fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => text !== "__proto__");
  const value = fc.oneof(
    fc.string(),
    fc.string({ unit: "grapheme" }),
    fc.integer(),
    fc.boolean(),
    fc.array(fc.string()),
  );
  fc.assert(
    fc.property(key, key, value, (name, field, content) => {
      fc.pre(!["ann", "bob smith", "cy"].includes(name) && JSON.stringify([name, field, content]).isWellFormed());
      fc.pre(!/\\ud[89a-f]/i.test(JSON.stringify([name, field, content])));
      const edited = editToml(FILE, [
        set(["users", name], { [field]: content, same: 1 }),
        set(["users", name, "same"], 2),
        set(["users", name, "deeper", field], content),
      ]);
      assert.ok(edited.startsWith(FILE));
      assert.deepEqual(JSON.parse(JSON.stringify(parse(edited)["users"]))[name], {
        [field]: content,
        same: 2,
        deeper: { [field]: content },
      });
      assert.equal(editToml(edited, [remove(["users", name])]), FILE);
    }),
    { numRuns: 60 },
  );
});
