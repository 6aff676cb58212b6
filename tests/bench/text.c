/* Formatted output and input, and sorting. */
#define PROGRAM "text"
#include "bench.h"

enum { NUMBERS = 10000 };

static char buffer[256];
static FILE *null_file;
static int numbers[NUMBERS];
/* Not known to the compiler, which would copy them itself. */
static const char *volatile sentence = "a string of moderate length";
static const char *volatile word = "word";
static uint64_t state = 88172645463325252u;

static void integer(long count) {
    for (; count > 0; count--) {
        snprintf(buffer, sizeof buffer, "%d", 123456789);
        KEEP(buffer);
    }
}

static void string(long count) {
    for (; count > 0; count--) {
        snprintf(buffer, sizeof buffer, "%s", sentence);
        KEEP(buffer);
    }
}

static void floating(long count) {
    for (; count > 0; count--) {
        snprintf(buffer, sizeof buffer, "%f", 3.14159265 + (double)count);
        KEEP(buffer);
    }
}

static void shortest(long count) {
    for (; count > 0; count--) {
        snprintf(buffer, sizeof buffer, "%.17g", 0.1 + (double)count);
        KEEP(buffer);
    }
}

static void together(long count) {
    for (; count > 0; count--) {
        snprintf(buffer, sizeof buffer, "%d %s %f\n", (int)count, word, 2.5);
        KEEP(buffer);
    }
}

static void to_file(long count) {
    for (; count > 0; count--)
        fprintf(null_file, "%d %s %f\n", (int)count, word, 2.5);
}

static void characters(long count) {
    for (; count > 0; count--)
        putc('x', null_file);
}

static void parse_double(long count) {
    for (; count > 0; count--) {
        double value = strtod("3.14159265358979", NULL);
        KEEP(&value);
    }
}

static void scan(long count) {
    int number;
    char word[16];
    for (; count > 0; count--) {
        sscanf("12345 word", "%d %15s", &number, word);
        KEEP(&number);
    }
}

static int by_value(const void *a, const void *b) {
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

static void sort(long count) {
    for (; count > 0; count--) {
        for (int i = 0; i < NUMBERS; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            numbers[i] = (int)state;
        }
        qsort(numbers, NUMBERS, sizeof *numbers, by_value);
    }
}

static void sort_sorted(long count) {
    for (; count > 0; count--)
        qsort(numbers, NUMBERS, sizeof *numbers, by_value);
}

int main(int argc, char **argv) {
    bench_start(argc, argv);
    MUST((null_file = fopen("/dev/null", "w")) != NULL);
    measure("snprintf_d", integer);
    measure("snprintf_s", string);
    measure("snprintf_f", floating);
    measure("snprintf_17g", shortest);
    measure("snprintf_d_s_f", together);
    measure("fprintf_d_s_f", to_file);
    measure("putc", characters);
    measure("strtod", parse_double);
    measure("sscanf_d_s", scan);
    measure("qsort_10000_random", sort);
    measure("qsort_10000_sorted", sort_sorted);
    return 0;
}
