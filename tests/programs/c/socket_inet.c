/* Sockets of AF_INET and AF_INET6 over the loopback interface: errors, flags, events and options as NetBSD has them. */
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define SA(name) ((struct sockaddr *)&(name))

static struct sockaddr_in in4(const char *text, int port) {
    struct sockaddr_in name = {.sin_len = sizeof name, .sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    CHECK(inet_pton(AF_INET, text, &name.sin_addr) == 1);
    return name;
}

static struct sockaddr_in6 in6(const char *text, int port, unsigned scope) {
    struct sockaddr_in6 name = {.sin6_len = sizeof name, .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_scope_id = scope};
    CHECK(inet_pton(AF_INET6, text, &name.sin6_addr) == 1);
    return name;
}

static int port_of(int fd) {
    struct sockaddr_in6 name;
    socklen_t len = sizeof name;
    CHECK(getsockname(fd, SA(name), &len) == 0);
    return ntohs(name.sin6_port);
}

static int set(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value);
}

static int get(int fd, int level, int option) {
    int value = -1;
    socklen_t len = sizeof value;
    CHECK(getsockopt(fd, level, option, &value, &len) == 0);
    return value;
}

static int listener(int family) {
    int fd = socket(family, SOCK_STREAM, 0);
    CHECK(listen(fd, 5) == 0);
    return fd;
}

static int dial(int family, int port) {
    int fd = socket(family, SOCK_STREAM, 0);
    struct sockaddr_in name4 = in4("127.0.0.1", port);
    struct sockaddr_in6 name6 = in6("::1", port, 0);
    CHECK(family == AF_INET ? connect(fd, SA(name4), sizeof name4) == 0 : connect(fd, SA(name6), sizeof name6) == 0);
    return fd;
}

static void pair(int family, int fds[2]) {
    int server = listener(family);
    fds[0] = dial(family, port_of(server));
    fds[1] = accept(server, NULL, NULL);
    CHECK(fds[1] >= 0);
    close(server);
}

/* Waits until poll(2) says this of the descriptor. */
static int becomes(int fd, short events) {
    struct pollfd pfd = {.fd = fd, .events = events};
    return poll(&pfd, 1, 30000) == 1 && pfd.revents & events;
}

