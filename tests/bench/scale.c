/* What one operation costs beside 10, 100, 1,000 and 10,000 idle things of a kind: open files, pipes in one poll set or readiness queue,
 * mappings, timers, blocked threads, names in a directory. Where a system gives out fewer, the larger counts are left out. */
#define _GNU_SOURCE
#define PROGRAM "scale"
#include "bench.h"
#include "queue.h"
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/timerfd.h>
#endif

enum { COUNTS = 4, MOST = 10000, PAGE = 4096, STACK = 16384 + 4 * PAGE };

static const int counts[COUNTS] = {10, 100, 1000, MOST};

/* Descriptors of whatever kind. */
static int fds[2 * MOST];

static void close_from(int first, int end) {
    for (int i = first; i < end; i++)
        close(fds[i]);
}

/* Open files: another one is opened and closed. */

static void open_close(long count) {
    while (count-- > 0)
        close(open("/dev/null", O_RDONLY));
}

static void open_files(void) {
    int have = 0;
    for (int step = 0; step < COUNTS; step++) {
        for (; have < counts[step]; have++)
            if ((fds[have] = open("/dev/null", O_RDONLY)) < 0)
                goto out;
        measure_beside("open_files", have, open_close);
    }
out:
    close_from(0, have);
}

/* Pipes: the last one is ready, and all are asked; the queue is asked alone. */

static struct pollfd polled[MOST];
static int have_pipes;
static int queue;

static void poll_all(long count) {
    while (count-- > 0)
        MUST(poll(polled, (nfds_t)have_pipes, -1) == 1);
}

static void queue_wait(long count) {
    while (count-- > 0)
        queue_ready(queue);
}

static void pipes(void) {
    have_pipes = 0;
    queue = queue_new();
    for (int step = 0; step < COUNTS; step++) {
        for (; have_pipes < counts[step]; have_pipes++) {
            int *both = fds + 2 * have_pipes;
            if (pipe(both) != 0)
                goto out;
            polled[have_pipes].fd = both[0];
            polled[have_pipes].events = POLLIN;
            queue_add(queue, both[0]);
        }
        char byte = 0;
        MUST(write(fds[2 * have_pipes - 1], &byte, 1) == 1);
        measure_beside("pipes_polled", have_pipes, poll_all);
        measure_beside("pipes_queued", have_pipes, queue_wait);
        MUST(read(fds[2 * have_pipes - 2], &byte, 1) == 1);
    }
out:
    close(queue);
    close_from(0, 2 * have_pipes);
}

/* Mappings, each with other rights than its neighbours: another one is made, touched and taken away. */

static char *areas[MOST];

static void map_touch_unmap(long count) {
    while (count-- > 0) {
        char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
        *(volatile char *)at = 1;
        munmap(at, PAGE);
    }
}

