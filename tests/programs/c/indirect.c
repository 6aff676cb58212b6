/* syscall(2) and __syscall(2): the arguments after the fifth are on the stack, and only calls that have them may look there. */
#include "check.h"
#include <fcntl.h>
#include <lwp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>



enum { PAGE = 4096 };

static volatile long answer = -1;

/* Runs with the last word of a stack above itself, and after that nothing. */
static void at_the_end(void *arg) {
    answer = syscall(SYS_getpid);
    (void)arg;
    _lwp_exit();
}

static void a_stack_that_ends(void) {
    char *area = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    CHECK(area != MAP_FAILED);
    CHECK(mprotect(area + 2 * PAGE, PAGE, PROT_NONE) == 0);
    ucontext_t uc;
    memset(&uc, 0, sizeof uc);
    _lwp_makecontext(&uc, at_the_end, NULL, NULL, area, 2 * PAGE);
    lwpid_t lid;
    CHECK(_lwp_create(&uc, 0, &lid) == 0);
    CHECK(_lwp_wait(lid, NULL) == 0);
    CHECK(answer == getpid());
}

int main(void) {
    int fd = open("/tmp/indirect", O_CREAT | O_RDWR, 0600);
    CHECK(fd >= 0);
    char block[PAGE];
    for (int i = 0; i < 3; i++) {
        memset(block, 'a' + i, sizeof block);
        CHECK(write(fd, block, sizeof block) == sizeof block);
    }
    /* Five arguments, the last one in the last register. */
    CHECK(syscall(SYS_pread, fd, block, (size_t)1, 0, (off_t)PAGE) == 1 && block[0] == 'b');
    /* Seven arguments: the sixth is a filler, the seventh the offset. */
    char *mapped = (char *)__syscall(SYS_mmap, (void *)NULL, (size_t)PAGE, PROT_READ, MAP_SHARED, fd, (long)0, (off_t)2 * PAGE);
    CHECK(mapped != MAP_FAILED && mapped[0] == 'c' && mapped[PAGE - 1] == 'c');
    a_stack_that_ends();
    return verdict("indirect");
}
