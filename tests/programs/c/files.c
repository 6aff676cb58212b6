/* Files, directories, links, pipes, poll, select, kqueue, devices. */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void *write_later(void *arg) {
    struct timespec t = {.tv_nsec = 20000000};
    nanosleep(&t, NULL);
    return write(*(int *)arg, "later", 5) == 5 ? NULL : arg;
}

static void *drain(void *arg) {
    static char buf[65536];
    long total = 0, n;
    while ((n = read(*(int *)arg, buf, sizeof buf)) > 0)
        total += n;
    return (void *)total;
}

int main(void) {
    struct stat st;
    char buf[256];
    CHECK(mkdir("/tmp/d", 0755) == 0 && chdir("/tmp/d") == 0);
    CHECK(getcwd(buf, sizeof buf) == buf && strcmp(buf, "/tmp/d") == 0);
    int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0640);
    CHECK(fd >= 3 && write(fd, "hello world", 11) == 11);
    FAILS(open("file", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
    CHECK(lseek(fd, 6, SEEK_SET) == 6 && read(fd, buf, 100) == 5 && memcmp(buf, "world", 5) == 0);
    CHECK(pread(fd, buf, 5, 0) == 5 && memcmp(buf, "hello", 5) == 0);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 11 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0640);
    CHECK(ftruncate(fd, 100000) == 0 && pread(fd, buf, 4, 99996) == 4 && buf[0] == 0);
    CHECK(pwrite(fd, "end", 3, 1 << 20) == 3 && fstat(fd, &st) == 0 && st.st_size == (1 << 20) + 3);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED && memcmp(map, "hello", 5) == 0);
    map[0] = 'J';
    CHECK(pread(fd, buf, 5, 0) == 5 && memcmp(buf, "Jello", 5) == 0);
    char *copy = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(copy != MAP_FAILED && copy[0] == 'J');
    copy[0] = 'X';
    CHECK(map[0] == 'J' && pread(fd, buf, 1, 0) == 1 && buf[0] == 'J');

    CHECK(link("file", "hard") == 0 && symlink("file", "soft") == 0 && stat("soft", &st) == 0 && st.st_nlink == 2);
    CHECK(lstat("soft", &st) == 0 && S_ISLNK(st.st_mode) && readlink("soft", buf, sizeof buf) == 4);
    CHECK(rename("hard", "renamed") == 0 && access("renamed", R_OK) == 0);
    FAILS(access("hard", F_OK), ENOENT);
    FAILS(open("missing/x", O_RDONLY), ENOENT);
    FAILS(open("file/x", O_RDONLY), ENOTDIR);
    FAILS(open("/tmp", O_WRONLY), EISDIR);
    FAILS(rmdir("/tmp/d"), ENOTEMPTY);
    CHECK(symlink("loop", "loop") == 0);
    FAILS(open("loop", O_RDONLY), ELOOP);
    char longname[300];
    memset(longname, 'a', 299);
    longname[299] = 0;
    FAILS(open(longname, O_RDONLY), ENAMETOOLONG);

    int names = 0;
    DIR *dir = opendir(".");
    CHECK(dir != NULL);
    for (struct dirent *e; (e = readdir(dir));)
        names += !strcmp(e->d_name, "file") || !strcmp(e->d_name, "soft") || !strcmp(e->d_name, "renamed") || !strcmp(e->d_name, "loop") ||
                 !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
    CHECK(names == 6 && closedir(dir) == 0);
    CHECK(unlink("file") == 0 && unlink("renamed") == 0 && pread(fd, buf, 1, 0) == 1 && close(fd) == 0);
    FAILS(read(fd, buf, 1), EBADF);

    FILE *f = fopen("text", "w+");
    CHECK(f && fprintf(f, "%d %s %.3f\n", 42, "words", 2.5) == 15 && fseek(f, 0, SEEK_SET) == 0);
    int number;
    float real;
    CHECK(fscanf(f, "%d %255s %f", &number, buf, &real) == 3 && number == 42 && !strcmp(buf, "words") && real == 2.5f);
    CHECK(fclose(f) == 0);

    int p[2];
    pthread_t t;
    void *result;
    CHECK(pipe(p) == 0 && pthread_create(&t, NULL, write_later, &p[1]) == 0);
    struct pollfd pfd = {.fd = p[0], .events = POLLIN};
    CHECK(poll(&pfd, 1, 0) == 0 && poll(&pfd, 1, 5000) == 1 && pfd.revents == POLLIN);
    CHECK(read(p[0], buf, 100) == 5 && pthread_join(t, NULL) == 0);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    struct timeval soon = {0, 5000};
    CHECK(select(p[0] + 1, &set, NULL, NULL, &soon) == 0);
    CHECK(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
    FAILS(read(p[0], buf, 1), EAGAIN);
    CHECK(fcntl(p[0], F_SETFL, 0) == 0 && pthread_create(&t, NULL, drain, &p[0]) == 0);
    static char block[100000];
    long sent = 0;
    for (int i = 0; i < 30; i++)
        sent += write(p[1], block, sizeof block);
    CHECK(sent == 3000000 && close(p[1]) == 0 && pthread_join(t, &result) == 0 && (long)result == sent);
    CHECK(close(p[0]) == 0);

    int kq = kqueue();
    struct kevent ev[4], out[4];
    struct timespec wait = {.tv_nsec = 200000000};
    CHECK(kq >= 0 && pipe(p) == 0);
    EV_SET(&ev[0], p[0], EVFILT_READ, EV_ADD, 0, 0, 0);
    EV_SET(&ev[1], 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 10, 0);
    EV_SET(&ev[2], 7, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, 0);
    CHECK(kevent(kq, ev, 3, NULL, 0, NULL) == 0);
    CHECK(kevent(kq, NULL, 0, out, 4, &wait) == 1 && out[0].filter == EVFILT_TIMER && out[0].ident == 1);
    CHECK(write(p[1], "abc", 3) == 3);
    CHECK(kevent(kq, NULL, 0, out, 4, &wait) == 1 && out[0].filter == EVFILT_READ && out[0].data == 3);
    EV_SET(&ev[0], p[0], EVFILT_READ, EV_DELETE, 0, 0, 0);
    EV_SET(&ev[1], 7, EVFILT_USER, 0, NOTE_TRIGGER, 0, 0);
    CHECK(kevent(kq, ev, 2, out, 4, &wait) == 1 && out[0].filter == EVFILT_USER);
    EV_SET(&ev[0], 999, EVFILT_READ, EV_ADD, 0, 0, 0);
    FAILS(kevent(kq, ev, 1, NULL, 0, NULL), EBADF);

    CHECK((fd = open("/dev/null", O_RDWR)) >= 0 && write(fd, buf, 10) == 10 && read(fd, buf, 10) == 0 && close(fd) == 0);
    CHECK((fd = open("/dev/zero", O_RDONLY)) >= 0 && read(fd, buf, 10) == 10 && buf[9] == 0 && close(fd) == 0);
    unsigned char r1[32], r2[32];
    CHECK((fd = open("/dev/urandom", O_RDONLY)) >= 0 && read(fd, r1, 32) == 32 && read(fd, r2, 32) == 32 && memcmp(r1, r2, 32));
    struct iovec iov[2] = {{"ab", 2}, {"c\n", 2}};
    CHECK(writev(1, iov, 2) == 4);
    int copy_fd = dup2(1, 20);
    CHECK(copy_fd == 20 && fcntl(20, F_GETFD) == 0 && write(20, "dup\n", 4) == 4 && close(20) == 0);
    return verdict("files");
}
