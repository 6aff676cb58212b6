/* What entering the kernel costs: system calls that do nothing, and the clocks. */
#define _GNU_SOURCE
#define PROGRAM "calls"
#include "bench.h"
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>

static int null_fd;

static void libc_getppid(long count) {
    while (count-- > 0)
        KEEP((long)getppid());
}

static void syscall_getppid(long count) {
    while (count-- > 0)
        KEEP((long)syscall(SYS_getppid));
}

static void instruction_getppid(long count) {
    while (count-- > 0) {
        long parent;
        __asm__ volatile("syscall" : "=a"(parent) : "a"((long)SYS_getppid) : "rcx", "r11", "rdx", "memory");
        KEEP(parent);
    }
}

static void monotonic(long count) {
    struct timespec now;
    while (count-- > 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        KEEP(&now);
    }
}

static void realtime(long count) {
    struct timespec now;
    while (count-- > 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        KEEP(&now);
    }
}

static void write_null(long count) {
    char byte = 0;
    while (count-- > 0)
        KEEP((long)write(null_fd, &byte, 1));
}

static void open_close(long count) {
    while (count-- > 0)
        close(open("/dev/null", O_WRONLY));
}

int main(int argc, char **argv) {
    bench_start(argc, argv);
    MUST((null_fd = open("/dev/null", O_WRONLY)) >= 0);
    measure("getppid", libc_getppid);
    measure("syscall_getppid", syscall_getppid);
    measure("instruction_getppid", instruction_getppid);
    measure("clock_gettime_monotonic", monotonic);
    measure("clock_gettime_realtime", realtime);
    measure("write_dev_null", write_null);
    measure("open_close_dev_null", open_close);
    return 0;
}
