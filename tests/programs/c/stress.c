/* Random system calls from two threads for as many seconds as the first argument says, with a seed as the second.
 *
 * The kernel must neither panic nor hang; what the calls answer does not matter. A third thread, the supervisor, ends whatever waits:
 * so calls that wait for ever are welcome. Descriptors 0 to 2 become /dev/null, and the console is out of the calls' reach but for one
 * descriptor. Calls that would take the program's own ground away (its code, its thread pointers, its handlers) are made by `bounded` with
 * arguments that spare it. */
#include <errno.h>
#include <fcntl.h>
#include <lwp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { HAMMERS = 2, CONSOLE = 200, DESCRIPTORS = 64, AREA = 1 << 16, ARENA = 16 << 20, LWP_STACK = 128 << 10 };

/* What a thread is doing, for the report of a hang. */
static volatile struct {
    unsigned long calls;
    long number, arguments[6];
    int done;
} hammers[HAMMERS];

static uint64_t seed;
static uint64_t end_ns;
/* What calls read and write. Nothing lies behind it: the lengths are random, too. */
static char *area;
static char *arena;
static const char *const paths[] = {"/", "/tmp", "/tmp/a", "/tmp/b", "/tmp/c", "/tmp/d", "/tmp/d/e", "/tmp/d/e/f", "/tmp/../tmp/a", "a", "d/e", "",
                                    ".", "..", "/dev", "/dev/null", "/dev/zero", "/dev/random", "/dev/tty", "/nowhere/x", "/tmp/a/b", "/tmp/link", "//tmp///d/"};
enum { PATHS = sizeof paths / sizeof *paths };
/* Both at the end of the area. */
static char *long_name, *long_path;
enum { LONG_NAME = 300, LONG_PATH = 1200 };

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1du >> 5;
}

static uint64_t now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static long argument(uint64_t *state) {
    static const long interesting[] = {0, 1, 2, 3, -1, -2, 4096, -4096, 4095, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
                                       (long)0x8000000000000000, (long)0xffffffff80100000, (long)0xffff800000001000, (long)0x800000000000,
                                       0x7fffffffffff, (long)0xffffc00000008000, 64, 255, 1024, 65536, 0x100000000};
    uint64_t r = next(state);
    switch (r % 12) {
    case 0: return (long)(r >> 4);
    case 1: case 2: return interesting[(r >> 8) % (sizeof interesting / sizeof *interesting)];
    case 3: case 4: case 5: return (long)(r >> 8) % 24;
    case 6: case 7: {
        uint64_t which = (r >> 8) % (PATHS + 2);
        return (long)(which < PATHS ? paths[which] : which == PATHS ? long_name : long_path);
    }
    case 8: return (long)(arena + (r >> 8) % ARENA);
    case 9: return 1L << ((r >> 8) % 63);
    default: return (long)(area + ((r >> 8) % AREA & ~7u));
    }
}

/* Puts words that look like something into the area: addresses, lengths, times. */
static void seed_area(uint64_t *state) {
    uint64_t *words = (uint64_t *)area;
    memset(long_name, 'n', LONG_NAME - 1);
    long_name[LONG_NAME - 1] = 0;
    for (size_t i = 0; i < LONG_PATH; i++)
        long_path[i] = i + 1 < LONG_PATH ? "x/"[i % 2] : 0;
    for (int i = 0; i < 64; i++) {
        uint64_t r = next(state);
        words[r % (AREA / 8)] = (uint64_t)((r >> 16) % 4 == 0 ? (long)(r >> 40) % 1000 : argument(state));
    }
}

