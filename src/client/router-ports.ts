/** Active mode behind a NAT: a port of the router that leads to ours, where it grants one (PCP, NAT-PMP; row D7). */
import { BlockList, isIPv4, isIPv6 } from "node:net";
import type { Endpoint } from "../net/addresses.ts";
import { NoMapping, type PortMapping, mapPort } from "../net/port-mapping/port-mapping.ts";
import { isPrivateAddress } from "./external-address.ts";

/** Milliseconds for the router's answer: one in the house takes 40 at most, and most routers have neither protocol. */
const ROUTER_WAIT_MS = 600;

/** Whether a server can reach us only by what our router does: not in one network, and not with a public IPv4 address. */
export function isBehindRouter(local: string, server: string): boolean {
  if (isIPv4(local)) return isPrivateAddress(local) && isIPv4(server) && !isPrivateAddress(server);
  // Global addresses (RFC 4291 §2.4) have no NAT, and yet a router's firewall, which PCP opens as well.
  if (!/^[23]/.test(local) || !/^[23]/.test(server) || !isIPv6(server)) return false;
  const ours = new BlockList();
  ours.addSubnet(local, 64, "ipv6");
  return !ours.check(server, "ipv6");
}

/** What one client knows of its router. */
export class RouterPorts {
  readonly #isAllowed: boolean;
  readonly #gateway: Endpoint | undefined;
  #why: string | undefined;

  /** @param gateway for tests. */
  constructor(isAllowed: boolean, gateway?: Endpoint) {
    this.#isAllowed = isAllowed;
    this.#gateway = gateway;
  }

  /** Why there is none, once the router was asked: it is not asked again. */
  get why(): string | undefined {
    return this.#why;
  }

  /** @returns undefined where none is needed, allowed or given. @throws the signal's reason. */
  async map(local: Endpoint, server: string, signal: AbortSignal): Promise<PortMapping | undefined> {
    if (!this.#isAllowed || this.#why !== undefined || !isBehindRouter(local.address, server)) return undefined;
    try {
      const mapping = await mapPort({ local, gateway: this.#gateway, waitMs: ROUTER_WAIT_MS, signal });
      const address = mapping.external?.address ?? "";
      if (!isPrivateAddress(address)) return mapping;
      this.#why = `the router is behind another NAT itself, as its address is ${address}`;
      await mapping[Symbol.asyncDispose]();
    } catch (error) {
      if (!(error instanceof NoMapping)) throw error;
      this.#why = error.message;
    }
    return undefined;
  }
}
