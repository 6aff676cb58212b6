/* Threads of one process: switching between them, waking each other up, making them. */
#define PROGRAM "threads"
#include "bench.h"
#include <sched.h>
#include <semaphore.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t ping, pong;
static int turn;
static int to_other[2], from_other[2];

static void uncontended_mutex(long count) {
    while (count-- > 0) {
        pthread_mutex_lock(&mutex);
        KEEP(&mutex);
        pthread_mutex_unlock(&mutex);
    }
}

/* Waits until it is the turn of `whose`, and gives it to the other, `count` times. */
static void take_turns(int whose, long count) {
    pthread_mutex_lock(&mutex);
    while (count-- > 0) {
        while (turn != whose)
            pthread_cond_wait(&cond, &mutex);
        turn = !whose;
        pthread_cond_signal(&cond);
    }
    pthread_mutex_unlock(&mutex);
}

static void *other_turns(void *count) {
    take_turns(1, (long)count);
    return NULL;
}

static void *other_semaphore(void *count) {
    for (long left = (long)count; left > 0; left--) {
        sem_wait(&ping);
        sem_post(&pong);
    }
    return NULL;
}

static void *other_pipe(void *count) {
    char byte;
    for (long left = (long)count; left > 0; left--)
        if (read(to_other[0], &byte, 1) != 1 || write(from_other[1], &byte, 1) != 1)
            bench_fail(__LINE__, "pipe");
    return NULL;
}

static void *other_yield(void *count) {
    for (long left = (long)count; left > 0; left--)
        sched_yield();
    return NULL;
}

static void *nothing(void *argument) {
    return argument;
}

static pthread_t beside(void *(*run)(void *), long count) {
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, run, (void *)count) == 0);
    return thread;
}

static void condition_round_trip(long count) {
    pthread_t thread = beside(other_turns, count);
    take_turns(0, count);
    pthread_join(thread, NULL);
}

static void semaphore_round_trip(long count) {
    pthread_t thread = beside(other_semaphore, count);
    for (long left = count; left > 0; left--) {
        sem_post(&ping);
        sem_wait(&pong);
    }
    pthread_join(thread, NULL);
}

static void pipe_round_trip(long count) {
    pthread_t thread = beside(other_pipe, count);
    char byte = 0;
    for (long left = count; left > 0; left--)
        if (write(to_other[1], &byte, 1) != 1 || read(from_other[0], &byte, 1) != 1)
            bench_fail(__LINE__, "pipe");
    pthread_join(thread, NULL);
}

/* Two threads that give way to each other: one operation is one switch. */
static void yield(long count) {
    pthread_t thread = beside(other_yield, count / 2);
    for (long left = count / 2; left > 0; left--)
        sched_yield();
    pthread_join(thread, NULL);
}

static void create_join(long count) {
    while (count-- > 0)
        pthread_join(beside(nothing, 0), NULL);
}

int main(int argc, char **argv) {
    bench_start(argc, argv);
    MUST(pipe(to_other) == 0 && pipe(from_other) == 0);
    MUST(sem_init(&ping, 0, 0) == 0 && sem_init(&pong, 0, 0) == 0);
    measure("mutex_uncontended", uncontended_mutex);
    measure("condvar_round_trip", condition_round_trip);
    measure("semaphore_round_trip", semaphore_round_trip);
    measure("pipe_round_trip", pipe_round_trip);
    measure("yield_switch", yield);
    measure("create_join", create_join);
    return 0;
}
