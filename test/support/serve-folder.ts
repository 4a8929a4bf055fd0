/**
 * A server in a process of its own, for tests that kill it: serves the folder it is given, through the jail it is given, and tells its port by
 * IPC.
 */
import { createFtpServer } from "../../src/server/server.ts";
import { openLocalStorage } from "../../src/storage/local/local.ts";
import { annStore, lenientGuard } from "./server.ts";

const [folder, jail] = process.argv.slice(2);
if (folder === undefined) throw new Error("a folder is needed");
const server = createFtpServer({
  guard: lenientGuard(),
  listen: [{ address: "127.0.0.1", port: 0 }],
  accounts: [annStore(folder)],
  ...(jail === "portable" ? { openStorage: async ({ home }) => openLocalStorage(home, { jail }) } : {}),
});
const [bound] = await server.listen();
process.send?.(bound?.port);
// Without the test there is nobody to serve.
process.on("disconnect", () => process.exit(0));
