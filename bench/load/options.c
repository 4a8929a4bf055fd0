/* What the command line says. */
#include "load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Options options = {
    .host = "127.0.0.1",
    .user = "anonymous",
    .pass = "load@example.com",
    .path = "",
    .verb = "LIST",
    .command = "NOOP",
    .sessions = 1,
    .repeat = 1,
    .files = 10000,
    .timeout = 120,
    .size = 1 << 20,
    .pace = 4 << 20,
    .type = 'I',
    .resume = true,
};

/* What a number may be at most; a crowd is bounded by the ports of one address. */
#define MOST_SESSIONS 60000
#define MOST_TIMES 100000000
#define MOST_OCTETS (1LL << 42)

void usage(const char *fault) {
    fprintf(stderr,
            "load: %s. Usage: load retr|stor|small-retr|small-stor|login|list|idle|noop|command|raw-down|raw-up --port N "
            "[--host H] [--user U] [--pass P] [--tls | --tls-implicit] [--tls12] [--no-resume] [--decrypt] [--sessions N] "
            "[--repeat N] [--path P] [--size OCTETS] [--files N] [--verb V] [--command C] [--idle N] [--busy N] "
            "[--pace OCTETS_PER_SECOND] [--pasv] [--type A|I] [--mode-z] [--timeout SECONDS]\n",
            fault);
    exit(1);
}

static long long number(const char *name, long long least, long long most) {
    char *end;
    const long long value = strtoll(optarg, &end, 10);
    if (*optarg != '\0' && *end == '\0' && value >= least && value <= most) return value;
    static char fault[SHOWN];
    snprintf(fault, sizeof fault, "--%s must be a number from %lld to %lld", name, least, most);
    usage(fault);
}

enum { HOST = 1, PORT, USER, PASS, TLS, IMPLICIT, TLS12, NO_RESUME, DECRYPT, SESSIONS, REPEAT, PATH, SIZE, FILES, VERB,
       COMMAND, IDLE, BUSY, PACE, PASV, TYPE, MODE_Z, TIMEOUT };

static const struct option names[] = {
    {"host", required_argument, NULL, HOST},         {"port", required_argument, NULL, PORT},
    {"user", required_argument, NULL, USER},         {"pass", required_argument, NULL, PASS},
    {"tls", no_argument, NULL, TLS},                 {"tls-implicit", no_argument, NULL, IMPLICIT},
    {"tls12", no_argument, NULL, TLS12},             {"no-resume", no_argument, NULL, NO_RESUME},
    {"decrypt", no_argument, NULL, DECRYPT},         {"sessions", required_argument, NULL, SESSIONS},
    {"repeat", required_argument, NULL, REPEAT},     {"path", required_argument, NULL, PATH},
    {"size", required_argument, NULL, SIZE},         {"files", required_argument, NULL, FILES},
    {"verb", required_argument, NULL, VERB},         {"command", required_argument, NULL, COMMAND},
    {"idle", required_argument, NULL, IDLE},         {"busy", required_argument, NULL, BUSY},
    {"pace", required_argument, NULL, PACE},         {"pasv", no_argument, NULL, PASV},
    {"type", required_argument, NULL, TYPE},         {"mode-z", no_argument, NULL, MODE_Z},
    {"timeout", required_argument, NULL, TIMEOUT},   {NULL, 0, NULL, 0},
};

static void take(int option) {
    switch (option) {
    case HOST: options.host = optarg; break;
    case PORT: options.port = (int)number("port", 1, 65535); break;
    case USER: options.user = optarg; break;
    case PASS: options.pass = optarg; break;
    case TLS: options.tls = true; break;
    case IMPLICIT: options.tls = options.implicit = true; break;
    case TLS12: options.tls12 = true; break;
    case NO_RESUME: options.resume = false; break;
    case DECRYPT: options.decrypt = true; break;
    case SESSIONS: options.sessions = (int)number("sessions", 1, MOST_SESSIONS); break;
    case REPEAT: options.repeat = (int)number("repeat", 1, MOST_TIMES); break;
    case PATH: options.path = optarg; break;
    case SIZE: options.size = number("size", 0, MOST_OCTETS); break;
    case FILES: options.files = (int)number("files", 1, MOST_TIMES); break;
    case VERB: options.verb = optarg; break;
    case COMMAND: options.command = optarg; break;
    case IDLE: options.idle = (int)number("idle", 0, MOST_SESSIONS); break;
    case BUSY: options.busy = (int)number("busy", 0, MOST_SESSIONS); break;
    case PACE: options.pace = number("pace", 1, MOST_OCTETS); break;
    case PASV: options.pasv = true; break;
    case TYPE: options.type = optarg[0] == 'A' || optarg[0] == 'a' ? 'A' : 'I'; break;
    case MODE_Z: options.modeZ = true; break;
    case TIMEOUT: options.timeout = (int)number("timeout", 1, 86400); break;
    default: usage("this option is not known, or lacks its value");
    }
}

void readOptions(int count, char **words) {
    opterr = 0;
    for (int option; (option = getopt_long(count, words, "", names, NULL)) != -1;) take(option);
    if (optind + 1 != count) usage("exactly one mode is needed");
    options.mode = words[optind];
    const bool raw = strncmp(options.mode, "raw-", 4) == 0;
    if (options.port == 0 && !raw) usage("--port is missing");
    const bool small = strncmp(options.mode, "small-", 6) == 0;
    if (small && strstr(options.path, "%d") == NULL) usage("--path of small files needs a %d");
    if (options.modeZ && strstr(options.mode, "stor") != NULL) usage("--mode-z is for downloads: nothing here deflates");
    if (options.modeZ && strcmp(options.mode, "list") == 0) usage("--mode-z is for downloads: nothing here inflates");
    /* The farewell of a small file is worth more than what its few octets cost. */
    if (small) options.decrypt = true;
}
