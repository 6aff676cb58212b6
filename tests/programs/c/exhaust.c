/* Uses up what the kernel gives out, one kind after the other: the call that finds nothing left says so with the error number that its manual page
 * names, and when things were given back, everything works as before. To be run on a small machine (-m 32). */
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, DESCRIPTORS = 1 << 16 };

static int fds[DESCRIPTORS];
static char chunk[1 << 16];

static void close_all(int count) {
    while (count > 0)
        close(fds[--count]);
}

/* Descriptors, as far as the limit goes. */
static void descriptors(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 1000;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int count = 0;
    while (count < DESCRIPTORS && (fds[count] = dup(1)) >= 0)
        count++;
    CHECK(errno == EMFILE && count == 1000 - 3);
    FAILS(open("/dev/null", O_RDONLY), EMFILE);
    int both[2];
    FAILS(pipe(both), EMFILE);
    FAILS(kqueue(), EMFILE);
    FAILS(fcntl(1, F_DUPFD, 0), EMFILE);
    close_all(count);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* Pipes that are full. */
static int pipes(void) {
    int count = 0, both[2];
    while (count + 2 <= DESCRIPTORS) {
        if (pipe2(both, O_NONBLOCK) != 0) {
            CHECK(errno == ENOMEM || errno == ENFILE || errno == EMFILE);
            break;
        }
        fds[count++] = both[0];
        fds[count++] = both[1];
        while (write(both[1], chunk, sizeof chunk) > 0) {
        }
        CHECK(errno == EAGAIN || errno == ENOMEM);
    }
    CHECK(count > 100);
    close_all(count);
    return count / 2;
}

/* A file that grows until there is no room. */
static long file(void) {
    int fd = open("/tmp/large", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    long total = 0, done;
    while ((done = write(fd, chunk, sizeof chunk)) > 0)
        total += done;
    CHECK(done == -1 && errno == ENOSPC);
    FAILS(pwrite(fd, chunk, sizeof chunk, 1L << 30), ENOSPC);
    CHECK(posix_fallocate(fd, 0, 1L << 32) == ENOSPC);
    /* What is there can still be read. */
    CHECK(total > 4 << 20 && pread(fd, chunk, sizeof chunk, total - (long)sizeof chunk) == sizeof chunk);
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(write(fd, chunk, sizeof chunk) == sizeof chunk);
    close(fd);
    CHECK(unlink("/tmp/large") == 0);
    return total;
}

/* Files without content. */
static int names(void) {
    char name[300];
    int count = 0;
    CHECK(mkdir("/tmp/many", 0700) == 0);
    for (;; count++) {
        snprintf(name, sizeof name, "/tmp/many/%0200d", count);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd < 0)
            break;
        close(fd);
    }
    CHECK(errno == ENOSPC);
    /* What takes less room than a long name may still find it; nothing fails in another way. */
    CHECK(mkdir("/tmp/many/directory", 0700) == 0 ? rmdir("/tmp/many/directory") == 0 : errno == ENOSPC);
    CHECK(symlink("/tmp", "/tmp/many/link") == 0 ? unlink("/tmp/many/link") == 0 : errno == ENOSPC);
    CHECK(mkfifo("/tmp/many/fifo", 0600) == 0 ? unlink("/tmp/many/fifo") == 0 : errno == ENOSPC);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "/tmp/many/%0200d", i);
        CHECK(unlink(name) == 0);
    }
    CHECK(rmdir("/tmp/many") == 0);
    return count;
}

/* Mappings: more than fits is refused when it is to be wired; each of many small ones takes room in the kernel. */
static int mappings(void) {
    CHECK(mmap(NULL, 1L << 47, PROT_READ, MAP_ANON | MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == ENOMEM);
    CHECK(mmap(NULL, 1L << 30, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE | MAP_WIRED, -1, 0) == MAP_FAILED && errno == ENOMEM);
    size_t len = 1 << 30;
    char *space = mmap(NULL, len, PROT_NONE, MAP_ANON | MAP_PRIVATE, -1, 0);
    CHECK(space != MAP_FAILED);
    int count = 0;
    for (size_t at = 0; at < len; at += 2 * PAGE, count++) {
        if (mprotect(space + at, PAGE, PROT_READ) != 0)
            break;
    }
    CHECK(count > 1000 && errno == ENOMEM);
    CHECK(munmap(space, len) == 0);
    return count;
}

/* Memory that stays: as much as mlock(2) says there is, and not a page more. */
static long wired(void) {
    size_t len = 1 << 26, step = 1 << 18, got = 0;
    char *space = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    CHECK(space != MAP_FAILED);
    while (got < len && mlock(space + got, step) == 0)
        got += step;
    CHECK(got > 4 << 20 && got < len && errno == ENOMEM);
    memset(space, 1, got);
    CHECK(munmap(space, len) == 0);
    return (long)got;
}

/* Events that are asked for. */
static int events(void) {
    int kq = kqueue(), count = 0;
    CHECK(kq >= 0);
    struct kevent event;
    for (;; count++) {
        EV_SET(&event, count, EVFILT_USER, EV_ADD, 0, 0, NULL);
        if (kevent(kq, &event, 1, NULL, 0, NULL) != 0)
            break;
    }
    CHECK(errno == ENOMEM && count > 1000);
    close(kq);
    kq = kqueue();
    EV_SET(&event, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER, 0, NULL);
    CHECK(kevent(kq, &event, 1, NULL, 0, NULL) == 0);
    struct timespec none = {0, 0};
    CHECK(kevent(kq, NULL, 0, &event, 1, &none) == 1);
    close(kq);
    return count;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *arg) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return arg;
}

static int threads(void) {
    enum { THREADS = 20000 };
    static pthread_t ids[THREADS];
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 65536);
    memset(ids, 0, sizeof ids);
    pthread_mutex_lock(&gate);
    int count = 0, error = 0;
    while (count < THREADS && (error = pthread_create(&ids[count], &attr, wait_at_gate, &ids[count])) == 0)
        count++;
    CHECK(error == EAGAIN && count > 100);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < count; i++) {
        void *value = NULL;
        CHECK(pthread_join(ids[i], &value) == 0 && value == &ids[i]);
    }
    return count;
}

/* Real-time signals that nobody takes. */
static void signals(void) {
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    int count = 0, taken = 0;
    union sigval value = {.sival_int = 1};
    while (count < 1000000 && sigqueue(getpid(), SIGRTMIN, value) == 0)
        count++;
    CHECK(errno == EAGAIN && count > 30);
    struct timespec none = {0, 0};
    siginfo_t info;
    while (sigtimedwait(&set, &info, &none) == SIGRTMIN)
        taken++;
    CHECK(taken == count);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(void) {
    /* Brought in now: when the machine is full, the program's own first touch of a page would be its end. */
    memset(chunk, 'x', sizeof chunk);
    memset(fds, 0, sizeof fds);
    for (int round = 0; round < 2; round++) {
        descriptors();
        int p = pipes();
        long f = file();
        int n = names(), m = mappings();
        long w = wired();
        int e = events(), t = threads();
        signals();
        printf("round %d: %d pipes, %ld KiB of a file, %d files, %d mappings, %ld KiB wired, %d events, %d threads\n", round, p, f / 1024, n, m, w / 1024, e, t);
    }
    return verdict("exhaust");
}
