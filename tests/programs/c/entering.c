/* The two ways into the kernel, libc's function calls and the `syscall` instruction, while timers and other threads interrupt: what is below the
 * stack pointer is the program's, and the stack pointer may lead nowhere. With the argument `overflow`: a stack that runs into its end. */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { HANDLED = 100, THREADS = 3, ROUNDS = 20000, WORDS = 16 };

static volatile sig_atomic_t ticks;
static sigjmp_buf back;
static pid_t self;

static void tick(int sig) {
    (void)sig;
    ticks++;
}

static void jump_back(int sig) {
    (void)sig;
    siglongjmp(back, 1);
}

static long by_instruction(long number) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "rdx", "memory");
    return result;
}

/* Fills the 128 bytes below the stack pointer with a number, waits, perhaps in a system call, and looks at them again: words that changed. */
static long red_zone(uint64_t pattern, long number) {
    long changed;
    __asm__ volatile("mov $-16, %%rcx\n"
                     "1: mov %[pattern], (%%rsp,%%rcx,8)\n"
                     "inc %%rcx\n"
                     "jnz 1b\n"
                     "mov $500, %%r8\n"
                     "2: dec %%r8\n"
                     "jnz 2b\n"
                     "test %[number], %[number]\n"
                     "jz 3f\n"
                     "mov %[number], %%rax\n"
                     "syscall\n"
                     "3: xor %%eax, %%eax\n"
                     "mov $-16, %%rcx\n"
                     "4: cmp %[pattern], (%%rsp,%%rcx,8)\n"
                     "je 5f\n"
                     "inc %%rax\n"
                     "5: inc %%rcx\n"
                     "jnz 4b\n"
                     : "=&a"(changed)
                     : [pattern] "r"(pattern), [number] "r"(number)
                     : "rcx", "rdx", "r8", "r11", "cc", "memory");
    return changed;
}

static void both_ways(uint64_t pattern) {
    CHECK(getpid() == self && by_instruction(SYS_getpid) == self);
    CHECK(red_zone(pattern, 0) == 0 && red_zone(~pattern, SYS_getpid) == 0);
}

static void *work(void *arg) {
    for (int round = 0; round < ROUNDS && failures == 0; round++) {
        both_ways((uintptr_t)arg * 0x0101010101010101 + (uint64_t)round);
        if (round % 64 == 0)
            sched_yield();
    }
    return NULL;
}

/* Steps through instructions, and into the kernel, which is not stepped through. */
static void step(void) {
    long steps = ticks, called, trapped;
    __asm__ volatile("pushf\n"
                     "orl $0x100, (%%rsp)\n"
                     "popf\n"
                     "nop; nop; nop\n"
                     "mov %%rsp, %%rbx\n"
                     "and $-16, %%rsp\n"
                     "call getpid\n"
                     "mov %%rbx, %%rsp\n"
                     "mov %%rax, %[called]\n"
                     "pushf\n"
                     "orl $0x100, (%%rsp)\n"
                     "popf\n"
                     "mov %[number], %%eax\n"
                     "syscall\n"
                     "mov %%rax, %[trapped]\n"
                     "pushf\n"
                     "andl $~0x100, (%%rsp)\n"
                     "popf\n"
                     : [called] "=&r"(called), [trapped] "=&r"(trapped)
                     : [number] "i"(SYS_getpid)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
    CHECK(called == self && trapped == self && ticks >= steps + 3);
}

/* Spins until the handler has run, with a stack pointer to where nothing is; calls the kernel from there, too. */
static long nowhere(volatile sig_atomic_t *counter, sig_atomic_t until) {
    long result;
    __asm__ volatile("mov %%rsp, %%rbx\n"
                     "mov $0x1000, %%esp\n"
                     "1: cmp %[until], (%[counter])\n"
                     "jl 1b\n"
                     "mov %[number], %%eax\n"
                     "syscall\n"
                     "mov %%rbx, %%rsp\n"
                     : "=&a"(result)
                     : [counter] "r"(counter), [until] "r"(until), [number] "i"(SYS_getpid)
                     : "rbx", "rcx", "rdx", "r11", "cc", "memory");
    return result;
}

/* Calls with a stack pointer to where nothing is: there is no place for the return address. */
static void call_nowhere(void) {
    __asm__ volatile("xor %%esp, %%esp\n"
                     "call getpid\n" ::
                         : "memory");
}

static int deeper(int depth) {
    volatile char room[512];
    room[0] = (char)getpid();
    return depth == 0 ? room[0] : deeper(depth - 1) + room[0];
}

static int no_end(int depth) {
    volatile char room[512];
    room[0] = (char)depth;
    return depth < 0 ? 0 : no_end(depth + 1) + room[0];
}

int main(int argc, char **argv) {
    self = getpid();
    if (argc > 1 && strcmp(argv[1], "overflow") == 0) {
        printf("entering: about to overflow\n");
        return no_end(0);
    }
    static char stack[SIGSTKSZ * 4] __attribute__((aligned(16)));
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
    CHECK(sigaltstack(&ss, NULL) == 0);
    struct sigaction sa = {.sa_handler = tick, .sa_flags = SA_ONSTACK | SA_RESTART};
    CHECK(sigaction(SIGALRM, &sa, NULL) == 0 && sigaction(SIGTRAP, &sa, NULL) == 0);
    sa.sa_handler = jump_back;
    CHECK(sigaction(SIGSEGV, &sa, NULL) == 0 && sigaction(SIGBUS, &sa, NULL) == 0);

    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (uint64_t round = 0; ticks < HANDLED && failures == 0; round++)
        both_ways(round);

    /* Threads' stacks are fresh memory: they get their pages while timers interrupt. */
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
    (void)deeper(2000);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);

    CHECK(nowhere(&ticks, ticks + 20) == self);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    step();

    if (sigsetjmp(back, 1) == 0) {
        call_nowhere();
        CHECK(!"a call without a stack returns");
    }
    if (sigsetjmp(back, 1) == 0)
        CHECK(no_end(0) == 0 && !"a stack has no end");
    CHECK(getpid() == self);
    return verdict("entering");
}
