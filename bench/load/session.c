/* A control connection: replies in any split and with any line end, commands, and the way to being signed in. */
#include "load.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_storage server;
static socklen_t serverLength;

static void resolve(void) {
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    const int fault = getaddrinfo(options.host, NULL, &wanted, &found);
    if (fault != 0) fail(NULL, "the host %s is not found: %s", options.host, gai_strerror(fault));
    memcpy(&server, found->ai_addr, found->ai_addrlen);
    serverLength = found->ai_addrlen;
    freeaddrinfo(found);
}

/* A crowd on one machine uses up the ports for a moment; a data port may be listened on a little later than it is told. */
static bool passes(int fault, bool data) {
    return fault == EADDRNOTAVAIL || fault == EAGAIN || (data && fault == ECONNREFUSED);
}

int openConnection(const Session *session, int port, bool data) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, resolve);
    struct sockaddr_storage address = server;
    /* The port lies at the same place in both families. */
    ((struct sockaddr_in *)&address)->sin_port = htons((uint16_t)port);
    const double last = now() + CONNECT_SECONDS;
    for (;;) {
        const int made = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (made < 0) fail(session, "no socket: %s", strerror(errno));
        const int yes = 1;
        setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (connect(made, (struct sockaddr *)&address, serverLength) == 0) return made;
        const int fault = errno;
        close(made);
        if (!passes(fault, data) || now() > last) fail(session, "no connection to port %d: %s", port, strerror(fault));
        usleep(2000);
    }
}

static char *readLine(Session *session) {
    for (;;) {
        char *start = session->buffer + session->at;
        char *end = memchr(start, '\n', (size_t)(session->have - session->at));
        if (end != NULL) {
            session->at = (int)(end + 1 - session->buffer);
            if (end > start && end[-1] == '\r') end -= 1;
            *end = '\0';
            return start;
        }
        session->have -= session->at;
        memmove(session->buffer, start, (size_t)session->have);
        session->at = 0;
        const size_t room = sizeof session->buffer - (size_t)session->have;
        if (room == 0) fail(session, "a line of a reply has more than %d octets", CONTROL_BUFFER);
        char *into = session->buffer + session->have;
        const ssize_t got =
            session->tls != NULL ? tlsRead(session->tls, into, room) : recv(session->socket, into, room, 0);
        if (got < 0) fail(session, "no reply: %s", session->tls != NULL ? tlsFault() : strerror(errno));
        if (got == 0) fail(session, "the server closed the connection; its last reply: %s", session->reply);
        session->have += (int)got;
    }
}

/* RFC 959 §4.2: the first line of several has a hyphen after its code, the last one the same code and a space. */
int readReply(Session *session) {
    session->code = 0;
    for (;;) {
        const char *line = readLine(session);
        const bool coded = isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
                           isdigit((unsigned char)line[2]);
        const int code = coded ? atoi(line) : 0;
        if (session->code == 0 && !coded) fail(session, "this is no reply: %.200s", line);
        if (session->code == 0 || (code == session->code && line[3] != '-')) {
            snprintf(session->reply, sizeof session->reply, "%s", line);
            if (line[3] != '-') return session->code = code;
            session->code = code;
        }
    }
}

static void sendLine(Session *session, const char *format, va_list values) {
    char line[SHOWN + 2];
    const int length = vsnprintf(line, SHOWN, format, values);
    if (length < 0 || length >= SHOWN) fail(session, "a command is too long: %s", line);
    memcpy(session->sent, line, (size_t)length + 1);
    memcpy(line + length, "\r\n", 2);
    const size_t size = (size_t)length + 2;
    const bool done = session->tls != NULL ? tlsWrite(session->tls, line, size)
                                           : send(session->socket, line, size, MSG_NOSIGNAL) == (ssize_t)size;
    if (!done) fail(session, "the command cannot be sent: %s", session->tls != NULL ? tlsFault() : strerror(errno));
}

void sendCommand(Session *session, const char *format, ...) {
    va_list values;
    va_start(values, format);
    sendLine(session, format, values);
    va_end(values);
}

void command(Session *session, int kind, const char *format, ...) {
    va_list values;
    va_start(values, format);
    sendLine(session, format, values);
    va_end(values);
    int code = readReply(session);
    while (code < 200 && kind > 1) code = readReply(session);
    if (code / 100 != kind) fail(session, "the server said: %s", session->reply);
}

void signIn(Session *session) {
    session->have = session->at = session->code = 0;
    session->reply[0] = '\0';
    session->tls = NULL;
    snprintf(session->sent, sizeof session->sent, "(connecting)");
    session->socket = openConnection(session, options.port, false);
    if (options.implicit) session->tls = beginTls(session, session->socket, false);
    int code = readReply(session);
    while (code < 200) code = readReply(session);
    if (code != 220) fail(session, "the server greeted with: %s", session->reply);
    if (options.tls && !options.implicit) {
        command(session, 2, "AUTH TLS");
        session->tls = beginTls(session, session->socket, false);
    }
    sendCommand(session, "USER %s", options.user);
    code = readReply(session);
    if (code == 331) command(session, 2, "PASS %s", options.pass);
    else if (code / 100 != 2) fail(session, "the server said: %s", session->reply);
}

void prepareTransfers(Session *session) {
    if (session->tls != NULL) {
        command(session, 2, "PBSZ 0");
        command(session, 2, "PROT P");
    }
    command(session, 2, "TYPE %c", options.type);
    if (options.modeZ) command(session, 2, "MODE Z");
}

void quit(Session *session) {
    command(session, 2, "QUIT");
    if (session->tls != NULL) {
        tlsFinish(session->tls);
        tlsFree(session->tls);
        session->tls = NULL;
    }
    close(session->socket);
}
