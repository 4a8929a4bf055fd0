/** `detect()` against real servers, and against one that lies: what it says of each is what we know of them. */
import assert from "node:assert/strict";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { describeProfile } from "../../src/client/describe-profile.ts";
import { detect } from "../../src/client/detect.ts";
import { FtpError } from "../../src/client/errors.ts";
import { openStore } from "../../src/client/store.ts";
import type { Profile } from "../../src/client/profile.ts";
import type { ConnectOptions } from "../../src/client/types.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { Liar } from "./liar.ts";
import { PEER_NAMES, type PeerName, absentPeer, startPeer } from "./peers.ts";

const OPTIONS: ConnectOptions = { store: false, tls: { trust: "any" }, replyMs: 10_000 };
/**
 * Those that read one command at a time bear it. pyftpdlib drops the first port when the second EPSV comes; ProFTPD and
 * Pure-FTPd look at commands during a transfer and refuse EPSV (450, 500), with a reply that overtakes the 226.
 */
const PIPELINES: Readonly<Record<PeerName, boolean>> = {
  ferryman: true,
  vsftpd: true,
  "pure-ftpd": false,
  proftpd: false,
  pyftpdlib: false,
};
/** Pure-FTPd gives no tickets over TLS 1.3. */
const RESUMES: ReadonlySet<PeerName> = new Set(["ferryman", "vsftpd", "proftpd", "pyftpdlib"]);

function worksOf({ modes }: Profile): readonly string[] {
  return modes.filter(({ works }) => works).map(({ mode }) => mode);
}

for (const name of PEER_NAMES) {
  suite(`detect ${name}`, { skip: absentPeer(name) }, () => {
    test("its profile over TLS", async () => {
      await using peer = await startPeer(name);
      // An hour ago: not one of the times at which a guess of the year could go wrong.
      const when = new Date(Date.now() - 3_600_000);
      await utimes(join(peer.root, "hello.txt"), when, when);
      const profile = await detect(peer.url(), OPTIONS);
      assert.ok(worksOf(profile).includes("epsv"), JSON.stringify(profile.modes));
      assert.ok(worksOf(profile).includes("pasv"), JSON.stringify(profile.modes));
      assert.equal(profile.modes.length, 4);
      for (const { mode, works, endpoint } of profile.modes) {
        if (works) assert.match(endpoint ?? "", /^127\.0\.0\.1:\d+$/, mode);
      }
      assert.equal(profile.listing, name === "vsftpd" ? "list" : "mlsd");
      assert.equal(profile.tls.offered, true);
      assert.match(profile.tls.version ?? "", /^TLSv1\.[23]$/);
      assert.equal(profile.tls.resumes, RESUMES.has(name));
      assert.equal(profile.pipelining, PIPELINES[name]);
      assert.ok(profile.zoneMinutes !== undefined && profile.zoneMinutes % 15 === 0, String(profile.zoneMinutes));
      assert.ok(
        profile.warnings.some((warning) => /^the certificate ends in \d days$/.test(warning)),
        "2 days",
      );
      const words = describeProfile(profile);
      assert.match(words, /works {2}EPSV/);
      assert.ok(!words.includes("clear text"), words);
    });
  });
}

test("detect says that TLS is offered where it was not used", async () => {
  await using peer = await startPeer("ferryman");
  const profile = await detect(peer.url(), { ...OPTIONS, tls: "off" });
  assert.deepEqual(
    { offered: profile.tls.offered, version: profile.tls.version },
    { offered: true, version: undefined },
  );
  assert.match(profile.warnings[0] ?? "", /offers it/);
  assert.match(describeProfile(profile), /ftpes:\/\//);
});

test("detect tries only the modes that are allowed", async () => {
  await using peer = await startPeer("ferryman");
  const profile = await detect(peer.url(), { ...OPTIONS, data: { modes: ["port"] } });
  assert.deepEqual(worksOf(profile), ["port"]);
  assert.equal(profile.pipelining, undefined);
});

test("detect reports a login that is refused as an error", async () => {
  await using peer = await startPeer("ferryman");
  const wrong = peer.url().replace("secret", "wrong");
  await assert.rejects(detect(wrong, OPTIONS), (error) => error instanceof FtpError && error.code === "AUTH");
});

test("detect ends when it is told to", async () => {
  await using peer = await startPeer("ferryman");
  const stop = new AbortController();
  const run = detect(peer.url(), { ...OPTIONS, signal: stop.signal, onStep: () => stop.abort(new Error("enough")) });
  await assert.rejects(run, /enough/);
});

test("attack 64: detect connects to no address that a 227 names, and says what it is", async () => {
  await using liar = await Liar.start({
    lies: { passiveAddress: "127.0.0.2", replies: { EPSV: { say: "500 no\r\n" } } },
  });
  const profile = await detect(liar.url(), OPTIONS);
  assert.ok(worksOf(profile).includes("pasv"), JSON.stringify(profile.modes));
  assert.equal(liar.trapped, 0);
  assert.ok(profile.warnings.some((warning) => warning.startsWith("PASV names the private address 127.0.0.2")));
  assert.match(describeProfile(profile), /fails {2}EPSV.*refused \(500 no\)/);
  await liar.quiet();
});

test("detect waits for silent ports no longer than it is told, and finds the mode that works", async () => {
  await using liar = await Liar.start({ lies: { passivePort: "silent" } });
  const profile = await detect(liar.url(), { ...OPTIONS, data: { waitMs: 200 } });
  assert.deepEqual(worksOf(profile), ["eprt", "port"]);
  assert.deepEqual(
    profile.modes.map(({ outcome }) => outcome),
    ["no answer", "no answer", "works", "works"],
  );
  assert.match(describeProfile(profile), /only active mode works/);
  assert.match(describeProfile(profile), /range of passive ports/);
  await liar.quiet();
});

test("detect says that no FEAT is known, and that MLSD is promised and not kept", async () => {
  await using liar = await Liar.start({ lies: { features: null } });
  assert.ok((await detect(liar.url(), OPTIONS)).warnings.some((warning) => warning.startsWith("FEAT is not answered")));
  liar.behave({ replies: { MLSD: { say: "502 not here\r\n" } }, steps: { MLSD: ["opening"] } });
  const profile = await detect(liar.url(), OPTIONS);
  assert.equal(profile.listing, "list");
  assert.ok(profile.warnings.some((warning) => warning.includes("MLSD does not work: 502 not here")));
});

test("later clients know what detect has found", async () => {
  await using peer = await startPeer("ferryman");
  await using own = await scratch();
  await detect(peer.url(), { ...OPTIONS, store: own.path });
  const known = await openStore(own.path).recall({ host: "127.0.0.1", port: peer.port });
  assert.equal(known.pipelining, true);
  assert.equal(known.mode?.mode, undefined, "the last mode that was tried is not the best");
});
