/** Host names and addresses as certificates, SNI and the HOST command spell them, brought into one form to compare. */
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { HOST_NAME_LIMIT, LABEL_LIMIT } from "./limits.ts";

/** Letters, digits and hyphens within; `_` is no host name's, but is found in real ones. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/**
 * A name in small letters, in ASCII (RFC 5280 §7.2) and without its last dot; an address in one spelling, without the
 * brackets of RFC 7151 §3.1. `*.` at its front stays. Undefined for what is neither name nor address.
 */
export function plainName(given: string): string | undefined {
  const address = plainAddress(given);
  if (address !== undefined) return address;
  // oxlint-disable-next-line no-control-regex -- ASCII is what is meant; the URL parser would make addresses of such names
  const ascii = /^[\0-\x7f]*$/.test(given) ? given.toLowerCase() : domainToASCII(given);
  const name = ascii.endsWith(".") ? ascii.slice(0, -1) : ascii;
  if (name.length > HOST_NAME_LIMIT) return undefined;
  const labels = name.split(".");
  const fixed = labels[0] === "*" && labels.length > 1 ? labels.slice(1) : labels;
  if (!fixed.every((label) => label.length <= LABEL_LIMIT && LABEL.test(label))) return undefined;
  // All digits at the end: an address that is none, like 10.0.0.256 or 127.1.
  return /^\d+$/.test(labels.at(-1) ?? "") ? undefined : name;
}

function plainAddress(given: string): string | undefined {
  const bare = /^\[(.*)\]$/.exec(given)?.[1] ?? given;
  const family = isIP(bare);
  // A zone has a meaning on one machine alone, and no certificate can hold it.
  if (family === 0 || bare.includes("%")) return undefined;
  return family === 4 ? bare : new URL(`http://[${bare}]`).hostname.slice(1, -1);
}
