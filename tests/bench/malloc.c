/* Patterns of memory allocation. One operation is one block allocated and freed. */
#define PROGRAM "malloc"
#include "bench.h"
#include <semaphore.h>

enum { LIVE = 4096, BATCH = 256 };

static char *live[LIVE];
static uint64_t state = 88172645463325252u;
static size_t large_bytes;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void small(long count) {
    while (count-- > 0) {
        char *block = malloc(48);
        block[0] = 1;
        KEEP(block);
        free(block);
    }
}

/* A thousand blocks of one size, then all freed: lists, trees. */
static void small_many(long count) {
    while (count > 0) {
        int blocks = count < 1000 ? (int)count : 1000;
        for (int i = 0; i < blocks; i++) {
            live[i] = malloc(48);
            live[i][0] = 1;
        }
        for (int i = 0; i < blocks; i++)
            free(live[i]);
        count -= blocks;
    }
    memset(live, 0, sizeof live);
}

/* Random sizes up to 2 KiB, mostly small, replaced in random order among 4,096 that live. */
static void mixed(long count) {
    while (count-- > 0) {
        uint64_t random = next();
        size_t slot = random % LIVE;
        size_t bytes = 8 + (random >> 16 & 0x7ff) / (1 + (random >> 32 & 15));
        free(live[slot]);
        live[slot] = malloc(bytes);
        live[slot][0] = 1;
    }
}

static void large(long count) {
    while (count-- > 0) {
        char *block = malloc(large_bytes);
        block[0] = 1;
        block[large_bytes - 1] = 1;
        KEEP(block);
        free(block);
    }
}

static void grow(long count) {
    while (count > 0) {
        char *block = NULL;
        size_t bytes = 16;
        for (; bytes <= 1 << 16 && count > 0; bytes += bytes / 2, count--) {
            block = realloc(block, bytes);
            block[bytes - 1] = 1;
        }
        free(block);
    }
}

static sem_t full, empty;

static long smaller(long a, long b) {
    return a < b ? a : b;
}

static void *consume(void *count) {
    for (long left = (long)count; left > 0; left -= BATCH) {
        sem_wait(&full);
        for (long i = 0; i < smaller(left, BATCH); i++)
            free(live[i]);
        sem_post(&empty);
    }
    return NULL;
}

/* One thread allocates, another one frees. */
static void across_threads(long count) {
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, consume, (void *)count) == 0);
    for (long left = count; left > 0; left -= BATCH) {
        for (long i = 0; i < smaller(left, BATCH); i++) {
            live[i] = malloc(32 + (size_t)(i & 7) * 16);
            live[i][0] = 1;
        }
        sem_post(&full);
        sem_wait(&empty);
    }
    pthread_join(thread, NULL);
    memset(live, 0, sizeof live);
}

int main(int argc, char **argv) {
    bench_start(argc, argv);
    MUST(sem_init(&full, 0, 0) == 0 && sem_init(&empty, 0, 0) == 0);
    measure("small", small);
    measure("small_many", small_many);
    measure("across_threads", across_threads);
    measure("mixed", mixed);
    measure("realloc_growing", grow);
    large_bytes = 100000;
    measure("large_100k", large);
    large_bytes = 4 << 20;
    measure("large_4m", large);
    return 0;
}
