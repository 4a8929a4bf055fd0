/** What the tests' workers may ask and hear. */
import { z } from "zod";
import { defineNotices, defineRequests } from "../../src/jail/channel.ts";

export const REQUESTS = defineRequests({
  greet: { ask: z.strictObject({ name: z.string().max(100) }), answer: z.string() },
  listener: { ask: z.null(), answer: z.strictObject({ port: z.int() }) },
  report: { ask: z.string().max(1_000), answer: z.null() },
});
export const NOTICES = defineNotices({ listen: z.strictObject({ text: z.string() }) });
