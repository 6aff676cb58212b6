/* How late a sleep ends: medians and 99th percentiles of the time beyond the millisecond that was asked for. */
#define PROGRAM "sleep"
#include "bench.h"

enum { SLEEPS = 200, QUICK_SLEEPS = 60 };

static int by_value(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv) {
    static int64_t late_ns[SLEEPS];
    bench_start(argc, argv);
    int sleeps = bench_quick ? QUICK_SLEEPS : SLEEPS;
    struct timespec millisecond = {0, 1000000};
    nanosleep(&millisecond, NULL);
    for (int repetition = 0; repetition < bench_repetitions; repetition++) {
        for (int i = 0; i < sleeps; i++) {
            int64_t start = now_ns();
            nanosleep(&millisecond, NULL);
            late_ns[i] = now_ns() - start - 1000000;
        }
        qsort(late_ns, (size_t)sleeps, sizeof *late_ns, by_value);
        MUST(late_ns[0] >= 0);
        print_sample("late_1ms_median", (double)late_ns[sleeps / 2] / 1000.0, "us");
        print_sample("late_1ms_p99", (double)late_ns[sleeps * 99 / 100] / 1000.0, "us");
    }
    return 0;
}
