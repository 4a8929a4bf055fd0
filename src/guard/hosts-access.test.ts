import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { HostsAccess } from "./hosts-access.ts";
import { readHostsAccess } from "./hosts-files.ts";

function hosts(allow: string, deny = "ALL: ALL"): HostsAccess {
  return new HostsAccess({ allow: { name: "hosts.allow", text: allow }, deny: { name: "hosts.deny", text: deny } });
}

function lets(access: HostsAccess, address: string): boolean {
  return access.decide(address).allowed;
}

function problems(access: HostsAccess): readonly string[] {
  return access.problems.map(({ severity, text }) => `${severity} ${text}`);
}

test("allow is asked first, then deny, and without a match everybody gets in", () => {
  const access = hosts("ftpd: 192.0.2.1\n", "ftpd: 192.0.2.0/24\n");
  assert.ok(lets(access, "192.0.2.1"));
  assert.deepEqual(access.decide("192.0.2.2"), { allowed: false, rule: "hosts.deny:1" });
  assert.ok(lets(access, "198.51.100.1"));
  assert.ok(lets(new HostsAccess({}), "192.0.2.1"));
  assert.ok(!lets(access, "no address"));
});

test("every form of a client that needs no name", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["ALL", "2001:db8::1", true],
    ["192.168.", "192.168.255.1", true],
    ["192.168.", "192.169.0.1", false],
    ["10.", "10.1.2.3", true],
    ["192.0.2.", "192.0.2.9", true],
    ["131.155.72.0/255.255.254.0", "131.155.73.255", true],
    ["131.155.72.0/255.255.254.0", "131.155.74.0", false],
    ["192.0.2.0/24", "::ffff:192.0.2.77", true],
    ["0.0.0.0/0.0.0.0", "198.51.100.1", true],
    ["[2001:db8::]/32", "2001:db8:1::1", true],
    ["[2001:db8::]/32", "2001:db9::1", false],
    ["[2001:db8::1]", "2001:db8::1", true],
    ["192.168.*.?", "192.168.17.5", true],
    ["192.168.*.?", "192.168.17.55", false],
    ["*", "2001:db8::1", true],
    ["LOCAL", "127.0.0.1", true],
    ["LOCAL", "::1", true],
    ["LOCAL", "192.0.2.1", false],
    ["192.0.2.1, 192.0.2.2 192.0.2.3", "192.0.2.3", true],
    ["all", "192.0.2.1", true],
  ];
  for (const [pattern, address, wanted] of cases) {
    assert.equal(lets(hosts(`ALL: ${pattern}`), address), wanted, `${pattern} and ${address}`);
  }
});

test("EXCEPT, also one within another, for clients and for daemons", () => {
  const access = hosts("ALL: 10. EXCEPT 10.1. EXCEPT 10.1.1.\n");
  assert.deepEqual(
    ["10.0.0.1", "10.1.0.1", "10.1.1.1", "11.0.0.1"].map((address) => lets(access, address)),
    [true, false, true, false],
  );
  assert.ok(lets(hosts("ALL EXCEPT sshd: ALL"), "192.0.2.1"));
  assert.ok(!lets(hosts("ALL EXCEPT vsftpd: ALL"), "192.0.2.1"), "one of our names is excepted");
  assert.ok(lets(hosts("", "ALL EXCEPT ferryman ftpd vsftpd in.ftpd: ALL"), "192.0.2.1"));
});

test("our names, in any case; rules for other daemons are none of our business, nor are their mistakes", () => {
  for (const name of ["ferryman", "ftpd", "VSFTPD", "in.ftpd", "*ftpd", "sshd ferryman"]) {
    assert.ok(lets(hosts(`${name}: ALL`), "192.0.2.1"), name);
  }
  const access = hosts("sshd: ALL", "sshd: .example.org @them /etc/list: spawn x\nportmap: 10/8\n");
  assert.ok(lets(access, "192.0.2.1"));
  assert.deepEqual(problems(access), []);
});

test("lines that go on, comments, empty lines, the last line without an end", () => {
  const access = hosts("# ALL: ALL\n\n  # more\nferryman: \\\n  192.0.2.1 \\\n  192.0.2.2\r\nftpd: 192.0.2.3");
  assert.deepEqual(
    ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].map((address) => lets(access, address)),
    [true, true, true, false],
  );
  assert.deepEqual(access.problems, []);
});

test("options: allow and deny turn a rule round, those for starting daemons are left out", () => {
  const access = hosts("ALL: 192.0.2.1: deny\nALL: 192.0.2.: severity local0.info: ALLOW\n", "ALL: ALL: deny");
  assert.deepEqual(access.decide("192.0.2.1"), { allowed: false, rule: "hosts.allow:1" });
  assert.ok(lets(access, "192.0.2.2"));
  assert.match(problems(access).join(), /^warning hosts\.allow:2: the option "severity" has no meaning/);
  assert.ok(lets(hosts("", "ALL: 192.0.2.1: allow\nALL: ALL\n"), "192.0.2.1"));
});

