/** Which servers the client reaches, by which data mode and with which security: found by lists and transfers both ways. */
import { DATA_MODES, type DataMode } from "../../src/client/errors.ts";
import { EXPLICIT, type Security, tryOut } from "../../test/client/matrix.ts";
import { IMPLICIT_PEERS, PEER_NAMES, type StartedPeer, absentPeer, startPeer } from "../../test/client/peers.ts";
import type { Connection } from "./report.ts";

/** Milliseconds for all that is tried of one combination. */
const LIMIT_MS = 30_000;
/** Characters of a reason. */
const SHOWN = 120;

/** @param say told of each server and security. @param stopped true as soon as nothing more is to be tried. */
export async function whatConnects(
  say: (line: string) => void,
  stopped: () => boolean,
): Promise<readonly Connection[]> {
  const found: Connection[] = [];
  for (const name of PEER_NAMES) {
    const reason = absentPeer(name);
    if (reason !== false) {
      say(`${name} is absent: ${reason}`);
      continue;
    }
    for (const implicit of IMPLICIT_PEERS.has(name) ? [false, true] : [false]) {
      if (stopped()) return found;
      await using peer = await startPeer(name, { implicit });
      for (const security of implicit ? (["implicit TLSv1.3"] as const) : EXPLICIT) {
        found.push({ server: name, security, modes: await modesOf(peer, security) });
        say(`${name} ${security}: ${Object.values(found.at(-1)?.modes ?? {}).join(", ")}`);
      }
    }
  }
  return found;
}

async function modesOf(peer: StartedPeer, security: Security): Promise<Record<string, string>> {
  const modes: Record<string, string> = {};
  for (const mode of DATA_MODES) modes[mode] = await outcomeOf(peer, { mode, security });
  return modes;
}

async function outcomeOf(peer: StartedPeer, way: { mode: DataMode; security: Security }): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`nothing within ${LIMIT_MS / 1_000} s`), LIMIT_MS);
  });
  const outcome = tryOut(peer, way).then(
    () => "yes",
    (error: unknown) =>
      (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]?.slice(0, SHOWN) ?? "",
  );
  try {
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
  }
}
