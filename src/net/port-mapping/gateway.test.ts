import assert from "node:assert/strict";
import { test } from "node:test";
import { gatewayOf, gatewayOf6 } from "./gateway.ts";

const HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

test("of several default routes the cheapest one by a router counts", () => {
  const lines = [
    "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
    "wlan0\t00000000\t01000A0A\t0003\t0\t0\t50\t00000000\t0\t0\t0",
    "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0",
    "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "half\t00000000\t0201A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0",
  ];
  assert.equal(gatewayOf(`${HEAD}${lines.join("\n")}\n`), "10.10.0.1");
  assert.equal(gatewayOf(HEAD), undefined);
  assert.equal(gatewayOf(""), undefined);
});

test("IPv6: a link-local router has its link with it", () => {
  const zero = "0".repeat(32);
  const lines = [
    `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0`,
    `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200 lo`,
    `20010db8000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001 eth0`,
  ];
  assert.equal(gatewayOf6(lines.join("\n")), "fe80:0000:0000:0000:0000:0000:0000:0001%eth0");
  assert.equal(gatewayOf6(""), undefined);
});
