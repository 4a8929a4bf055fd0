/** The environment of what we start: a closed list of harmless names of our own, and what the caller gives. */

const KEPT = [
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "TZ",
  "NO_COLOR",
  "FORCE_COLOR",
  "FERRYMAN_DEBUG",
  // Without foreign functions here there are none in the worker either.
  "FERRYMAN_FFI",
] as const;

/** What these name is loaded, or changes how things are loaded. */
const REFUSED = /^(?:LD_|DYLD_|NODE_|GLIBC_|MALLOC_|OPENSSL_|SSL_|GCONV_PATH$|BASH_ENV$|ENV$|IFS$)/;

/** @throws {Error} for a name that is refused. */
export function cleanEnvironment(given: Readonly<Record<string, string>> = {}): Record<string, string> {
  const environment: Record<string, string> = { PATH: "/usr/bin:/bin" };
  for (const name of KEPT) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  for (const [name, value] of Object.entries(given)) {
    if (REFUSED.test(name) || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new Error(`a confined program may not be given the variable ${name}`);
    }
    environment[name] = value;
  }
  return environment;
}
