/* kevent(2) as NetBSD 10's libc has it. The headers at hand name a later version, which its library does not define. */
#include <stdint.h>
#include <sys/event.h>
#include <time.h>

struct kevent50 {
    uintptr_t ident;
    uint32_t filter, flags, fflags;
    int64_t data;
    void *udata;
};

int kevent50(int, const struct kevent50 *, size_t, struct kevent50 *, size_t, const struct timespec *) __asm__("__kevent50");

#define EV_SET50(event, id, filt, flag, fflag, dat, user) \
    (*(event) = (struct kevent50){.ident = (uintptr_t)(id), .filter = (filt), .flags = (flag), .fflags = (fflag), .data = (dat), .udata = (void *)(user)})
