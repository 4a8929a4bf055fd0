/** The limits of copies between servers, with their units and where the numbers come from. */

/** Milliseconds for two servers to come together: a lost SYN is repeated after 1, 3 and 7 s. */
export const FXP_WAIT_MS = 8_000;
/** Milliseconds for which it is remembered that two servers do not come together. */
export const FXP_FORGET_MS = 600_000;
/** Milliseconds for a file that goes from server to server: nobody here sees its octets. */
export const FXP_MOST_MS = 86_400_000;
/** Milliseconds between two looks at the size of the copy, by another connection: for progress, and whether there is any. */
export const FXP_LOOK_MS = 2_000;
/** Milliseconds for which the copy may stay of the same size, where the server shows it at all. */
export const FXP_STILL_MS = 60_000;
/** Milliseconds for what is half to be taken away when a copy has failed. */
export const CLEAN_UP_MS = 5_000;
/** Milliseconds between two looks whether a server still gives the second connection that a copy inside of it needs. */
export const SECOND_LOOK_MS = 200;
