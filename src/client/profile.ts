/** What works with a server, as `detect` finds it: it may be written as JSON and read again. */
import type { DataAttempt } from "./errors.ts";

/** What works with a server, for people and as JSON. */
export type Profile = {
  readonly host: string;
  readonly port: number;
  readonly greeting: string;
  readonly system: string;
  readonly features: readonly string[];
  readonly tls: {
    readonly offered: boolean;
    readonly version?: string;
    readonly fingerprint?: string;
    readonly resumes?: boolean;
  };
  /** Each mode that was tried, on its own. */
  readonly modes: readonly (DataAttempt & { readonly works: boolean })[];
  readonly listing: "mlsd" | "list";
  readonly pipelining: boolean | undefined;
  readonly zoneMinutes: number | undefined;
  readonly warnings: readonly string[];
};
