/* The one readiness queue that each side has: kqueue(2) on NetBSD, epoll(7) on Linux. Level-triggered, for reading. */
#ifndef QUEUE_H
#define QUEUE_H

#ifdef __linux__
#include <sys/epoll.h>

static int queue_new(void) {
    return epoll_create1(0);
}

static void queue_add(int queue, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    MUST(epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) == 0);
}

__attribute__((unused)) static void queue_remove(int queue, int fd) {
    struct epoll_event event = {0};
    MUST(epoll_ctl(queue, EPOLL_CTL_DEL, fd, &event) == 0);
}

static int queue_ready(int queue) {
    struct epoll_event events[64];
    MUST(epoll_wait(queue, events, 64, -1) == 1);
    return events[0].data.fd;
}
#else
#include <sys/event.h>

static int queue_new(void) {
    return kqueue();
}

static int queue_change(int queue, int fd, uint32_t flags) {
    struct kevent change;
    EV_SET(&change, (uintptr_t)fd, EVFILT_READ, flags, 0, 0, 0);
    return kevent(queue, &change, 1, NULL, 0, NULL);
}

static void queue_add(int queue, int fd) {
    MUST(queue_change(queue, fd, EV_ADD) == 0);
}

__attribute__((unused)) static void queue_remove(int queue, int fd) {
    MUST(queue_change(queue, fd, EV_DELETE) == 0);
}

static int queue_ready(int queue) {
    struct kevent events[64];
    MUST(kevent(queue, NULL, 0, events, 64, NULL) == 1);
    return (int)events[0].ident;
}
#endif

#endif
