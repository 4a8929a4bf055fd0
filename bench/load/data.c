/*
 * Data connections. Content of downloads is not copied to this process: recv(2) with MSG_TRUNC throws it away in the
 * kernel. Content of uploads is sent from the pages of a file in memory. Over TLS a download's records are only counted,
 * unless --decrypt; only the handshake and the farewell are real then.
 */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

/* Octets of a record that is a close_notify of TLS 1.3: alert, inner type, tag (RFC 8446 §5.2 and §6). */
#define ALERT_13 19
/* RFC 8446 §5.1: the type of an alert that is not hidden (TLS 1.2). */
#define ALERT_TYPE 21
#define HEADER 5
/* Octets beyond a file's size that a data connection's own tickets and alerts may add, two or three tickets with certificates in them. */
#define BESIDES 32768
/* Seconds in which the server may tell on the control connection why a data connection failed. */
#define REASON_MS 2000
/* Octets that a paced download takes at once and may have waiting: small, so that the server meets the pace soon. */
#define PACED_CHUNK 65536
#define PACED_BUFFER 262144

static int memory = -1;
static char *content;

void setUpContent(void) {
    memory = memfd_create("content", MFD_CLOEXEC);
    if (memory < 0 || ftruncate(memory, CONTENT) != 0) fail(NULL, "no memory for content: %s", strerror(errno));
    content = mmap(NULL, CONTENT, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (content == MAP_FAILED) fail(NULL, "no memory for content: %s", strerror(errno));
    for (size_t at = 0; at < CONTENT;) {
        const ssize_t got = getrandom(content + at, CONTENT - at, 0);
        if (got < 0) fail(NULL, "no random octets: %s", strerror(errno));
        at += (size_t)got;
    }
}

int contentFile(void) { return memory; }

/* What a data connection's fault hides is often told on the control connection. */
static void failWithReason(Session *session, const char *what) {
    char fault[SHOWN];
    snprintf(fault, sizeof fault, "%s", what);
    struct pollfd waiting = {.fd = session->socket, .events = POLLIN};
    if (session->have > session->at || poll(&waiting, 1, REASON_MS) == 1) readReply(session);
    fail(session, "%.200s; the server said: %s", fault, session->reply);
}

static int passivePort(Session *session) {
    if (options.pasv) {
        command(session, 2, "PASV");
        const char *digits = session->reply + 4;
        while (*digits != '\0' && (*digits < '0' || *digits > '9')) digits += 1;
        int high, low;
        if (sscanf(digits, "%*d,%*d,%*d,%*d,%d,%d", &high, &low) != 2) fail(session, "no port in: %s", session->reply);
        return high * 256 + low;
    }
    command(session, 2, "EPSV");
    const char *bracket = strchr(session->reply, '(');
    int port;
    /* RFC 2428 §3: any delimiter, three times, port, delimiter. */
    if (bracket == NULL || sscanf(bracket, "(%*c%*c%*c%d", &port) != 1) fail(session, "no port in: %s", session->reply);
    return port;
}

/* From the port to a data connection that is ready for octets. */
static int begin(Session *session, const char *verb, const char *path, Tls **tls, const Pace *pace) {
    const int made = openConnection(session, passivePort(session), true);
    if (pace != NULL) {
        const int size = PACED_BUFFER;
        setsockopt(made, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    command(session, 1, path[0] == '\0' ? "%s" : "%s %s", verb, path);
    *tls = NULL;
    if (session->tls != NULL) {
        *tls = beginTls(session, made, true);
        if (*tls == NULL) failWithReason(session, tlsFault());
    }
    return made;
}

static void finish(Session *session, int socket, Tls *tls) {
    if (tls != NULL) {
        tlsFinish(tls);
        tlsFree(tls);
    }
    close(socket);
    int code = readReply(session);
    while (code < 200) code = readReply(session);
    if (code / 100 != 2) fail(session, "the server said at the end: %s", session->reply);
}

static bool paced(const Pace *pace, double started, long long done) {
    if (pace == NULL) return true;
    if (atomic_load(pace->stop)) return false;
    pauseUntil(started + (double)done / (double)pace->octetsPerSecond);
    return true;
}

static long long discardClear(Session *session, int socket, const Pace *pace) {
    static _Thread_local char nowhere[1];
    const double started = now();
    const size_t most = pace == NULL ? CHUNK : PACED_CHUNK;
    long long done = 0;
    while (paced(pace, started, done)) {
        const ssize_t got = recv(socket, nowhere, most, MSG_TRUNC);
        if (got < 0) failWithReason(session, strerror(errno));
        if (got == 0) break;
        done += got;
    }
    return done;
}

/*
 * Reads the headers of records and throws their bodies away. The farewell of TLS 1.3 is hidden, but its length is known,
 * and the size of the file tells it from two octets of content. It has to be answered: some servers wait for that.
 */
static long long discardRecords(Session *session, int socket, Tls *tls, long long expected, const Pace *pace) {
    const int overhead = tlsOverhead(tls);
    const bool hidden = tlsIs13(tls);
    const double started = now();
    long long done = 0;
    unsigned char header[HEADER];
    static _Thread_local char nowhere[1];
    while (paced(pace, started, done)) {
        ssize_t got = recv(socket, header, HEADER, MSG_WAITALL);
        if (got < 0) failWithReason(session, strerror(errno));
        if (got == 0) return done;
        const ssize_t body = header[3] << 8 | header[4];
        if (got < HEADER || header[1] != 3) failWithReason(session, "this is no record of TLS");
        got = recv(socket, nowhere, (size_t)body, MSG_TRUNC | MSG_WAITALL);
        if (got < body) failWithReason(session, "the data connection ended inside a record");
        if (hidden ? body == ALERT_13 && done >= expected : header[0] == ALERT_TYPE) {
            /* The answer goes out at once, the end is the FIN all the same: two octets of content may have looked like it. */
            tlsFinish(tls);
            continue;
        }
        done += body - overhead;
    }
    return done;
}

/* Octets through this process; counts lines where that is asked for. */
static long long readThrough(Session *session, int socket, Tls *tls, const Pace *pace, long long *lines) {
    static _Thread_local char *buffer;
    if (buffer == NULL) buffer = malloc(CHUNK);
    if (buffer == NULL) fail(session, "no memory");
    const double started = now();
    long long done = 0;
    while (paced(pace, started, done)) {
        const ssize_t got = tls != NULL ? tlsRead(tls, buffer, PACED_CHUNK * 4) : recv(socket, buffer, CHUNK, 0);
        if (got < 0) failWithReason(session, tls != NULL ? tlsFault() : strerror(errno));
        if (got == 0) break;
        done += got;
        if (lines == NULL) continue;
        for (const char *at = buffer; (at = memchr(at, '\n', (size_t)(buffer + got - at))) != NULL; at += 1) *lines += 1;
    }
    return done;
}

long long sizeOf(Session *session, const char *path) {
    sendCommand(session, "SIZE %s", path);
    long long size;
    return readReply(session) == 213 && sscanf(session->reply, "213 %lld", &size) == 1 ? size : -1;
}

long long download(Session *session, const char *path, long long expected, const Pace *pace) {
    Tls *tls;
    const int socket = begin(session, "RETR", path, &tls, pace);
    const bool counted = tls != NULL && !options.decrypt && tlsOverhead(tls) >= 0;
    long long done = tls == NULL ? discardClear(session, socket, pace)
                     : counted   ? discardRecords(session, socket, tls, expected, pace)
                                 : readThrough(session, socket, tls, pace, NULL);
    if (pace != NULL && atomic_load(pace->stop)) return done;
    finish(session, socket, tls);
    if (expected < 0 || options.modeZ || options.type == 'A') return done;
    /* The data connection's own tickets look like content from outside. */
    if (counted && done > expected && done - expected < BESIDES) done = expected;
    if (done != expected) fail(session, "%lld octets came, the file has %lld", done, expected);
    return done;
}

long long list(Session *session, const char *verb, const char *path) {
    Tls *tls;
    const int socket = begin(session, verb, path, &tls, NULL);
    const long long done = readThrough(session, socket, tls, NULL, &session->figures.lines);
    finish(session, socket, tls);
    return done;
}

static bool sendClear(int socket, long long size) {
    for (long long left = size; left > 0;) {
        off_t at = (size - left) % CONTENT;
        const size_t most = (size_t)(CONTENT - at);
        const ssize_t sent = sendfile(socket, memory, &at, left < (long long)most ? (size_t)left : most);
        if (sent <= 0) return false;
        left -= sent;
    }
    return true;
}

static bool sendPrivate(Tls *tls, long long size) {
    for (long long left = size; left > 0;) {
        const size_t part = left < CONTENT ? (size_t)left : CONTENT;
        if (!tlsWrite(tls, content, part)) return false;
        left -= (long long)part;
    }
    return true;
}

long long upload(Session *session, const char *path, long long size) {
    Tls *tls;
    const int socket = begin(session, "STOR", path, &tls, NULL);
    const bool sent = tls == NULL ? sendClear(socket, size) : sendPrivate(tls, size);
    if (!sent) failWithReason(session, tls != NULL ? tlsFault() : strerror(errno));
    if (tls != NULL) tlsFinish(tls);
    shutdown(socket, SHUT_WR);
    /* Closing with octets unread would reset the connection under the server; the tickets among them are kept. */
    char rest[CONTROL_BUFFER];
    while ((tls != NULL ? tlsRead(tls, rest, sizeof rest) : recv(socket, rest, sizeof rest, 0)) > 0) continue;
    finish(session, socket, tls);
    return size;
}
