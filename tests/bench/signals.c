/* Signals: to the running thread, to another one, and taken without a handler. */
#define PROGRAM "signals"
#include "bench.h"
#include <semaphore.h>
#include <signal.h>

static volatile sig_atomic_t handled;
static sem_t taken;
static pthread_t receiver;

static void count_it(int number) {
    (void)number;
    handled++;
}

static void post_it(int number) {
    (void)number;
    sem_post(&taken);
}

static void raise_handler(long count) {
    sig_atomic_t before = handled;
    for (long left = count; left > 0; left--)
        raise(SIGUSR1);
    MUST(handled - before == (sig_atomic_t)count);
}

static void block_unblock(long count) {
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    while (count-- > 0) {
        pthread_sigmask(SIG_BLOCK, &set, &old);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
}

/* One signal to a thread that waits; its handler wakes the sender. */
static void kill_other(long count) {
    while (count-- > 0) {
        pthread_kill(receiver, SIGUSR2);
        sem_wait(&taken);
    }
}

static void *receive(void *argument) {
    for (;;)
        pause();
    return argument;
}

int main(int argc, char **argv) {
    bench_start(argc, argv);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = count_it;
    MUST(sigaction(SIGUSR1, &action, NULL) == 0);
    action.sa_handler = post_it;
    MUST(sigaction(SIGUSR2, &action, NULL) == 0);
    MUST(sem_init(&taken, 0, 0) == 0);
    measure("raise_handler", raise_handler);
    measure("mask_unmask", block_unblock);
    MUST(pthread_create(&receiver, NULL, receive, NULL) == 0);
    measure("kill_thread_round_trip", kill_other);
    return 0;
}
