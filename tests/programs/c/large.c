/* A large image: its data, all of it in the file, and as much that begins as zeros. */
#include "check.h"

enum { SIZE = 12 << 20, PAGE = 4096 };

static char data[SIZE] = {1}, zeros[SIZE];

int main(void) {
    long sum = 0;
    for (int at = 0; at < SIZE; at += PAGE)
        sum += ((volatile char *)data)[at] + ((volatile char *)zeros)[at];
    CHECK(sum == 1);
    return verdict("large");
}
