/** The server that the fuzz run throws at: in memory, so that no line can do harm to a disk. Any stray rejection ends it. */
import { RIGHTS } from "../../src/account/account.ts";
import { lenientGuard } from "../support/server.ts";
import { createFtpServer } from "../../src/server/server.ts";
import { createMemoryStorage } from "../../src/storage/memory.ts";

let logins = 0;
const server = createFtpServer({
  guard: lenientGuard(),
  listen: [{ address: "127.0.0.1", port: 0 }],
  // Each login has a home of its own: what a session makes goes with it, so that memory tells of the server alone.
  accounts: [
    {
      name: "fuzz",
      async authenticate() {
        logins += 1;
        const home = `/${logins}`;
        return {
          kind: "accepted",
          account: { name: "ann", anonymous: false, home, rights: new Set(RIGHTS), folders: [], limits: {} },
        };
      },
    },
  ],
  openStorage: async () => createMemoryStorage({ "/a": "hello", "/b": "", "/dir/c": "deep" }),
  // A planned connection that nobody makes must not hold the line up.
  settings: { dataOpenTimeout: 1 },
});
const [bound] = await server.listen();
process.send?.({ port: bound?.port ?? 0 });
process.on("message", (message) => {
  if (message === "memory") {
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send?.({ rss, live: heapUsed + external });
  } else {
    void server.close({ graceSeconds: 0 }).then(() => process.exit(0));
  }
});
