/* A program on the tests' rump kernel: what it does with files goes there, its threads, memory and clocks stay with the platform. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static __thread int own = 5;
static int ends[2];

static void *count(void *arg) {
    char byte;
    long sum = 0;
    own = 6;
    while (read(ends[0], &byte, 1) == 1 && byte != 0)
        sum += byte;
    return (void *)(sum * own);
}

static void files(void) {
    char text[1500], back[1500];
    for (size_t at = 0; at < sizeof(text); at++)
        text[at] = 'a' + at % 26;
    int fd = open("/dev/disk", O_RDWR);
    if (fd < 0)
        err(1, "/dev/disk");
    printf("descriptor %d\n", fd);
    if (lseek(fd, 700, SEEK_SET) != 700 || write(fd, text, sizeof(text)) != sizeof(text))
        err(1, "write");
    int copy = dup(fd);
    /* Fresh memory, which is mapped when the rump kernel touches it. */
    char *fresh = calloc(1, 1 << 20);
    if (lseek(copy, 700, SEEK_SET) != 700 || read(copy, fresh + 500000, sizeof(back)) != sizeof(back))
        err(1, "read");
    printf("disk %s\n", memcmp(text, fresh + 500000, sizeof(text)) == 0 ? "is the same" : "differs");
    printf("absent: %s\n", open("/absent", O_RDONLY) < 0 ? strerror(errno) : "there");
    printf("wild: %s", read(fd, (void *)0x10, 5) < 0 ? strerror(errno) : "read");
    printf(", %s", read(fd, (void *)(uintptr_t)"constant", 5) < 0 ? strerror(errno) : "read");
    printf(", %s\n", open((const char *)-4096, O_RDONLY) < 0 ? strerror(errno) : "opened");
    close(fd);
    printf("closed: %s\n", read(fd, back, 1) < 0 ? strerror(errno) : "open");
}