static void errors(void) {
    char byte;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in name = in4("127.0.0.1", 1);
    FAILS(send(fd, "x", 1, MSG_NOSIGNAL), ENOTCONN);
    FAILS(recv(fd, &byte, 1, 0), ENOTCONN);
    FAILS(shutdown(fd, SHUT_WR), ENOTCONN);
    FAILS(accept(fd, NULL, NULL), EINVAL);
    FAILS(connect(fd, SA(name), sizeof name), ECONNREFUSED);
    FAILS(socket(AF_INET, SOCK_SEQPACKET, 0), EPROTOTYPE);
    FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    FAILS(socket(AF_INET, SOCK_STREAM, 99), EPROTONOSUPPORT);
    close(fd);

    /* A datagram that was refused is told of at the next call, whichever that is. */
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    FAILS(send(fd, "x", 1, 0), EDESTADDRREQ);
    CHECK(connect(fd, SA(name), sizeof name) == 0);
    CHECK(send(fd, "x", 1, 0) == 1);
    CHECK(becomes(fd, POLLIN));
    FAILS(send(fd, "x", 1, 0), ECONNREFUSED);
    CHECK(send(fd, "x", 1, 0) == 1);
    CHECK(becomes(fd, POLLIN));
    CHECK(get(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED && get(fd, SOL_SOCKET, SO_ERROR) == 0);
    close(fd);
}

/* SO_REUSEADDR of who comes second lets a specific address beside the unspecified one; SO_REUSEPORT of both lets the same address. */
static void sharing(void) {
    int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in name = in4("127.0.0.1", 0), any;
    CHECK(bind(first, SA(name), sizeof name) == 0 && listen(first, 1) == 0);
    any = in4("0.0.0.0", port_of(first));
    FAILS(bind(second, SA(any), sizeof any), EADDRINUSE);
    CHECK(set(second, SOL_SOCKET, SO_REUSEADDR, 1) == 0 && bind(second, SA(any), sizeof any) == 0 && listen(second, 1) == 0);
    int client = dial(AF_INET, port_of(first));
    CHECK(becomes(first, POLLIN));
    close(client), close(first), close(second);

    int fds[2];
    for (int i = 0; i < 2; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        CHECK(set(fds[i], SOL_SOCKET, SO_REUSEPORT, 1) == 0);
        CHECK(bind(fds[i], SA(name), sizeof name) == 0 && listen(fds[i], 5) == 0);
        name.sin_port = htons((uint16_t)port_of(fds[i]));
    }
    int accepted = 0;
    for (int i = 0; i < 20; i++) {
        client = dial(AF_INET, ntohs(name.sin_port));
        for (int j = 0; j < 2; j++) {
            int fd = accept(fds[j], NULL, NULL);
            accepted += fd >= 0;
            if (fd >= 0)
                close(fd);
        }
        close(client);
    }
    CHECK(accepted == 20);
    close(fds[0]), close(fds[1]);
}

static void *more(void *arg) {
    CHECK(becomes(*(int *)arg, POLLOUT));
    struct timespec pause = {0, 20000000};
    nanosleep(&pause, NULL);
    CHECK(send(*(int *)arg, "5678", 4, 0) == 4);
    return NULL;
}

static void flags(int family) {
    int fds[2], count = -1;
    char bytes[100];
    pthread_t thread;
    pair(family, fds);
    CHECK(set(fds[0], IPPROTO_TCP, TCP_NODELAY, 1) == 0);
    FAILS(recv(fds[1], bytes, 8, MSG_DONTWAIT | MSG_PEEK), EWOULDBLOCK);
    for (int peek = MSG_PEEK;; peek = 0) {
        if (peek)
            CHECK(send(fds[0], "1234", 4, 0) == 4);
        CHECK(becomes(fds[1], POLLIN));
        CHECK(!peek || pthread_create(&thread, NULL, more, &fds[0]) == 0);
        memset(bytes, 0, sizeof bytes);
        CHECK(recv(fds[1], bytes, 8, MSG_WAITALL | peek) == 8 && memcmp(bytes, "12345678", 8) == 0);
        if (!peek)
            break;
        pthread_join(thread, NULL);
        CHECK(ioctl(fds[1], FIONREAD, &count) == 0 && count == 8);
    }

    /* What nobody reads fills both buffers: the sender's part is FIONWRITE's, and no room is left. */
    static char large[1 << 20];
    ssize_t total = 0, got;
    while ((got = send(fds[0], large, sizeof large, MSG_DONTWAIT)) > 0)
        total += got;
    CHECK(errno == EWOULDBLOCK && ioctl(fds[0], FIONWRITE, &count) == 0 && count > 0 && count <= total);
    struct timeval second = {0, 100000};
    CHECK(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second) == 0);
    while (total > 0 && (got = recv(fds[1], large, sizeof large, 0)) > 0)
        total -= got;
    CHECK(total == 0);
    CHECK(setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second) == 0);
    FAILS(recv(fds[1], bytes, 8, 0), EWOULDBLOCK);
    CHECK(send(fds[0], "12", 2, 0) == 2);
    CHECK(recv(fds[1], bytes, 8, MSG_WAITALL) == 2);
    close(fds[0]), close(fds[1]);
}

