/** The configuration file that nobody has to name; apart from its reader, which takes long to load. */

/** Where a configuration file is looked for when neither --config nor FERRYMAN_CONFIG names one. */
export const STANDARD_FILE = "/etc/ferryman/ferryman.toml";
/** Octets; a file of this size is not a configuration but a mistake. */
export const LARGEST_FILE = 1_048_576;
