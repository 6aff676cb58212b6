/* Random system calls from two threads for as many seconds as the first argument says, with a seed as the second.
 * The kernel must neither panic nor hang; what the calls answer does not matter. Calls that end the program, or wait for ever by design, are left out. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long calls;
static uint64_t seed;
static time_t end;

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static char area[1 << 16];

static long argument(uint64_t *state) {
    static const long interesting[] = {0, 1, 2, 3, -1, 4096, -4096, 0x7fffffff, 0x80000000, 0x7fffffffffffffff, (long)0x8000000000000000,
                                       (long)0xffffffff80100000, (long)0xffff800000001000, 0x7fffffffe000, 64, 255, 1024, 65536};
    uint64_t r = next(state);
    switch (r % 6) {
    case 0: return (long)(r >> 8);
    case 1: return interesting[(r >> 8) % (sizeof interesting / sizeof *interesting)];
    case 2: return (long)(r >> 8) % 24;
    default: return (long)(area + (r >> 8) % sizeof area);
    }
}

static int excluded(long number) {
    switch (number) {
    case SYS_exit: case SYS__lwp_exit: case SYS_reboot: case SYS_kill: case SYS__lwp_kill: case SYS_sigqueueinfo:
    case SYS_setcontext: case SYS_compat_16___sigreturn14: case SYS_compat_13_sigreturn13: case SYS____sigsuspend14: case SYS_compat_13_sigsuspend13:
    case SYS____sigtimedwait50: case SYS_munmap: case SYS_mprotect: case SYS_mmap: case SYS_mremap: case SYS_madvise: case SYS__lwp_setprivate:
    case SYS__lwp_wait: case SYS____lwp_park60: case SYS__lwp_suspend: case SYS__lwp_create: case SYS_close: case SYS_dup2: case SYS_dup3:
    case SYS_poll: case SYS___pollts50: case SYS___select50: case SYS___pselect50: case SYS___kevent100: case SYS___nanosleep50: case SYS_clock_nanosleep:
    case SYS_read: case SYS_readv: case SYS_break: case SYS_wait6: case SYS___wait450: case SYS___sigprocmask14: case SYS___sigaction_sigtramp: case SYS___sigaltstack14:
    case SYS___setitimer50: case SYS___timer_settime50: case SYS___setrlimit: case SYS_fcntl: case SYS_flock: case SYS___futex: case SYS_syscall: case SYS___syscall: case SYS_minherit:
    case SYS_chroot: case SYS_fchroot: case SYS_compat_50_wait4:
        return 1;
    }
    return 0;
}

/* The excluded ones that are safe with arguments that make them return. */
static void bounded(uint64_t *state) {
    struct timespec ts = {.tv_nsec = (long)(next(state) % 100000)};
    void *p;
    switch (next(state) % 8) {
    case 0: syscall(SYS___nanosleep50, &ts, argument(state)); break;
    case 1: p = mmap((void *)(argument(state) & ~4095L), next(state) % 100000, (int)(next(state) % 8), MAP_ANON | MAP_PRIVATE, -1, 0);
            if (p != MAP_FAILED) {
                mprotect(p, next(state) % 100000 & ~4095UL, PROT_READ);
                madvise(p, next(state) % 8192, (int)(next(state) % 8));
                munmap(p, 100000);
            }
            break;
    case 2: syscall(SYS_poll, argument(state), next(state) % 8, 0); break;
    case 3: syscall(SYS___kevent100, next(state) % 16, argument(state), next(state) % 4, argument(state), next(state) % 4, &ts); break;
    case 4: syscall(SYS____lwp_park60, 3, 0, &ts, argument(state), argument(state), argument(state)); break;
    case 5: syscall(SYS_close, 3 + next(state) % 60); break;
    case 6: syscall(SYS_dup2, next(state) % 3, 3 + next(state) % 60); break;
    default: syscall(SYS___select50, next(state) % 300, argument(state), argument(state), argument(state), area); break;
    }
}

static void *hammer(void *arg) {
    uint64_t state = seed * 2654435761u + (uint64_t)(intptr_t)arg * 40503 + 88172645463325252u;
    while (time(NULL) < end) {
        for (int i = 0; i < 200; i++) {
            long number = (long)(next(&state) % 520);
            if (excluded(number))
                bounded(&state);
            else
                syscall(number, argument(&state), argument(&state), argument(&state), argument(&state), argument(&state), argument(&state));
            calls++;
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    time_t seconds = argc > 1 ? atol(argv[1]) : 5;
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    end = time(NULL) + seconds;
    for (int sig = 1; sig < NSIG; sig++)
        if (sig != SIGSEGV && sig != SIGBUS && sig != SIGILL && sig != SIGFPE)
            signal(sig, SIG_IGN);
    pthread_t t;
    pthread_create(&t, NULL, hammer, (void *)1);
    hammer((void *)2);
    pthread_join(t, NULL);
    dprintf(1, "stress: %s\n", calls > 1000 ? "survived" : "too few calls");
    _exit(calls > 1000 ? 0 : 1);
}
