/* sigaction(2) and its family: handlers, masks, alternate stacks, restarts, queues, timers, the registers across a handler. */
#include "check.h"
#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t count, value, on_stack, depth, max_depth;
static char stack[SIGSTKSZ * 4] __attribute__((aligned(16)));

static void counting(int sig) {
    (void)sig;
    count++;
}

static void with_info(int sig, siginfo_t *info, void *context) {
    char here;
    (void)sig, (void)context;
    value = info->si_value.sival_int;
    on_stack = &here >= stack && &here < stack + sizeof stack;
    count++;
}

static void nested(int sig) {
    if (++depth > max_depth)
        max_depth = depth;
    if (sig == SIGUSR1)
        raise(SIGUSR2);
    depth--;
}

static sigjmp_buf back;
static void divide(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)context;
    value = info->si_code;
    siglongjmp(back, 1);
}

/* Clobbers what a handler may clobber. */
static volatile double sink;
static void floating(int sig) {
    (void)sig;
    double d = 1.5;
    for (int i = 0; i < 50; i++)
        d = d * 1.01 + i;
    sink = d;
    count++;
}

static void *kill_main(void *arg) {
    struct timespec t = {.tv_nsec = 30000000};
    nanosleep(&t, NULL);
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    nanosleep(&t, NULL);
    return write(value, "x", 1) == 1 ? NULL : arg;
}

int main(void) {
    struct sigaction sa = {.sa_handler = counting}, old;
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0 && raise(SIGUSR1) == 0 && count == 1);
    CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == counting);
    CHECK(kill(getpid(), SIGUSR1) == 0 && count == 2);

    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && raise(SIGUSR1) == 0 && count == 2);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0 && count == 3);

    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
    CHECK(sigaltstack(&ss, NULL) == 0);
    sa.sa_sigaction = with_info;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
    CHECK(sigaction(SIGRTMIN, &sa, NULL) == 0);
    CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 77}) == 0 && value == 77 && on_stack);

    sa = (struct sigaction){.sa_handler = nested};
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0 && sigaction(SIGUSR2, &sa, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && max_depth == 2 && depth == 0);

    sa = (struct sigaction){.sa_sigaction = divide, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGFPE, &sa, NULL) == 0 && sigaction(SIGILL, &sa, NULL) == 0);
    if (sigsetjmp(back, 1) == 0) {
        /* In assembly: to the compiler this is undefined. */
        __asm__ volatile("xor %%ecx, %%ecx; idivl %%ecx" ::: "eax", "ecx", "edx", "cc");
        CHECK(!"division by zero passes");
    }
    CHECK(value == FPE_INTDIV);
    if (sigsetjmp(back, 1) == 0) {
        __asm__ volatile("ud2");
        CHECK(!"an illegal instruction passes");
    }

    /* A timer interrupts arithmetic thousands of times; the results stay right. */
    count = 0;
    sa = (struct sigaction){.sa_handler = floating, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    double sum = 0;
    uint64_t integer = 0;
    while (count < 100)
        for (int i = 0; i < 1000; i++) {
            double a = i * 0.5, b = a * 2 + 1, c = b - a;
            sum += c - (a + 1);
            integer += (uint64_t)(b) - 2 * (uint64_t)i / 2 - 1;
        }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(sum == 0 && integer == 0);

    /* read(2) with and without SA_RESTART. */
    int fds[2];
    char byte;
    pthread_t thread, self = pthread_self();
    CHECK(pipe(fds) == 0);
    value = fds[1];
    sa = (struct sigaction){.sa_handler = counting};
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, kill_main, &self) == 0);
    FAILS(read(fds[0], &byte, 1), EINTR);
    CHECK(read(fds[0], &byte, 1) == 1 && pthread_join(thread, NULL) == 0);
    sa.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, kill_main, &self) == 0);
    CHECK(read(fds[0], &byte, 1) == 1 && byte == 'x' && pthread_join(thread, NULL) == 0);

    /* sigwait and sigtimedwait. */
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && raise(SIGUSR2) == 0);
    int sig = 0;
    CHECK(sigwait(&set, &sig) == 0 && sig == SIGUSR2);
    struct timespec soon = {.tv_nsec = 10000000};
    FAILS(sigtimedwait(&set, NULL, &soon), EAGAIN);

    /* A POSIX timer that queues a signal. */
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 5};
    struct itimerspec when = {.it_value.tv_nsec = 5000000};
    siginfo_t info;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &when, NULL) == 0);
    CHECK(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_code == SI_TIMER && info.si_value.sival_int == 5);
    CHECK(timer_delete(timer) == 0);

    FAILS(sigaction(SIGKILL, &sa, NULL), EINVAL);
    FAILS(sigaction(1000, &sa, NULL), EINVAL);
    FAILS(kill(getpid(), 1000), EINVAL);
    FAILS(kill(54321, SIGTERM), ESRCH);
    FAILS(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = 16}, NULL), ENOMEM);
    return verdict("signals");
}
