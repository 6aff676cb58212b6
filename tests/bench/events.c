/* How a program waits for descriptors: poll(2), select(2), and kqueue(2) or epoll(7). One descriptor of the set is ready. */
#define PROGRAM "events"
#include "bench.h"
#include "queue.h"
#include <poll.h>
#include <sys/select.h>

enum { PIPES = 64 };

static int pipes[PIPES][2];
static struct pollfd polled[PIPES];
static int watched;
static int queue;

static void poll_all(long count) {
    while (count-- > 0)
        MUST(poll(polled, (nfds_t)watched, -1) == 1);
}

static void select_all(long count) {
    while (count-- > 0) {
        fd_set set;
        FD_ZERO(&set);
        for (int i = 0; i < watched; i++)
            FD_SET(pipes[i][0], &set);
        MUST(select(pipes[watched - 1][0] + 1, &set, NULL, NULL, NULL) == 1);
    }
}

static void queue_wait(long count) {
    while (count-- > 0)
        MUST(queue_ready(queue) == pipes[PIPES - 1][0]);
}

static void queue_add_remove(long count) {
    while (count-- > 0) {
        queue_remove(queue, pipes[0][0]);
        queue_add(queue, pipes[0][0]);
    }
}

/* A server's round: find out that something came, read it, and the next comes. */
static void queue_echo(long count) {
    char byte = 0;
    while (count-- > 0) {
        int fd = queue_ready(queue);
        MUST(read(fd, &byte, 1) == 1 && write(pipes[PIPES - 1][1], &byte, 1) == 1);
    }
}

static void watch(int count) {
    watched = count;
    for (int i = 0; i < count; i++) {
        polled[i].fd = pipes[i][0];
        polled[i].events = POLLIN;
    }
    polled[count - 1].fd = pipes[PIPES - 1][0];
}

int main(int argc, char **argv) {
    bench_start(argc, argv);
    for (int i = 0; i < PIPES; i++)
        MUST(pipe(pipes[i]) == 0);
    MUST(write(pipes[PIPES - 1][1], "x", 1) == 1);
    watch(1);
    measure("poll_1", poll_all);
    watch(PIPES);
    measure("poll_64", poll_all);
    measure("select_64", select_all);
    MUST((queue = queue_new()) >= 0);
    for (int i = 0; i < PIPES; i++)
        queue_add(queue, pipes[i][0]);
    measure("queue_wait_64", queue_wait);
    measure("queue_remove_add", queue_add_remove);
    measure("queue_wait_read_write", queue_echo);
    return 0;
}
