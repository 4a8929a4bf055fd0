/** The port by which bans reach what lies outside of the server: a firewall's set, a store that servers share. */
import type { Ban } from "./ban.ts";
import type { Guard } from "./guard.ts";

/** Calls return at once and may be repeated; what they throw is told of and stops neither the ban nor other sinks. */
export interface BanSink {
  /** A new ban, or a known target with another end. Bans of accounts come too: a firewall passes over them. */
  add(ban: Ban): void;
  /** @param target as in the ban that was added. */
  remove(target: string): void;
}

/** Gives a sink the bans that are in force, and from then on each change. @returns the way to stop. */
export function connectSink(guard: Pick<Guard, "bans" | "events">, sink: BanSink): () => void {
  for (const ban of guard.bans()) sink.add(ban);
  return guard.events.subscribe((event) => {
    if (event.type === "ban") sink.add(event.ban);
    else sink.remove(event.ban.target);
  });
}
