/*
 * The bare limit of this machine: as many octets over loopback as an FTP server would send or receive, without FTP.
 * There are two ways to move a file in the kernel; both are tried, and the faster one counts.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Octets in a pipe between two splices: what an ordinary user may ask for. */
#define PIPE (1 << 20)

typedef struct {
    int number, sender, receiver;
    bool down, spliced;
    long long size, received;
    double started, ended;
} Pair;

static pthread_barrier_t gate;

static void connectPair(Pair *pair) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pair->sender = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || pair->sender < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        connect(pair->sender, (struct sockaddr *)&address, length) != 0 ||
        (pair->receiver = accept(listener, NULL, NULL)) < 0)
        fail(NULL, "no connection over loopback: %s", strerror(errno));
    close(listener);
}

static int openFile(const Pair *pair, int flags) {
    char path[PATH_LIMIT];
    numbered(path, options.path, pair->number);
    const int file = open(path, flags | O_CLOEXEC, 0644);
    if (file < 0) fail(NULL, "%s cannot be opened: %s", path, strerror(errno));
    return file;
}

/* From one descriptor to the other through a pipe, until `size` octets have gone or the source ends. */
static long long spliceThrough(int from, int to, long long size) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fail(NULL, "no pipe: %s", strerror(errno));
    fcntl(ends[0], F_SETPIPE_SZ, PIPE);
    long long moved = 0;
    while (moved < size) {
        const ssize_t filled = splice(from, NULL, ends[1], NULL, PIPE, SPLICE_F_MOVE | SPLICE_F_MORE);
        if (filled < 0) fail(NULL, "splice: %s", strerror(errno));
        if (filled == 0) break;
        for (ssize_t left = filled; left > 0;) {
            const ssize_t drained = splice(ends[0], NULL, to, NULL, (size_t)left, SPLICE_F_MOVE | SPLICE_F_MORE);
            if (drained <= 0) fail(NULL, "splice: %s", strerror(errno));
            left -= drained;
        }
        moved += filled;
    }
    close(ends[0]);
    close(ends[1]);
    return moved;
}

static void sendFile(int file, int socket, long long size) {
    for (off_t at = 0; at < size;)
        if (sendfile(socket, file, &at, (size_t)(size - at)) <= 0) fail(NULL, "sendfile: %s", strerror(errno));
}

static void sendMemory(int socket, long long size) {
    for (long long left = size; left > 0;) {
        off_t at = (size - left) % CONTENT;
        const long long most = CONTENT - at;
        const ssize_t sent = sendfile(socket, contentFile(), &at, (size_t)(left < most ? left : most));
        if (sent <= 0) fail(NULL, "sendfile: %s", strerror(errno));
        left -= sent;
    }
}

static void *sendAll(void *value) {
    Pair *pair = value;
    const int file = pair->down ? openFile(pair, O_RDONLY) : -1;
    pthread_barrier_wait(&gate);
    /* Taken here, as on a busy machine the main thread may pass the gate last. */
    pair->started = now();
    if (!pair->down) sendMemory(pair->sender, pair->size);
    else if (pair->spliced) spliceThrough(file, pair->sender, pair->size);
    else sendFile(file, pair->sender, pair->size);
    close(pair->sender);
    if (file >= 0) close(file);
    return NULL;
}

static long long copyToFile(int socket, int file) {
    char *buffer = malloc(CHUNK);
    if (buffer == NULL) fail(NULL, "no memory");
    long long moved = 0;
    for (ssize_t got; (got = recv(socket, buffer, CHUNK, 0)) > 0; moved += got)
        if (write(file, buffer, (size_t)got) != got) fail(NULL, "write: %s", strerror(errno));
    free(buffer);
    return moved;
}

static long long discard(int socket) {
    char nowhere[1];
    long long moved = 0;
    for (ssize_t got; (got = recv(socket, nowhere, CHUNK, MSG_TRUNC)) > 0;) moved += got;
    return moved;
}

static void *receiveAll(void *value) {
    Pair *pair = value;
    const int file = pair->down ? -1 : openFile(pair, O_WRONLY | O_CREAT | O_TRUNC);
    pthread_barrier_wait(&gate);
    if (pair->down) pair->received = discard(pair->receiver);
    else if (pair->spliced) pair->received = spliceThrough(pair->receiver, file, pair->size);
    else pair->received = copyToFile(pair->receiver, file);
    pair->ended = now();
    close(pair->receiver);
    if (file >= 0) close(file);
    if (pair->received != pair->size) fail(NULL, "%lld octets came, %lld went", pair->received, pair->size);
    return NULL;
}

typedef struct {
    Figures figures;
    double seconds, cpu;
} Run;

static Run measure(bool down, bool spliced) {
    const int count = options.sessions;
    Pair *pairs = calloc((size_t)count, sizeof *pairs);
    pthread_t *threads = calloc((size_t)count * 2, sizeof *threads);
    if (pairs == NULL || threads == NULL) fail(NULL, "no memory");
    pthread_barrier_init(&gate, NULL, (unsigned)count * 2 + 1);
    Run run = {0};
    for (int at = 0; at < count; at += 1) {
        pairs[at] = (Pair){.number = at, .down = down, .spliced = spliced, .size = options.size};
        connectPair(&pairs[at]);
        if (down) {
            struct stat facts;
            const int file = openFile(&pairs[at], O_RDONLY);
            fstat(file, &facts);
            close(file);
            pairs[at].size = facts.st_size;
        }
        startThread(&threads[2 * at], sendAll, &pairs[at]);
        startThread(&threads[2 * at + 1], receiveAll, &pairs[at]);
        run.figures.bytes += pairs[at].size;
        run.figures.operations += 1;
    }
    const double cpu = cpuSeconds();
    pthread_barrier_wait(&gate);
    for (int at = 0; at < count * 2; at += 1) pthread_join(threads[at], NULL);
    double first = pairs[0].started, last = pairs[0].ended;
    for (int at = 1; at < count; at += 1) {
        if (pairs[at].started < first) first = pairs[at].started;
        if (pairs[at].ended > last) last = pairs[at].ended;
    }
    run.seconds = last - first;
    run.cpu = cpuSeconds() - cpu;
    pthread_barrier_destroy(&gate);
    free(pairs);
    free(threads);
    return run;
}

void runRaw(bool down) {
    Run best = {0};
    const char *way = "";
    for (int turn = 0; turn < options.repeat * 2; turn += 1) {
        const bool spliced = turn % 2 == 1;
        const Run run = measure(down, spliced);
        if (turn > 0 && run.seconds >= best.seconds) continue;
        best = run;
        way = spliced ? "splice" : down ? "sendfile" : "copy";
    }
    printResult(&best.figures, best.seconds, best.cpu, way);
}
