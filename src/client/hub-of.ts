/** From a client, as programs have it, to its parts: for work that needs two of them at once. */
import { usageError } from "./errors.ts";
import { Hub } from "./hub.ts";
import type { Client } from "./types.ts";

const hubs = new WeakMap<Client, Hub>();

/** Said once, by whoever makes a client. */
export function keepHub(client: Client, hub: Hub): void {
  hubs.set(client, hub);
}

/** @throws {FtpError} USAGE for an object that `connect` has not made. */
export function hubOf(client: Client | Hub): Hub {
  const hub = client instanceof Hub ? client : hubs.get(client);
  if (hub !== undefined) return hub;
  throw usageError("this client was not made by connect()");
}
