/** A download in segments in a process of its own, for a test that kills it. Says by IPC how far it has come. */
import { clearClient } from "./clear-client.ts";

const [port, to, rate] = process.argv.slice(2);
if (port === undefined || to === undefined || rate === undefined) throw new Error("port, path and rate are needed");
const ftp = await clearClient({ port: Number(port) });
await ftp.download("big", to, {
  segments: 3,
  rate: Number(rate),
  onProgress: ({ bytes }) => process.send?.(bytes),
});
await ftp.close();
process.disconnect();
