/* rumpuser_init, rumpuser_malloc, rumpuser_free, rumpuser_anonmmap, rumpuser_unmap, rumpuser_getpagesize. */
#include "suite.h"

extern const struct rumpuser_hyperup hyperup;

void test_init_refuses_an_older_version(void) {
    check(rumpuser_init(RUMPUSER_VERSION - 1, &hyperup) != 0);
}

void test_init_refuses_a_newer_version(void) {
    check(rumpuser_init(RUMPUSER_VERSION + 1, &hyperup) != 0);
}

void test_init_copies_the_upcalls(void) {
    struct rumpuser_hyperup copy = hyperup;
    check_equal(rumpuser_init(RUMPUSER_VERSION, &copy), 0);
    fill(&copy, 0, sizeof copy);
    note_begin();
    give_way();
    check_equal(note.unschedules, 1);
}

static int is_aligned(const void *memory, size_t alignment) {
    return ((uintptr_t)memory & (alignment - 1)) == 0;
}

/* Takes memory of many lengths, all at once, and looks whether they keep apart. */
static void alignment(int wanted, size_t expected) {
    enum { COUNT = 40 };
    unsigned char *memory[COUNT];
    size_t len[COUNT];
    for (int index = 0; index < COUNT; index++) {
        void *taken = NULL;
        len[index] = (size_t)index * index * 13 + 1;
        check_equal(rumpuser_malloc(len[index], wanted, &taken), 0);
        check(is_aligned(taken, expected));
        memory[index] = taken;
        fill(taken, index, len[index]);
    }
    for (int index = 0; index < COUNT; index++) {
        check_equal(memory[index][0], index);
        check_equal(memory[index][len[index] - 1], index);
        rumpuser_free(memory[index], len[index]);
    }
}

void test_malloc_of_any_alignment(void) { alignment(0, 8); }
void test_malloc_aligned_to_1(void) { alignment(1, 1); }
void test_malloc_aligned_to_16(void) { alignment(16, 16); }
void test_malloc_aligned_to_64(void) { alignment(64, 64); }
void test_malloc_aligned_to_a_page(void) { alignment(4096, 4096); }
void test_malloc_aligned_to_16_pages(void) { alignment(65536, 65536); }

void test_malloc_of_nothing(void) {
    void *memory = NULL;
    check_equal(rumpuser_malloc(0, 8, &memory), 0);
    check(memory != NULL);
    rumpuser_free(memory, 0);
}

void test_malloc_without_memory(void) {
    void *memory;
    check_equal(rumpuser_malloc((size_t)1 << 62, 0, &memory), NB_ENOMEM);
    check_equal(rumpuser_malloc(SIZE_MAX, 0, &memory), NB_ENOMEM);
    check_equal(rumpuser_malloc(SIZE_MAX / 2 - 4096, 4096, &memory), NB_ENOMEM);
}

void test_malloc_of_an_alignment_that_there_is_not(void) {
    void *memory;
    check_equal(rumpuser_malloc(16, 24, &memory), NB_EINVAL);
    check_equal(rumpuser_malloc(16, -8, &memory), NB_EINVAL);
}

void test_free_of_nothing(void) {
    rumpuser_free(NULL, 100);
}

void test_free_gives_memory_back(void) {
    for (int round = 0; round < 4000; round++) {
        void *memory;
        check_equal(rumpuser_malloc(1 << 20, 4096, &memory), 0);
        *(volatile char *)memory = 1;
        rumpuser_free(memory, 1 << 20);
    }
}

void test_anonmmap_is_zeroed_pages(void) {
    for (int round = 0; round < 3; round++) {
        void *memory = NULL;
        check_equal(rumpuser_anonmmap(NULL, 5 * 4096, 0, 0, &memory), 0);
        check(is_aligned(memory, 4096));
        const unsigned char *bytes = memory;
        for (int at = 0; at < 5 * 4096; at++)
            if (bytes[at] != 0) {
                check(bytes[at] == 0);
                break;
            }
        fill(memory, 0xff, 5 * 4096);
        rumpuser_unmap(memory, 5 * 4096);
    }
}

void test_anonmmap_aligned(void) {
    for (int bit = 12; bit < 22; bit++) {
        void *memory = NULL;
        check_equal(rumpuser_anonmmap(NULL, 4096, bit, 0, &memory), 0);
        check(is_aligned(memory, (size_t)1 << bit));
        rumpuser_unmap(memory, 4096);
    }
}

void test_anonmmap_at_a_wish(void) {
    void *memory = NULL;
    check_equal(rumpuser_anonmmap((void *)0x5000000, 4096, 0, 0, &memory), 0);
    check(memory != NULL);
    rumpuser_unmap(memory, 4096);
}

void test_anonmmap_to_execute(void) {
    void *memory;
    check_equal(rumpuser_anonmmap(NULL, 4096, 0, 1, &memory), NB_ENOTSUP);
}

void test_anonmmap_without_memory(void) {
    void *memory;
    check_equal(rumpuser_anonmmap(NULL, (size_t)1 << 62, 0, 0, &memory), NB_ENOMEM);
    check_equal(rumpuser_anonmmap(NULL, SIZE_MAX, 0, 0, &memory), NB_ENOMEM);
}

void test_anonmmap_of_an_alignment_that_there_is_not(void) {
    void *memory;
    check_equal(rumpuser_anonmmap(NULL, 4096, -1, 0, &memory), NB_EINVAL);
    check_equal(rumpuser_anonmmap(NULL, 4096, 64, 0, &memory), NB_EINVAL);
}

void test_a_page_is_4096_bytes(void) {
    check_equal(rumpuser_getpagesize(), 4096);
}
