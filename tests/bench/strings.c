/* The functions of string.h that everything uses, on blocks of four sizes. Calls go through pointers, so that none is compiled away. */
#define PROGRAM "strings"
#include "bench.h"

static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile set)(void *, int, size_t) = memset;
static int (*volatile compare_memory)(const void *, const void *, size_t) = memcmp;
static size_t (*volatile length_of)(const char *) = strlen;
static void *(*volatile find)(const void *, int, size_t) = memchr;
static int (*volatile compare)(const char *, const char *) = strcmp;
static char *(*volatile copy_string)(char *, const char *) = strcpy;
static char *(*volatile search)(const char *, const char *) = strstr;

static char *left, *right;
static size_t bytes;

static void run_memcpy(long count) {
    while (count-- > 0)
        KEEP(copy(left, right, bytes));
}

static void run_memmove(long count) {
    while (count-- > 0)
        KEEP(move(left + 24, left, bytes));
}

static void run_memset(long count) {
    while (count-- > 0)
        KEEP(set(left, 'a', bytes));
}

static void run_memcmp(long count) {
    while (count-- > 0)
        KEEP((long)compare_memory(left, right, bytes));
}

static void run_strlen(long count) {
    while (count-- > 0)
        KEEP(length_of(right));
}

static void run_memchr(long count) {
    while (count-- > 0)
        KEEP(find(right, 'z', bytes));
}

static void run_strcmp(long count) {
    while (count-- > 0)
        KEEP((long)compare(left, right));
}

static void run_strcpy(long count) {
    while (count-- > 0)
        KEEP(copy_string(left, right));
}

static void run_strstr(long count) {
    while (count-- > 0)
        KEEP(search(right, "aaab"));
}

static const struct {
    const char *name;
    void (*run)(long count);
} functions[] = {{"memcpy", run_memcpy}, {"memmove", run_memmove}, {"memset", run_memset}, {"memcmp", run_memcmp}, {"strlen", run_strlen},
                 {"memchr", run_memchr}, {"strcmp", run_strcmp}, {"strcpy", run_strcpy}, {"strstr", run_strstr}};

static const struct {
    const char *name;
    size_t bytes;
} sizes[] = {{"16", 16}, {"256", 256}, {"4k", 4096}, {"1m", 1 << 20}};

int main(int argc, char **argv) {
    bench_start(argc, argv);
    left = malloc((1 << 20) + 64);
    right = malloc((1 << 20) + 64);
    MUST(left != NULL && right != NULL);
    for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
        bytes = sizes[size].bytes;
        for (size_t function = 0; function < sizeof functions / sizeof *functions; function++) {
            memset(left, 'a', (1 << 20) + 64);
            memset(right, 'a', (1 << 20) + 64);
            left[bytes] = right[bytes] = 0;
            char figure[32];
            snprintf(figure, sizeof figure, "%s_%s", functions[function].name, sizes[size].name);
            measure(figure, functions[function].run);
        }
    }
    return 0;
}
