/*
 * The start, the result, and the modes in which every session is a thread.
 * gcc -O2 -pthread *.c -lssl -lcrypto (without OpenSSL: -DNO_TLS); bench/load/build.ts does it.
 */
#include "load.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Octets of a thread's stack: ten times what the deepest call needs, and a thousand sessions stay small. */
#define STACK (256 << 10)

/* False from the moment when what is left has no time limit. */
atomic_bool watching = true;

double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

void pauseUntil(double moment) {
    const double left = moment - now();
    if (left <= 0) return;
    const struct timespec pause = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
    nanosleep(&pause, NULL);
}

double cpuSeconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

void fail(const Session *session, const char *format, ...) {
    /* When a server dies all sessions notice; the first one tells. */
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&told)) for (;;) pause();
    fprintf(stderr, "load %s: ", options.mode == NULL ? "" : options.mode);
    /* What is secret is not shown. */
    if (session != NULL) {
        const bool secret = strncmp(session->sent, "PASS ", 5) == 0;
        fprintf(stderr, "session %d, after %s: ", session->number, secret ? "PASS" : session->sent);
    }
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    fflush(stderr);
    _exit(1);
}

void numbered(char *into, const char *pattern, int number) {
    const char *mark = strstr(pattern, "%d");
    const int before = mark == NULL ? (int)strlen(pattern) : (int)(mark - pattern);
    const int length = mark == NULL ? snprintf(into, PATH_LIMIT, "%s", pattern)
                                    : snprintf(into, PATH_LIMIT, "%.*s%d%s", before, pattern, number, mark + 2);
    if (length >= PATH_LIMIT) fail(NULL, "the path is longer than %d octets", PATH_LIMIT);
}

void addLatency(Figures *figures, double seconds) {
    if (figures->latencies != NULL) figures->latencies[figures->latencyCount++] = seconds;
}

