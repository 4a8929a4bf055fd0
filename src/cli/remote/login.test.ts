/** Where passwords come from, and who is told that a command line is no place for one. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseFtpUrl } from "../../client/url.ts";
import { CliError } from "../exit.ts";
import { loginOf, warnOfPassword } from "./login.ts";

const ANN = parseFtpUrl("ftp://ann@example.org/");
const quiet = { say: () => {} };

test("a password in a URL on the command line is warned of once, on a terminal, not with --quiet", () => {
  const lines: string[] = [];
  const stream = { isTTY: true, columns: 80, write: (text: string) => lines.push(text) };
  const text = "ftp://ann:secret@example.org/";
  const argv = ["node", "ferryman", "ls", text];
  const warn = (url: string, more: object): void => warnOfPassword(url, parseFtpUrl(url), { argv, stream, ...more });
  warn(text, { quiet: true });
  warn(text, { stream: { ...stream, isTTY: false } });
  warn(text, { argv: ["node", "ferryman", "get", "-i", "list"] });
  warn("ftp://anonymous:me@example.org/", { argv: ["ftp://anonymous:me@example.org/"] });
  warn("ftp://ann@example.org/", { argv: ["ftp://ann@example.org/"] });
  assert.deepEqual(lines, []);
  warn(text, {});
  warn(text, {});
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /\.netrc.*bookmark.*--password-command.*--password-env/s);
  assert.doesNotMatch(lines[0] ?? "", /secret/);
  assert.ok((lines[0] ?? "").split("\n").every((line) => line.length <= 80));
});

test("a variable or a command gives the password, and two of them are too many", async () => {
  process.env["TEST_PASSWORD_OF_ANN"] = "from a variable";
  const url = { url: ANN };
  assert.deepEqual(await loginOf(url, { passwordEnv: "TEST_PASSWORD_OF_ANN" }, quiet), {
    user: "ann",
    password: "from a variable",
  });
  delete process.env["TEST_PASSWORD_OF_ANN"];
  const command = `'${process.execPath}' -e "console.log('kept')"`;
  assert.equal((await loginOf(url, { passwordCommand: command }, quiet)).password, "kept");
  assert.equal((await loginOf({ ...url, passwordCommand: command }, {}, quiet)).password, "kept", "of a bookmark");
  for (const flags of [{ passwordEnv: "TEST_NO_SUCH" }, { passwordEnv: "A", passwordCommand: command }]) {
    await assert.rejects(loginOf(url, flags, quiet), (error) => error instanceof CliError && error.exitCode === 2);
  }
});

test("with --verbose the use of .netrc is named, with user and file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-login-"));
  try {
    const netrc = join(folder, "netrc");
    await writeFile(netrc, "machine example.org login ann password hidden\n", { mode: 0o600 });
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    const url = parseFtpUrl("ftp://example.org/");
    assert.deepEqual(await loginOf({ url }, { netrc, verbose: true }, { say }), { user: "ann", password: "hidden" });
    assert.deepEqual(said, [`note: signing in at example.org as ann, name and password from ${netrc}`]);
    await loginOf({ url }, { netrc }, { say });
    assert.equal(said.length, 1, "without it nothing is said");
  } finally {
    await rm(folder, { recursive: true });
  }
});
