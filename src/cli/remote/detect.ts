/** What works with a server, for `ferryman doctor URL`. */
import { describeProfile } from "../../client/describe-profile.ts";
import { detect } from "../../client/detect.ts";
import type { Profile } from "../../client/profile.ts";
import { formatFtpUrl } from "../../client/url.ts";
import { ending } from "./failure.ts";
import { PROCESS_IO, interruptible, sayer } from "./io.ts";
import { loginOf } from "./login.ts";
import { placeOf, shownUrl } from "./reach.ts";

export async function detectFor(text: string): Promise<{ readonly profile: Profile; readonly words: string }> {
  const say = sayer(PROCESS_IO);
  return await ending(
    async () =>
      await interruptible(async (signal) => {
        const place = await placeOf(text, {});
        const { url, options } = place;
        const login = await loginOf(place, {}, { say, signal });
        // Some tries wait long for an answer that never comes: whoever waits beside them knows for what.
        const onStep = (what: string): void => say(`trying: ${what}`);
        const profile = await detect(formatFtpUrl(url), { ...options, ...login, signal, onStep });
        return { profile, words: describeProfile(profile) };
      }),
    shownUrl(text),
  );
}
