/* A bulk transfer over TCP that is checked byte for byte, and a datagram echo whose round trips are counted: two hosts, one of which listens.
 *
 *     transfer listen PORT             serves for ever, over IPv4 and IPv6, one connection after the other
 *     transfer send HOST PORT MIB      sends to it, which compares
 *     transfer fetch HOST PORT MIB     has it send, and compares
 *     transfer ping HOST PORT COUNT    sends datagrams to it, one at a time, and waits for each to come back
 *
 * The bytes are those of a generator that both ends start alike, so that neither holds more than a block of them. The same source runs on any
 * system with BSD sockets. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 8 << 10, BLOCK = WORDS * 8, PING = 64, RETRY_MS = 1000, TRIES = 20 };

/* What a client says first: what the listener is to do, with how many bytes, of which sequence. */
struct order {
    char what;
    char zero[7];
    uint64_t bytes, seed;
};

static uint64_t block[WORDS], expected[WORDS];

static void die(const char *what) {
    fprintf(stderr, "transfer: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The next block of the sequence (xorshift64). */
static void fill(uint64_t *words, uint64_t *state) {
    uint64_t x = *state;
    for (int i = 0; i < WORDS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        words[i] = x;
    }
    *state = x;
}

static int write_all(int fd, const void *bytes, size_t len) {
    for (size_t done = 0; done < len;) {
        ssize_t sent = send(fd, (const char *)bytes + done, len - done, 0);
        if (sent < 0 && errno != EINTR)
            return 0;
        if (sent > 0)
            done += (size_t)sent;
    }
    return 1;
}

/* How many bytes came before the end. */
static size_t read_all(int fd, void *bytes, size_t len) {
    size_t done = 0;
    while (done < len) {
        ssize_t got = recv(fd, (char *)bytes + done, len - done, 0);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        if (got > 0)
            done += (size_t)got;
    }
    return done;
}

static int produce(int fd, uint64_t bytes, uint64_t seed) {
    while (bytes > 0) {
        size_t len = bytes < BLOCK ? (size_t)bytes : BLOCK;
        fill(block, &seed);
        if (!write_all(fd, block, len))
            return 0;
        bytes -= len;
    }
    return 1;
}

/* How many bytes came as they should before one did not, or the end. */
static uint64_t compare(int fd, uint64_t bytes, uint64_t seed) {
    uint64_t good = 0;
    while (good < bytes) {
        size_t len = bytes - good < BLOCK ? (size_t)(bytes - good) : BLOCK;
        fill(expected, &seed);
        size_t got = read_all(fd, block, len);
        for (size_t i = 0; i < got; i++)
            if (((char *)block)[i] != ((char *)expected)[i])
                return good + i;
        good += got;
        if (got < len)
            break;
    }
    return good;
}

/* A connection, from its order to its end. */
static void serve(int fd) {
    struct order order;
    if (read_all(fd, &order, sizeof order) == sizeof order) {
        if (order.what == 'f') {
            produce(fd, order.bytes, order.seed);
        } else {
            uint64_t good = compare(fd, order.bytes, order.seed);
            write_all(fd, &good, sizeof good);
        }
    }
    close(fd);
}

static int bound(int type, const char *port) {
    int one = 1, zero = 0, number = atoi(port);
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)number)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    struct sockaddr *address = (struct sockaddr *)&v6;
    socklen_t len = sizeof v6;
    int fd = socket(AF_INET6, type, 0);
    if (fd < 0) {
        /* This system has no IPv6. */
        fd = socket(AF_INET, type, 0);
        address = (struct sockaddr *)&v4;
        len = sizeof v4;
    } else if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero) < 0) {
        die("IPV6_V6ONLY");
    }
    if (fd < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0)
        die("SO_REUSEADDR");
    if (bind(fd, address, len) < 0)
        die(port);
    return fd;
}

