/** What was thrown, as text for our own log. Never for a client: it may name paths of the host. */

/** The message alone. */
export function faultMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : `not an error but ${typeof thrown}`;
}

/** The message with the stack that led to it. */
export function faultDetail(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : faultMessage(thrown);
}
