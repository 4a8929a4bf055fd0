/** Users files: all that can be said, and for each mistake where it is, what is allowed and what was meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountError } from "./account.ts";
import { accountOf, findingLines, parseUsers } from "./users-toml.ts";

const HASH = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/** What is said of an account `ann` with these lines; the first of them is line 3. */
function findingsOf(lines: string): readonly string[] {
  const entry = parseUsers(`[users.ann]\npassword = "${HASH}"\n${lines}\n`, "u.toml").get("ann");
  return entry?.kind === "malformed" ? findingLines("u.toml", entry.findings) : [];
}

test("an account with everything", () => {
  const text = `[users.ann]
password = "${HASH}"
home = "/srv/ftp/ann"
rights = ["list", "read", "mkdir"]
disabled = true
expires = 2027-01-31
tls = "require"

[[users.ann.folders]]
pattern = "/incoming/**"
rights = "drop"

[users.ann.limits]
sessions = 3
transfers = 2
download-rate = "2MiB"
upload-rate = 1000
session-download-rate = "512KiB"
session-upload-rate = 0
idle = "10m"
`;
  const entry = parseUsers(text, "u.toml").get("ann");
  assert.deepEqual(entry, {
    kind: "good",
    user: {
      name: "ann",
      password: HASH,
      home: "/srv/ftp/ann",
      rights: new Set(["list", "read", "mkdir"]),
      disabled: true,
      expires: new Date("2027-01-31T00:00:00Z"),
      tls: "require",
      folders: [{ pattern: "/incoming/**", rights: new Set(["write"]) }],
      limits: {
        sessions: 3,
        transfers: 2,
        downloadRate: 2_097_152,
        uploadRate: 1_000,
        sessionDownloadRate: 524_288,
        sessionUploadRate: 0,
        idleSeconds: 600,
      },
    },
  });
});

test("the least that makes an account: it may list and read what the server serves", () => {
  const entry = parseUsers(`users.ann.password = "${HASH}"`, "u.toml").get("ann");
  assert.ok(entry?.kind === "good");
  assert.deepEqual([...entry.user.rights], ["list", "read"]);
  assert.equal(accountOf(entry.user, "/srv").home, "/srv");
  assert.throws(() => accountOf(entry.user, undefined), AccountError);
});

test("attack 40: every field that is wrong breaks its account, and says so", () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['hoem = "/srv"', 'u.toml:3: users.ann.hoem: unknown key. Did you mean "home"? Known: password, home, rights'],
    ['home = "srv/ann"', "u.toml:3: users.ann.home: expected an absolute path"],
    ['home = ""', "u.toml:3: users.ann.home: expected an absolute path"],
    ["home = 1", "u.toml:3: users.ann.home: expected string"],
    ['rights = "raed"', 'u.toml:3: users.ann.rights: there is no right "raed". Did you mean "read"?'],
    ['\nrights = ["list",\n "wirte"]', 'u.toml:4: users.ann.rights: there is no right "wirte". Did you mean "write"?'],
    ["rights = true", "u.toml:3: users.ann.rights: expected a preset"],
    ['disabled = "yes"', "u.toml:3: users.ann.disabled: expected boolean"],
    ['expires = "2027-01-31"', "u.toml:3: users.ann.expires: expected a date without quotes"],
    ["expires = 10:00:00", "u.toml:3: users.ann.expires: expected a date without quotes"],
    ["expires = 2027-02-31", "u.toml:3: users.ann.expires: there is no day 2027-02-31"],
    ['folders = "/in"', "u.toml:3: users.ann.folders: expected array"],
    ['folders = [{ pattern = "/in" }]', "u.toml:3: users.ann.folders.0.rights: is missing: expected a preset"],
    ['[[users.ann.folders]]\npattern = "/x"\nright = "read"', "u.toml:5: users.ann.folders.0.right: unknown key."],
    ['[[users.ann.folders]]\npattern = ""\nrights = "read"', "u.toml:4: users.ann.folders.0.pattern: too small"],
    ["limits = { sessions = 0 }", "u.toml:3: users.ann.limits.sessions: too small"],
    ["limits = { sessions = 1.5 }", "u.toml:3: users.ann.limits.sessions: expected int"],
    ["[users.ann.limits]\nsesions = 1", 'u.toml:4: users.ann.limits.sesions: unknown key. Did you mean "sessions"?'],
    ['[users.ann.limits]\n\nidle = "soon"', "u.toml:5: users.ann.limits.idle: expected a time"],
    ['limits = { download-rate = "-1" }', "u.toml:3: users.ann.limits.download-rate: expected a size"],
    ["limits = { upload-rate = nan }", "u.toml:3: users.ann.limits.upload-rate: "],
  ];
  for (const [lines, begin] of wrong) {
    const findings = findingsOf(lines);
    assert.ok(
      findings.some((line) => line.startsWith(begin)),
      `${lines}\n→ ${findings.join("\n") || "nothing"}`,
    );
  }
  assert.deepEqual(findingsOf("disabled = false"), []);
});

