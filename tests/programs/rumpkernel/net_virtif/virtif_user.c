/*
 * What a library that was built for a host with a libc has beside the component's own objects: the component's part on that host. It is
 * left out of an image, or its symbols would be missing and others be there twice.
 */
#include "../rk.h"

struct virtif_sc;
struct virtif_user;
int pthread_create(void *, const void *, void *(*)(void *), void *);
int host_open(const char *, int);
void host_write(const void *, size_t);

int rumpcomp_virt_create(const char *name, struct virtif_sc *sc, uint8_t *address, struct virtif_user **virtifp) {
    (void)sc, (void)address, (void)virtifp;
    return host_open(name, 2) < 0 || pthread_create(NULL, NULL, NULL, NULL);
}

void rumpcomp_virt_send(struct virtif_user *virtif, struct rumpuser_iovec *iov, size_t count) {
    (void)virtif;
    for (size_t n = 0; n < count; n++)
        host_write(iov[n].iov_base, iov[n].iov_len);
}

void rumpcomp_virt_dying(struct virtif_user *virtif) {
    (void)virtif;
}

void rumpcomp_virt_destroy(struct virtif_user *virtif) {
    (void)virtif;
}
