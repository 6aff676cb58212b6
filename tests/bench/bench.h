/* What the benchmark programs share: the clock, repetitions, and the lines that they print.
 *
 * A program prints `bench PROGRAM.FIGURE VALUE UNIT` once per repetition, and `scale PROGRAM.FIGURE COUNT VALUE UNIT` where it measures one
 * operation beside COUNT idle things of a kind. Warm-up is over before the first repetition and not printed. The argument `quick` makes repetitions
 * fewer and shorter. PROGRAM is defined before this file is included; the same source is built for NetBSD and for Linux. */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Makes the compiler believe that `value` is used, and that memory may have changed. */
#define KEEP(value) __asm__ volatile("" : : "r"(value) : "memory")

/* Ends the program where a call fails that should not. */
#define MUST(condition) ((condition) ? (void)0 : bench_fail(__LINE__, #condition))

static int bench_repetitions = 7;
static int64_t bench_batch_ns = 20000000;
static int bench_quick;

__attribute__((noreturn, unused)) static void bench_fail(int line, const char *condition) {
    fprintf(stderr, "%s:%d: %s: %s\n", PROGRAM, line, condition, strerror(errno));
    exit(1);
}

__attribute__((unused)) static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

__attribute__((unused)) static void bench_start(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "quick") == 0) {
        bench_quick = 1;
        bench_repetitions = 3;
        bench_batch_ns = 4000000;
    }
}

__attribute__((unused)) static void print_sample(const char *figure, double value, const char *unit) {
    printf("bench %s.%s %.2f %s\n", PROGRAM, figure, value, unit);
}

/* The time of `run(count)`. */
static int64_t batch_ns(void (*run)(long count), long count) {
    int64_t start = now_ns();
    run(count);
    return now_ns() - start;
}

/* How often the operation of `run` has to be done for one repetition; doubles as the warm-up. */
static long bench_calibrate(void (*run)(long count)) {
    long count = 1;
    for (;;) {
        int64_t took = batch_ns(run, count);
        if (took >= bench_batch_ns / 2) {
            /* Was it slow for being the first, or because the machine did something else? */
            int64_t again = batch_ns(run, count);
            took = again < took ? again : took;
        }
        int64_t wanted = took > 0 ? bench_batch_ns * count / took + 1 : 8 * count;
        if (took >= bench_batch_ns / 2)
            return took >= bench_batch_ns ? count : wanted;
        /* At most eightfold: the first rounds say little. */
        count = wanted > 8 * count ? 8 * count : wanted;
    }
}

/* Prints the nanoseconds of one operation; `run(count)` does it `count` times. */
__attribute__((unused)) static void measure(const char *figure, void (*run)(long count)) {
    long count = bench_calibrate(run);
    for (int i = 0; i < bench_repetitions; i++)
        print_sample(figure, (double)batch_ns(run, count) / (double)count, "ns");
    fflush(stdout);
}

/* Prints megabytes (10^6 bytes) per second; one operation of `run` moves `bytes`. */
__attribute__((unused)) static void measure_rate(const char *figure, void (*run)(long count), double bytes) {
    long count = bench_calibrate(run);
    for (int i = 0; i < bench_repetitions; i++)
        print_sample(figure, bytes * (double)count * 1000.0 / (double)batch_ns(run, count), "MBps");
    fflush(stdout);
}

/* Prints the nanoseconds of one operation beside `others` idle things: the median of the repetitions. */
__attribute__((unused)) static void measure_beside(const char *figure, long others, void (*run)(long count)) {
    double samples[16];
    long count = bench_calibrate(run);
    for (int i = 0; i < bench_repetitions; i++) {
        double sample = (double)batch_ns(run, count) / (double)count;
        int at = i;
        for (; at > 0 && samples[at - 1] > sample; at--)
            samples[at] = samples[at - 1];
        samples[at] = sample;
    }
    printf("scale %s.%s %ld %.2f ns\n", PROGRAM, figure, others, samples[bench_repetitions / 2]);
    fflush(stdout);
}

#endif
