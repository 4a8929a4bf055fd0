/** Who is connected, as the event stream tells it. As many entries as there are sessions, no history. */
import type { EventStream } from "../base/event-stream.ts";
import type { FerrymanEvent, SessionFacts } from "./events.ts";

export type Presence = SessionFacts & {
  /** Milliseconds since 1970 UTC. */
  readonly since: number;
  /** The verb of the last command, and when it ended; none yet: undefined. */
  readonly last?: { readonly verb: string; readonly at: number };
  /** Octets moved by complete and broken transfers so far. */
  readonly downloaded: number;
  readonly uploaded: number;
};

type Kept = { -readonly [Fact in keyof Presence]: Presence[Fact] };

export class Who {
  readonly #present = new Map<string, Kept>();

  constructor(events: EventStream<FerrymanEvent>) {
    events.subscribe((event) => this.#hear(event));
  }

  /** In the order in which they came. */
  list(): readonly Presence[] {
    return [...this.#present.values()].map((kept) => ({ ...kept }));
  }

  #hear(event: FerrymanEvent): void {
    if (event.type === "session.opened") {
      const { session, peer, at } = event;
      this.#present.set(session, { session, peer, since: at, downloaded: 0, uploaded: 0 });
      return;
    }
    if (!("session" in event) || event.session === undefined) return;
    const known = this.#present.get(event.session);
    if (known === undefined) return;
    if (event.type === "session.closed") this.#present.delete(event.session);
    else note(known, event);
  }
}

/** In place: it happens for every command. */
function note(known: Kept, event: FerrymanEvent): void {
  if (event.type === "login.accepted" && event.account !== undefined) known.account = event.account;
  else if (event.type === "command") known.last = { verb: event.verb, at: event.at };
  else if (event.type === "transfer" && event.direction === "upload") known.uploaded += event.octets;
  else if (event.type === "transfer") known.downloaded += event.octets;
}
