/** Whom the workers of a server that root starts run as. */
import { faultMessage } from "../base/fault-text.ts";
import { findHostUser } from "../jail/host-users.ts";
import type { HostUser } from "../jail/terms.ts";
import { CliError, EXIT } from "./exit.ts";

/** The usual names of a user without rights. */
const [OWN_USER, NOBODY] = ["ferryman", "nobody"];

/** @throws {CliError} for a name that the host does not know, and for root. */
export function workerUser(configured: string | undefined): { readonly user: HostUser; readonly name: string } {
  for (const name of configured === undefined ? [OWN_USER, NOBODY] : [configured]) {
    try {
      const user = findHostUser(name);
      if (user.uid === 0)
        throw new CliError("--worker-user root: workers speak with the network, and are never root", EXIT.usage);
      return { user, name };
    } catch (error) {
      if (error instanceof CliError || name === NOBODY || configured !== undefined) {
        throw error instanceof CliError ? error : new CliError(faultMessage(error), EXIT.configuration);
      }
    }
  }
  throw new CliError("no user for the workers; name one with --worker-user", EXIT.configuration);
}
