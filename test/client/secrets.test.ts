/** Servers that misbehave in TLS: no downgrade, no injected words, no cut that looks like an end, no other certificate. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { suite, test } from "node:test";
import type { ConnectOptions } from "../../src/client/types.ts";
import { VERSIONS, pairFor } from "../support/tls.ts";
import { Liar, type LiarWishes } from "./liar.ts";
import { ACTS, CAREFUL, type CaseTable, HASTY, aboutReplies, endure, tryOut } from "./unharmed.ts";

const { get, list, nothing, put } = ACTS;
const PAIR = pairFor("localhost", "127.0.0.1");
const OTHER = pairFor("localhost", "127.0.0.1");
const FINGERPRINT = new X509Certificate(PAIR.cert).fingerprint256;

function explicit(options: Partial<ConnectOptions> = {}): ConnectOptions {
  return { ...CAREFUL, tls: { mode: "explicit", trust: "any" }, ...options };
}
const HASTY_TLS: ConnectOptions = explicit(HASTY);
const secure = (rest: Omit<LiarWishes, "tls"> = {}): LiarWishes => ({ tls: { pair: PAIR }, ...rest });
/** Nothing but close_notify says that a file is whole. */
const WITHOUT_SIZE = {
  features: ["EPSV", "AUTH TLS", "PBSZ", "PROT"],
  replies: { SIZE: { say: "500 What?\r\n" }, MLST: { say: "500 What?\r\n" } },
} as const;

const CONTROL: CaseTable = {
  "there is none, and it was asked for": { act: nothing, options: explicit(), ends: ["TLS_DOWNGRADE", "UNSUPPORTED"] },
  "there is none, and it need not be": {
    act: get,
    options: { ...CAREFUL, tls: { mode: "auto", trust: "any" } },
    ends: "well",
  },
  "AUTH is refused": {
    liar: secure({ lies: { replies: { AUTH: { say: "534 No.\r\n" } } } }),
    act: nothing,
    options: explicit(),
    ends: ["TLS_DOWNGRADE"],
  },
  "234, and words in clear": {
    liar: secure({ lies: { replies: { AUTH: { say: "234 Go.\r\n220 no TLS at all, ever and ever\r\n" } } } }),
    act: nothing,
    options: HASTY_TLS,
    ends: ["TLS_FAILED", "PROTOCOL"],
  },
  "words behind 234 in one segment": {
    liar: secure({ lies: { replies: { AUTH: { after: "331 injected\r\n230 injected\r\n" } } } }),
    act: nothing,
    options: HASTY_TLS,
    ends: ["TLS_FAILED", "PROTOCOL"],
  },
  "234, and silence": aboutReplies(
    { greeting: "truth", FEAT: "truth", AUTH: { say: "234 Go.\r\n" }, "*": { say: "" } },
    { act: nothing, options: HASTY_TLS, ends: ["TIMEOUT", "TLS_FAILED"] },
  ),
  "234, and a reset": {
    liar: secure({ lies: { replies: { PBSZ: { end: "reset" } } } }),
    act: nothing,
    options: HASTY_TLS,
    ends: ["RESET"],
  },
  "PROT P is refused": {
    liar: secure({ lies: { replies: { PROT: { say: "536 No.\r\n" } } } }),
    act: get,
    options: explicit(),
    ends: ["TLS_DOWNGRADE", "DENIED", "UNSUPPORTED"],
  },
  "TLS from the first octet of a server that has none": {
    act: nothing,
    scheme: "ftps",
    options: HASTY,
    ends: ["TLS_FAILED", "TIMEOUT", "PROTOCOL"],
  },
  "a server that begins with TLS, in clear": {
    liar: { tls: { kind: "implicit" } },
    scheme: "ftp",
    act: nothing,
    options: HASTY,
    ends: ["TIMEOUT", "PROTOCOL", "RESET"],
  },
  "nobody vouches for the certificate": {
    liar: secure(),
    act: nothing,
    options: explicit({ tls: { mode: "explicit" } }),
    ends: ["TLS_UNTRUSTED"],
  },
  "the certificate is the pinned one": {
    liar: secure(),
    act: get,
    options: explicit({ tls: { mode: "explicit", fingerprint: FINGERPRINT } }),
    ends: "well",
  },
  "the certificate is not the pinned one": {
    liar: { tls: { pair: OTHER } },
    act: nothing,
    options: explicit({ tls: { mode: "explicit", fingerprint: FINGERPRINT } }),
    ends: ["TLS_UNTRUSTED"],
  },
  "replies octet by octet": {
    liar: secure({ lies: { split: true, splitData: true } }),
    act: get,
    options: explicit(),
    ends: "well",
  },
};

