/** Texts that may hold a URL, for messages: what could be its password is left out. */

/** A URL in running text, up to the last `@` of its word: a password may hold `@` and `/` that should have been escaped. */
const URL_WITH_PASSWORD = /\b([a-z][a-z\d+.-]*:\/\/|(?:ftps?|ftpes|https?):\/)([^\s:@/"']*):[^\s"']*@/gi;
/** The same of a text that is nothing else, where it may have blanks, and no scheme: `user:password@host`. */
const TYPED_WITH_PASSWORD = /^(\s*(?:[a-z][a-z\d+.-]*:\/\/|(?:ftps?|ftpes|https?):\/)?[^:@/]*):(?!\/\/).*@/is;

/** A message without passwords of the URLs in it. */
export function withoutPasswords(text: string): string {
  return text.includes("@") ? text.replaceAll(URL_WITH_PASSWORD, "$1$2@") : text;
}

/** What somebody typed where a URL may stand, right or wrong: shown rather too little of than a part of a password. */
export function withoutPassword(typed: string): string {
  return typed.replace(TYPED_WITH_PASSWORD, "$1@");
}
