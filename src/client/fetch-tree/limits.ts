/** The limits of fetching trees, with their units and where the numbers come from. */

/** Documents or files at the same time: as many as browsers have connections to one host. */
export const FETCH_PARALLEL = 6;
export const FETCH_PARALLEL_MOST = 32;
/** Levels of links below the first page, as wget has it; folders of FTP go as deep as `WALK_DEPTH`. */
export const PAGE_DEPTH = 5;
/** Documents of one job unless more are asked for: a site that makes up pages without end stops there. */
export const DOCUMENTS_MOST = 100_000;
/** Jobs that wait: some 300 octets each. */
export const JOBS_WAITING = 1_000_000;
/** Octets of a page in which links are looked for: the largest indexes of mirrors have some megabytes. */
export const PAGE_OCTETS = 16_777_216;
/** Links of one page. */
export const PAGE_LINKS = 100_000;
/** Characters of a link: what servers and proxies take for a URL. */
export const LINK_LENGTH = 8_192;
/** Characters of the name of an element or attribute that are kept: the longest that we want has eight. */
export const TAG_NAME = 16;
/** Characters of the URLs of one job together: they lie in memory. */
export const URLS_LENGTH = 134_217_728;
/** Redirects that are followed one after another, as browsers' twenty and wget's. */
export const REDIRECTS = 20;
/** Octets of robots.txt that are read (RFC 9309 §2.5). */
export const ROBOTS_OCTETS = 512_000;
/** Rules of one robots.txt. */
export const ROBOTS_RULES = 10_000;
/** Hosts whose robots.txt is kept, when several hosts are allowed. */
export const ROBOTS_HOSTS = 1_000;
/** Milliseconds that a server may have us wait (Retry-After) before the next try. */
export const RETRY_AFTER_MS = 60_000;
/** Octets of a name on our disk: file systems take 255, of which our hidden parts need some. */
export const NAME_OCTETS = 200;
/** Folders below each other on our disk. */
export const FOLDERS_DEEP = 128;
/** Patterns of one kind. */
export const PATTERNS = 1_000;
/** Milliseconds between two events of progress of one document: what a screen shows. */
export const PROGRESS_MS = 100;
