/** The router that leads out of here: the one that is asked for a port of its own. Linux says it in /proc. */
import { readFile } from "node:fs/promises";
import type { Family } from "../addresses.ts";

/** A route by a router, and not to it (RTF_GATEWAY of linux/route.h). */
const BY_ROUTER = 2;

/** @returns undefined where there is none, or nothing says so. */
export async function defaultGateway(family: Family): Promise<string | undefined> {
  try {
    return family === "IPv4"
      ? gatewayOf(await readFile("/proc/net/route", "latin1"))
      : gatewayOf6(await readFile("/proc/net/ipv6_route", "latin1"));
  } catch {
    return undefined;
  }
}

type Route = { readonly router: string; readonly metric: number };

function cheapest(routes: readonly Route[]): string | undefined {
  return routes.toSorted((one, other) => one.metric - other.metric)[0]?.router;
}

/** @param text of /proc/net/route: addresses as octets of this machine's order, in hex. */
export function gatewayOf(text: string): string | undefined {
  return cheapest(
    text
      .split("\n")
      .slice(1)
      .flatMap((line) => {
        const [, target, router = "", flags = "", , , metric, mask] = line.split(/\s+/);
        if (target !== "00000000" || mask !== "00000000" || (Number.parseInt(flags, 16) & BY_ROUTER) === 0) return [];
        // x86 and ARM, which is all that Node runs on but for s390x.
        const octets = [...Buffer.from(router, "hex")].toReversed();
        return [{ router: octets.join("."), metric: Number(metric) }];
      }),
  );
}

/** @param text of /proc/net/ipv6_route. @returns with its zone, as routers have link-local addresses. */
export function gatewayOf6(text: string): string | undefined {
  return cheapest(
    text.split("\n").flatMap((line) => {
      const [target, bits, , , router = "", metric = "", , , flags = "", link = ""] = line.trim().split(/\s+/);
      const isDefault = /^0{32}$/.test(target ?? "") && bits === "00";
      if (!isDefault || (Number.parseInt(flags, 16) & BY_ROUTER) === 0) return [];
      const groups = router.match(/.{4}/g) ?? [];
      return [{ router: `${groups.join(":")}%${link}`, metric: Number.parseInt(metric, 16) }];
    }),
  );
}
