/* rumpcomp_sockin_*: the host's sockets, over its loopback interface, in NetBSD's notation. */
#include "suite.h"

/* NetBSD's structures and constants, whatever the compiler's own headers say. */
struct inet {
    uint8_t len, family;
    uint16_t port;
    uint8_t address[4], zero[8];
};
struct inet6 {
    uint8_t len, family;
    uint16_t port;
    uint32_t flow;
    uint8_t address[16];
    uint32_t scope;
};
struct message {
    void *name;
    uint32_t name_len;
    struct rumpuser_iovec *pieces;
    int count;
    void *control;
    uint32_t control_len;
    int flags;
};
struct entry {
    int fd;
    short events, revents;
};
struct timeval_nb {
    int64_t seconds;
    int32_t microseconds;
    int32_t padding;
};
enum {
    INET = 2, INET6 = 24, STREAM = 1, DGRAM = 2, SOCKNAME = 0, PEERNAME = 1, SOCKET_LEVEL = 0xffff, REUSEADDR = 4, NOSIGPIPE = 0x800,
    SNDBUF = 0x1001, RCVTIMEO = 0x100c, TCP = 6, NODELAY = 1, KEEPIDLE = 3, IP = 0, TTL = 4, PEEK = 2, TRUNC = 0x10, DONTWAIT = 0x80,
    IN = 1, OUT = 4, HUP = 0x10, NVAL = 0x20, RDNORM = 0x40, PATIENCE_MS = 60000
};

static int make(int family, int type) {
    int s = -1;
    check_equal(rumpcomp_sockin_socket(family, type, 0, &s), 0);
    check(s >= 0);
    return s;
}

static int bound(int family, int type, void *name, int len) {
    int s = make(family, type), got = len;
    check_equal(rumpcomp_sockin_bind(s, name, len), 0);
    check_equal(rumpcomp_sockin_getname(s, name, &got, SOCKNAME), 0);
    check_equal(got, len);
    return s;
}

static struct inet loopback(void) {
    return (struct inet){.len = 16, .family = INET, .address = {127, 0, 0, 1}};
}

static int transfer(int is_send, int s, void *name, uint32_t *name_len, void *bytes, size_t len, int flags, size_t *done, int *flags_back) {
    /* In two pieces. */
    struct rumpuser_iovec pieces[2] = {{.iov_base = bytes, .iov_len = len / 2}, {.iov_base = (char *)bytes + len / 2, .iov_len = len - len / 2}};
    struct message message = {.name = name, .name_len = name_len != NULL ? *name_len : 0, .pieces = pieces, .count = 2};
    int error = is_send ? rumpcomp_sockin_sendmsg(s, (void *)&message, flags, done) : rumpcomp_sockin_recvmsg(s, (void *)&message, flags, done);
    if (name_len != NULL)
        *name_len = message.name_len;
    if (flags_back != NULL)
        *flags_back = message.flags;
    return error;
}

static void send_all(int s, const char *text) {
    size_t done = 0;
    check_equal(transfer(1, s, NULL, NULL, (void *)text, length(text), 0, &done, NULL), 0);
    check_equal(done, length(text));
}

static void expect(int s, const char *text) {
    char bytes[64];
    size_t at = 0, done = 1;
    while (at < length(text) && done > 0) {
        check_equal(transfer(0, s, NULL, NULL, bytes + at, length(text) - at, 0, &done, NULL), 0);
        at += done;
    }
    check(same(bytes, text, length(text)));
}

/* Two ends of a connection. */
static void connection(int family, void *name, int len, int *here, int *there) {
    int listener = bound(family, STREAM, name, len);
    check_equal(rumpcomp_sockin_listen(listener, 4), 0);
    *here = make(family, STREAM);
    check_equal(rumpcomp_sockin_connect(*here, name, len), 0);
    struct inet6 from;
    int from_len = sizeof from;
    check_equal(rumpcomp_sockin_accept(listener, (void *)&from, &from_len, there), 0);
    check_equal(from_len, len);
    check_equal(from.len, len);
    check_equal(from.family, family);
    struct inet6 own, peer;
    int own_len = sizeof own, peer_len = sizeof peer;
    check_equal(rumpcomp_sockin_getname(*here, (void *)&own, &own_len, SOCKNAME), 0);
    check_equal(own.port, from.port);
    check_equal(rumpcomp_sockin_getname(*there, (void *)&peer, &peer_len, PEERNAME), 0);
    check_equal(peer.port, from.port);
    check_equal(rumpuser_close(listener), 0);
}

