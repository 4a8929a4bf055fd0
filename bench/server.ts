/** Our side of the first reading: a bare server for one folder and port, anonymous with every right. */
import { RIGHTS } from "../src/account/account.ts";
import { lenientGuard } from "../test/support/server.ts";
import { createFtpServer } from "../src/server/server.ts";

const [root = ".", port = "0"] = process.argv.slice(2);
const server = createFtpServer({
  guard: lenientGuard(),
  listen: [{ address: "127.0.0.1", port: Number(port) }],
  accounts: [
    {
      name: "bench",
      authenticate: async () => ({
        kind: "accepted",
        account: { name: "anonymous", anonymous: true, home: root, rights: new Set(RIGHTS), folders: [], limits: {} },
      }),
    },
  ],
});
await server.listen();
process.once("SIGTERM", () => void server.close({ graceSeconds: 0 }).then(() => process.exit(0)));
