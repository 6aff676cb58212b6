/* Writes through a null pointer, three calls deep. */
#include <stdio.h>

__attribute__((noinline)) void deepest(volatile int *p) {
    *p = 42;
    puts("not reached");
}

__attribute__((noinline)) void middle(volatile int *p) {
    deepest(p);
    puts("not reached");
}

int main(int argc, char **argv) {
    (void)argv;
    puts("about to crash");
    fflush(stdout);
    middle(argc > 99 ? &argc : (int *)0x10);
    return 0;
}
