/*
 * A load generator for FTP servers: what its files share. It is in C so that a measure shows the server and not the
 * client: downloads are thrown away in the kernel, uploads are sent from pages that nobody copies, and the time that the
 * generator itself takes is part of every result. bench/load/load.ts does the same in Node, slower.
 */
#ifndef LOAD_H
#define LOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Octets of control lines that wait at most; RFC 959 names no limit, real replies stay far below. */
#define CONTROL_BUFFER 4096
/* Octets of a command or of a reply's line that are kept to be shown in a fault. */
#define SHOWN 512
/* Octets of a path after its number stands in it. */
#define PATH_LIMIT 1024
/* Octets of random content that all uploads share: small enough to stay in a cache, large enough for few system calls. */
#define CONTENT (1 << 20)
/* Octets that one call receives at most. */
#define CHUNK (1 << 20)
/* Seconds that a connection that is refused, or finds no free port, is tried again. */
#define CONNECT_SECONDS 2.0

typedef struct {
    const char *mode, *host, *user, *pass, *path, *verb, *command;
    int port, sessions, repeat, files, idle, busy, timeout;
    long long size, pace;
    char type;
    bool tls, implicit, pasv, modeZ, resume, decrypt, tls12;
} Options;

extern Options options;

/* What a session did since the clock began. */
typedef struct {
    long long bytes, operations, lines, handshakes, resumed;
    /* Seconds of each operation, where a mode measures them; NULL: it does not. */
    double *latencies;
    int latencyCount;
} Figures;

/* A TLS connection; opaque, so that only tls.c knows OpenSSL. */
typedef struct Tls Tls;

typedef struct {
    int number, socket, have, at, code;
    Tls *tls;
    /* The newest session of TLS that the server gave; data connections resume it. */
    void *ticket;
    char buffer[CONTROL_BUFFER], reply[SHOWN], sent[SHOWN];
    /* Octets of the file that it retrieves, -1: not known. */
    long long expected;
    /* Moments, as of now(), of its part of the measure. */
    double started, ended;
    Figures figures;
} Session;

/* How fast a download may be taken; `stop` ends it in the middle. */
typedef struct {
    long long octetsPerSecond;
    const atomic_bool *stop;
} Pace;

/* options.c */
void readOptions(int count, char **words);
void usage(const char *fault) __attribute__((noreturn));

/* load.c */
extern atomic_bool watching;
void startThread(pthread_t *thread, void *(*body)(void *), void *value);
double now(void);
void pauseUntil(double moment);
/* Writes one line to standard error and ends the process with 1. `session` may be NULL. */
void fail(const Session *session, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
/* `pattern` with its first %d replaced by `number`. */
void numbered(char *into, const char *pattern, int number);
void addLatency(Figures *figures, double seconds);
double cpuSeconds(void);
void printResult(const Figures *figures, double seconds, double cpu, const char *way);

/* session.c */
/* Connects, blocking; `data`: to a port that the server told. */
int openConnection(const Session *session, int port, bool data);
int readReply(Session *session);
void sendCommand(Session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sends a command and fails unless the final reply begins with the digit `kind`. */
void command(Session *session, int kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Connects and signs in, up to the 230 (as in `login`). */
void signIn(Session *session);
/* After signIn: protection, type and mode of the transfers to come. */
void prepareTransfers(Session *session);
void quit(Session *session);

/* data.c */
void setUpContent(void);
int contentFile(void);
/* Octets that the server says `path` has, or -1. */
long long sizeOf(Session *session, const char *path);
/* @returns octets of content. `expected` as of sizeOf(). */
long long download(Session *session, const char *path, long long expected, const Pace *pace);
long long list(Session *session, const char *verb, const char *path);
long long upload(Session *session, const char *path, long long size);

/* tls.c */
bool hasTls(void);
void setUpTls(void);
/* The handshake. A data connection resumes the session's newest ticket; NULL: the server may have told why not. */
Tls *beginTls(Session *session, int socket, bool data);
/* @returns octets, 0 at the end, -1 at a fault. */
ssize_t tlsRead(Tls *tls, void *into, size_t size);
bool tlsWrite(Tls *tls, const void *from, size_t size);
/* Sends close_notify. */
void tlsFinish(Tls *tls);
void tlsFree(Tls *tls);
const char *tlsFault(void);
/* Octets of a record's body that are not content, or -1 where that differs from record to record. */
int tlsOverhead(const Tls *tls);
bool tlsIs13(const Tls *tls);

/* crowd.c */
void runIdle(void);
void runNoop(void);

/* raw.c */
void runRaw(bool down);

#endif
