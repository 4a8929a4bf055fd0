/** Whom a client's certificate names, and that nobody can be taken for another. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { commonNames } from "./certificate.ts";
import { clientIdentity, fingerprintOf } from "./client-identity.ts";
import { oid, sequence, setOf, utf8String } from "./der.ts";
import { type IssueTerms, issue, put, run, withFolder } from "./test-tools.ts";

function certificate(terms: IssueTerms): X509Certificate {
  return new X509Certificate(issue(terms).pem);
}

function named(...names: readonly string[]): X509Certificate {
  return certificate({ subject: commonNames(...names) });
}

test("a common name, a mail address, a DNS name, the subject", () => {
  const x509 = certificate({
    subject: commonNames("ann"),
    names: ["ann@example.com", "host.example.com", "192.0.2.1"],
  });
  assert.equal(clientIdentity(x509, "cn"), "ann");
  assert.equal(clientIdentity(x509, "email"), "ann@example.com");
  assert.equal(clientIdentity(x509, "dns"), "host.example.com");
  assert.equal(clientIdentity(x509, "subject"), "CN=ann");
  assert.equal(clientIdentity(x509.raw, "cn"), "ann");
});

test("none, several, or another kind: nobody", () => {
  const several = certificate({ subject: commonNames("ann", "bob"), names: ["a@x.y", "b@x.y", "a.x", "b.x"] });
  for (const how of ["cn", "email", "dns"] as const) assert.equal(clientIdentity(several, how), undefined, how);
  const none = certificate({ subject: sequence(), names: ["192.0.2.1"] });
  for (const how of ["cn", "email", "dns", "subject"] as const) assert.equal(clientIdentity(none, how), undefined, how);
  assert.equal(clientIdentity(named("ann", "ann"), "cn"), undefined);
  assert.equal(clientIdentity(Buffer.from("garbage"), "cn"), undefined);
});

test("control characters, spaces around, and what is too long: nobody", () => {
  for (const name of [
    "ann\0",
    "ann\0.evil",
    "a\nCN=root",
    "a\r\n",
    "\x7f",
    "a\u0085",
    " ann",
    "ann ",
    "",
    "a\u202eb",
    "\ufffd",
  ]) {
    assert.equal(clientIdentity(named(name), "cn"), undefined, JSON.stringify(name));
    const inAlt = certificate({ names: [`${name}@example.com\0`] });
    assert.equal(clientIdentity(inAlt, "email"), undefined, JSON.stringify(name));
  }
  for (const name of ["ann\0", "a\nCN=root", "a\x7f"]) assert.equal(clientIdentity(named(name), "subject"), undefined);
  const mixed = setOf(sequence(oid("2.5.4.3"), utf8String("ann")), sequence(oid("2.5.4.10"), utf8String("x")));
  assert.equal(clientIdentity(certificate({ subject: sequence(mixed) }), "subject"), undefined);
  assert.equal(clientIdentity(named("a".repeat(255)), "cn"), "a".repeat(255));
  assert.equal(clientIdentity(named("a".repeat(256)), "cn"), undefined);
  assert.equal(clientIdentity(named("é".repeat(128)), "cn"), undefined);
});

test("a value cannot pretend to be two, nor another kind", () => {
  const sly = certificate({ names: ["a@x.y, DNS:root.example.com", 'b", "dns'] });
  assert.equal(clientIdentity(sly, "email"), "a@x.y, DNS:root.example.com");
  assert.equal(clientIdentity(sly, "dns"), 'b", "dns');
  assert.equal(clientIdentity(named("ann,O=Example"), "subject"), String.raw`CN=ann\,O=Example`);
  assert.equal(clientIdentity(named("ann + O=x"), "subject"), String.raw`CN=ann \+ O=x`);
});

test("property: the common name is taken as it is or not at all, and octets decide who it is", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 80 }).filter((name) => name.isWellFormed()),
      (name) => {
        const found = clientIdentity(named(name), "cn");
        assert.ok(found === undefined || found === name);
        if (/^[a-z0-9.@-]+$/i.test(name)) assert.equal(found, name);
      },
    ),
    { numRuns: 60 },
  );
});

test("OpenSSL shows the same subject", async (t) => {
  await withFolder(async (folder) => {
    const parts = [
      ["2.5.4.6", "DE"],
      ["2.5.4.10", 'Ä & "Co", Inc; <x>#'],
      ["2.5.4.3", "ann"],
    ].map(([id = "", text = ""]) => setOf(sequence(oid(id), utf8String(text))));
    const { pem } = issue({ subject: sequence(...parts) });
    const file = await put(folder, { name: "x.crt", text: pem });
    const nameopt = "esc_2253,esc_ctrl,utf8,sep_comma_plus,dn_rev,sname";
    const shown = run("openssl", ["x509", "-in", file, "-noout", "-subject", "-nameopt", nameopt]);
    if (shown === undefined) {
      t.skip("openssl is not installed");
      return;
    }
    assert.equal(`subject=${clientIdentity(new X509Certificate(pem), "subject")}\n`, shown.output);
  });
});

test("a fingerprint is Node's own", () => {
  const x509 = named("ann");
  assert.equal(fingerprintOf(x509.raw), x509.fingerprint256);
  assert.match(fingerprintOf(Buffer.alloc(0)), /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});
