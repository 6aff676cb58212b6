/*
 * copyout(9), under the name that a rump kernel's build gives it: for the kernel's own process a copy, which does not look where to. In a file of its own, as
 * there, or the compiler would know what it returns.
 */
#include "../rk.h"

int rumpns_copyout(const void *from, void *to, size_t len) {
    for (size_t at = 0; at < len; at++)
        ((volatile char *)to)[at] = ((const char *)from)[at];
    return 0;
}
