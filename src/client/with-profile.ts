/** What `detect` has found of a server as options of a client: for whoever keeps profiles himself. */
import { LISTING_KINDS } from "../protocol/listings/reader.ts";
import { DATA_MODES, usageError } from "./errors.ts";
import type { Profile } from "./profile.ts";
import type { ConnectOptions } from "./types.ts";

/**
 * What is said in the options counts more. Modes that did not work come last, as another network may let them through.
 * @param at where the client goes.
 * @throws {FtpError} USAGE for the profile of another server, and for what is none.
 */
export function withProfile(
  options: ConnectOptions,
  at: { readonly host: string; readonly port: number },
): ConnectOptions {
  const { profile } = options;
  if (profile === undefined) return options;
  const { host, port } = profile;
  if (host?.toLowerCase() !== at.host.toLowerCase() || port !== at.port) {
    throw usageError(`the profile is of ${host} port ${port}, and not of ${at.host} port ${at.port}`, "detect it anew");
  }
  const { pipelining = "auto" } = options;
  return {
    ...options,
    data: { ...options.data, modes: options.data?.modes ?? modesOf(profile) },
    listing: options.listing ?? LISTING_KINDS.find((kind) => kind === profile.listing),
    zoneMinutes: options.zoneMinutes ?? profile.zoneMinutes,
    pipelining: pipelining === "auto" ? toldOf(profile) : pipelining,
  };
}

function modesOf({ modes }: Profile): NonNullable<ConnectOptions["data"]>["modes"] {
  const works = new Set(modes.filter((result) => result.works).map(({ mode }) => mode));
  if (works.size === 0) return undefined;
  const good = modes.map(({ mode }) => mode).filter((mode) => works.has(mode) && DATA_MODES.includes(mode));
  return [...new Set([...good, ...DATA_MODES])];
}

function toldOf({ pipelining }: Profile): ConnectOptions["pipelining"] {
  if (pipelining === undefined) return "auto";
  return pipelining ? "on" : "off";
}