static int excluded(long number) {
    switch (number) {
    /* They end the program or the machine. */
    case SYS_exit: case SYS__lwp_exit: case SYS_reboot: case SYS_fork: case SYS_vfork: case SYS___vfork14: case SYS_execve: case SYS_fexecve:
    case SYS_posix_spawn: case SYS_kill: case SYS__lwp_kill: case SYS_sigqueueinfo: case SYS_timer_create:
    /* They change where the program runs and what it runs on. */
    case SYS_setcontext: case SYS_compat_16___sigreturn14: case SYS_compat_13_sigreturn13: case SYS__lwp_create: case SYS__lwp_setprivate: case SYS__lwp_suspend:
    case SYS___sigaction_sigtramp: case SYS___sigaltstack14: case SYS___setitimer50: case SYS___timer_settime50:
    case SYS_munmap: case SYS_mprotect: case SYS_mmap: case SYS_mremap: case SYS_madvise: case SYS_minherit: case SYS_break: case SYS_mlockall:
    /* They take descriptors and resources that the program needs. */
    case SYS_close: case SYS_dup2: case SYS_compat_100_dup3: case SYS___dup3100: case SYS_fcntl: case SYS_setrlimit: case SYS_posix_fallocate: case SYS_chroot: case SYS_fchroot:
    /* The real call is in their arguments. */
    case SYS_syscall: case SYS___syscall:
        return 1;
    /* Without privileges other paths are taken, but fewer files are to be had: half of the runs keep them. */
    case SYS_setuid: case SYS_seteuid: case SYS_setreuid: case SYS_setgid: case SYS_setegid: case SYS_setregid:
        return seed % 2 != 0;
    }
    return 0;
}

static void on_signal(int sig) {
    (void)sig;
}

static void on_crash(int sig, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    dprintf(CONSOLE, "stress: signal %d at %p, rip %llx\n", sig, info->si_addr, (unsigned long long)uc->uc_mcontext.__gregs[_REG_RIP]);
    for (int i = 0; i < HAMMERS; i++)
        dprintf(CONSOLE, "stress: thread %d is in call %ld (%lx %lx %lx %lx %lx %lx)\n", i, hammers[i].number, hammers[i].arguments[0], hammers[i].arguments[1],
                hammers[i].arguments[2], hammers[i].arguments[3], hammers[i].arguments[4], hammers[i].arguments[5]);
    _exit(2);
}

/* A signal that the program has a harmless disposition for. */
static int harmless(uint64_t *state) {
    static const int signals[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGHUP, SIGIO, SIGPROF, SIGVTALRM, SIGCHLD, SIGWINCH, SIGRTMIN, SIGRTMIN + 3, SIGRTMAX};
    return signals[next(state) % (sizeof signals / sizeof *signals)];
}

/* Stacks for short lives, each with a page below that nobody may touch: signals may pile their frames up there. */
static char *lwp_stacks[4];
/* The LWP that has the stack; -1 while one is being made. */
static volatile int lwp_of[4];

static void short_life(void *arg) {
    syscall(SYS__lwp_setname, 0, arg);
    _lwp_exit();
}

/* An LWP that ends at once. Signals that queue up are not for it: there is no bound to the frames that they would take. */
static void make_lwp(uint64_t *state) {
    static const unsigned long flags[] = {0x40, 0x40, 0, 0x1000}; /* LWP_DETACHED and one that there is not. */
    int slot = (int)(next(state) % 4), previous = lwp_of[slot];
    if (previous < 0 || (previous > 0 && _lwp_kill(previous, 0) == 0) || !__sync_bool_compare_and_swap(&lwp_of[slot], previous, -1))
        return;
    ucontext_t uc;
    lwpid_t lid = 0;
    _lwp_makecontext(&uc, short_life, (void *)(uintptr_t)paths[2], _lwp_getprivate(), lwp_stacks[slot], LWP_STACK);
    for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
        sigaddset(&uc.uc_sigmask, sig);
    if (next(state) % 16 == 0)
        _lwp_create(&uc, 0x40, (lwpid_t *)1);
    else if (_lwp_create(&uc, flags[next(state) % 4], &lid) != 0)
        lid = 0;
    lwp_of[slot] = lid;
}

