/**
 * The links of a page while it comes: values of `href` and `src`, read character by character with a fixed memory, whatever
 * the page is like. No tree is built and no script is run.
 */
import { LINK_LENGTH, PAGE_LINKS, TAG_NAME } from "./limits.ts";

type State =
  | "text"
  | "open"
  | "markup"
  | "comment"
  | "skip"
  | "raw"
  | "name"
  | "between"
  | "attribute"
  | "after-attribute"
  | "before-value"
  | "double"
  | "single"
  | "bare";

/** Elements whose content is no markup. */
const RAW: ReadonlySet<string> = new Set(["script", "style", "textarea", "title", "xmp"]);
const WANTED: ReadonlySet<string> = new Set(["href", "src", "name", "content"]);

export class LinkReader {
  /** As they stand in the page, entities read; at most `PAGE_LINKS`. */
  readonly links: string[] = [];
  /** Of `<base href>`. */
  base: string | undefined;
  /** `<meta name="robots" content="nofollow">`. */
  isNofollow = false;
  /** There were more. */
  isTooMany = false;
  #state: State = "text";
  #tag = "";
  #attribute = "";
  #value = "";
  #isValueTooLong = false;
  #found = new Map<string, string>();
  /** How much of `-->` or `</script` has been seen. */
  #matched = 0;

  push(text: string): void {
    for (let at = 0; at < text.length; at += 1) {
      if (this.#state === "text") {
        at = text.indexOf("<", at);
        if (at === -1) return;
        this.#state = "open";
      } else this.#state = this.#next(text.charAt(at));
    }
  }

  #next(char: string): State {
    switch (this.#state) {
      case "open":
        return this.#opened(char);
      case "markup":
        return this.#markup(char);
      case "comment":
        return this.#comment(char);
      case "skip":
        return char === ">" ? "text" : "skip";
      case "raw":
        return this.#raw(char);
      case "name":
        return this.#named(char);
      case "between":
        return this.#between(char);
      case "attribute":
        return this.#inAttribute(char);
      case "after-attribute":
        return char === "=" ? "before-value" : this.#between(char);
      case "before-value":
        return this.#beforeValue(char);
      default:
        return this.#inValue(char);
    }
  }

  #opened(char: string): State {
    if (/[a-z]/i.test(char)) {
      this.#tag = char.toLowerCase();
      this.#found = new Map();
      return "name";
    }
    this.#matched = 0;
    if (char === "!") return "markup";
    return char === "/" || char === "?" ? "skip" : char === "<" ? "open" : "text";
  }

  /** Behind `<!`. */
  #markup(char: string): State {
    if (char === "-") {
      this.#matched += 1;
      if (this.#matched < 2) return "markup";
      this.#matched = 0;
      return "comment";
    }
    return char === ">" ? "text" : "skip";
  }

  #comment(char: string): State {
    if (char === ">" && this.#matched >= 2) return "text";
    this.#matched = char === "-" ? Math.min(this.#matched + 1, 2) : 0;
    return "comment";
  }

  #raw(char: string): State {
    const wanted = `</${this.#tag}`;
    const folded = char.toLowerCase();
    this.#matched = folded === wanted.charAt(this.#matched) ? this.#matched + 1 : folded === "<" ? 1 : 0;
    return this.#matched === wanted.length ? "skip" : "raw";
  }

  #named(char: string): State {
    if (/[\s/]/.test(char)) return "between";
    if (char === ">") return this.#close();
    if (this.#tag.length < TAG_NAME) this.#tag += char.toLowerCase();
    return "name";
  }

  #between(char: string): State {
    if (/[\s/]/.test(char)) return this.#state === "after-attribute" && char !== "/" ? "after-attribute" : "between";
    if (char === ">") return this.#close();
    this.#attribute = char.toLowerCase();
    return "attribute";
  }

  #inAttribute(char: string): State {
    if (char === "=") return "before-value";
    if (char === ">") return this.#close();
    if (char === "/") return "between";
    if (/\s/.test(char)) return "after-attribute";
    if (this.#attribute.length < TAG_NAME) this.#attribute += char.toLowerCase();
    return "attribute";
  }

  #beforeValue(char: string): State {
    if (/\s/.test(char)) return "before-value";
    this.#value = "";
    this.#isValueTooLong = false;
    if (char === '"') return "double";
    if (char === "'") return "single";
    if (char === ">") return this.#close();
    this.#state = "bare";
    return this.#inValue(char);
  }

  #inValue(char: string): State {
    const state = this.#state;
    const isEnd = state === "double" ? char === '"' : state === "single" ? char === "'" : /[\s>]/.test(char);
    if (isEnd) {
      if (WANTED.has(this.#attribute) && !this.#found.has(this.#attribute) && !this.#isValueTooLong) {
        this.#found.set(this.#attribute, plainText(this.#value));
      }
      return char === ">" && state === "bare" ? this.#close() : "between";
    }
    if (this.#value.length >= LINK_LENGTH) this.#isValueTooLong = true;
    else if (WANTED.has(this.#attribute)) this.#value += char;
    return state;
  }

  #close(): State {
    const found = this.#found;
    const href = found.get("href");
    if (this.#tag === "base") this.base ??= href;
    else {
      for (const link of [href, found.get("src")]) {
        if (link === undefined) continue;
        if (this.links.length >= PAGE_LINKS) this.isTooMany = true;
        else this.links.push(link);
      }
    }
    if (this.#tag === "meta" && found.get("name")?.toLowerCase() === "robots") {
      this.isNofollow ||= /\b(?:nofollow|none)\b/i.test(found.get("content") ?? "");
    }
    this.#matched = 0;
    return RAW.has(this.#tag) ? "raw" : "text";
  }
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Of entities those that stand in links. */
function plainText(value: string): string {
  if (!value.includes("&")) return value;
  return value.replaceAll(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos));?/gi,
    (all: string, decimal: string | undefined, hex: string | undefined, name: string | undefined) => {
      if (name !== undefined) return NAMED[name.toLowerCase()] ?? all;
      const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      return code <= 0x10_ff_ff ? String.fromCodePoint(code) : all;
    },
  );
}