test("attack 40: what would need a program or a name opens nothing, and says so with its line", () => {
  const patterns = [
    ".example.org",
    "host.example.org",
    "*.example.org",
    "@staff",
    "ann@192.0.2.1",
    "/etc/list",
    "KNOWN",
  ];
  for (const pattern of patterns) {
    const access = hosts(`\nALL: ${pattern}`);
    assert.ok(!lets(access, "192.0.2.1"), pattern);
    assert.equal(access.problems.length, 1, pattern);
    assert.match(problems(access).join(), /^warning hosts\.allow:2: /);
  }
  for (const option of ["spawn /bin/true", "(/usr/sbin/finger -l @%h)&", "frobnicate", "twist /bin/echo"]) {
    const access = hosts(`ALL: ALL: ${option}`);
    assert.ok(!lets(access, "192.0.2.1"), option);
    assert.match(problems(access).join(), /^warning hosts\.allow:1: /);
  }
  assert.ok(!lets(hosts("ALL: ALL EXCEPT .example.org"), "192.0.2.1"), "the exception may mean anyone");
  assert.ok(lets(hosts("ALL: 192.0.2.1 .example.org"), "192.0.2.1"), "the rest of the line counts");
});

test("attack 40: what is broken opens nothing; in the deny file it is an error and keeps everybody out", () => {
  const broken = [
    "ALL",
    "ALL:",
    ": ALL",
    "ALL: ALL EXCEPT",
    "ALL: 192.0.2.1/24",
    "ALL: 10.0.0.0/255.0.255.0",
    "ALL: 300.",
  ];
  for (const line of [...broken, "ALL: 2001:db8::1", "ALL: .example.org", "ALL: PARANOID", "ALL: [::1", "ALL: 10/8"]) {
    assert.ok(!lets(hosts(line), "192.0.2.1"), `allow ${line}`);
    const denying = hosts("", line);
    assert.ok(!lets(denying, "192.0.2.1"), `deny ${line}`);
    assert.ok(
      problems(denying).some((text) => text.startsWith("error hosts.deny:1: ")),
      line,
    );
  }
  assert.match(problems(hosts("ALL: 192.0.2.1/24")).join(), /write 192\.0\.2\.0\/24/);
});

test("property: no text throws, and no line of noise opens a gate that is shut", () => {
  const word = fc.constantFrom(
    "ALL",
    "EXCEPT",
    ":",
    " ",
    ",",
    "\\",
    "\n",
    "#",
    "ftpd",
    "10.",
    "[::1]",
    "@x",
    "spawn x",
    "/",
  );
  const noise = fc.oneof(
    fc.string(),
    fc.array(fc.oneof(word, fc.string({ maxLength: 3 }))).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(noise, noise, (allow, deny) => {
      hosts(allow, deny).decide("192.0.2.1");
    }),
  );
  fc.assert(
    fc.property(noise, (text) => {
      const opening = text
        .split("\n")
        .some((line) => /all|ftpd|\*|\?/i.test(line) && /all|10\.|::1|\*|\?|\d/i.test(line));
      assert.ok(opening || !lets(hosts(text), "10.0.0.1"), text);
    }),
  );
});

test("property: a rule that allows one network lets in what is inside, and nothing else", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), (one, other) => {
      const network = one.split(".").slice(0, 2).join(".");
      const access = hosts(`ferryman: ${network}.`);
      assert.ok(lets(access, one));
      assert.equal(lets(access, other), other.startsWith(`${network}.`));
    }),
  );
});

test("the files: one that is named must be there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-hosts-"));
  try {
    const deny = join(folder, "deny");
    await writeFile(deny, "ALL: 192.0.2.\nALL: oops/x\n");
    const both = await readHostsAccess({ allow: join(folder, "gone"), deny });
    assert.deepEqual(
      both.errors.map((text) => text.slice(folder.length + 1, folder.length + 8)),
      ["gone: t", "deny:2:"],
    );
    assert.deepEqual(await readHostsAccess({}), { hosts: undefined, warnings: [], errors: [] });
    await writeFile(deny, "ALL: 192.0.2.\n");
    const good = await readHostsAccess({ deny });
    assert.deepEqual([...good.errors, ...good.warnings], []);
    assert.ok(good.hosts !== undefined && !lets(good.hosts, "192.0.2.1") && lets(good.hosts, "192.0.3.1"));
  } finally {
    await rm(folder, { recursive: true });
  }
});
