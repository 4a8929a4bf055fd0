/** Our client at a server of this machine, for tests: in clear text, and nothing of earlier runs. */
import { connect } from "../../src/client/client.ts";
import type { Client, ConnectOptions } from "../../src/client/types.ts";

export async function clearClient(
  { port }: { readonly port: number },
  { host = "127.0.0.1", ...options }: ConnectOptions = {},
): Promise<Client> {
  return await connect(`ftp://ann:secret@${host}:${port}/`, { store: false, tls: "off", ...options });
}
