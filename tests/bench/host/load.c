/* Loads a guest's apps/netserver from the host, and prints what bench.h's programs print.
 *
 *   load in|out ADDRESS PORT MS     bytes per second into, or out of, the guest over one TCP connection
 *   load udp ADDRESS PORT MS        the time of a round trip of one small datagram: the median
 *   load hold ADDRESS PORT          holds idle connections: a line with a number on standard input opens as many in all, and is answered with
 *                                   `held N`; the line `ask` asks each for a page, and says how many answers came in a second
 *
 * A guest that does not answer for 20 s ends it with status 1. */
#define PROGRAM "load"
#include "../bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { BLOCK = 256 << 10, HELD_MAX = 20000, AT_ONCE = 64, DATAGRAM = 64, TRIPS_MAX = 1 << 20, PATIENCE_S = 20 };

static char block[BLOCK];
static struct sockaddr_in server;

static int connected(int type) {
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int on = 1, fd = socket(AF_INET, type, 0);
    MUST(fd >= 0);
    MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0);
    if (type == SOCK_STREAM)
        MUST(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    MUST(connect(fd, (struct sockaddr *)&server, sizeof server) == 0);
    return fd;
}

static void print_rate(const char *figure, int64_t bytes, int64_t took_ns) {
    printf("bench net.%s %.2f MBps\n", figure, (double)bytes * 1000.0 / (double)took_ns);
}

/* The guest has everything when it closes, too. */
static void bulk_in(int64_t ns) {
    int fd = connected(SOCK_STREAM);
    int64_t start = now_ns(), bytes = 0;
    while (now_ns() - start < ns) {
        ssize_t sent = send(fd, block, BLOCK, 0);
        MUST(sent > 0);
        bytes += sent;
    }
    MUST(shutdown(fd, SHUT_WR) == 0);
    MUST(recv(fd, block, BLOCK, 0) == 0);
    print_rate("bulk_in", bytes, now_ns() - start);
}

static void bulk_out(int64_t ns) {
    int fd = connected(SOCK_STREAM);
    int64_t start = now_ns(), bytes = 0;
    while (now_ns() - start < ns) {
        ssize_t got = recv(fd, block, BLOCK, 0);
        MUST(got > 0);
        bytes += got;
    }
    print_rate("bulk_out", bytes, now_ns() - start);
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void udp_echo(int64_t ns) {
    static float trips[TRIPS_MAX];
    size_t count = 0;
    int fd = connected(SOCK_DGRAM);
    for (int64_t start = now_ns(); count < TRIPS_MAX && now_ns() - start < ns; count++) {
        int64_t sent = now_ns();
        MUST(send(fd, block, DATAGRAM, 0) == DATAGRAM);
        MUST(recv(fd, block, BLOCK, 0) == DATAGRAM);
        trips[count] = (float)(now_ns() - sent);
    }
    qsort(trips, count, sizeof *trips, compare);
    printf("bench net.udp_echo %.0f ns\n", (double)trips[count / 2]);
}

static const char request[] = "GET / HTTP/1.1\r\nHost: guest\r\n\r\n";

static void ask(int fd) {
    MUST(send(fd, request, sizeof request - 1, 0) == sizeof request - 1);
}

/* An answer ends in an exclamation of one line. */
static void answered(int fd) {
    char answer[512];
    size_t len = 0;
    do {
        ssize_t got = recv(fd, answer + len, sizeof answer - 1 - len, 0);
        MUST(got > 0);
        len += (size_t)got;
        answer[len] = 0;
    } while (strstr(answer, "\r\n\r\nHello, world\n") == NULL);
}

static void hold(void) {
    static int held[HELD_MAX];
    long count = 0;
    struct rlimit files;
    MUST(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    MUST(setrlimit(RLIMIT_NOFILE, &files) == 0);
    for (char line[32]; fgets(line, sizeof line, stdin) != NULL;) {
        if (strcmp(line, "ask\n") == 0) {
            int64_t start = now_ns();
            for (long at = 0; at < count; at += AT_ONCE) {
                long end = at + AT_ONCE < count ? at + AT_ONCE : count;
                for (long i = at; i < end; i++)
                    ask(held[i]);
                for (long i = at; i < end; i++)
                    answered(held[i]);
            }
            printf("bench net.held_answered %.0f requests_per_s\n", (double)count * 1e9 / (double)(now_ns() - start));
        } else {
            long wanted = strtol(line, NULL, 10);
            MUST(wanted <= HELD_MAX);
            while (count < wanted) {
                int fd = connected(SOCK_STREAM);
                /* They end with a reset: those of one guest would use the host's ports up, in TIME_WAIT, while the next guests are measured. */
                MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger)) == 0);
                held[count++] = fd;
            }
            /* The last one in the row is served: so all are. */
            ask(held[count - 1]);
            answered(held[count - 1]);
            printf("held %ld\n", count);
        }
        fflush(stdout);
    }
}

int main(int count, char **arguments) {
    MUST(count >= 4);
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)atoi(arguments[3]));
    MUST(inet_pton(AF_INET, arguments[2], &server.sin_addr) == 1);
    int64_t ns = count > 4 ? (int64_t)atoi(arguments[4]) * 1000000 : 0;
    if (strcmp(arguments[1], "in") == 0)
        bulk_in(ns);
    else if (strcmp(arguments[1], "out") == 0)
        bulk_out(ns);
    else if (strcmp(arguments[1], "udp") == 0)
        udp_echo(ns);
    else
        hold();
    return 0;
}
