/**
 * Active mode behind a real router that translates addresses: miniupnpd, as many houses have it, grants the client's
 * listener a port by PCP or NAT-PMP. Three networks of the test's own; it needs root, `ip`, `nft` and `miniupnpd`.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { suite, test } from "node:test";
import { missing } from "../support/run.ts";
import { elsewhere, isRoot } from "../support/serve-process.ts";
import { outputOf } from "../support/two-networks.ts";
import { type Scratch, scratch } from "../../src/client/test-folder.ts";

/** Of nobody here; miniupnpd takes no address that is only for examples for a public one. */
const [SERVER, WAN, LAN, CLIENT] = ["11.7.0.1", "11.7.0.2", "192.168.10.1", "192.168.10.2"];
const LIMIT_MS = 60_000;
const names = {
  client: `ferryman-h-${process.pid}`,
  router: `ferryman-r-${process.pid}`,
  server: `ferryman-w-${process.pid}`,
};

/** What a house's router does: addresses are translated, and nothing comes in that nobody asked for. */
const RULES = `
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state established,related accept
    ct status dnat accept
    iifname "wan" drop
  }
  chain miniupnpd {
  }
  chain prerouting_miniupnpd {
  }
  chain postrouting_miniupnpd {
  }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    jump prerouting_miniupnpd
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    oifname "wan" masquerade
  }
}
`;

const CONFIGURATION = `
ext_ifname=wan
listening_ip=lan
enable_natpmp=yes
enable_upnp=no
min_lifetime=60
uuid=00000000-0000-0000-0000-000000000001
allow 1024-65535 192.168.10.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;

function ip(...words: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", words, { timeout: LIMIT_MS, encoding: "utf8" });
  assert.equal(status, 0, `ip ${words.join(" ")}: ${stderr}`);
}

function within(space: string, command: readonly string[], input = ""): string {
  const words = ["netns", "exec", space, ...command];
  const { status, stderr, stdout } = spawnSync("ip", words, { timeout: LIMIT_MS, encoding: "utf8", input });
  assert.equal(status, 0, `${command.join(" ")}: ${stderr}`);
  return stdout;
}

function build(): void {
  const { client, router, server } = names;
  for (const space of Object.values(names)) {
    ip("netns", "add", space);
    ip("-n", space, "link", "set", "lo", "up");
  }
  ip("link", "add", "lan", "netns", router, "type", "veth", "peer", "name", "house", "netns", client);
  ip("link", "add", "wan", "netns", router, "type", "veth", "peer", "name", "world", "netns", server);
  for (const [space, link, address] of [
    [router, "lan", LAN],
    [client, "house", CLIENT],
    [router, "wan", WAN],
    [server, "world", SERVER],
  ] as const) {
    ip("-n", space, "addr", "add", `${address}/24`, "dev", link);
    ip("-n", space, "link", "set", link, "up");
  }
  ip("-n", client, "route", "add", "default", "via", LAN);
  within(router, ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
  within(router, ["nft", "-f", "-"], RULES);
}

function remove(): void {
  for (const space of Object.values(names)) spawnSync("ip", ["netns", "del", space], { timeout: LIMIT_MS });
}

function start(space: string, command: readonly string[]): ChildProcess {
  return spawn("ip", ["netns", "exec", space, ...command], {
    stdio: ["pipe", "pipe", "ignore"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

/** Milliseconds until the daemon listens, between two looks. */
const LOOK_MS = 50;

async function daemon(folder: Scratch): Promise<ChildProcess> {
  writeFileSync(folder.at("upnpd.conf"), CONFIGURATION);
  const child = start(names.router, ["miniupnpd", "-d", "-f", folder.at("upnpd.conf"), "-P", folder.at("upnpd.pid")]);
  child.stdout?.resume();
  while (!within(names.router, ["cat", "/proc/net/udp"]).includes(":14E7 ")) await delay(LOOK_MS);
  return child;
}

function script(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

const isReady = elsewhere === false && isRoot;
const skip = isReady ? missing("nft") || missing("miniupnpd") || missing("ip") : "needs root on Linux";

suite("active mode behind a router", { skip, concurrency: false }, () => {
  test("a port that the router grants carries files, in clear and over TLS, and is taken away", async () => {
    await using folder = await scratch();
    const running: ChildProcess[] = [];
    try {
      build();
      const server = start(names.server, [process.execPath, script("network-server.ts"), "ferryman", SERVER]);
      running.push(server);
      const [line]: unknown[] = await once(server.stdout?.setEncoding("utf8") ?? server, "data");
      const url = String(line).trim();
      const run = async (tls: string, ...more: readonly string[]): Promise<string> => {
        const words = [
          script("network-client.ts"),
          url,
          folder.at(`store-${tls}`),
          tls,
          folder.path,
          "active",
          ...more,
        ];
        return await outputOf(start(names.client, [process.execPath, ...words]));
      };
      assert.match(await run("off"), /behind its router; the router knows neither PCP nor NAT-PMP: forward ports/);
      running.push(await daemon(folder));
      assert.match(await run("off", "forbidden"), /behind its router: forward ports/);
      for (const tls of ["off", "explicit"]) {
        const said = await run(tls);
        assert.match(said, /"modes":\["eprt","eprt"\]/);
      }
      assert.doesNotMatch(within(names.router, ["nft", "list", "ruleset"]), /dnat to|dnat ip to/);
    } finally {
      for (const child of running) await ended(child);
      remove();
    }
  });
});
