/* System calls with wild pointers, bad lengths and bad numbers: the right error, and the program goes on. */
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void with_pointer(void *wild) {
    int p[2];
    CHECK(pipe(p) == 0 && write(p[1], "0123456789", 10) == 10);
    FAILS(read(p[0], wild, 10), EFAULT);
    FAILS(write(p[1], wild, 10), EFAULT);
    FAILS(open(wild, O_RDONLY), EFAULT);
    FAILS(stat("/", wild), EFAULT);
    FAILS(fstat(p[0], wild), EFAULT);
    FAILS(clock_gettime(CLOCK_REALTIME, wild), EFAULT);
    FAILS(nanosleep(wild, NULL), EFAULT);
    FAILS(sigaction(SIGUSR1, wild, NULL), EFAULT);
    FAILS(sigprocmask(SIG_BLOCK, wild, NULL), EFAULT);
    FAILS(poll(wild, 1, 0), EFAULT);
    FAILS(readv(p[0], wild, 1), EFAULT);
    struct iovec iov = {wild, 10};
    FAILS(readv(p[0], &iov, 1), EFAULT);
    FAILS(pipe2(wild, 0), EFAULT);
    FAILS(getitimer(ITIMER_REAL, wild), EFAULT);
    FAILS(kevent(kqueue(), wild, 1, NULL, 0, NULL), EFAULT);
    FAILS(mkdir(wild, 0), EFAULT);
    FAILS(readlink(wild, wild, 10), EFAULT);
    close(p[0]);
    close(p[1]);
}

int main(void) {
    int p[2];
    char buf[16];
    char *none = mmap(NULL, 8192, PROT_NONE, MAP_ANON | MAP_PRIVATE, -1, 0);
    with_pointer((void *)8);
    with_pointer((void *)-8);
    with_pointer((void *)0xffffffff80100000);
    with_pointer((void *)0xffff800000100000);
    with_pointer((void *)0x7fffffffff00);
    with_pointer(none);
    /* Half of the buffer is there. */
    char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    CHECK(munmap(edge + 4096, 4096) == 0 && pipe(p) == 0 && write(p[1], "0123456789", 10) == 10);
    FAILS(open(memset(edge + 4090, 'a', 6), O_RDONLY), EFAULT);

    FAILS(read(-1, buf, 1), EBADF);
    FAILS(read(INT_MAX, buf, 1), EBADF);
    FAILS(read(p[1], buf, 1), EBADF);
    FAILS(write(p[0], buf, 1), EBADF);
    FAILS(read(p[0], buf, SIZE_MAX), EINVAL);
    FAILS(lseek(p[0], 0, SEEK_SET), ESPIPE);
    FAILS(readv(p[0], (struct iovec *)buf, IOV_MAX + 1), EINVAL);
    FAILS(readv(p[0], (struct iovec *)buf, -1), EINVAL);
    struct iovec huge[2] = {{buf, SSIZE_MAX}, {buf, SSIZE_MAX}};
    FAILS(readv(p[0], huge, 2), EINVAL);
    FAILS(fcntl(p[0], F_DUPFD, -1), EINVAL);
    FAILS(fcntl(p[0], 12345, 0), EINVAL);
    FAILS(dup2(p[0], -1), EBADF);
    FAILS(clock_gettime(12345, &(struct timespec){0}), EINVAL);
    FAILS(nanosleep(&(struct timespec){.tv_nsec = 1000000000}, NULL), EINVAL);
    FAILS(nanosleep(&(struct timespec){.tv_sec = -1}, NULL), EINVAL);
    FAILS(setitimer(99, &(struct itimerval){0}, NULL), EINVAL);
    FAILS(syscall(9999), ENOSYS);
    FAILS(syscall(-1), ENOSYS);
    FAILS(syscall(INT_MIN), ENOSYS);
    FAILS(mmap(NULL, SIZE_MAX - 8192, PROT_READ, MAP_ANON | MAP_PRIVATE, -1, 0), ENOMEM);
    FAILS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 999, 0), EBADF);
    FAILS(ftruncate(p[0], 10), EINVAL);
    int fd = open("/tmp/bad", O_RDWR | O_CREAT, 0600);
    FAILS(ftruncate(fd, -1), EINVAL);
    FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
    FAILS(lseek(fd, 0, 99), EINVAL);
    FAILS(pread(fd, buf, 1, -1), EINVAL);
    FAILS(pwrite(fd, buf, 1, LLONG_MAX), EFBIG);
    return verdict("badcalls");
}
