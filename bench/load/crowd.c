/* Crowds: sessions that do nothing, and the time that a NOOP takes beside them and beside downloads. */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Sessions that sign in at the same time; a backlog of 128 is the least that servers have. */
#define DOORS 32
/* Seconds between two NOOPs. */
#define BETWEEN 0.002

typedef struct {
    Session *sessions;
    int count;
    atomic_int next;
} Crowd;

static void *enter(void *value) {
    Crowd *crowd = value;
    for (int at; (at = atomic_fetch_add(&crowd->next, 1)) < crowd->count;) {
        crowd->sessions[at].number = at;
        signIn(&crowd->sessions[at]);
    }
    return NULL;
}

static Session *gather(int count) {
    static Crowd crowd;
    crowd = (Crowd){.sessions = calloc((size_t)count + 1, sizeof(Session)), .count = count};
    if (crowd.sessions == NULL) fail(NULL, "no memory for %d sessions", count);
    pthread_t threads[DOORS];
    for (int at = 0; at < DOORS; at += 1) startThread(&threads[at], enter, &crowd);
    for (int at = 0; at < DOORS; at += 1) pthread_join(threads[at], NULL);
    return crowd.sessions;
}

/* One descriptor that speaks up as soon as any of the crowd does. */
static int listenTo(Session *sessions, int count) {
    const int all = epoll_create1(EPOLL_CLOEXEC);
    if (all < 0) fail(NULL, "no epoll: %s", strerror(errno));
    for (int at = 0; at < count; at += 1) {
        struct epoll_event wanted = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = &sessions[at]};
        if (epoll_ctl(all, EPOLL_CTL_ADD, sessions[at].socket, &wanted) != 0) fail(NULL, "no epoll: %s", strerror(errno));
    }
    return all;
}

/* Octets that come may be tickets; a reply or the end of a connection means that the server put an idle session out. */
static void hear(int all) {
    struct epoll_event heard;
    if (epoll_wait(all, &heard, 1, 0) != 1) return;
    Session *session = heard.data.ptr;
    snprintf(session->sent, sizeof session->sent, "being idle");
    readReply(session);
    fail(session, "the server said: %s", session->reply);
}

void runIdle(void) {
    const double started = now();
    Session *sessions = gather(options.sessions);
    atomic_store(&watching, false);
    printf("{\"mode\":\"idle\",\"ready\":%d,\"seconds\":%.6f}\n", options.sessions, now() - started);
    fflush(stdout);
    const int all = listenTo(sessions, options.sessions);
    struct pollfd waiting[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = all, .events = POLLIN}};
    for (;;) {
        if (poll(waiting, 2, -1) < 0) fail(NULL, "no poll: %s", strerror(errno));
        if (waiting[1].revents != 0) hear(all);
        char nothing[256];
        if (waiting[0].revents != 0 && read(STDIN_FILENO, nothing, sizeof nothing) <= 0) return;
    }
}

static pthread_barrier_t gate;
static atomic_bool done;

/* One after another: servers with a short queue of connections lose some of a hundred that come at once. */
static void readyToDownload(Session *session) {
    char path[PATH_LIMIT];
    numbered(path, options.path, session->number);
    signIn(session);
    prepareTransfers(session);
    session->expected = sizeOf(session, path);
    session->figures = (Figures){0};
}

static void *download_again(void *value) {
    Session *session = value;
    char path[PATH_LIMIT];
    numbered(path, options.path, session->number);
    const Pace pace = {options.pace, &done};
    pthread_barrier_wait(&gate);
    while (!atomic_load(&done)) {
        session->figures.bytes += download(session, path, session->expected, &pace);
        session->figures.operations += 1;
    }
    return NULL;
}

void runNoop(void) {
    gather(options.idle);
    Session *busy = calloc((size_t)options.busy + 1, sizeof *busy);
    pthread_t *threads = calloc((size_t)options.busy + 1, sizeof *threads);
    static Session prober;
    prober.figures.latencies = calloc((size_t)options.repeat, sizeof(double));
    if (busy == NULL || threads == NULL || prober.figures.latencies == NULL) fail(NULL, "no memory");
    double *const latencies = prober.figures.latencies;
    signIn(&prober);
    pthread_barrier_init(&gate, NULL, (unsigned)options.busy + 1);
    for (int at = 0; at < options.busy; at += 1) {
        busy[at].number = at;
        readyToDownload(&busy[at]);
        startThread(&threads[at], download_again, &busy[at]);
    }
    pthread_barrier_wait(&gate);
    prober.figures = (Figures){.latencies = latencies};
    const double started = now(), cpu = cpuSeconds();
    for (int turn = 0; turn < options.repeat; turn += 1) {
        const double asked = now();
        command(&prober, 2, "NOOP");
        const double answered = now();
        addLatency(&prober.figures, answered - asked);
        prober.figures.operations += 1;
        pauseUntil(answered + BETWEEN);
    }
    const double seconds = now() - started, used = cpuSeconds() - cpu;
    atomic_store(&done, true);
    for (int at = 0; at < options.busy; at += 1) {
        pthread_join(threads[at], NULL);
        prober.figures.bytes += busy[at].figures.bytes;
        prober.figures.handshakes += busy[at].figures.handshakes;
        prober.figures.resumed += busy[at].figures.resumed;
    }
    printResult(&prober.figures, seconds, used, NULL);
}
