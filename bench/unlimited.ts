/**
 * The configuration of every `ferryman serve` that is measured. Everything comes from one address and waits for long: no
 * limit may say no to that, and no ban; and no log is written.
 */
export const UNLIMITED = `
[serve]
anonymous = "read"
log = "off"
[limits]
sessions = 100000
sessions-per-address = 100000
connection-rate = 1000000
[bans]
automatic-bans = false
[server]
idle-timeout = "12h"
login-timeout = "1h"
[tls]
handshake-timeout = 300
[control]
control-socket = "off"
`;
