/* Prints one line: what booting, sizes and the least memory are measured with. */
#include <stdio.h>

int main(void) {
    puts("hello");
    return 0;
}
