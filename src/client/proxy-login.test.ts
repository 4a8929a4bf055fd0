/** What FTP proxies are told, and which proxy the environment names. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyFromEnvironment } from "./proxy-environment.ts";
import { type ProxyLoginTerms, type ProxyStyle, proxyLogin } from "./proxy-login.ts";

const TERMS = { user: "ann", password: "secret", target: { host: "h.example", port: 21 } };

function lines(style: ProxyStyle | undefined, more: Partial<ProxyLoginTerms> = {}): readonly string[] {
  return proxyLogin({ ...TERMS, style, ...more }).map(({ verb, argument, when }) => {
    return `${verb} ${argument}${when === "always" ? "" : ` (${when})`}`;
  });
}

test("every style, with and without a login at the proxy", () => {
  const proxy = { proxyUser: "eve", proxyPassword: "gate" };
  const atProxy = ["USER eve", "PASS gate (331)"];
  const atHost = ["USER ann", "PASS secret (331)"];
  assert.deepEqual(lines(undefined), ["USER ann@h.example", "PASS secret (331)"]);
  assert.deepEqual(lines("user@host", proxy), [...atProxy, "USER ann@h.example", "PASS secret (331)"]);
  assert.deepEqual(lines("user@host:port"), ["USER ann@h.example:21", "PASS secret (331)"]);
  assert.deepEqual(lines("site"), ["SITE h.example", ...atHost]);
  assert.deepEqual(lines("site", proxy), [...atProxy, "SITE h.example", ...atHost]);
  assert.deepEqual(lines("open", proxy), [...atProxy, "OPEN h.example", ...atHost]);
  assert.deepEqual(lines("user@proxyuser@host", proxy), ["USER ann@eve@h.example", "PASS secret@gate (331)"]);
  assert.throws(() => lines("user@proxyuser@host"), { code: "USAGE" });
});

test("another port, an IPv6 address, an account", () => {
  const target = { host: "2001:db8::1", port: 2121 };
  assert.deepEqual(lines("user@host", { target })[0], "USER ann@[2001:db8::1]:2121");
  assert.deepEqual(lines("user@host", { target: { ...target, port: 21 } })[0], "USER ann@[2001:db8::1]");
  assert.deepEqual(lines("site", { target })[0], "SITE 2001:db8::1 2121");
  assert.deepEqual(lines("user@host", { account: "x" }).at(-1), "ACCT x (332)");
});

test("attack 64: no line end goes out in a proxy's login", () => {
  for (const more of [{ user: "a\r\nDELE b" }, { password: "a\nb" }, { account: "\0" }, { proxyUser: "a\rb" }]) {
    for (const style of ["user@host", "site", "open"] as const) {
      assert.throws(() => lines(style, more), { code: "USAGE", message: /line end or NUL/ });
    }
  }
  assert.throws(() => lines("site", { password: "a".repeat(5_000) }), /longer than 4096 octets/);
});

function chosen(host: string, env: Record<string, string>, port?: number): string | undefined {
  return proxyFromEnvironment(host, { env, port });
}

test("the environment's proxy: ftp before all, small letters first, empty is none", () => {
  const all = { ALL_PROXY: "4", all_proxy: "3", FTP_PROXY: "2", ftp_proxy: "1" };
  assert.equal(chosen("h", all), "1");
  assert.equal(chosen("h", { ...all, ftp_proxy: " " }), "2");
  assert.equal(chosen("h", { ALL_PROXY: "4", all_proxy: "3" }), "3");
  assert.equal(chosen("h", {}), undefined);
});

test("no_proxy: names and what is below them, addresses, networks, ports", () => {
  const isDirect = (host: string, list: string, port?: number): boolean =>
    chosen(host, { ftp_proxy: "p", no_proxy: list }, port) === undefined;
  const yes: readonly [string, string, number?][] = [
    ["any.example", "*"],
    ["example.org", "x, example.org"],
    ["FTP.Example.org.", "example.org"],
    ["ftp.example.org", ".example.org"],
    ["ftp.example.org", "*.example.org"],
    ["192.0.2.7", "192.0.2.7"],
    ["192.0.2.7", "10.0.0.0/8,192.0.2.0/24"],
    ["2001:db8::1", "2001:DB8:0::1"],
    ["2001:db8::1", "2001:db8::/32"],
    ["fe80::1%eth0", "fe80::/10"],
    ["2001:db8::1", "[2001:db8::1]"],
    ["h.example", "h.example:21", 21],
    ["h.example", "h.example:21"],
  ];
  for (const [host, list, port] of yes) assert.ok(isDirect(host, list, port), `${host} in ${list}`);
  const no: readonly [string, string, number?][] = [
    ["notexample.org", "example.org"],
    ["example.org", "ftp.example.org"],
    ["192.0.3.7", "192.0.2.0/24"],
    ["192.0.2.7", "192.0.2.0/33"],
    ["192.0.2.7", "192.0.2.0/"],
    ["192.0.2.7", "2.7"],
    ["h.example", "192.0.2.0/0"],
    ["::1", "0.0.0.0/0"],
    ["h.example", "h.example:990", 21],
    ["h.example", " , "],
    ["h.example", ""],
  ];
  for (const [host, list, port] of no) assert.ok(!isDirect(host, list, port), `${host} not in ${list}`);
  assert.equal(chosen("h", { all_proxy: "p", NO_PROXY: "h" }), undefined);
});
