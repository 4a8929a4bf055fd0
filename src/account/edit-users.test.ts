/** Changes to a users file: what is written, what stays as people wrote it, and what is refused. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { FolderRule } from "./account.ts";
import { type UserChange, UserEditError, addUser, deleteUser, modifyUser, setPassword } from "./edit-users.ts";
import { readUsers } from "./file.ts";
import { parseRights } from "./rights.ts";
import type { User } from "./users-toml.ts";

const HASH = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
const OTHER = HASH.replace("m=256", "m=512");
const FILE = `# Ask Bea first.

# Ann
[users.ann] # since 2020
password = "${HASH}"
home = '/srv/ann' # big disk

# Bob
[users.bob]
password = "${HASH}"
limits = { sessions = 2 }

[[users.bob.folders]]
pattern = "/a"
rights = "read"

[[users.bob.folders]]
pattern = "/b"
rights = ["list"]
`;

async function withFile(text: string | undefined, work: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-users-"));
  try {
    const file = join(folder, "users.toml");
    if (text !== undefined) await writeFile(file, text);
    await work(file);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name !== "users.toml"),
      [],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function userIn(file: string, name: string): Promise<User | undefined> {
  const entry = (await readUsers(file)).get(name);
  return entry?.kind === "good" ? entry.user : undefined;
}

const rule = (pattern: string, rights: string): FolderRule => ({ pattern, rights: parseRights(rights) });

const refused = (kind: UserEditError["kind"]) => (error: unknown) =>
  error instanceof UserEditError && error.kind === kind;

test("a new file holds the user alone, for its owner's eyes", async () => {
  await withFile(undefined, async (file) => {
    await addUser(file, "ann", { password: HASH, home: "/srv/ann", rights: parseRights("list,read,mkdir") });
    assert.equal(
      await readFile(file, "utf8"),
      `[users.ann]\npassword = "${HASH}"\nhome = "/srv/ann"\nrights = ["list", "read", "mkdir"]\n`,
    );
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });
});

test("all that an account can have is written and reads back", async () => {
  await withFile(FILE, async (file) => {
    const folders = [
      { pattern: "/in/**", rights: parseRights("drop") },
      { pattern: '"odd"\\', rights: parseRights("none") },
    ];
    const limits = { sessions: 3, "download-rate": "2MiB", idle: null };
    const change: UserChange = { rights: parseRights("full"), disabled: true, expires: "2027-01-31", folders, limits };
    await addUser(file, "cy & co.", { password: HASH, ...change });
    assert.ok((await readFile(file, "utf8")).startsWith(`${FILE}\n[users."cy & co."]\n`));
    assert.deepEqual(await userIn(file, "cy & co."), {
      name: "cy & co.",
      password: HASH,
      rights: parseRights("full"),
      disabled: true,
      expires: new Date("2027-01-31"),
      folders,
      limits: { sessions: 3, downloadRate: 2_097_152 },
    });
  });
});

test("a change touches its own lines alone", async () => {
  await withFile(FILE, async (file) => {
    await setPassword(file, "ann", OTHER);
    await modifyUser(file, "ann", { home: null, disabled: true, expires: "2027-01-31T12:00:00Z" });
    const expected = FILE.replace(HASH, OTHER).replace(
      "home = '/srv/ann' # big disk\n",
      "disabled = true\nexpires = 2027-01-31T12:00:00.000Z\n",
    );
    assert.equal(await readFile(file, "utf8"), expected);
    await modifyUser(file, "ann", { disabled: false, expires: null });
    const [before = "", after = ""] = FILE.replace(HASH, OTHER).split("home = '/srv/ann' # big disk\n");
    assert.equal(await readFile(file, "utf8"), before + after);
  });
});

test("folder rules: replaced where they stand, added at the end, taken away", async () => {
  await withFile(FILE, async (file) => {
    await modifyUser(file, "bob", { folders: [rule("/b", "full"), rule("/c", "read"), rule("/c", "none")] });
    assert.deepEqual((await userIn(file, "bob"))?.folders, [
      rule("/a", "read"),
      rule("/b", "full"),
      rule("/c", "none"),
    ]);
    await modifyUser(file, "bob", { removedFolders: ["/a", "/c"], folders: [rule("/d", "drop"), rule("/b", "read")] });
    assert.deepEqual((await userIn(file, "bob"))?.folders, [rule("/b", "read"), rule("/d", "drop")]);
    await modifyUser(file, "bob", { removedFolders: ["/b", "/d"] });
    assert.deepEqual((await userIn(file, "bob"))?.folders, []);
    await modifyUser(file, "bob", { folders: [rule("/e", "read")], limits: { sessions: null, idle: "5m" } });
    assert.deepEqual((await userIn(file, "bob"))?.folders, [rule("/e", "read")]);
    assert.deepEqual((await userIn(file, "bob"))?.limits, { idleSeconds: 300 });
    await assert.rejects(modifyUser(file, "bob", { removedFolders: ["/x"] }), refused("unknown"));
  });
});

test("a user goes with its comment, the others stay to the letter", async () => {
  await withFile(FILE, async (file) => {
    await deleteUser(file, "bob");
    assert.equal(await readFile(file, "utf8"), FILE.slice(0, FILE.indexOf("\n# Bob")));
    await deleteUser(file, "ann");
    assert.equal(await readFile(file, "utf8"), "# Ask Bea first.\n");
  });
});

test("what cannot be is refused, and the file is as it was", async () => {
  await withFile(FILE, async (file) => {
    await assert.rejects(addUser(file, "ann", { password: HASH }), refused("exists"));
    await assert.rejects(modifyUser(file, "cy", { disabled: true }), refused("unknown"));
    await assert.rejects(deleteUser(file, "cy"), refused("unknown"));
    for (const name of ["..", "a/b", "", "a\0b", "a\nb", "x".repeat(65)]) {
      await assert.rejects(addUser(file, name, { password: HASH }), refused("invalid"), JSON.stringify(name));
    }
    const wrong: readonly UserChange[] = [
      { password: "plain" },
      { password: "" },
      { home: "relative" },
      { expires: "2027-02-31" },
      { expires: "soon" },
      { limits: { sessions: "many" } },
      { limits: { sesions: 1 } },
    ];
    for (const change of wrong) {
      await assert.rejects(modifyUser(file, "ann", change), refused("invalid"), JSON.stringify(change));
      await assert.rejects(addUser(file, "cy", { password: HASH, ...change }), refused("invalid"));
    }
    assert.equal(await readFile(file, "utf8"), FILE);
  });
});

test("a broken account can be mended, and one beside it changed; a broken file not", async () => {
  const broken = FILE.replace("home = '/srv/ann'", "home = 'ann'");
  await withFile(broken, async (file) => {
    await modifyUser(file, "bob", { disabled: true });
    await assert.rejects(modifyUser(file, "ann", { disabled: true }), refused("by-hand"));
    await modifyUser(file, "ann", { home: "/srv/ann" });
    assert.equal((await userIn(file, "ann"))?.home, "/srv/ann");
  });
  await withFile("[users.ann\n", async (file) => {
    await assert.rejects(addUser(file, "cy", { password: HASH }), { name: "AccountError" });
  });
});

test("twelve users added at once are all there", async () => {
  await withFile(FILE, async (file) => {
    const names = Array.from({ length: 12 }, (_, at) => `user${at}`);
    await Promise.all(names.map(async (name) => await addUser(file, name, { password: HASH })));
    const users = await readUsers(file);
    for (const name of ["ann", "bob", ...names]) assert.equal(users.get(name)?.kind, "good", name);
    assert.ok((await readFile(file, "utf8")).startsWith(FILE));
  });
});