static void mappings(void) {
    int have = 0;
    for (int step = 0; step < COUNTS; step++) {
        for (; have < counts[step]; have++) {
            areas[have] = mmap(NULL, PAGE, have & 1 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
            if (areas[have] == MAP_FAILED)
                goto out;
        }
        measure_beside("mappings", have, map_touch_unmap);
    }
out:
    while (have > 0)
        munmap(areas[--have], PAGE);
}

/* Timers, an hour away each: another one is set and taken back. */

#ifdef __linux__
static int set_timer(int index, long milliseconds) {
    struct itimerspec when = {{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000000}};
    if (index == MOST || (fds[index] = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0)
        return timerfd_settime(fds[index], 0, &when, NULL);
    return -1;
}

static int timers_start(void) {
    return fds[MOST] = timerfd_create(CLOCK_MONOTONIC, 0);
}

static void timers_end(int have) {
    close_from(0, have);
    close(fds[MOST]);
}
#else
static int set_timer(int index, long milliseconds) {
    struct kevent change;
    EV_SET(&change, (uintptr_t)index, EVFILT_TIMER, milliseconds > 0 ? EV_ADD : EV_DELETE, 0, milliseconds, 0);
    return kevent(queue, &change, 1, NULL, 0, NULL);
}

static int timers_start(void) {
    return queue = kqueue();
}

static void timers_end(int have) {
    (void)have;
    close(queue);
}
#endif

static void set_unset(long count) {
    while (count-- > 0) {
        MUST(set_timer(MOST, 3600000 + count % 1000) == 0);
        MUST(set_timer(MOST, 0) == 0);
    }
}

static void timers(void) {
    MUST(timers_start() >= 0);
    int have = 0;
    for (int step = 0; step < COUNTS; step++) {
        for (; have < counts[step]; have++)
            if (set_timer(have, 3600000 + have) != 0)
                goto out;
        measure_beside("timers", have, set_unset);
    }
out:
    timers_end(have);
}

/* Blocked threads: another one is made and joined; two more switch to and fro. */

static pthread_t threads[MOST];
static pthread_attr_t attributes;
static sem_t blocked, ping, pong;

static void *wait_long(void *argument) {
    while (sem_wait(&blocked) != 0) {
    }
    return argument;
}

static void *nothing(void *argument) {
    return argument;
}

static void *answer(void *count) {
    for (long left = (long)count; left > 0; left--) {
        sem_wait(&ping);
        sem_post(&pong);
    }
    return NULL;
}

static void create_join(long count) {
    pthread_t thread;
    while (count-- > 0) {
        MUST(pthread_create(&thread, &attributes, nothing, NULL) == 0);
        pthread_join(thread, NULL);
    }
}

static void round_trip(long count) {
    pthread_t thread;
    MUST(pthread_create(&thread, &attributes, answer, (void *)count) == 0);
    for (long left = count; left > 0; left--) {
        sem_post(&ping);
        sem_wait(&pong);
    }
    pthread_join(thread, NULL);
}

static void blocked_threads(void) {
    int have = 0;
    MUST(sem_init(&blocked, 0, 0) == 0 && sem_init(&ping, 0, 0) == 0 && sem_init(&pong, 0, 0) == 0);
    MUST(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK) == 0);
    for (int step = 0; step < COUNTS; step++) {
        for (; have < counts[step]; have++)
            if (pthread_create(&threads[have], &attributes, wait_long, NULL) != 0)
                goto out;
        measure_beside("threads_create_join", have, create_join);
        measure_beside("threads_round_trip", have, round_trip);
    }
out:
    for (int i = 0; i < have; i++)
        sem_post(&blocked);
    while (have > 0)
        pthread_join(threads[--have], NULL);
}

/* Names in one directory: another one is made and removed. */

static void create_unlink(long count) {
    while (count-- > 0) {
        int file = open("bench-names/another", O_CREAT | O_WRONLY, 0644);
        MUST(file >= 0);
        close(file);
        unlink("bench-names/another");
    }
}

static void names(void) {
    char name[64];
    int have = 0;
    MUST(chdir("/tmp") == 0 && mkdir("bench-names", 0755) == 0);
    for (int step = 0; step < COUNTS; step++) {
        for (; have < counts[step]; have++) {
            snprintf(name, sizeof name, "bench-names/%d", have);
            int file = open(name, O_CREAT | O_WRONLY, 0644);
            if (file < 0)
                goto out;
            close(file);
        }
        measure_beside("directory_names", have, create_unlink);
    }
out:
    while (have > 0) {
        snprintf(name, sizeof name, "bench-names/%d", --have);
        unlink(name);
    }
    rmdir("bench-names");
}

int main(int argc, char **argv) {
    bench_start(argc, argv);
    if (bench_quick)
        bench_batch_ns = 1000000;
    struct rlimit limit = {2 * MOST + 100, 2 * MOST + 100};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    open_files();
    pipes();
    mappings();
    timers();
    names();
    blocked_threads();
    return 0;
}