/* Asks for memory in the arena, where nobody lives. */
static void remap(uint64_t *state) {
    char *p = arena + (next(state) % ARENA & ~4095u);
    size_t len = next(state) % (next(state) % 4 == 0 ? ARENA : 1 << 18);
    if (len > (size_t)(arena + ARENA - p))
        len = (size_t)(arena + ARENA - p);
    int prot = (int)(next(state) % 8), fd = (int)(3 + next(state) % DESCRIPTORS);
    switch (next(state) % 12) {
    case 0: mmap(p, len, prot, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0); break;
    case 1: mmap(p, len, prot, MAP_ANON | MAP_SHARED | MAP_FIXED, -1, 0); break;
    case 2: mmap(p, len, prot, MAP_SHARED | MAP_FIXED, fd, (off_t)(next(state) % (1 << 20) & ~4095u)); break;
    case 3: mmap(p, len, prot, MAP_PRIVATE | MAP_FIXED, fd, argument(state)); break;
    case 4: mprotect(p, len, prot); break;
    case 5: madvise(p, len, (int)(next(state) % 8)); break;
    case 6: syscall(SYS_minherit, p, len, next(state) % 6); break;
    case 7: mremap(p, len, arena + (next(state) % (ARENA / 2) & ~4095u), next(state) % (1 << 20), MAP_FIXED); break;
    case 8: munmap(p, len % (1 << 16)); break;
    case 9: mlock(p, len % (1 << 16)); munlock(p, len); break;
    case 10: msync(p, len, (int)(next(state) % 8)); break;
    default: {
        /* Anywhere, with strange lengths and alignments. */
        size_t any = (size_t)argument(state);
        void *q = mmap((void *)(argument(state) & 0xfff), any, prot, (int)(MAP_ANON | MAP_PRIVATE | (next(state) % 64) << 24), -1, 0);
        if (q != MAP_FAILED)
            munmap(q, any);
        break;
    }
    }
}

/* Calls that are left out above, with arguments that spare the program. */
static void bounded(uint64_t *state) {
    int fd = (int)(3 + next(state) % DESCRIPTORS);
    switch (next(state) % 20) {
    case 0: case 1: case 2: case 3: remap(state); break;
    case 4: close(fd); break;
    case 5: dup2((int)(next(state) % 30), fd); break;
    case 6: syscall(SYS___dup3100, next(state) % 30, fd, argument(state)); break;
    case 7: {
        static const int commands[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_MAXFD, F_GETNOSIGPIPE, F_SETNOSIGPIPE, F_GETPATH, 99};
        fcntl(fd, commands[next(state) % (sizeof commands / sizeof *commands)], argument(state));
        break;
    }
    case 8: fcntl((int)(next(state) % 30), F_DUPFD, next(state) % 60); break;
    case 9: syscall(SYS_posix_fallocate, fd, 0, next(state) % (1 << 20), next(state) % (1 << 18)); break;
    case 10: make_lwp(state); break;
    case 11: {
        struct sigaction action = {.sa_handler = next(state) % 4 == 0 ? SIG_IGN : on_signal, .sa_flags = (int)(next(state) & (SA_RESTART | SA_NODEFER | SA_ONSTACK | SA_SIGINFO))};
        action.sa_mask.__bits[0] = (unsigned)next(state) & ~(1u << (SIGSEGV - 1) | 1u << (SIGBUS - 1));
        sigaction(harmless(state), &action, NULL);
        break;
    }
    case 12: syscall(SYS_kill, next(state) % 2 ? getpid() : 0, harmless(state)); break;
    case 13: syscall(SYS__lwp_kill, 1 + next(state) % 4, harmless(state)); break;
    case 14: {
        union sigval value = {.sival_int = 7};
        sigqueue(getpid(), harmless(state), value);
        break;
    }
    case 15: {
        struct itimerval it = {{0, 2000 + (suseconds_t)(next(state) % 5000)}, {0, (suseconds_t)(next(state) % 5000)}};
        if (next(state) % 2)
            timerclear(&it.it_interval);
        setitimer((int)(next(state) % 5), &it, NULL);
        break;
    }
    case 16: {
        struct sigevent event = {.sigev_notify = (int)(next(state) % 2), .sigev_signo = harmless(state)};
        struct itimerspec it = {{0, 2000000}, {0, (long)(next(state) % 5000000)}};
        timer_t timer;
        if (timer_create(next(state) % 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC, &event, &timer) == 0)
            timer_settime(timer, (int)(next(state) % 2), &it, NULL);
        break;
    }
    case 17: {
        struct rlimit limit = {30 + next(state) % 200, 4096};
        setrlimit(RLIMIT_NOFILE, &limit);
        break;
    }
    case 18: {
        volatile int again = 0;
        ucontext_t uc;
        getcontext(&uc);
        if (!again) {
            again = 1;
            setcontext(&uc);
        }
        break;
    }
    default: syscall(SYS_syscall, next(state) % 2 ? SYS_pread : SYS_pwrite, fd, area, next(state) % AREA, 0, next(state) % 100000); break;
    }
}

