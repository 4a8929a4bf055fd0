/** What works with a server, for `ferryman doctor URL`. */
import { describeProfile } from "../../client/describe-profile.ts";
import { detect } from "../../client/detect.ts";
import type { Profile } from "../../client/types.ts";
import { formatFtpUrl } from "../../client/url.ts";
import { ending } from "./failure.ts";
import { PROCESS_IO, interruptible, sayer } from "./io.ts";
import { loginOf, placeOf } from "./reach.ts";

export async function detectFor(text: string): Promise<{ readonly profile: Profile; readonly words: string }> {
  const say = sayer(PROCESS_IO);
  return await ending(
    async () =>
      await interruptible(async (signal) => {
        const { url, options } = await placeOf(text, {});
        const login = await loginOf(url, {}, say);
        const profile = await detect(formatFtpUrl(url), { ...options, ...login, signal });
        return { profile, words: describeProfile(profile) };
      }),
  );
}
