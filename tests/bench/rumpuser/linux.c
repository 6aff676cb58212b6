/* The Linux side of rump.c: the same with pthreads and malloc. */
#define PROGRAM "rumpuser"
#include "../bench.h"
#include <sched.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turn;

static void enter_and_exit(long count) {
    while (count-- > 0) {
        pthread_mutex_lock(&mutex);
        KEEP(&mutex);
        pthread_mutex_unlock(&mutex);
    }
}

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

static void *other_yields(void *count) {
    for (long left = (long)count; left > 0; left--)
        sched_yield();
    return NULL;
}

static void hand_over(long count) {
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, other_turns, (void *)count) == 0);
    take_turns(0, count);
    pthread_join(thread, NULL);
}

static void thread_switch(long count) {
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, other_yields, (void *)(count / 2)) == 0);
    for (long left = count / 2; left > 0; left--)
        sched_yield();
    pthread_join(thread, NULL);
}

static void allocate(long count, size_t size) {
    while (count-- > 0) {
        void *memory = malloc(size);
        KEEP(memory);
        free(memory);
    }
}

static void malloc_64(long count) {
    allocate(count, 64);
}

static void malloc_4096(long count) {
    allocate(count, 4096);
}

/* Repetitions are never made shorter: a rump kernel has no arguments that could tell it to, and both sides do the same. */
int main(void) {
    measure("mutex", enter_and_exit);
    measure("hand_over", hand_over);
    measure("thread_switch", thread_switch);
    measure("malloc_64", malloc_64);
    measure("malloc_4096", malloc_4096);
    return 0;
}