void test_sockin_tcp_connects_and_transfers(void) {
    struct inet name = loopback();
    int here, there;
    connection(INET, &name, sizeof name, &here, &there);
    send_all(here, "to there");
    expect(there, "to there");
    send_all(there, "and back");
    expect(here, "and back");
    check_equal(rumpuser_close(here), 0);
    check_equal(rumpuser_close(there), 0);
    check_equal(rumpuser_close(there), NB_EBADF);
}

void test_sockin_of_inet6(void) {
    struct inet6 name = {.len = 28, .family = INET6};
    name.address[15] = 1;
    int probe = make(INET6, STREAM);
    int error = rumpcomp_sockin_bind(probe, (void *)&name, sizeof name);
    check_equal(rumpuser_close(probe), 0);
    if (error != 0) /* A host without. */
        return;
    int here, there;
    connection(INET6, &name, sizeof name, &here, &there);
    send_all(there, "six");
    expect(here, "six");
    check_equal(rumpuser_close(here), 0);
    check_equal(rumpuser_close(there), 0);
}

void test_sockin_udp_transfers_and_tells_the_sender(void) {
    struct inet a_name = loopback(), b_name = loopback(), from;
    int a = bound(INET, DGRAM, &a_name, sizeof a_name), b = bound(INET, DGRAM, &b_name, sizeof b_name);
    uint32_t len = sizeof b_name;
    size_t done = 0;
    check_equal(transfer(1, a, &b_name, &len, "datagram", 8, 0, &done, NULL), 0);
    check_equal(done, 8);
    char bytes[16];
    len = sizeof from;
    note_begin();
    check_equal(transfer(0, b, &from, &len, bytes, sizeof bytes, 0, &done, NULL), 0);
    check_equal(note.unschedules, 1);
    check_equal(note.schedules, 1);
    check_equal(done, 8);
    check(same(bytes, "datagram", 8));
    check_equal(len, 16);
    check_equal(from.len, 16);
    check_equal(from.family, INET);
    check_equal(from.port, a_name.port);
    check(same(from.address, a_name.address, 4));
    check_equal(rumpuser_close(a), 0);
    check_equal(rumpuser_close(b), 0);
}

static int listener;
static volatile int accepted;

static void acceptor(void *arg) {
    int s;
    (void)arg;
    check_equal(rumpcomp_sockin_accept(listener, NULL, NULL, &s), 0);
    accepted = 1;
    expect(s, "hello");
    check_equal(rumpuser_close(s), 0);
}

void test_sockin_accept_gives_the_cpu_back(void) {
    struct inet name = loopback();
    struct thread thread;
    accepted = 0;
    listener = bound(INET, STREAM, &name, sizeof name);
    check_equal(rumpcomp_sockin_listen(listener, 1), 0);
    spawn(&thread, acceptor, NULL);
    settle();
    check_equal(accepted, 0);
    int s = make(INET, STREAM);
    check_equal(rumpcomp_sockin_connect(s, (void *)&name, sizeof name), 0);
    send_all(s, "hello");
    join(&thread);
    check_equal(accepted, 1);
    check_equal(rumpuser_close(s), 0);
    check_equal(rumpuser_close(listener), 0);
}

void test_sockin_poll_tells_what_is_ready(void) {
    struct inet name = loopback();
    int here, there, ready = -1;
    connection(INET, &name, sizeof name, &here, &there);
    struct entry entries[4] = {{here, IN | RDNORM, 99}, {there, IN | OUT, 99}, {-1, IN, 99}, {12345, IN, 99}};
    check_equal(rumpcomp_sockin_poll((void *)entries, 3, 0, &ready), 0);
    check_equal(ready, 1);
    check_equal(entries[0].revents, 0);
    check_equal(entries[1].revents, OUT);
    check_equal(entries[2].revents, 0);
    send_all(there, "x");
    check_equal(rumpcomp_sockin_poll((void *)entries, 1, PATIENCE_MS, &ready), 0);
    check_equal(ready, 1);
    check_equal(entries[0].revents, IN | RDNORM);
    check_equal(rumpcomp_sockin_poll((void *)entries, 4, PATIENCE_MS, &ready), 0);
    check_equal(ready, 3);
    check_equal(entries[3].revents, NVAL);
    check_equal(rumpuser_close(here), 0);
    check_equal(rumpuser_close(there), 0);
    check_equal(rumpcomp_sockin_poll(NULL, -1, 0, &ready), NB_EINVAL);
}