static int ascending(const void *one, const void *other) {
    const double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* Nearest rank: the smallest value that so many percent do not exceed. */
static double percentile(const Figures *sorted, int percent) {
    return sorted->latencies[((long)sorted->latencyCount * percent + 99) / 100 - 1] * 1e6;
}

void printResult(const Figures *figures, double seconds, double cpu, const char *way) {
    const bool content = strcmp(options.mode, "login") != 0 && strcmp(options.mode, "command") != 0;
    printf("{\"mode\":\"%s\",\"sessions\":%d,\"seconds\":%.6f", options.mode, options.sessions, seconds);
    if (content) printf(",\"bytes\":%lld", figures->bytes);
    printf(",\"operations\":%lld", figures->operations);
    if (strcmp(options.mode, "list") == 0) printf(",\"lines\":%lld", figures->lines);
    printf(",\"clientCpuSeconds\":%.6f", cpu);
    if (figures->latencyCount > 0) {
        qsort(figures->latencies, (size_t)figures->latencyCount, sizeof(double), ascending);
        printf(",\"p50us\":%.1f,\"p99us\":%.1f,\"maxus\":%.1f", percentile(figures, 50), percentile(figures, 99),
               percentile(figures, 100));
    }
    if (options.tls) printf(",\"handshakes\":%lld,\"resumed\":%lld", figures->handshakes, figures->resumed);
    if (way != NULL) printf(",\"way\":\"%s\"", way);
    puts("}");
    fflush(stdout);
}

/* The size is asked for before the clock starts: a part of the file would be no measure. */
static void askSize(Session *session) {
    char path[PATH_LIMIT];
    numbered(path, options.path, session->number);
    session->expected = options.type == 'I' && !options.modeZ ? sizeOf(session, path) : -1;
}

static void retrieve(Session *session) {
    char path[PATH_LIMIT];
    numbered(path, options.path, session->number);
    for (int turn = 0; turn < options.repeat; turn += 1) {
        session->figures.bytes += download(session, path, session->expected, NULL);
        session->figures.operations += 1;
    }
}

static void store(Session *session) {
    char pattern[PATH_LIMIT], path[PATH_LIMIT];
    const bool marked = strstr(options.path, "%d") != NULL;
    if (snprintf(pattern, PATH_LIMIT, "%s%s", options.path, marked ? "" : ".%d") >= PATH_LIMIT)
        fail(NULL, "the path is longer than %d octets", PATH_LIMIT);
    numbered(path, pattern, session->number);
    for (int turn = 0; turn < options.repeat; turn += 1) {
        session->figures.bytes += upload(session, path, options.size);
        session->figures.operations += 1;
    }
}

static void smallFiles(Session *session) {
    const bool down = strcmp(options.mode, "small-retr") == 0;
    char path[PATH_LIMIT];
    for (int file = session->number; file < options.files; file += options.sessions) {
        numbered(path, options.path, file);
        const double started = now();
        session->figures.bytes += down ? download(session, path, -1, NULL) : upload(session, path, options.size);
        addLatency(&session->figures, now() - started);
        session->figures.operations += 1;
    }
}

static void logIn(Session *session) {
    for (int turn = 0; turn < options.repeat; turn += 1) {
        const double started = now();
        signIn(session);
        addLatency(&session->figures, now() - started);
        quit(session);
        session->figures.operations += 1;
    }
}

static void listFolder(Session *session) {
    for (int turn = 0; turn < options.repeat; turn += 1) {
        session->figures.bytes += list(session, options.verb, options.path);
        session->figures.operations += 1;
    }
}

static void repeatCommand(Session *session) {
    for (int turn = 0; turn < options.repeat; turn += 1) {
        command(session, 2, "%s", options.command);
        session->figures.operations += 1;
    }
}

typedef struct {
    const char *name;
    bool signedIn;
    /* Operations of all sessions whose time is kept; 0: none. */
    int (*measured)(void);
    void (*prepare)(Session *session);
    void (*run)(Session *session);
} Mode;

static int eachFile(void) { return options.files; }
static int eachLogin(void) { return options.repeat; }

static const Mode modes[] = {
    {"retr", true, NULL, askSize, retrieve},
    {"stor", true, NULL, NULL, store},
    {"small-retr", true, eachFile, NULL, smallFiles},
    {"small-stor", true, eachFile, NULL, smallFiles},
    {"login", false, eachLogin, NULL, logIn},
    {"list", true, NULL, NULL, listFolder},
    {"command", true, NULL, NULL, repeatCommand},
};

static const Mode *mode;
static pthread_barrier_t gate;

/*
 * The main thread stands at the gate too: once when all are ready, once to let them run, once when all are done, once to
 * let them go. Each thread takes its own times, as on a busy machine the main thread may pass the gate last.
 */
static void *work(void *value) {
    Session *session = value;
    if (mode->signedIn) {
        signIn(session);
        prepareTransfers(session);
        if (mode->prepare != NULL) mode->prepare(session);
    }
    session->figures = (Figures){0};
    if (mode->measured != NULL) session->figures.latencies = calloc((size_t)mode->measured() + 1, sizeof(double));
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    session->started = now();
    mode->run(session);
    session->ended = now();
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    if (mode->signedIn) quit(session);
    return NULL;
}

static Figures sumOf(const Session *sessions) {
    Figures sum = {0};
    for (int at = 0; at < options.sessions; at += 1) sum.latencyCount += sessions[at].figures.latencyCount;
    if (sum.latencyCount > 0) sum.latencies = malloc((size_t)sum.latencyCount * sizeof(double));
    sum.latencyCount = 0;
    for (int at = 0; at < options.sessions; at += 1) {
        const Figures *each = &sessions[at].figures;
        sum.bytes += each->bytes;
        sum.operations += each->operations;
        sum.lines += each->lines;
        sum.handshakes += each->handshakes;
        sum.resumed += each->resumed;
        for (int turn = 0; turn < each->latencyCount; turn += 1) addLatency(&sum, each->latencies[turn]);
    }
    return sum;
}

static void runSessions(void) {
    Session *sessions = calloc((size_t)options.sessions, sizeof *sessions);
    pthread_t *threads = calloc((size_t)options.sessions, sizeof *threads);
    if (sessions == NULL || threads == NULL) fail(NULL, "no memory for %d sessions", options.sessions);
    pthread_barrier_init(&gate, NULL, (unsigned)options.sessions + 1);
    for (int at = 0; at < options.sessions; at += 1) {
        sessions[at].number = at;
        startThread(&threads[at], work, &sessions[at]);
    }
    pthread_barrier_wait(&gate);
    const double cpu = cpuSeconds();
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    const double used = cpuSeconds() - cpu;
    pthread_barrier_wait(&gate);
    const Figures sum = sumOf(sessions);
    double first = sessions[0].started, last = sessions[0].ended;
    for (int at = 1; at < options.sessions; at += 1) {
        if (sessions[at].started < first) first = sessions[at].started;
        if (sessions[at].ended > last) last = sessions[at].ended;
    }
    for (int at = 0; at < options.sessions; at += 1) pthread_join(threads[at], NULL);
    printResult(&sum, last - first, used, NULL);
}

void startThread(pthread_t *thread, void *(*body)(void *), void *value) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    const int fault = pthread_create(thread, &attributes, body, value);
    if (fault != 0) fail(NULL, "no thread: %s", strerror(fault));
    pthread_attr_destroy(&attributes);
}

static void *watch(void *value) {
    (void)value;
    pauseUntil(now() + options.timeout);
    if (atomic_load(&watching)) fail(NULL, "not done after %d seconds (--timeout)", options.timeout);
    return NULL;
}

/* The soft limit is made for programs that use select(2). */
static void raiseDescriptors(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **words) {
    readOptions(count, words);
    signal(SIGPIPE, SIG_IGN);
    raiseDescriptors();
    if (options.tls) setUpTls();
    setUpContent();
    pthread_t watcher;
    startThread(&watcher, watch, NULL);
    if (strcmp(options.mode, "idle") == 0) return runIdle(), 0;
    if (strcmp(options.mode, "noop") == 0) return runNoop(), 0;
    if (strcmp(options.mode, "raw-down") == 0) return runRaw(true), 0;
    if (strcmp(options.mode, "raw-up") == 0) return runRaw(false), 0;
    for (size_t at = 0; at < sizeof modes / sizeof *modes; at += 1)
        if (strcmp(modes[at].name, options.mode) == 0) mode = &modes[at];
    if (mode == NULL) usage("this mode is not known");
    runSessions();
    return 0;
}