static void *hammer(void *arg) {
    long me = (long)(intptr_t)arg;
    uint64_t state = seed * 2654435761u + (uint64_t)me * 40503 + 88172645463325252u;
    while (now_ns() < end_ns) {
        seed_area(&state);
        for (int i = 0; i < 200; i++) {
            long number = (long)(next(&state) % 520);
            long a[6];
            for (int k = 0; k < 6; k++)
                hammers[me].arguments[k] = a[k] = argument(&state);
            hammers[me].number = number;
            if (excluded(number))
                bounded(&state);
            else
                syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
            hammers[me].calls++;
        }
    }
    hammers[me].done = 1;
    for (;;)
        pause();
}

/* Ends waits, and gives back what has piled up. False if the program's own variables have changed under it. */
static int supervise(void) {
    struct timespec pause_ts = {.tv_nsec = 2000000};
    const struct { uint64_t seed, end_ns; char *area, *arena; } kept = {seed, end_ns, area, arena};
    for (unsigned round = 0;; round++) {
        if (kept.seed != seed || kept.end_ns != end_ns || kept.area != area || kept.arena != arena) {
            dprintf(CONSOLE, "stress: memory changed after %u rounds: seed %llx, end %llx, area %p, arena %p\n", round, (unsigned long long)seed,
                    (unsigned long long)end_ns, (void *)area, (void *)arena);
            return 0;
        }
        syscall(SYS___nanosleep50, &pause_ts, NULL);
        for (int lid = 2; lid < 8; lid++) {
            _lwp_continue(lid);
            _lwp_wakeup(lid);
        }
        if (round % 128 == 0) {
            for (int i = 2; i < PATHS; i++)
                truncate(paths[i], 0);
            for (int fd = 3; fd < CONSOLE; fd++)
                if (fd != 20)
                    close(fd);
            for (int timer = 0; timer < 36; timer++)
                syscall(SYS_timer_delete, timer);
            mmap(arena, ARENA, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0);
            syscall(SYS_munlockall);
        }
        if (hammers[0].done && hammers[1].done)
            return 1;
        if (now_ns() > end_ns + 30000000000u) {
            dprintf(CONSOLE, "stress: at %llu ms, %u rounds, the end should have been at %llu ms\n", (unsigned long long)now_ns() / 1000000, round,
                    (unsigned long long)end_ns / 1000000);
            return 1;
        }
    }
}

int main(int argc, char **argv) {
    uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 5;
    static char altstack[HAMMERS + 1][32768];
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    end_ns = now_ns() + seconds * 1000000000u;
    area = mmap(NULL, AREA + 8192, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    mprotect(area + AREA + 4096, 4096, PROT_NONE);
    long_path = area + AREA + 4096 - LONG_PATH;
    long_name = long_path - LONG_NAME;
    arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    for (int i = 0; i < 4; i++) {
        char *stack = mmap(NULL, 4096 + LWP_STACK, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
        mprotect(stack, 4096, PROT_NONE);
        lwp_stacks[i] = stack + 4096;
    }
    dup2(1, CONSOLE);
    dup2(1, 20);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    struct sigaction crash = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    for (int sig = 1; sig < NSIG; sig++)
        if (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE)
            sigaction(sig, &crash, NULL);
        else
            signal(sig, SIG_IGN);
    stack_t alt = {.ss_sp = altstack[0], .ss_size = sizeof altstack[0]};
    sigaltstack(&alt, NULL);
    for (long i = 0; i < HAMMERS; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, hammer, (void *)i) != 0) {
            dprintf(CONSOLE, "stress: no thread\n");
            _exit(1);
        }
    }
    int status = !supervise();
    for (int i = 0; i < HAMMERS; i++) {
        if (!hammers[i].done || hammers[i].calls < 1000) {
            status = 1;
            dprintf(CONSOLE, "stress: thread %d made %lu calls and is in %ld (%lx %lx %lx %lx %lx %lx)\n", i, hammers[i].calls, hammers[i].number, hammers[i].arguments[0],
                    hammers[i].arguments[1], hammers[i].arguments[2], hammers[i].arguments[3], hammers[i].arguments[4], hammers[i].arguments[5]);
        }
    }
    dprintf(CONSOLE, "stress: %lu calls\n", hammers[0].calls + hammers[1].calls);
    dprintf(CONSOLE, "stress: %s\n", status == 0 ? "survived" : "too few calls");
    _exit(status);
}