test("a hash that is none is a mistake of its account, and is not repeated", () => {
  for (const password of ['"plain-secret"', '""', "5", '"$2b$10$plain-secret"']) {
    const entry = parseUsers(`[users.ann]\npassword = ${password}\n`, "u.toml").get("ann");
    assert.ok(entry?.kind === "malformed", password);
    const [line = ""] = findingLines("u.toml", entry.findings);
    assert.match(line, /^u\.toml:2: users\.ann\.password: .*ferryman user passwd/);
    assert.ok(!line.includes("plain-secret"));
  }
  const without = parseUsers("[users.ann]\n", "u.toml").get("ann");
  assert.ok(without?.kind === "malformed" && without.findings[0]?.key === "users.ann.password");
});

test("names that no account can have, and the neighbours of a broken account", () => {
  const text = `[users.".."]\npassword = "${HASH}"\n[users."a\\u0000b"]\npassword = "${HASH}"\n[users.bob]\npassword = "${HASH}"\n`;
  const users = parseUsers(text, "u.toml");
  assert.deepEqual(
    [...users].map(([name, { kind }]) => [name, kind]),
    [
      ["..", "malformed"],
      ["a\0b", "malformed"],
      ["bob", "good"],
    ],
  );
  assert.equal(parseUsers(`users.ann = 5\nusers.bob.password = "${HASH}"`, "u.toml").get("ann")?.kind, "malformed");
});

test("a file that is broken as a whole gives no account", () => {
  const broken: readonly (readonly [string, RegExp])[] = [
    ["[users.ann\n", /^u\.toml:1:\d+: not TOML: /],
    [`[users.ann]\npassword = "${HASH}"\n[users.ann]\n`, /^u\.toml:3:\d+: not TOML: /],
    ['[user.ann]\nhome = "/"\n', /^u\.toml:1: user: unknown key\. Did you mean "users"\?/],
    ["\nusers = 5\n", /^u\.toml:2: users: expected a table/],
    ["[[users]]\n", /^u\.toml:1: users: expected a table/],
  ];
  for (const [text, message] of broken)
    assert.throws(() => parseUsers(text, "u.toml"), { name: "AccountError", message });
  assert.equal(parseUsers("# nobody yet\n", "u.toml").size, 0);
});

test("10,000 accounts are read in reasonable time", () => {
  const text = Array.from(
    { length: 10_000 },
    (_, at) => `[users.u${at}]\npassword = "${HASH}"\nhome = "/srv/u${at}"\n`,
  );
  const started = performance.now();
  assert.equal(parseUsers(text.join("\n"), "u.toml").size, 10_000);
  const taken = performance.now() - started;
  assert.ok(taken < 3_000, `${taken} ms`);
});