_Noreturn static void do_listen(const char *port) {
    int datagrams = bound(SOCK_DGRAM, port), stream = bound(SOCK_STREAM, port);
    if (listen(stream, 16) < 0)
        die("listen");
    printf("transfer: ready\n");
    fflush(stdout);
    struct pollfd fds[] = {{.fd = stream, .events = POLLIN}, {.fd = datagrams, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            die("poll");
        if (fds[0].revents != 0) {
            int fd = accept(stream, NULL, NULL);
            if (fd >= 0)
                serve(fd);
        }
        if (fds[1].revents != 0) {
            struct sockaddr_storage from;
            socklen_t len = sizeof from;
            ssize_t got = recvfrom(datagrams, block, BLOCK, 0, (struct sockaddr *)&from, &len);
            if (got >= 0)
                sendto(datagrams, block, (size_t)got, 0, (struct sockaddr *)&from, len);
        }
    }
}

static int connected(int type, const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = type}, *list;
    int error = getaddrinfo(host, port, &hints, &list);
    if (error != 0) {
        fprintf(stderr, "transfer: %s: %s\n", host, gai_strerror(error));
        exit(1);
    }
    for (int tries = TRIES; tries > 0; tries--) {
        for (struct addrinfo *at = list; at != NULL; at = at->ai_next) {
            int fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
            if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
                freeaddrinfo(list);
                return fd;
            }
            if (fd >= 0)
                close(fd);
        }
        /* The other end may only be starting. */
        poll(NULL, 0, RETRY_MS);
    }
    die(host);
    return -1;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int transfer(char what, const char *host, const char *port, const char *mib) {
    int fd = connected(SOCK_STREAM, host, port);
    struct order order = {.what = what, .bytes = (uint64_t)atoi(mib) << 20, .seed = 0x9e3779b97f4a7c15};
    uint64_t good = 0;
    double start = seconds();
    if (!write_all(fd, &order, sizeof order))
        die("order");
    if (what == 'f') {
        good = compare(fd, order.bytes, order.seed);
    } else {
        if (!produce(fd, order.bytes, order.seed))
            die("send");
        if (read_all(fd, &good, sizeof good) != sizeof good)
            die("the listener's word");
    }
    double took = seconds() - start;
    close(fd);
    if (good != order.bytes) {
        printf("transfer: wrong after %llu bytes of %llu\n", (unsigned long long)good, (unsigned long long)order.bytes);
        return 1;
    }
    printf("transfer: %s %s MiB, each byte right, in %.3f s: %.1f MB/s\n", what == 'f' ? "fetched" : "sent", mib, took,
           (double)good / took / 1e6);
    return 0;
}

static int ping(const char *host, const char *port, const char *count) {
    int fd = connected(SOCK_DGRAM, host, port), all = atoi(count), lost = 0;
    double start = seconds();
    for (uint32_t number = 0; number < (uint32_t)all; number++) {
        uint32_t message[PING / 4] = {number};
        int tries = 0;
        for (;;) {
            struct pollfd wait = {.fd = fd, .events = POLLIN};
            /* An error of an earlier datagram may be reported here. */
            if (send(fd, message, sizeof message, 0) < 0 && errno != ECONNREFUSED)
                die("send");
            uint32_t back[PING / 4] = {~number};
            if (poll(&wait, 1, RETRY_MS) > 0 && recv(fd, back, sizeof back, 0) == sizeof back && back[0] == number)
                break;
            lost++;
            if (++tries == TRIES) {
                printf("transfer: nothing came back\n");
                return 1;
            }
        }
    }
    double took = seconds() - start;
    printf("transfer: %d datagrams came back, %d had to be sent again, %.1f us each\n", all, lost, took / all * 1e6);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "listen") == 0)
        do_listen(argv[2]);
    if (argc == 5 && strcmp(argv[1], "send") == 0)
        return transfer('s', argv[2], argv[3], argv[4]);
    if (argc == 5 && strcmp(argv[1], "fetch") == 0)
        return transfer('f', argv[2], argv[3], argv[4]);
    if (argc == 5 && strcmp(argv[1], "ping") == 0)
        return ping(argv[2], argv[3], argv[4]);
    fprintf(stderr, "usage: transfer listen PORT | send HOST PORT MIB | fetch HOST PORT MIB | ping HOST PORT COUNT\n");
    return 2;
}
