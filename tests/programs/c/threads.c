/* pthread(3): threads, mutexes, condition variables, read-write locks, barriers, once, keys, cancellation, TLS. */
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t items;
static long counter, shared, destroyed, once_count;
static int turn;
static _Thread_local int mine = 17;
static _Thread_local char room[3000];

static void destroy(void *value) {
    CHECK(value != NULL);
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void first(void) { once_count++; }

static void *work(void *arg) {
    long number = (long)(intptr_t)arg;
    CHECK(mine == 17 && room[2999] == 0);
    mine = (int)number;
    room[2999] = 1;
    pthread_once(&once, first);
    pthread_setspecific(key, &barrier);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
        pthread_rwlock_rdlock(&rwlock);
        long before = shared;
        if (i % 100 == 0)
            sched_yield();
        CHECK(shared == before);
        pthread_rwlock_unlock(&rwlock);
        if (i % 50 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            shared++;
            pthread_rwlock_unlock(&rwlock);
        }
    }
    CHECK(mine == number);
    return (void *)(number * 2);
}

static void *in_turn(void *arg) {
    int number = (int)(intptr_t)arg;
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&lock);
        while (turn % 3 != number)
            pthread_cond_wait(&turn_changed, &lock);
        turn++;
        pthread_cond_broadcast(&turn_changed);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void cleaned(void *arg) { *(int *)arg = 1; }

static int cleaned_up;

static void *sleeper(void *arg) {
    pthread_cleanup_push(cleaned, &cleaned_up);
    for (;;)
        sleep(1000);
    pthread_cleanup_pop(0);
    return arg;
}

static void *consumer(void *arg) {
    for (int i = 0; i < 1000; i++)
        while (sem_wait(&items) != 0)
            ;
    return arg;
}

/* Never gives the processor up of its own accord. */
static volatile int stop;
static void *spinner(void *arg) {
    while (!stop)
        ;
    return arg;
}

int main(void) {
    pthread_t t[THREADS];
    void *result;
    CHECK(pthread_key_create(&key, destroy) == 0);
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, work, (void *)i) == 0);
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], &result) == 0 && (long)(intptr_t)result == i * 2);
    CHECK(counter == THREADS * ROUNDS && once_count == 1 && destroyed == THREADS);
    CHECK(shared == THREADS * (ROUNDS / 50) && mine == 17);

    for (long i = 0; i < 3; i++)
        CHECK(pthread_create(&t[i], NULL, in_turn, (void *)i) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    CHECK(turn == 600);

    CHECK(pthread_create(&t[0], NULL, sleeper, NULL) == 0);
    struct timespec moment = {.tv_nsec = 20000000};
    nanosleep(&moment, NULL);
    CHECK(pthread_cancel(t[0]) == 0 && pthread_join(t[0], &result) == 0);
    CHECK(result == PTHREAD_CANCELED && cleaned_up);

    CHECK(sem_init(&items, 0, 0) == 0 && pthread_create(&t[0], NULL, consumer, NULL) == 0);
    for (int i = 0; i < 1000; i++)
        sem_post(&items);
    CHECK(pthread_join(t[0], NULL) == 0);

    CHECK(pthread_create(&t[0], NULL, spinner, NULL) == 0);
    CHECK(pthread_create(&t[1], NULL, spinner, NULL) == 0);
    for (int i = 0; i < 5; i++)
        nanosleep(&moment, NULL);
    stop = 1;
    CHECK(pthread_join(t[0], NULL) == 0 && pthread_join(t[1], NULL) == 0);

    pthread_mutexattr_t attr;
    pthread_mutex_t m;
    CHECK(pthread_mutexattr_init(&attr) == 0 && pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE) == 0);
    CHECK(pthread_mutex_init(&m, &attr) == 0 && pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == 0);
    CHECK(pthread_mutex_unlock(&m) == 0 && pthread_mutex_unlock(&m) == 0);
    CHECK(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK) == 0 && pthread_mutex_init(&m, &attr) == 0);
    CHECK(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == EDEADLK && pthread_mutex_trylock(&m) == EBUSY);
    CHECK(pthread_mutex_unlock(&m) == 0 && pthread_mutex_unlock(&m) == EPERM);

    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 30000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_mutex_lock(&lock);
    CHECK(pthread_cond_timedwait(&turn_changed, &lock, &until) == ETIMEDOUT);
    pthread_mutex_unlock(&lock);

    for (int i = 0; i < 500; i++) {
        CHECK(pthread_create(&t[0], NULL, sleeper, NULL) == 0);
        CHECK(pthread_cancel(t[0]) == 0 && pthread_join(t[0], NULL) == 0);
    }
    return verdict("threads");
}
