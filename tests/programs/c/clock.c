/* The clock by both ways, by libc without a call and by the system call: it does not go back between them, and a step shows in both at once. */
#include "check.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 20000

static int64_t ns(const struct timespec *ts) {
    return ts->tv_sec * INT64_C(1000000000) + ts->tv_nsec;
}

static int64_t by_libc(clockid_t clock) {
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0 && now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
    return ns(&now);
}

/* What is not on the stack is written by the kernel. Each call has its own, since threads are interrupted here, too. */
static int64_t by_call(clockid_t clock) {
    struct timespec *elsewhere = malloc(sizeof *elsewhere);
    CHECK(elsewhere != NULL && clock_gettime(clock, elsewhere) == 0);
    int64_t now = ns(elsewhere);
    free(elsewhere);
    return now;
}

static int64_t by_number(clockid_t clock) {
    struct timespec now;
    CHECK(syscall(SYS___clock_gettime50, clock, &now) == 0);
    return ns(&now);
}

static int64_t by_day(clockid_t clock) {
    (void)clock;
    struct timeval now;
    CHECK(gettimeofday(&now, NULL) == 0 && now.tv_usec >= 0 && now.tv_usec < 1000000);
    return now.tv_sec * INT64_C(1000000000) + now.tv_usec * INT64_C(1000);
}

static int64_t (*const ways[])(clockid_t) = {by_libc, by_call, by_number, by_libc};

/* Threads, since those are interrupted everywhere. */
static void *in_order(void *argument) {
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
    (void)argument;
    for (int c = 0; c < 2; c++) {
        int64_t last = 0, back = 0;
        for (int i = 0; i < ROUNDS; i++) {
            int64_t now = i % 8 == 0 ? by_number(clocks[c]) : ways[i % 2](clocks[c]);
            if (now < last)
                back++;
            last = now;
        }
        CHECK(back == 0 && last > 0);
    }
    return NULL;
}

/* Whether all ways say `seconds`, give or take an hour. */
static void all_say(int64_t seconds) {
    int64_t near[] = {by_libc(CLOCK_REALTIME), by_call(CLOCK_REALTIME), by_number(CLOCK_REALTIME), by_day(CLOCK_REALTIME),
                      time(NULL) * INT64_C(1000000000)};
    for (int i = 0; i < 5; i++)
        CHECK(near[i] >= seconds * 1000000000 && near[i] < (seconds + 3600) * 1000000000);
}

int main(void) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, in_order, NULL) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);

    int64_t before = by_libc(CLOCK_MONOTONIC);
    CHECK(settimeofday(&(struct timeval){1000000000, 0}, NULL) == 0);
    all_say(1000000000);
    CHECK(clock_settime(CLOCK_REALTIME, &(struct timespec){2000000000, 5}) == 0);
    all_say(2000000000);
    CHECK(adjtime(&(struct timeval){100000, 0}, NULL) == 0);
    all_say(2000100000);
    CHECK(settimeofday(&(struct timeval){0, 0}, NULL) == 0);
    all_say(0);
    /* Steps are the time of day's alone. */
    int64_t after = by_call(CLOCK_MONOTONIC);
    CHECK(after >= before && after - before < INT64_C(3600000000000));

    /* A sleep is as long by either. */
    before = by_call(CLOCK_MONOTONIC);
    CHECK(usleep(20000) == 0);
    CHECK(by_libc(CLOCK_MONOTONIC) - before >= 20000000);

    /* What cannot be told without a call. */
    CHECK(by_libc(CLOCK_THREAD_CPUTIME_ID) > 0);
    struct timespec now;
    FAILS(clock_gettime(77, &now), EINVAL);
    FAILS(clock_gettime(CLOCK_MONOTONIC, NULL), EFAULT);
    FAILS(clock_gettime(CLOCK_MONOTONIC, (void *)(UINTPTR_MAX - 4095)), EFAULT);
    CHECK(gettimeofday(NULL, NULL) == 0);
    int zone[2] = {7, 7};
    struct timeval day;
    CHECK(gettimeofday(&day, zone) == 0 && zone[0] == 0 && zone[1] == 0);
    return verdict("clock");
}
