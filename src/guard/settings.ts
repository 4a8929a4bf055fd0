/** The options of the guard, ready for use. */
import { type OptionValues, optionValues } from "../base/option.ts";
import { type Network, NetworkList, parseNetwork } from "./cidr.ts";
import { BAN_OPTIONS, LIMIT_OPTIONS } from "./options.ts";

export type LimitOptions = OptionValues<typeof LIMIT_OPTIONS>;
export type BanOptions = OptionValues<typeof BAN_OPTIONS>;

export type GivenSettings = {
  readonly limits?: { readonly [Key in keyof LimitOptions]?: LimitOptions[Key] | undefined };
  readonly bans?: { readonly [Key in keyof BanOptions]?: BanOptions[Key] | undefined };
};

export type GuardSettings = {
  readonly limits: LimitOptions;
  readonly bans: BanOptions;
  readonly allow: NetworkList;
  readonly deny: NetworkList;
};

/** @throws {z.ZodError} for a value that its option does not allow. */
export function guardSettings({ limits = {}, bans = {} }: GivenSettings): GuardSettings {
  const banValues = optionValues(BAN_OPTIONS, bans);
  return {
    limits: optionValues(LIMIT_OPTIONS, limits),
    bans: banValues,
    allow: listOf(banValues.allow),
    deny: listOf(banValues.deny),
  };
}

/** @param texts that their option has let through. */
function listOf(texts: readonly string[]): NetworkList {
  const networks: Network[] = [];
  for (const text of texts) {
    const reading = parseNetwork(text);
    if (reading.ok) networks.push(reading.network);
  }
  return new NetworkList(networks);
}