static int polled;

static void poller(void *arg) {
    struct entry entry = {polled, IN, 0};
    int ready = 0;
    (void)arg;
    check_equal(rumpcomp_sockin_poll((void *)&entry, 1, PATIENCE_MS, &ready), 0);
    check_equal(ready, 1);
    check_equal(entry.revents, IN);
}

void test_sockin_poll_gives_the_cpu_back(void) {
    struct inet name = loopback();
    struct thread thread;
    int here;
    connection(INET, &name, sizeof name, &here, &polled);
    spawn(&thread, poller, NULL);
    settle();
    send_all(here, "wake up");
    join(&thread);
    check_equal(rumpuser_close(here), 0);
    check_equal(rumpuser_close(polled), 0);
}

void test_sockin_receives_what_fits(void) {
    struct inet a_name = loopback(), b_name = loopback();
    int a = bound(INET, DGRAM, &a_name, sizeof a_name), b = bound(INET, DGRAM, &b_name, sizeof b_name);
    check_equal(rumpcomp_sockin_connect(a, (void *)&b_name, sizeof b_name), 0);
    send_all(a, "too long");
    char bytes[4];
    int flags = 0;
    size_t done = 0;
    check_equal(transfer(0, b, NULL, NULL, bytes, 4, PEEK, &done, &flags), 0);
    check_equal(done, 4);
    check_equal(transfer(0, b, NULL, NULL, bytes, 4, 0, &done, &flags), 0);
    check_equal(done, 4);
    check_equal(flags, TRUNC);
    check(same(bytes, "too ", 4));
    check_equal(transfer(0, b, NULL, NULL, bytes, 4, DONTWAIT, &done, &flags), NB_EAGAIN);
    check_equal(rumpuser_close(a), 0);
    check_equal(rumpuser_close(b), 0);
}

void test_sockin_options(void) {
    int s = make(INET, STREAM), on = 1, size = 65536, ttl = 3;
    check_equal(rumpcomp_sockin_setsockopt(s, SOCKET_LEVEL, REUSEADDR, &on, sizeof on), 0);
    check_equal(rumpcomp_sockin_setsockopt(s, SOCKET_LEVEL, SNDBUF, &size, sizeof size), 0);
    check_equal(rumpcomp_sockin_setsockopt(s, SOCKET_LEVEL, NOSIGPIPE, &on, sizeof on), 0);
    check_equal(rumpcomp_sockin_setsockopt(s, TCP, NODELAY, &on, sizeof on), 0);
    check_equal(rumpcomp_sockin_setsockopt(s, TCP, KEEPIDLE, &size, sizeof size), NB_EINVAL);
    check_equal(rumpcomp_sockin_setsockopt(s, IP, TTL, &ttl, sizeof ttl), 0);
    check_equal(rumpcomp_sockin_setsockopt(s, SOCKET_LEVEL, 0x7777, &on, sizeof on), NB_ENOPROTOOPT);
    check_equal(rumpcomp_sockin_setsockopt(s, 99, 1, &on, sizeof on), NB_ENOPROTOOPT);
    check_equal(rumpcomp_sockin_setsockopt(s, SOCKET_LEVEL, REUSEADDR, &on, 0), NB_EINVAL);
    check_equal(rumpuser_close(s), 0);
}

void test_sockin_time_out_for_receiving(void) {
    struct inet name = loopback();
    int s = bound(INET, DGRAM, &name, sizeof name);
    struct timeval_nb time = {.microseconds = 20000, .padding = -1};
    check_equal(rumpcomp_sockin_setsockopt(s, SOCKET_LEVEL, RCVTIMEO, &time, sizeof time), 0);
    char byte;
    size_t done = 0;
    check_equal(transfer(0, s, NULL, NULL, &byte, 1, 0, &done, NULL), NB_EAGAIN);
    check_equal(rumpcomp_sockin_setsockopt(s, SOCKET_LEVEL, RCVTIMEO, &time, 8), NB_EINVAL);
    check_equal(rumpuser_close(s), 0);
}

