/** A client that speaks TLS at once is heard, however long the admission takes: a worker asks its broker first. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { connect } from "node:tls";
import { createLogin } from "../src/account/login.ts";
import { LocalAuthority } from "../src/server/local-authority.ts";
import { createFtpServer } from "../src/server/server.ts";
import type { Ends } from "../src/server/authority.ts";
import type { Verdict } from "../src/guard/verdict.ts";
import { annStore, lenientGuard } from "./support/server.ts";
import { testTerms } from "./support/tls.ts";

class SlowAuthority extends LocalAuthority {
  override async admit(session: string, ends: Ends): Promise<Verdict> {
    // Long enough for a ClientHello on loopback to be here.
    for (let turns = 0; turns < 200; turns++) await turn();
    return super.admit(session, ends);
  }
}

test("implicit TLS: a ClientHello that comes before the admission is not lost", async () => {
  const authority = new SlowAuthority(lenientGuard(), createLogin([annStore("/")]));
  await using server = createFtpServer({
    listen: [{ address: "127.0.0.1", port: 0, implicit: true }],
    accounts: [],
    authority,
    tls: { terms: () => testTerms() },
  });
  const [bound] = await server.listen();
  for (let count = 0; count < 20; count++) {
    const socket = connect({ port: bound?.port ?? 0, host: "127.0.0.1", rejectUnauthorized: false });
    const [greeting]: unknown[] = await once(socket, "data");
    assert.match(String(greeting), /^220 /);
    socket.destroy();
  }
});