static void ends(int family) {
    int fds[2];
    char bytes[8];
    pair(family, fds);
    CHECK(send(fds[0], "abc", 3, 0) == 3 && shutdown(fds[0], SHUT_WR) == 0);
    FAILS(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK(recv(fds[1], bytes, 8, MSG_WAITALL) == 3 && recv(fds[1], bytes, 8, 0) == 0);
    CHECK(send(fds[1], "defg", 4, 0) == 4 && shutdown(fds[1], SHUT_WR) == 0);
    CHECK(recv(fds[0], bytes, 8, MSG_WAITALL) == 4 && recv(fds[0], bytes, 8, 0) == 0);
    close(fds[0]), close(fds[1]);

    pair(family, fds);
    struct linger linger = {1, 0};
    CHECK(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    close(fds[0]);
    CHECK(becomes(fds[1], POLLIN));
    FAILS(recv(fds[1], bytes, 8, 0), ECONNRESET);
    CHECK(recv(fds[1], bytes, 8, 0) == 0);
    FAILS(send(fds[1], bytes, 8, MSG_NOSIGNAL), EPIPE);
    close(fds[1]);

    /* A connection that was reset before it was accepted. */
    int server = listener(family), client = dial(family, port_of(server));
    CHECK(becomes(server, POLLIN));
    CHECK(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    close(client);
    FAILS(accept(server, NULL, NULL), ECONNABORTED);
    client = dial(family, port_of(server));
    int fd = accept(server, NULL, NULL);
    CHECK(fd >= 0);
    close(fd), close(client), close(server);
}

static void *stop(void *arg) {
    struct timespec pause = {0, 20000000};
    nanosleep(&pause, NULL);
    CHECK(shutdown(*(int *)arg, SHUT_RDWR) == 0);
    return NULL;
}

/* A listener that another thread shuts down, which is how programs end their accepting threads. */
static void stopped(void) {
    int server = listener(AF_INET), client = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in name = in4("127.0.0.1", port_of(server));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, stop, &server) == 0);
    FAILS(accept(server, NULL, NULL), ECONNABORTED);
    pthread_join(thread, NULL);
    FAILS(connect(client, SA(name), sizeof name), ECONNREFUSED);
    close(client), close(server);
}

/* A datagram socket's buffer that is full. */
static void overflow(void) {
    int to = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in name = in4("127.0.0.1", 0);
    static char sent[65507], received[65536];
    CHECK(bind(to, SA(name), sizeof name) == 0);
    name.sin_port = htons((uint16_t)port_of(to));
    CHECK(set(from, SOL_SOCKET, SO_SNDBUF, sizeof sent) == 0 && set(to, SOL_SOCKET, SO_RCVBUF, 200000) == 0);
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)(i * 7 + i / 251);
    CHECK(sendto(from, sent, sizeof sent, 0, SA(name), sizeof name) == sizeof sent);
    CHECK(recv(to, received, sizeof received, 0) == sizeof sent && memcmp(sent, received, sizeof sent) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(sendto(from, sent, 60000, 0, SA(name), sizeof name) == 60000);
    int queued = 0;
    while (recv(to, received, sizeof received, MSG_DONTWAIT) == 60000)
        queued++;
    CHECK(queued > 0 && get(to, SOL_SOCKET, SO_OVERFLOWED) == 10 - queued);
    CHECK(set(to, SOL_SOCKET, SO_RERROR, 1) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(sendto(from, sent, 60000, 0, SA(name), sizeof name) == 60000);
    while (recv(to, received, sizeof received, MSG_DONTWAIT) == 60000)
        ;
    CHECK(errno == ENOBUFS);
    close(to), close(from);
}

/* A group of lo0 hears of it from lo0's address. */
static void group(void) {
    int to = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in name = in4("0.0.0.0", 0), lo0 = in4("127.0.0.1", 0), peer;
    socklen_t len = sizeof peer;
    char bytes[8];
    CHECK(bind(to, SA(name), sizeof name) == 0);
    name = in4("224.1.2.3", port_of(to));
    struct ip_mreq member = {.imr_multiaddr = name.sin_addr, .imr_interface = lo0.sin_addr};
    CHECK(setsockopt(to, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof member) == 0);
    CHECK(setsockopt(from, IPPROTO_IP, IP_MULTICAST_IF, &lo0.sin_addr, sizeof lo0.sin_addr) == 0);
    CHECK(sendto(from, "group", 5, 0, SA(name), sizeof name) == 5);
    CHECK(becomes(to, POLLIN) && recvfrom(to, bytes, 8, MSG_DONTWAIT, SA(peer), &len) == 5);
    CHECK(peer.sin_addr.s_addr == lo0.sin_addr.s_addr);
    close(to), close(from);
}

/* Addresses and groups of link-local scope on lo0. */
static void scopes(void) {
    unsigned lo0 = if_nametoindex("lo0");
    int to = socket(AF_INET6, SOCK_DGRAM, 0), from = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 name = in6("fe80::1", 0, lo0), peer;
    socklen_t len = sizeof peer;
    char bytes[8];
    CHECK(bind(to, SA(name), sizeof name) == 0);
    name.sin6_port = htons((uint16_t)port_of(to));
    CHECK(sendto(from, "link", 4, 0, SA(name), sizeof name) == 4);
    CHECK(recvfrom(to, bytes, 8, 0, SA(peer), &len) == 4 && peer.sin6_scope_id == lo0);
    CHECK(memcmp(&peer.sin6_addr, &name.sin6_addr, sizeof peer.sin6_addr) == 0);
    close(to);

    to = socket(AF_INET6, SOCK_DGRAM, 0);
    name = in6("::", 0, 0);
    CHECK(bind(to, SA(name), sizeof name) == 0);
    struct ipv6_mreq group = {.ipv6mr_interface = lo0};
    name = in6("ff02::1234", port_of(to), 0);
    group.ipv6mr_multiaddr = name.sin6_addr;
    CHECK(setsockopt(to, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group) == 0);
    CHECK(set(from, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)lo0) == 0);
    CHECK(sendto(from, "group", 5, 0, SA(name), sizeof name) == 5);
    CHECK(becomes(to, POLLIN) && recv(to, bytes, 8, MSG_DONTWAIT) == 5);
    CHECK(setsockopt(to, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &group, sizeof group) == 0);
    CHECK(sendto(from, "group", 5, 0, SA(name), sizeof name) == 5);
    FAILS(recv(to, bytes, 8, MSG_DONTWAIT), EWOULDBLOCK);
    close(to), close(from);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    errors();
    sharing();
    for (int i = 0; i < 2; i++) {
        flags(i ? AF_INET6 : AF_INET);
        ends(i ? AF_INET6 : AF_INET);
    }
    stopped();
    overflow();
    group();
    scopes();
    return verdict("socket_inet");
}
