/** Whether a name that a server lists may become a file of ours: the one place that says no (attack 64). */
import type { ByteString } from "../../base/bytes.ts";

/** Names of devices on Windows, in any folder and with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[\d\xb9\xb2\xb3]|lpt[\d\xb9\xb2\xb3]|conin\$|conout\$) *(?:[.:]|$)/i;

/**
 * @param options.windows also refuses what a file system of Windows would take for something else: `\`, drives and
 *   streams (`C:`, `name:stream`), device names, wildcards, and names that end in a dot or a space.
 * @returns why a file must not be made under this name, for people; undefined for a name that is safe.
 */
export function unsafeName(name: ByteString, options: { readonly windows?: boolean } = {}): string | undefined {
  if (name === "") return "it is empty";
  if (name === "." || name === "..") return `"${name}" is a folder of its own`;
  if (name.includes("/")) return 'it holds "/"';
  // oxlint-disable-next-line no-control-regex -- control octets are what is meant
  if (/[\0-\x1f\x7f]/.test(name)) return "it holds a control octet";
  // The control characters U+0080 to U+009F in UTF-8: terminals obey them too.
  if (/(?<![\xc3-\xff])\xc2[\x80-\x9f]/.test(name)) return "it holds a control character";
  return options.windows === true ? unsafeOnWindows(name) : undefined;
}

function unsafeOnWindows(name: string): string | undefined {
  if (name.includes("\\")) return String.raw`it holds "\"`;
  if (name.includes(":")) return 'it holds ":", which names a drive or a stream';
  const wild = /[<>"|?*]/.exec(name)?.[0];
  if (wild !== undefined) return `it holds ${wild}, which no name on Windows may`;
  if (DEVICE.test(name)) return "it is the name of a device";
  return /[. ]$/.test(name) ? "it ends in a dot or a space, which Windows leaves out" : undefined;
}
