/** Which certificate a name gets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CredentialSet } from "./credential-set.ts";
import type { Credential } from "./credential.ts";
import { plainName } from "./host-names.ts";

function credential(subject: string, ...names: readonly string[]): Credential {
  const rest = { cert: "", key: "", notBefore: 0, notAfter: 0, fingerprint: "", source: "made", warnings: [] } as const;
  return { subject, names, ...rest };
}

const set = new CredentialSet([
  credential("default", "ftp.example.com", "192.0.2.1", "2001:db8::1"),
  credential("wild", "*.example.com", "*.localhost", "example.org"),
  credential("exact", "a.example.com", "xn--bcher-kva.example"),
  credential("late", "a.example.com", "*.example.com"),
]);

function chosen(name: string | undefined): string {
  return set.choose(name).subject;
}

test("the very name wins over a wildcard, the earlier over the later, and the first stands in for all others", () => {
  assert.equal(chosen("a.example.com"), "exact");
  assert.equal(chosen("b.example.com"), "wild");
  assert.equal(chosen("ftp.example.com"), "default");
  assert.equal(chosen("example.org"), "wild");
  assert.equal(chosen("nobody.example"), "default");
  assert.equal(chosen(undefined), "default");
});

test("case, a last dot, another spelling of an address and brackets make no difference", () => {
  for (const name of ["B.Example.COM", "b.example.com.", "bücher.example", "XN--bcher-kva.example"]) {
    assert.ok(set.knows(name), name);
    assert.notEqual(set.choose(name).subject, "default", name);
  }
  for (const name of ["[2001:DB8::1]", "2001:db8:0:0::1", "192.0.2.1", "[192.0.2.1]"]) assert.ok(set.knows(name), name);
});

test("a star stands for one whole label and nothing else", () => {
  for (const name of ["example.com", "x.y.example.com", ".example.com", "*.example.com", "localhost", "com", "", "."]) {
    assert.ok(!set.knows(name), name);
    assert.equal(set.choose(name).subject, "default");
  }
  assert.ok(set.knows("x.localhost"));
  const odd = new CredentialSet([credential("odd", "f*.example.com", "*", "*.0.2.1")]);
  for (const name of ["ftp.example.com", "x", "192.0.2.1"]) assert.ok(!odd.knows(name), name);
});

test("names that are none are not known", () => {
  for (const name of [
    "a\0.example.com",
    "a b.example.com",
    "a,b",
    "..",
    "b.example.com..",
    "-.example.com",
    "10.0.0.256",
  ]) {
    assert.ok(!set.knows(name), JSON.stringify(name));
  }
  assert.ok(!set.knows(`${"a".repeat(64)}.example.com`));
  assert.equal(plainName("fe80::1%eth0"), undefined);
  assert.equal(plainName("１２７.0.0.1"), undefined);
});

test("property: nothing throws, the same name gets the same, and a plain name is its own plain name", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.domain(), fc.ipV4(), fc.ipV6()), (name) => {
      assert.equal(set.choose(name), set.choose(name.toUpperCase().toLowerCase() === name ? name.toUpperCase() : name));
      const plain = plainName(name);
      if (plain !== undefined) assert.equal(plainName(plain), plain);
    }),
  );
});
