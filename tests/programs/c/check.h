/* What the self-checking programs share: a check that says where it failed and goes on, and the verdict at the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(cond) \
    do { \
        if (!(cond)) { \
            printf("%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #cond, errno); \
            failures++; \
        } \
    } while (0)

/* A call that has to fail with an error number. */
#define FAILS(call, error) \
    do { \
        errno = 0; \
        long result_ = (long)(call); \
        if (result_ != -1 || errno != (error)) { \
            printf("%s:%d: %s gave %ld, errno %d instead of %d\n", __FILE__, __LINE__, #call, result_, errno, (error)); \
            failures++; \
        } \
    } while (0)

static inline int verdict(const char *name) {
    printf(failures ? "%s: %d failures\n" : "%s: all right\n", name, failures);
    return failures != 0;
}
