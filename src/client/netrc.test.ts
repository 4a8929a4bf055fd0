/** `.netrc` in the forms of ftp, curl and Python, and what a careless one gets. */
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { findLogin, netrcPaths, parseNetrc, readNetrc } from "./netrc.ts";
import { scratch } from "./test-folder.ts";

const TEXT = `# my servers
machine ftp.example.org login ann password #s,e!cret account x
macdef init
  cd /pub
  binary

machine FTP.example.org
  login "bob b"
  password "a \\"b\\" \\\\"   # the second one
machine mirror.example.org password only
default login anonymous password ann@example.org
`;

test("the whole grammar", () => {
  const { entries, warnings } = parseNetrc(TEXT);
  assert.deepEqual(warnings, []);
  assert.deepEqual(entries, [
    {
      machine: "ftp.example.org",
      login: "ann",
      password: "#s,e!cret",
      account: "x",
      macros: [{ name: "init", lines: ["cd /pub", "binary"] }],
    },
    { machine: "FTP.example.org", login: "bob b", password: 'a "b" \\', macros: [] },
    { machine: "mirror.example.org", password: "only", macros: [] },
    { login: "anonymous", password: "ann@example.org", macros: [] },
  ]);
});

function passwordFor(host: string, user?: string): string | undefined {
  return findLogin(TEXT, { host, user })?.password;
}

test("the first entry for a host and a user counts, then the default", () => {
  assert.equal(passwordFor("FTP.EXAMPLE.ORG"), "#s,e!cret");
  assert.equal(passwordFor("ftp.example.org", "bob b"), 'a "b" \\');
  assert.equal(passwordFor("ftp.example.org", "eve"), undefined);
  assert.equal(passwordFor("mirror.example.org", "eve"), "only");
  assert.equal(passwordFor("elsewhere.example"), "ann@example.org");
  assert.equal(passwordFor("elsewhere.example", "anonymous"), "ann@example.org");
  assert.equal(findLogin("machine a login b", { host: "c" }), undefined);
  assert.equal(findLogin("default login d machine a login b", { host: "a" })?.login, "b");
});

test("a macro without an end, empty ones, and line ends of Windows", () => {
  assert.deepEqual(parseNetrc("machine h macdef m\r\nls\r\nquit").entries[0]?.macros, [
    { name: "m", lines: ["ls", "quit"] },
  ]);
  assert.deepEqual(parseNetrc("machine h macdef m").entries[0]?.macros, [{ name: "m", lines: [] }]);
  const { entries, warnings } = parseNetrc("machine h\nmacdef m\n\nlogin ann\nnonsense");
  assert.deepEqual([entries[0]?.login, entries[0]?.macros], ["ann", [{ name: "m", lines: [] }]]);
  assert.deepEqual(warnings, ['line 5: there is a word that is no keyword. Words with spaces go in "quotes".']);
});

function said(text: string): readonly string[] {
  return parseNetrc(text).warnings;
}

test("what nobody understands is a warning with its line, and no word of it is repeated unless it is a keyword", () => {
  assert.deepEqual(said("login ann"), ['line 1: "login" stands before any machine']);
  assert.deepEqual(said("machine"), ['line 1: nothing follows "machine"']);
  assert.deepEqual(said('machine h password "open\nlogin ann'), ["line 1: a quote is not closed"]);
  assert.deepEqual(said("machine h\npasword secret"), [
    'line 2: there is a word that is no keyword. Did you mean "password"?',
    'line 2: there is a word that is no keyword. Words with spaces go in "quotes".',
  ]);
  assert.deepEqual(said("macdef m\nls\n"), ['line 1: the macro "m" belongs to no machine']);
  assert.deepEqual(said("machine h password a\0b"), ["line 1: there is a word that is too long or holds a NUL"]);
  assert.equal(said("x ".repeat(1_000)).length, 20);
});

const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/[\s\0]/.test(text));

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

test("what is written in quotes is read as it was", () => {
  fc.assert(
    fc.property(word, word, word, (machine, login, password) => {
      const { entries, warnings } = parseNetrc(
        `machine ${quoted(machine)}\nlogin ${quoted(login)} password ${quoted(password)}`,
      );
      assert.deepEqual([entries, warnings], [[{ machine, login, password, macros: [] }], []]);
    }),
  );
});

test("no text makes it fail or never end", () => {
  const pieces = fc.array(
    fc.constantFrom("machine ", "login ", "macdef x", "\n", '"', "\\", "#", "default ", "a", " "),
  );
  fc.assert(fc.property(pieces, (list) => void parseNetrc(list.join(""))));
  fc.assert(fc.property(fc.string(), (text) => void parseNetrc(text)));
});

async function withFile(text: string, work: (file: string) => Promise<void>): Promise<void> {
  await using own = await scratch();
  const folder = own.path;
  const file = join(folder, ".netrc");
  await writeFile(file, text);
  await work(file);
}

test("where it lies, and that none is no mistake", async () => {
  const [home, platform] = ["/users/ann", "win32"] as const;
  assert.deepEqual(netrcPaths({}, { home, platform: "linux" }), ["/users/ann/.netrc"]);
  assert.equal(netrcPaths({ NETRC: "" }, { home, platform }).length, 2);
  assert.deepEqual(netrcPaths({ NETRC: "/x" }), ["/x"]);
  await withFile("machine h login ann", async (file) => {
    assert.equal((await readNetrc([`${file}.no`, file])).text, "machine h login ann");
    assert.equal((await readNetrc([`${file}.no`])).text, "");
    await assert.rejects(readNetrc([tmpdir()]), { name: "FtpError", code: "LOCAL_IO" });
  });
});

const skip = process.platform === "win32" ? "Windows has no such modes" : false;

test("a password that others can read is told about, an anonymous one not", { skip }, async () => {
  await withFile("machine h login ann password secret", async (file) => {
    await chmod(file, 0o644);
    const { isExposed, warnings } = await readNetrc([file]);
    assert.ok(isExposed);
    assert.deepEqual(warnings, [
      `${file}: others on this machine can read the passwords in it; run: chmod 600 ${file}`,
    ]);
    await chmod(file, 0o600);
    assert.deepEqual((await readNetrc([file])).warnings, []);
  });
  await withFile("machine h login anonymous password me@ nonsense", async (file) => {
    await chmod(file, 0o644);
    const { isExposed, warnings } = await readNetrc([file]);
    assert.equal(isExposed, false);
    assert.match(warnings.join(), /\.netrc, line 1: there is a word/);
  });
});

test("a file beyond all measure is refused", async () => {
  await withFile("#".repeat(1_048_577), async (file) => {
    await assert.rejects(readNetrc([file]), { code: "LOCAL_IO", message: /has 1048577 octets; 1048576 are the most/ });
  });
});