void test_sockin_end_of_a_connection(void) {
    struct inet name = loopback();
    int here, there;
    char byte;
    size_t done = 99;
    connection(INET, &name, sizeof name, &here, &there);
    check_equal(rumpuser_close(there), 0);
    check_equal(transfer(0, here, NULL, NULL, &byte, 1, 0, &done, NULL), 0);
    check_equal(done, 0);
    /* No signal, whatever the error. */
    int error = 0;
    for (int tries = 0; tries < 1000 && error == 0; tries++) {
        error = transfer(1, here, NULL, NULL, "x", 1, 0, &done, NULL);
        give_way();
    }
    check(error == 32 || error == 54); /* EPIPE, ECONNRESET */
    check_equal(rumpuser_close(here), 0);
}

void test_sockin_of_a_family_that_there_is_not(void) {
    int s = -1;
    check_equal(rumpcomp_sockin_socket(10, STREAM, 0, &s), NB_EAFNOSUPPORT);
    check_equal(rumpcomp_sockin_socket(18, STREAM, 0, &s), NB_EAFNOSUPPORT);
    check_equal(s, -1);
}

void test_sockin_with_what_is_no_socket(void) {
    struct inet name = loopback();
    int fd, len = sizeof name, on = 1;
    size_t done;
    char byte = 0;
    check_equal(rumpuser_open("/baked/file", RUMPUSER_OPEN_RDONLY, &fd), 0);
    int bad[2] = {12345, fd}, errors[2] = {NB_EBADF, NB_ENOTSOCK};
    for (int nth = 0; nth < 2; nth++) {
        int s = bad[nth], error = errors[nth], other;
        check_equal(rumpcomp_sockin_connect(s, (void *)&name, len), error);
        check_equal(rumpcomp_sockin_bind(s, (void *)&name, len), error);
        check_equal(rumpcomp_sockin_listen(s, 1), error);
        check_equal(rumpcomp_sockin_accept(s, NULL, NULL, &other), error);
        check_equal(rumpcomp_sockin_getname(s, (void *)&name, &len, SOCKNAME), error);
        check_equal(rumpcomp_sockin_setsockopt(s, SOCKET_LEVEL, REUSEADDR, &on, sizeof on), error);
        check_equal(transfer(1, s, NULL, NULL, &byte, 1, 0, &done, NULL), error);
        check_equal(transfer(0, s, NULL, NULL, &byte, 1, 0, &done, NULL), error);
    }
    check_equal(rumpuser_close(fd), 0);
}

void test_sockin_errors_are_netbsds(void) {
    struct inet name = loopback();
    int s = bound(INET, STREAM, &name, sizeof name), other = make(INET, STREAM), len = sizeof name;
    size_t done;
    check_equal(rumpcomp_sockin_bind(other, (void *)&name, sizeof name), NB_EADDRINUSE);
    check_equal(rumpcomp_sockin_connect(other, (void *)&name, sizeof name), NB_ECONNREFUSED);
    check_equal(rumpcomp_sockin_connect(other, (void *)&name, 4), NB_EINVAL);
    check_equal(rumpcomp_sockin_connect(other, NULL, 0), NB_EINVAL);
    check_equal(rumpcomp_sockin_getname(s, (void *)&name, &len, PEERNAME), NB_ENOTCONN);
    check_equal(rumpcomp_sockin_getname(s, (void *)&name, &len, 2), NB_EINVAL);
    check_equal(rumpuser_close(other), 0);
    other = make(INET, DGRAM);
    check_equal(transfer(1, other, NULL, NULL, "x", 1, 0, &done, NULL), NB_EDESTADDRREQ);
    char control[16] = {16};
    struct rumpuser_iovec piece = {.iov_base = control, .iov_len = 1};
    struct message message = {.pieces = &piece, .count = 1, .control = control, .control_len = 16};
    check_equal(rumpcomp_sockin_sendmsg(other, (void *)&message, 0, &done), NB_EOPNOTSUPP);
    message.control_len = 0;
    message.count = 5000;
    check_equal(rumpcomp_sockin_recvmsg(other, (void *)&message, 0, &done), NB_EMSGSIZE);
    message.count = -1;
    check_equal(rumpcomp_sockin_sendmsg(other, (void *)&message, 0, &done), NB_EMSGSIZE);
    check_equal(rumpuser_close(other), 0);
    check_equal(rumpuser_close(s), 0);
}
