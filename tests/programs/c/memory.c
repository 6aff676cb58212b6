/* mmap(2), munmap(2), mprotect(2), madvise(2), mremap(2), minherit(2), brk: what they map, refuse and protect. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile sig_atomic_t code;
static void *volatile where;

static void on_fault(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)context;
    code = info->si_code;
    where = info->si_addr;
    siglongjmp(back, 1);
}

static int faults(volatile char *p, int write) {
    if (sigsetjmp(back, 1))
        return where == (void *)p;
    if (write)
        *p = 1;
    else
        (void)*p;
    return 0;
}

int main(void) {
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSEGV, &sa, NULL) == 0 && sigaction(SIGBUS, &sa, NULL) == 0);
    long page = sysconf(_SC_PAGESIZE);
    CHECK(page == 4096);

    char *p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    CHECK(p != MAP_FAILED);
    for (long i = 0; i < 4 * page; i++)
        if (p[i]) {
            CHECK(!"fresh memory is zero");
            break;
        }
    memset(p, 7, 4 * page);
    CHECK(mprotect(p + page, page, PROT_READ) == 0);
    CHECK(p[page] == 7 && faults(p + page, 1) && code == SEGV_ACCERR);
    CHECK(mprotect(p + page, page, PROT_NONE) == 0 && faults(p + page, 0) && code == SEGV_ACCERR);
    CHECK(mprotect(p + page, page, PROT_READ | PROT_WRITE) == 0 && p[page] == 7);
    CHECK(munmap(p + 2 * page, page) == 0 && faults(p + 2 * page, 0) && code == SEGV_MAPERR);
    CHECK(p[3 * page] == 7 && p[0] == 7);
    char *again = mmap(p + 2 * page, page, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0);
    CHECK(again == p + 2 * page && again[0] == 0);
    CHECK(madvise(p, page, MADV_DONTNEED) == 0);
    CHECK(munmap(p, 4 * page) == 0);

    /* A reservation of a terabyte costs nothing until parts of it are used. */
    size_t huge = (size_t)1 << 40;
    char *r = mmap(NULL, huge, PROT_NONE, MAP_ANON | MAP_PRIVATE, -1, 0);
    CHECK(r != MAP_FAILED && faults(r + huge / 2, 0));
    CHECK(mprotect(r + huge / 2, page, PROT_READ | PROT_WRITE) == 0);
    r[huge / 2] = 1;
    CHECK(munmap(r, huge) == 0);

    /* Nothing may be written and executed at once unless asked for; code can be made. */
    unsigned char *c = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    memcpy(c, "\xb8\x2a\x00\x00\x00\xc3", 6); /* mov eax, 42; ret */
    CHECK(mprotect(c, page, PROT_READ | PROT_EXEC) == 0);
    CHECK(((int (*)(void))(uintptr_t)c)() == 42 && faults((char *)c, 1));

    FAILS(mmap(NULL, 0, PROT_READ, MAP_ANON | MAP_PRIVATE, -1, 0), EINVAL);
    FAILS(mmap((void *)1, page, PROT_READ, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0), EINVAL);
    FAILS(munmap((void *)1, page), EINVAL);
    FAILS(mprotect((void *)(page * 1000), page, PROT_READ | 0x100), EINVAL);
    CHECK(faults((char *)8, 0) && faults((char *)-8, 1));

    char *grown = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    grown[0] = 5;
    grown = mremap(grown, page, NULL, 8 * page, 0);
    CHECK(grown != MAP_FAILED && grown[0] == 5 && grown[7 * page] == 0);

    /* The heap, in sizes that cross every border between size classes. */
    enum { N = 2000 };
    static char *blocks[N];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            size_t size = (size_t)(i * 37 % 9000) + 1;
            blocks[i] = malloc(size);
            CHECK(blocks[i] && (uintptr_t)blocks[i] % 16 == 0);
            memset(blocks[i], i, size);
        }
        for (int i = 0; i < N; i++) {
            size_t size = (size_t)(i * 37 % 9000) + 1;
            if (blocks[i][0] != (char)i || blocks[i][size - 1] != (char)i) {
                CHECK(!"blocks do not overlap");
                break;
            }
            free(blocks[i]);
        }
    }
    char *big = malloc((size_t)64 << 20);
    CHECK(big != NULL);
    free(big);
    volatile size_t too_much = SIZE_MAX / 2;
    void *volatile none = malloc(too_much);
    CHECK(none == NULL && errno == ENOMEM);
    none = calloc(too_much, 4);
    CHECK(none == NULL && errno == ENOMEM);
    void *aligned = NULL;
    CHECK(posix_memalign(&aligned, 4096, 100) == 0 && (uintptr_t)aligned % 4096 == 0);
    free(aligned);
    return verdict("memory");
}
