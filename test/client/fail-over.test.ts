/**
 * What stands between many clients and servers: passive ports that a firewall swallows, closed ones, modes that are refused,
 * addresses that lead nowhere. The first transfer works within 3 s, and the next one costs nothing, in a new process too.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { z } from "zod";
import { type Networks, SERVER, outputOf, twoNetworks } from "../support/two-networks.ts";
import type { NetworkRun } from "./network-client.ts";
import { type PeerName, absentPeer } from "./peers.ts";
import { scratch } from "../../src/client/test-folder.ts";

/** Milliseconds, which the issue promises. That the next one costs nothing is told by the modes that were tried. */
const FIRST_MS = 3_000;

const runSchema = z.object({ ms: z.array(z.number()), modes: z.array(z.string()), notes: z.array(z.string()) });

type Case = {
  readonly name: PeerName;
  readonly family?: "IPv4" | "IPv6";
  readonly isDropped?: boolean;
  /** Of its configuration. */
  readonly lines?: readonly string[];
  /** What carries files in the end. */
  readonly mode: string;
  readonly notes?: RegExp;
};

async function runOnce(networks: Networks, words: readonly string[]): Promise<NetworkRun> {
  const client = networks.start("client", new URL("./network-client.ts", import.meta.url), words);
  return runSchema.parse(JSON.parse(await outputOf(client)));
}

async function tryCase(networks: Networks, { name, family = "IPv4", lines = [], mode, notes }: Case): Promise<void> {
  await using folder = await scratch();
  const words = [name, SERVER[family], ...lines];
  const server = networks.start("server", new URL("./network-server.ts", import.meta.url), words);
  try {
    const [line]: unknown[] = await once(server.stdout?.setEncoding("utf8") ?? server, "data");
    const url = String(line).trim();
    for (const tls of ["off", "explicit"]) {
      const store = folder.at(`store-${tls}`);
      const first = await runOnce(networks, [url, store, tls, folder.path]);
      const later = await runOnce(networks, [url, store, tls, folder.path]);
      const told = `${name}, TLS ${tls}: ${JSON.stringify([first, later])}`;
      assert.deepEqual([...first.modes, ...later.modes], [mode, mode, mode, mode], told);
      assert.ok(Math.max(...first.ms, ...later.ms) < FIRST_MS, told);
      assert.ok(first.notes.filter((note) => note.includes("going on with")).length <= 1, told);
      assert.doesNotMatch(later.notes.join("\n"), /going on with/, told);
      if (notes !== undefined) assert.match(first.notes.join("\n"), notes);
      if (process.env["FERRYMAN_TOLD"] !== undefined) process.stderr.write(`${told}\n`);
    }
  } finally {
    server.stdin?.end();
    if (server.exitCode === null) await once(server, "exit");
  }
}

function trying(what: string, one: Case): void {
  test(what, { skip: absentPeer(one.name), timeout: 60_000 }, async (context) => {
    const networks = twoNetworks({ isDropped: one.isDropped === true });
    if (typeof networks === "string") {
      context.skip(networks);
      return;
    }
    using _ = networks;
    await tryCase(networks, one);
  });
}

suite("fail-over", { concurrency: false }, () => {
  for (const name of ["ferryman", "vsftpd", "pure-ftpd", "proftpd"] as const) {
    trying(`passive ports of ${name} are swallowed`, {
      name,
      isDropped: true,
      mode: "eprt",
      notes: /going on with EPRT/,
    });
  }
  trying("passive ports are swallowed, by IPv6", { name: "ferryman", family: "IPv6", isDropped: true, mode: "eprt" });
  const unroutable = "pasv_address=192.168.77.7";
  trying("PASV names an address that leads nowhere, and EPSV works", {
    name: "vsftpd",
    lines: [unroutable],
    mode: "epsv",
  });
  trying("PASV names an address that leads nowhere, and there is no EPSV", {
    name: "vsftpd",
    lines: [unroutable, "cmds_denied=EPSV,EPRT"],
    mode: "pasv",
    notes: /named 192\.168\.77\.7/,
  });
  trying("PASV and EPSV are refused", { name: "vsftpd", lines: ["cmds_denied=EPSV,PASV"], mode: "eprt" });
  trying("EPRT, too", { name: "vsftpd", lines: ["cmds_denied=EPSV,PASV,EPRT"], mode: "port" });
});
