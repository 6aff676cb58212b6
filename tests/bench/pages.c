/* Anonymous memory: mapping it, touching it for the first time, giving it back. */
#define PROGRAM "pages"
#include "bench.h"
#include <sys/mman.h>

enum { PAGE = 4096 };

static size_t length;
static char *block;

static char *map(size_t bytes) {
    char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    MUST(at != MAP_FAILED);
    return at;
}

static void map_unmap(long count) {
    while (count-- > 0) {
        char *at = map(length);
        KEEP(at);
        munmap(at, length);
    }
}

static void map_touch_unmap(long count) {
    while (count-- > 0) {
        char *at = map(length);
        for (size_t offset = 0; offset < length; offset += PAGE)
            ((volatile char *)at)[offset] = 1;
        munmap(at, length);
    }
}

/* First touches of single pages far from each other, so that no neighbour comes along. */
static void scattered(long count) {
    enum { PAGES = 64, STRIDE = 4 << 20 };
    while (count > 0) {
        char *at = mmap(NULL, (size_t)PAGES * STRIDE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
        MUST(at != MAP_FAILED);
        for (int i = 0; i < PAGES && count > 0; i++, count--)
            ((volatile char *)at)[(size_t)i * STRIDE] = 1;
        munmap(at, (size_t)PAGES * STRIDE);
    }
}

static void protect(long count) {
    while (count-- > 0) {
        mprotect(block, PAGE, PROT_READ);
        mprotect(block, PAGE, PROT_READ | PROT_WRITE);
        ((volatile char *)block)[0] = 1;
    }
}

/* Reads of one page after the other, all of them touched before: what remembering so many translations costs, or not remembering them. */
static void resident(long count) {
    enum { PAGES = 4096 };
    static size_t page;
    while (count-- > 0) {
        KEEP((long)((volatile char *)block)[page * PAGE + page % 64 * 64]);
        page = (page + 1) % PAGES;
    }
}

int main(int argc, char **argv) {
    bench_start(argc, argv);
    length = PAGE;
    measure("map_unmap_4k", map_unmap);
    measure("map_touch_unmap_4k", map_touch_unmap);
    length = 1 << 20;
    measure("map_touch_unmap_1m", map_touch_unmap);
    length = 16 << 20;
    measure("map_touch_unmap_16m", map_touch_unmap);
    measure("first_touch_scattered", scattered);
    block = map(PAGE);
    measure("protect_twice_touch", protect);
    block = map(16 << 20);
    memset(block, 1, 16 << 20);
    measure("read_resident_16m", resident);
    return 0;
}