/* A file of the root archive is a device of the rump kernel's; the working directory is the one that was configured. */
static void image(void) {
    char text[64] = "";
    int fd = open("image", O_RDONLY);
    if (fd < 0)
        err(1, "image");
    read(fd, text, sizeof(text) - 1);
    printf("image: %s", text);
    lseek(fd, 5, SEEK_SET);
    struct iovec good = {text, 3}, low = {(void *)16, 3}, wild = {(void *)0x7fff00000000, 3}, none = {(void *)(1UL << 62), 3};
    printf("wild inside: %s", readv(fd, &low, 1) < 0 ? strerror(errno) : "read");
    printf(", %s", readv(fd, &wild, 1) < 0 ? strerror(errno) : "read");
    printf(", %s", readv(fd, &none, 1) < 0 ? strerror(errno) : "read");
    lseek(fd, 5, SEEK_SET);
    printf(", %s\n", readv(fd, &good, 1) == 3 && memcmp(text, "the", 3) == 0 ? "read" : "not read");
    char *map = mmap(NULL, 100, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        err(1, "mmap");
    printf("mapped: %.8s, %d behind it", map, map[4095]);
    map[0] = 'F';
    pread(fd, text, 4, 0);
    printf(", not written: %.4s", text);
    printf(", shared: %s\n", mmap(NULL, 100, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? strerror(errno) : "mapped");
    munmap(map, 100);
    close(fd);
}

static void threads(void) {
    pthread_t thread[3];
    void *sum;
    long all = 0;
    if (pipe(ends) != 0)
        err(1, "pipe");
    for (int n = 0; n < 3; n++)
        pthread_create(&thread[n], NULL, count, NULL);
    char bytes[3000];
    memset(bytes, 1, sizeof(bytes));
    if (write(ends[1], bytes, sizeof(bytes)) != sizeof(bytes) || write(ends[1], "\0\0\0", 3) != 3)
        err(1, "write");
    for (int n = 0; n < 3; n++) {
        pthread_join(thread[n], &sum);
        all += (long)sum;
    }
    printf("threads counted %ld, own %d\n", all, own);
}

static volatile sig_atomic_t signals;

static void caught(int signal) {
    signals += signal;
}

static void ticks(void) {
    int fd = open("/dev/tick", O_RDONLY), first = 0, last = 0;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (read(fd, &first, sizeof(first)) != sizeof(first))
        err(1, "tick");
    for (int n = 0; n < 4; n++)
        read(fd, &last, sizeof(last));
    clock_gettime(CLOCK_MONOTONIC, &after);
    double ms = (after.tv_sec - before.tv_sec) * 1e3 + (after.tv_nsec - before.tv_nsec) / 1e6;
    struct sigaction action = {.sa_handler = caught};
    int signal = SIGUSR1, wrong = 1000;
    sigaction(SIGUSR1, &action, NULL);
    if (write(fd, &signal, sizeof(signal)) != sizeof(signal))
        err(1, "signal");
    printf("signals: %d, %s\n", (int)signals, write(fd, &wrong, sizeof(wrong)) < 0 ? strerror(errno) : "raised");
    printf("ticks %s, %s\n", last - first >= 4 ? "came" : "are missing", ms >= 60 ? "with time between" : "too fast");
}

/* What is there before the program: file systems that the environment names, the network as it is configured or a server says. */
static void before(void) {
    static const unsigned long requests[4] = {SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFBRDADDR, SIOCGIFDSTADDR};
    char text[128] = "";
    int fd = open("/mnt/content", O_RDONLY);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
        err(1, "/mnt/content");
    printf("mounted: %s", text);
    close(fd);
    memset(text, 0, sizeof(text));
    fd = open("/baked/deep/file", O_RDONLY);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
        err(1, "/baked/deep/file");
    printf("baked: %s", text);
    close(fd);
    fd = open("/tmp/file", O_RDWR | O_CREAT, 0600);
    if (fd < 0 || write(fd, "a file", 6) != 6 || pread(fd, text, 6, 0) != 6 || memcmp(text, "a file", 6) != 0)
        err(1, "/tmp/file");
    close(fd);
    int inet = socket(AF_INET, SOCK_DGRAM, 0);
    if (inet < 0)
        err(1, "socket");
    struct ifreq request;
    printf("address:");
    for (int n = 0; n < 4; n++) {
        memset(&request, 0, sizeof(request));
        strcpy(request.ifr_name, "virt0");
        if (ioctl(inet, requests[n], &request) != 0)
            printf(" %s", strerror(errno));
        else
            printf(" %s", inet_ntoa(((struct sockaddr_in *)&request.ifr_addr)->sin_addr));
    }
    if (ioctl(inet, SIOCGIFMTU, &request) == 0)
        printf(", MTU %d", request.ifr_mtu);
    memset(text, 0, sizeof(text));
    fd = open("/etc/resolv.conf", O_RDONLY);
    printf("\nresolv.conf: %s\n", fd < 0 || read(fd, text, sizeof(text) - 1) < 0 ? strerror(errno) : text);
    close(fd);
    close(inet);
}

/* What became longer since the rump kernel was made: kevent(2), statvfs(2). */
static void older(void) {
    struct kevent change, event;
    struct statvfs stat;
    int queue = kqueue();
    EV_SET(&change, 77, EVFILT_USER, EV_ADD, 0, 41, &change);
    int count = kevent(queue, &change, 1, &event, 1, NULL);
    printf("kevent: %d, %d, %d, %s", count, (int)event.ident, (int)event.data, event.udata == &change ? "same" : "other");
    EV_SET(&change, 0, EVFILT_READ, EV_ADD, 0, 0, NULL);
    printf("; console: %s\n", kevent(queue, &change, 1, NULL, 0, NULL) < 0 ? strerror(errno) : "watched");
    if (statvfs("/mnt", &stat) != 0)
        err(1, "statvfs");
    printf("statvfs: %s, %lu, %d\n", stat.f_fstypename, stat.f_bsize, (int)stat.f_owner);
}

static void *write_later(void *arg) {
    usleep(50000);
    write(*(int *)arg, "x", 1);
    return NULL;
}

/* Descriptors of both kernels at once: a pipe of the rump kernel's, and the console. */
static void both(void) {
    int pair[2];
    if (pipe(pair) != 0)
        err(1, "pipe");
    struct pollfd entries[3] = {{pair[0], POLLIN, 0}, {1, POLLOUT, 0}, {-1, POLLIN, 0}};
    int first = poll(entries, 3, 0);
    printf("poll: %d, %#x, %#x", first, entries[0].revents, entries[1].revents);
    write(pair[1], "x", 1);
    int second = poll(entries, 3, -1);
    printf("; %d, %#x, %#x\n", second, entries[0].revents, entries[1].revents);
    char byte;
    read(pair[0], &byte, 1);
    fd_set readable, special;
    struct timeval short_time = {0, 20000};
    FD_ZERO(&readable);
    FD_ZERO(&special);
    FD_SET(pair[0], &readable);
    FD_SET(1, &special);
    printf("select: %d", select(pair[0] + 1, &readable, NULL, &special, &short_time));
    FD_SET(pair[0], &readable);
    FD_SET(1, &special);
    pthread_t thread;
    pthread_create(&thread, NULL, write_later, &pair[1]);
    int count = select(pair[0] + 1, &readable, NULL, &special, NULL);
    printf("; %d, %d, %d", count, FD_ISSET(pair[0], &readable) != 0, FD_ISSET(1, &special) != 0);
    pthread_join(thread, NULL);
    close(pair[1]);
    FD_SET(pair[1], &readable);
    FD_SET(1, &special);
    printf("; %s\n", select(pair[1] + 1, &readable, NULL, &special, NULL) < 0 ? strerror(errno) : "selected");
}

/* Asks who has 10.0.2.2 until somebody answers. */
static void network(void) {
    static const unsigned char question[42] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1,
        10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2};
    unsigned char frame[1518];
    int fd = open("/dev/virt0", O_RDWR);
    if (fd < 0) {
        printf("network: %s\n", strerror(errno));
        return;
    }
    if (write(fd, question, sizeof(question)) != sizeof(question))
        err(1, "/dev/virt0");
    for (;;) {
        ssize_t len = read(fd, frame, sizeof(frame));
        if (len >= 42 && frame[12] == 8 && frame[13] == 6 && frame[21] == 2)
            break;
    }
    printf("network: %d.%d.%d.%d answers\n", frame[28], frame[29], frame[30], frame[31]);
}

/* What the rump kernel touches itself ends the program. */
static void wild(void) {
    struct iovec iov = {(void *)16, 3};
    printf("before\n");
    fflush(stdout);
    writev(open("/dev/disk", O_RDWR), &iov, 1);
    printf("after\n");
}

/* A signal that ends the program does so although it sleeps in the rump kernel. */
static void asleep(void) {
    char byte;
    if (pipe(ends) != 0)
        err(1, "pipe");
    alarm(1);
    read(ends[0], &byte, 1);
    printf("after\n");
}

int main(int argc, char **argv) {
    if (argc > 1) {
        if (strcmp(argv[1], "wild") == 0)
            wild();
        else
            asleep();
        return 0;
    }
    files();
    image();
    before();
    older();
    threads();
    both();
    ticks();
    network();
    int other = dup(1);
    dprintf(other, "a copy of the console is %s\n", other > 2 ? "new" : "old");
    /* Left open. */
    socket(AF_INET, SOCK_DGRAM, 0);
    fflush(stdout);
    return 9;
}
