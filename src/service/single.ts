/** Everything in one process: for tries, for tests, and where nothing can be confined. */
import { createFtpServer } from "../server/server.ts";
import { LocalAuthority } from "../server/local-authority.ts";
import type { Service, ServiceParts } from "./service.ts";

export async function startSingle(parts: ServiceParts): Promise<Service> {
  const { configuration, listeners, guard, login, certificates, onEvent } = parts;
  const server = createFtpServer({
    listen: [],
    accounts: [],
    authority: new LocalAuthority(guard, login),
    limits: configuration.limits,
    settings: configuration.server,
    onEvent,
    ...(certificates === undefined ? {} : { tls: { terms: () => certificates.terms, settings: configuration.tls } }),
  });
  for (const { socket, how } of listeners) await server.adopt({ fd: socket.descriptor }, how);
  return {
    bound: listeners.map(({ socket }) => socket.bound),
    who: () => server.who.list(),
    // Limits, bans and certificates are others' to reload; the rest of a running process stays as it is.
    reload: async () => {},
    stop: async (graceSeconds) => server.close({ graceSeconds }),
    cut: () => server.endNow(),
  };
}
