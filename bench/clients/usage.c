/*
 * What a program cost from its start to its end: `usage FILE PROGRAM [ARGUMENT …]` runs it and writes one line of JSON to
 * FILE: seconds on the clock, CPU seconds of it and of every child that it waited for, and the most memory that one of
 * them held. It is in C because the kernel tells wait4(2) of these alone, and because a process begins with the peak of
 * the one that it was forked from: from Node everything would seem to take 50 MiB.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time) { return time.tv_sec + time.tv_usec / 1e6; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **words) {
  if (count < 3) {
    fprintf(stderr, "usage FILE PROGRAM [ARGUMENT ...]\n");
    return 2;
  }
  double started = now();
  pid_t child = fork();
  if (child < 0) {
    perror("fork");
    return 2;
  }
  if (child == 0) {
    /* Killed, this leaves nothing behind that goes on. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(words[2], words + 2);
    fprintf(stderr, "%s: %s\n", words[2], strerror(errno));
    _exit(127);
  }
  int status = 0;
  struct rusage cost;
  while (wait4(child, &status, 0, &cost) < 0) {
    if (errno != EINTR) return 2;
  }
  double ended = now();
  FILE *file = fopen(words[1], "w");
  if (file == NULL) {
    perror(words[1]);
    return 2;
  }
  fprintf(file, "{\"seconds\":%.6f,\"user\":%.6f,\"system\":%.6f,\"peakKib\":%ld}\n", ended - started,
          seconds(cost.ru_utime), seconds(cost.ru_stime), cost.ru_maxrss);
  fclose(file);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
