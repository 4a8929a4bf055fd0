/** URLs in every form that hands and RFC 1738 write, and what must never come through them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FtpError } from "./errors.ts";
import { ARGUMENT_MOST } from "./limits.ts";
import { type FtpUrl, defaultPort, formatFtpUrl, parseFtpUrl } from "./url.ts";

const PIN = "ab".repeat(32);

function refuses(text: string, message: RegExp, lenient = false): void {
  assert.throws(
    () => parseFtpUrl(text, { lenient }),
    (error) => {
      assert.ok(error instanceof FtpError, `${text}: ${String(error)}`);
      assert.equal(error.code, "USAGE");
      assert.match(error.message, message);
      return true;
    },
  );
}

test("the parts of a URL (RFC 1738 §3.2)", () => {
  assert.deepEqual(parseFtpUrl("ftp://ftp.example.org"), { scheme: "ftp", host: "ftp.example.org", path: "" });
  assert.deepEqual(parseFtpUrl("FTPS://Ann:s%40crét@FTP.Example.org.:2990/pub/a%20b;type=A"), {
    scheme: "ftps",
    host: "ftp.example.org",
    port: 2990,
    user: "Ann",
    password: "s@crét",
    path: "pub/a b",
    type: "a",
  });
  assert.deepEqual(parseFtpUrl(`ftpes://ann:pw;fingerprint=${PIN.replaceAll(/(..)(?=.)/g, "$1-")};account=x%3By@h/`), {
    scheme: "ftpes",
    host: "h",
    user: "ann",
    password: "pw",
    account: "x;y",
    fingerprint: PIN,
    path: "",
  });
  assert.deepEqual([defaultPort("ftp"), defaultPort("ftpes"), defaultPort("ftps")], [21, 21, 990]);
});

test("a path is from the home, with %2F or two slashes from the root (RFC 1738 §3.2.2)", () => {
  const paths = ["/etc/motd", "/%2Fetc/motd", "//etc/motd", "/%2fetc%2Fmotd", "/a;b", "/a?b#c", "/a;type=i", "/"];
  assert.deepEqual(
    paths.map((path) => parseFtpUrl(`ftp://h${path}`).path),
    ["etc/motd", "/etc/motd", "/etc/motd", "/etc/motd", "a;b", "a?b#c", "a", ""],
  );
});

test("escapes that are no UTF-8 keep their octets", () => {
  const url = parseFtpUrl("ftp://h/caf%E9");
  assert.equal(url.path, "café");
  assert.equal(url.octets, "caf\xe9");
  assert.equal(formatFtpUrl(url), "ftp://h/caf%E9");
  assert.equal(parseFtpUrl("ftp://h/caf%C3%A9").octets, undefined);
});

test("names and passwords with characters that have a meaning elsewhere", () => {
  assert.equal(parseFtpUrl("ftp://ann@example.org@h/").user, "ann@example.org");
  assert.equal(parseFtpUrl("ftp://ann:a;b;c=d@h/").password, "a;b;c=d");
  assert.equal(parseFtpUrl("ftp://ann:a:b@h/").password, "a:b");
  assert.equal(parseFtpUrl("ftp://ann:@h/").password, "");
  assert.equal(parseFtpUrl("ftp://ann@h/").password, undefined);
  assert.equal(parseFtpUrl("ftp://@h/").user, undefined);
});

test("addresses, with brackets and zones", () => {
  const hosts = ["192.0.2.1", "[2001:DB8::1]", "[fe80::1%25eth0]:2121", "[fe80::1%eth0]", "bücher.example", "[::1]:"];
  assert.deepEqual(
    hosts.map((host) => parseFtpUrl(`ftp://${host}/`).host),
    ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "fe80::1%eth0", "xn--bcher-kva.example", "::1"],
  );
  assert.equal(parseFtpUrl("ftp://[fe80::1%25eth0]:2121").port, 2121);
});

test("shorter forms, where they are allowed", () => {
  const forms: readonly (readonly [string, string])[] = [
    ["ftp.example.org", "ftp://ftp.example.org/"],
    ["h/pub/a%20b", "ftp://h/pub/a%20b"],
    ["//h/pub", "ftp://h/pub"],
    ["ann@h", "ftp://ann@h/"],
    ["h:2121/pub", "ftp://h:2121/pub"],
    ["h:2121", "ftp://h:2121/"],
    ["h:/etc/motd", "ftp://h/%2Fetc/motd"],
    ["h:pub/100%.txt", "ftp://h/pub/100%25.txt"],
    ["h:2024.txt", "ftp://h/2024.txt"],
    ["h:a:b", "ftp://h/a%3Ab"],
    ["h:", "ftp://h/"],
    ["ann@[::1]:/x", "ftp://ann@[::1]/%2Fx"],
    ["[2001:db8::1]:2121/x", "ftp://[2001:db8::1]:2121/x"],
    ["ftpes://h/x", "ftpes://h/x"],
  ];
  for (const [text, url] of forms) {
    assert.equal(formatFtpUrl(parseFtpUrl(text, { lenient: true })), url, text);
  }
  assert.equal(parseFtpUrl("ann:pw@h:/x", { lenient: true }).password, "pw");
  refuses("2001:db8::1", /in brackets: write ftp:\/\/\[2001:db8::1\]\//, true);
});

test("each mistake has its own error, with the nearest right form", () => {
  refuses("h/x", /no scheme: write ftp:\/\/h\/x/);
  refuses("//h/x", /no scheme: write ftp:\/\/h\/x/);
  refuses("ftp:/h/x", /two slashes are missing: write ftp:\/\/h\/x/);
  refuses("sftp://h/", /"sftp:\/\/" is not spoken here.*Did you mean "ftp"/);
  refuses("http://h/", /"http:\/\/" is not spoken here/);
  refuses("ftp:///x", /names no host/);
  refuses("ftp://ann@/x", /names no host/);
  refuses("ftp://:21/", /names no host/);
  refuses("ftp://h:0/", /port "0" is none from 1 to 65535: write ftp:\/\/h:21\//);
  refuses("ftps://h:65536/", /write ftps:\/\/h:990\//);
  refuses("ftp://h:x/", /what stands behind "h:" is no port from 1 to 65535/);
  refuses("ftp://2001:db8::1/", /in brackets: write ftp:\/\/\[2001:db8::1\]\//);
  refuses("ftp://[2001:db8:::1]/", /no IPv6 address/);
  refuses("ftp://[::1]x/", /neither a host name nor an address/);
  refuses("ftp://h h/", /neither a host name nor an address/);
  refuses("ftp://127.1/", /neither a host name nor an address/);
  refuses("ftp://*.example.org/", /neither a host name nor an address/);
  refuses("ftp://h/100%", /path of the URL holds "%", which is no escape: write %25/);
  refuses("ftp://h/%zz9", /holds "%zz"/);
  refuses("ftp://%FF@h/", /escapes in the user .* no UTF-8/);
  refuses("ftp://:pw@h/", /a password and no user/);
  refuses("ftp://ann;fingerprint=abcd@h/", /"abcd" is no SHA-256/);
  refuses("ftp://h/x;type=z", /";type=z" is not ;type=a.*%3Btype=/);
  refuses(`ftp://h/${"a".repeat(ARGUMENT_MOST + 1)}`, /path of the URL has 4097 octets; 4096 are the most/);
  refuses(`ftp://h/${"a".repeat(100_000)}`, /the URL has 100008 characters/);
});

test("attack 64: no line end and no NUL comes out of a URL, and the message names the place", () => {
  refuses("ftp://h/a%0D%0ADELE%20b", /path of the URL holds a carriage return \(%0D\)/);
  refuses("ftp://h/a%0ab", /path of the URL holds a line feed/);
  refuses("ftp://h/a%00", /path of the URL holds a NUL/);
  refuses("ftp://a%0Ab@h/", /user of the URL holds a line feed/);
  refuses("ftp://a:%0Db@h/", /password of the URL holds a carriage return/);
  refuses("ftp://a;account=%0Ab@h/", /account of the URL holds a line feed/);
  refuses("ftp://h%0A/", /host of the URL holds a line feed/);
  refuses("ftp://h/a\r\nDELE b", /line end or NUL/);
  refuses("h:a\nb", /line end or NUL/, true);
});

test("no message repeats a password", () => {
  const texts = [
    "ftp://ann:sec/ret@h/",
    "ftp://ann:secret%zz@h/",
    "ann:secret@h",
    "sftp://ann:secret@h",
    "ftp:ann:secret@h",
  ];
  for (const text of texts) {
    assert.throws(
      () => parseFtpUrl(text),
      (error) => error instanceof FtpError && !/sec|ret@/.test(error.message),
      text,
    );
  }
  refuses("ftp://ann:sec/ret@h/", /password is cut short by "\/"/);
});

const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((value) => !/[\0\r\n]/.test(value));
const host = fc.constantFrom(
  "h",
  "ftp.example.org",
  "192.0.2.1",
  "::1",
  "2001:db8::1",
  "fe80::1%eth0",
  "xn--bcher-kva.example",
);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const urls: fc.Arbitrary<FtpUrl> = fc
  .record({
    scheme: fc.constantFrom("ftp" as const, "ftps" as const, "ftpes" as const),
    host,
    port: maybe(fc.integer({ min: 1, max: 65_535 })),
    user: maybe(text.filter((value) => value !== "")),
    account: maybe(text),
    path: text,
    type: maybe(fc.constantFrom("a" as const, "i" as const, "d" as const)),
    fingerprint: maybe(fc.constant(PIN)),
  })
  .map((url) => Object.assign({ scheme: url.scheme, host: url.host, path: url.path }, withoutAbsent(url)));

function withoutAbsent(url: object): object {
  return Object.fromEntries(Object.entries(url).filter(([, value]) => value !== undefined));
}

test("what is written is read as it was, but for the password", () => {
  fc.assert(
    fc.property(urls, (url) => {
      assert.deepEqual(parseFtpUrl(formatFtpUrl(url)), url);
      assert.deepEqual(parseFtpUrl(formatFtpUrl({ ...url, password: "secret" })), url);
    }),
  );
});

test("anything is a URL or a USAGE error, and no URL holds a line end", () => {
  const pieces = fc.array(
    fc.constantFrom("ftp", "://", "/", "@", ":", "%", "%0D", "%2F", "[", "]", "::1", "h", ";type=", "é", "\n"),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        pieces.map((list) => list.join("")),
      ),
      fc.boolean(),
      (given, lenient) => {
        try {
          const url = parseFtpUrl(given, { lenient });
          assert.doesNotMatch([url.user, url.password, url.account, url.host, url.path].join(""), /[\0\r\n]/);
          assert.equal(formatFtpUrl(parseFtpUrl(formatFtpUrl(url))), formatFtpUrl(url));
        } catch (error) {
          assert.ok(error instanceof FtpError && error.code === "USAGE", String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});
