/** A download in segments in a process of its own, for a test that kills it. Says by IPC how far it has come. */
import { segmentedDownload } from "../../src/client/segments/segmented.ts";
import { clearClient } from "./clear-client.ts";

const [ports, to, rate] = process.argv.slice(2);
if (ports === undefined || to === undefined || rate === undefined) throw new Error("ports, path and rate are needed");
const clients = await Promise.all(ports.split(",").map(async (port) => await clearClient({ port: Number(port) })));
const sources = clients.map((client) => ({ client, path: "big" }));
await segmentedDownload(sources, to, {
  segments: 3,
  rate: Number(rate),
  onProgress: ({ bytes }) => process.send?.(bytes),
});
await Promise.all(clients.map(async (client) => await client.close()));
process.disconnect();
