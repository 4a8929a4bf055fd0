/** Client certificates: what they open, what they do not, and that a revoked one is judged anew each time (attack 15). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientAuthority } from "../support/client-certificates.ts";
import { type TestServer, startServer } from "../support/server.ts";
import { PrivateWire, VERSIONS } from "../support/tls.ts";
import type { TlsSettings } from "../../src/server/tls-channel.ts";

const authority = clientAuthority();
const ann = authority.issue("ann");
const bob = authority.issue("bob");
const stranger = clientAuthority().issue("ann");
const shown = ({ pem, key }: { pem: string; key: string }): { cert: string; key: string } => ({ cert: pem, key });

async function serverWith(settings: Partial<TlsSettings>, clientRevocations?: string): Promise<TestServer> {
  return startServer({
    tls: {
      settings,
      terms: {
        clientCertificates: settings.clientCertificates ?? "request",
        clientAuthorities: authority.pem,
        ...(clientRevocations === undefined ? {} : { clientRevocations }),
      },
    },
  });
}

for (const version of VERSIONS) {
  test(`clientCertificates require, ${version}: none, a stranger's and a good one`, async () => {
    await using server = await serverWith({ clientCertificates: "require" });
    using none = await PrivateWire.open(server.port, { version });
    const [why = ""] = await none.wire.expect(530, "USER ann");
    assert.match(why, /client certificate is needed/);
    using strange = await PrivateWire.open(server.port, { version, more: shown(stranger) });
    const [other = ""] = await strange.wire.expect(530, "USER ann");
    assert.match(other, /not one that this server trusts/);
    using good = await PrivateWire.login(server.port, { version, more: shown(ann) });
    assert.deepEqual(await good.store("STOR a", "x"), [150, 226]);
  });

  test(`certificateLogin match, ${version}: the certificate must name the user, and the password is still asked`, async () => {
    await using server = await serverWith({ certificateLogin: "match" });
    for (const [certificate, code] of [
      [ann, 230],
      [bob, 530],
      [stranger, 530],
    ] as const) {
      using wire = await PrivateWire.open(server.port, { version, more: shown(certificate) });
      await wire.wire.expect(331, "USER ann");
      await wire.wire.expect(code, "PASS secret");
    }
    using guest = await PrivateWire.open(server.port, { version });
    await guest.wire.expect(331, "USER anonymous");
    await guest.wire.expect(230, "PASS a@example.com");
    using wrong = await PrivateWire.open(server.port, { version, more: shown(ann) });
    await wrong.wire.expect(331, "USER ann");
    await wrong.wire.expect(530, "PASS wrong");
  });

  test(`attack 15: a revoked client certificate opens nothing, ${version}, whatever is resumed`, async () => {
    let isRevoked = false;
    const lists = { before: authority.revoke(bob), after: authority.revoke(bob, ann) };
    await using server = await startServer({
      tls: {
        settings: { clientCertificates: "require" },
        terms: {
          clientCertificates: "require",
          clientAuthorities: authority.pem,
          get clientRevocations() {
            return isRevoked ? lists.after : lists.before;
          },
        },
      },
    });
    using first = await PrivateWire.login(server.port, { version, more: shown(ann) });
    const session = await first.session();
    using second = await PrivateWire.open(server.port, { version, more: { ...shown(ann), session } });
    assert.equal(second.tls.isSessionReused(), false, "no control connection resumes another's session");
    await second.wire.expect(331, "USER ann");
    isRevoked = true;
    using third = await PrivateWire.open(server.port, { version, more: { ...shown(ann), session } });
    assert.equal(third.tls.isSessionReused(), false);
    const [why = ""] = await third.wire.expect(530, "USER ann");
    assert.match(why, /not one that this server trusts/);
    // Nor does the session alone open a thing, without the certificate.
    using fourth = await PrivateWire.open(server.port, { version, more: { session } });
    await fourth.wire.expect(530, "USER ann");
    using revoked = await PrivateWire.open(server.port, { version, more: shown(bob) });
    await revoked.wire.expect(530, "USER bob");
  });
}

test("attack 15: a session resumed after AUTH again on the same connection does not skip the check", async () => {
  await using server = await serverWith({ clientCertificates: "require" });
  using first = await PrivateWire.login(server.port, { more: shown(ann) });
  const session = await first.session();
  await first.wire.expect(220, "REIN");
  await first.clear();
  using again = await PrivateWire.upgrade(first.wire, { more: { session } });
  assert.equal(again.tls.isSessionReused(), false);
  await again.wire.expect(530, "USER ann");
});