const DATA: CaseTable = {
  "cut without close_notify, and no sizes": {
    liar: secure({ lies: { ...WITHOUT_SIZE, steps: { RETR: ["opening", "connect", "data", "cut", "closing"] } } }),
    act: get,
    options: explicit(),
    ends: ["RESET", "TLS_FAILED", "MISMATCH"],
  },
  "cut without close_notify in the midst": {
    liar: secure({ lies: { steps: { RETR: ["opening", "connect", "half", "cut", "closing"] } } }),
    act: get,
    options: explicit(),
    ends: ["RESET", "TLS_FAILED", "MISMATCH"],
  },
  "a listing that is cut without close_notify": {
    liar: secure({ lies: { steps: { MLSD: ["opening", "connect", "half", "cut", "closing"] } } }),
    act: list,
    options: explicit(),
    ends: ["RESET", "TLS_FAILED", "MISMATCH"],
  },
  reset: {
    liar: secure({ lies: { steps: { RETR: ["opening", "connect", "half", "reset", "closing"] } } }),
    act: get,
    options: explicit(),
  },
  "an upload that is cut": {
    liar: secure({ lies: { breakData: { of: "received", after: 600, how: "reset" } } }),
    act: put,
    options: explicit(HASTY),
  },
  "it never begins on the data connection": {
    liar: secure({ lies: { steps: { RETR: ["opening", "hang"] } } }),
    act: get,
    options: HASTY_TLS,
    ends: ["TLS_FAILED", "TIMEOUT", "STALLED", "DATA_BLOCKED"],
  },
  "another certificate on the data connection": {
    liar: { tls: { pair: PAIR, dataPair: OTHER } },
    act: get,
    options: explicit({ tls: { mode: "explicit", fingerprint: FINGERPRINT } }),
    ends: ["TLS_UNTRUSTED"],
  },
  "sessions must be resumed and cannot be": {
    liar: {
      tls: { tickets: false },
      lies: {
        mustResume: true,
        replies: { "RETR end": { say: "522 SSL connection failed: session reuse required\r\n" } },
      },
    },
    act: get,
    options: HASTY_TLS,
    ends: ["TLS_RESUME_REQUIRED"],
  },
};

for (const [name, table] of Object.entries({
  "TLS on the control connection": CONTROL,
  "TLS on data connections": DATA,
})) {
  suite(name, { concurrency: false }, () => {
    for (const [what, one] of Object.entries(table)) test(what, async () => void (await tryOut(one)));
  });
}

for (const version of VERSIONS) {
  test(`data connections resume the session, many after each other, with ${version}`, async () => {
    for (const kind of ["explicit", "implicit"] as const) {
      await using liar = await Liar.start({ tls: { kind, version }, lies: { mustResume: true } });
      await endure(liar, {
        options: explicit({ tls: { mode: kind, trust: "any" } }),
        async act(stage) {
          for (let times = 0; times < 4; times += 1) {
            await get(stage);
            await list(stage);
            await put(stage);
          }
          await Promise.all([get, list, ACTS.read].map(async (act) => act(stage)));
        },
        ends: "well",
      });
    }
  });
}

test("a password never goes out in clear where TLS was asked for", async () => {
  await using liar = await Liar.start({ lies: { replies: { AUTH: { say: "500 No.\r\n" } } } });
  await endure(liar, { act: nothing, options: explicit(), ends: ["TLS_DOWNGRADE", "UNSUPPORTED"] });
  assert.ok(!liar.verbs.includes("PASS"), liar.verbs.join(" "));
  assert.ok(!liar.verbs.includes("USER"), liar.verbs.join(" "));
});
