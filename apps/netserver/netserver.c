/* The classic services in one process and one thread, for measuring: echo (TCP and UDP port 7, RFC 862), discard (TCP port 9, RFC 863), a
 * stream of bytes without end (TCP port 19, after RFC 864) and HTTP/1.1 with one short answer (port 80).
 *
 * The same source runs on NetBSD (kqueue) and Linux (epoll); what is measured is the system below it. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#else
#include <sys/event.h>
#endif

enum { EVENTS = 256, BLOCK = 64 << 10, BACKLOG = 1024 };

enum service { ECHO, ECHO_UDP, DISCARD, CHARGEN, HTTP, SERVICES };
static const struct {
    int type, port;
} services[SERVICES] = {
    [ECHO] = {SOCK_STREAM, 7}, [ECHO_UDP] = {SOCK_DGRAM, 7}, [DISCARD] = {SOCK_STREAM, 9}, [CHARGEN] = {SOCK_STREAM, 19}, [HTTP] = {SOCK_STREAM, 80},
};

static const char response[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world\n";
enum { RESPONSE = sizeof response - 1 };

/* A socket that events come from. */
struct peer {
    int fd;
    enum service service;
    int listens;
    /* HTTP: what the line has so far, and whether the request has had a line. */
    size_t line_len;
    int begun;
    /* Bytes that the socket has not taken yet; reading stops while there are any. */
    char *unsent;
    size_t unsent_at, unsent_len;
};

static int queue;
static char block[BLOCK];

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* Has events come for a socket: when it can be read, or when it can be written. */
static void watch(struct peer *peer, int write, int first) {
#ifdef __linux__
    struct epoll_event event = {.events = write ? EPOLLOUT : EPOLLIN, .data.ptr = peer};
    if (epoll_ctl(queue, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, peer->fd, &event) != 0)
        die("epoll_ctl");
#else
    struct kevent changes[2];
    int count = 0;
    if (!first)
        EV_SET(&changes[count++], peer->fd, write ? EVFILT_READ : EVFILT_WRITE, EV_DELETE, 0, 0, NULL);
    EV_SET(&changes[count++], peer->fd, write ? EVFILT_WRITE : EVFILT_READ, EV_ADD, 0, 0, peer);
    if (kevent(queue, changes, count, NULL, 0, NULL) != 0)
        die("kevent");
#endif
}

static struct peer *add(int fd, enum service service, int listens) {
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        die("calloc");
    *peer = (struct peer){.fd = fd, .service = service, .listens = listens};
    watch(peer, service == CHARGEN && !listens, 1);
    return peer;
}

static void end(struct peer *peer) {
    close(peer->fd);
    free(peer->unsent);
    free(peer);
}

/* Sends what it can, and keeps the rest. 0 if the peer has gone. */
static int answer(struct peer *peer, const char *bytes, size_t len) {
    ssize_t sent = send(peer->fd, bytes, len, 0);
    if (sent == (ssize_t)len)
        return 1;
    if (sent < 0 && errno != EAGAIN)
        return 0;
    size_t rest = len - (sent < 0 ? 0 : (size_t)sent);
    if ((peer->unsent = malloc(rest)) == NULL)
        die("malloc");
    memcpy(peer->unsent, bytes + (len - rest), rest);
    peer->unsent_at = 0;
    peer->unsent_len = rest;
    watch(peer, 1, 0);
    return 1;
}

/* How many requests end in these bytes, each with a blank line; requests have no bodies. */
static int requests(struct peer *peer, const char *bytes, size_t len) {
    const char *end = bytes + len;
    int count = 0;
    for (const char *newline; bytes < end; bytes = newline + 1) {
        newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t part = (size_t)((newline ? newline : end) - bytes);
        peer->line_len += part - (part > 0 && bytes[part - 1] == '\r');
        if (newline == NULL)
            break;
        if (peer->line_len > 0) {
            peer->begun = 1;
        } else if (peer->begun) {
            peer->begun = 0;
            count++;
        }
        peer->line_len = 0;
    }
    return count;
}

static void readable(struct peer *peer) {
    ssize_t len = recv(peer->fd, block, sizeof block, 0);
    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0) {
        end(peer);
        return;
    }
    int alive = 1;
    if (peer->service == ECHO) {
        alive = answer(peer, block, (size_t)len);
    } else if (peer->service == HTTP) {
        int count = requests(peer, block, (size_t)len);
        if (count > BLOCK / RESPONSE)
            count = BLOCK / RESPONSE;
        for (int i = 0; i < count; i++)
            memcpy(block + i * RESPONSE, response, RESPONSE);
        if (count > 0)
            alive = answer(peer, block, (size_t)count * RESPONSE);
    }
    if (!alive)
        end(peer);
}

static void writable(struct peer *peer) {
    if (peer->service == CHARGEN) {
        if (send(peer->fd, block, sizeof block, 0) < 0 && errno != EAGAIN)
            end(peer);
        return;
    }
    ssize_t sent = send(peer->fd, peer->unsent + peer->unsent_at, peer->unsent_len, 0);
    if (sent < 0) {
        if (errno != EAGAIN)
            end(peer);
        return;
    }
    peer->unsent_at += (size_t)sent;
    peer->unsent_len -= (size_t)sent;
    if (peer->unsent_len == 0) {
        free(peer->unsent);
        peer->unsent = NULL;
        watch(peer, 0, 0);
    }
}

static void acceptable(struct peer *peer) {
    for (int i = 0; i < 64; i++) {
        int fd = accept(peer->fd, NULL, NULL);
        if (fd < 0)
            return;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        add(fd, peer->service, 0);
    }
}

static void datagrams(struct peer *peer) {
    for (int i = 0; i < 64; i++) {
        struct sockaddr_in6 from;
        socklen_t from_len = sizeof from;
        ssize_t len = recvfrom(peer->fd, block, sizeof block, 0, (struct sockaddr *)&from, &from_len);
        if (len < 0)
            return;
        sendto(peer->fd, block, (size_t)len, 0, (struct sockaddr *)&from, from_len);
    }
}

static void serve(struct peer *peer, int write) {
    if (peer->service == ECHO_UDP)
        datagrams(peer);
    else if (peer->listens)
        acceptable(peer);
    else if (write)
        writable(peer);
    else
        readable(peer);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    /* As many connections as the system allows. */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
#ifdef __linux__
    queue = epoll_create1(0);
#else
    queue = kqueue();
#endif
    if (queue < 0)
        die("event queue");
    for (int service = 0; service < SERVICES; service++) {
        int fd = socket(AF_INET, services[service].type, 0), on = 1;
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)services[service].port)};
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
            (services[service].type == SOCK_STREAM && listen(fd, BACKLOG) != 0) || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
            die("socket");
        add(fd, (enum service)service, 1);
    }
    printf("netserver: ready\n");
    fflush(stdout);
    for (;;) {
#ifdef __linux__
        struct epoll_event events[EVENTS];
        int count = epoll_wait(queue, events, EVENTS, -1);
        for (int i = 0; i < count; i++)
            serve(events[i].data.ptr, (events[i].events & (EPOLLOUT | EPOLLIN)) == EPOLLOUT);
#else
        struct kevent events[EVENTS];
        int count = kevent(queue, NULL, 0, events, EVENTS, NULL);
        for (int i = 0; i < count; i++)
            serve(events[i].udata, events[i].filter == EVFILT_WRITE);
#endif
        if (count < 0 && errno != EINTR)
            die("event queue");
    }
}
