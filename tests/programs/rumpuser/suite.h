/*
 * The conformance suite of rumpuser(3): a component that plays the rump kernel and asks each hypercall for what the manual promises.
 *
 * It is plain C against NetBSD's rump/rumpuser.h. kernel.c has the one CPU of the pretended rump kernel, its lwps and the upcalls,
 * which note what they were called with; the other files have the tests, which tests.h lists.
 */
#ifndef SUITE_H
#define SUITE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef __dead
#define __dead __attribute__((__noreturn__))
#endif
#ifndef __printflike
#define __printflike(format, first) __attribute__((__format__(__printf__, format, first)))
#endif
#ifndef LIBRUMPUSER
#define LIBRUMPUSER
#endif
#include <rump/rumpuser.h>

/* rumpuser_component.h and virtif's and the bus' private headers are not among the published ones. */
void *rumpuser_component_unschedule(void);
void rumpuser_component_schedule(void *);
void rumpuser_component_kthread(void);
void rumpuser_component_kthread_release(void);
struct lwp *rumpuser_component_curlwp(void);
void rumpuser_component_switchlwp(struct lwp *);
int rumpuser_component_errtrans(int);
struct rumpcomp_pci_dmaseg {
    unsigned long ds_pa, ds_len, ds_vacookie;
};
void *rumpcomp_pci_map(unsigned long, unsigned long);
int rumpcomp_pci_confread(unsigned, unsigned, unsigned, int, unsigned *);
int rumpcomp_pci_confwrite(unsigned, unsigned, unsigned, int, unsigned);
int rumpcomp_pci_irq_map(unsigned, unsigned, unsigned, int, unsigned);
void *rumpcomp_pci_irq_establish(unsigned, int (*)(void *), void *);
int rumpcomp_pci_dmalloc(size_t, size_t, unsigned long *, unsigned long *);
void rumpcomp_pci_dmafree(unsigned long, size_t);
int rumpcomp_pci_dmamem_map(struct rumpcomp_pci_dmaseg *, size_t, size_t, void **);
unsigned long rumpcomp_pci_virt_to_mach(void *);
int rumpcomp_pci_iospace_init(void);
struct virtif_sc;
struct virtif_user;
int rumpcomp_virt_create(const char *, struct virtif_sc *, uint8_t *, struct virtif_user **);
int rumpcomp_virt_dying(struct virtif_user *);
void rumpcomp_virt_destroy(struct virtif_user *);
void rumpcomp_virt_send(struct virtif_user *, struct rumpuser_iovec *, size_t);
void rump_virtif_virt_deliverpkt(struct virtif_sc *, struct rumpuser_iovec *, size_t);

/* What only a host process serves: posix/ has its tests, which an image is not asked. */
struct sockaddr;
struct msghdr;
struct pollfd;
int rumpcomp_shmif_mmap(int, size_t, void **);
int rumpcomp_shmif_watchsetup(int *, int);
int rumpcomp_shmif_watchwait(int);
int rumpcomp_sockin_socket(int, int, int, int *);
int rumpcomp_sockin_sendmsg(int, const struct msghdr *, int, size_t *);
int rumpcomp_sockin_recvmsg(int, struct msghdr *, int, size_t *);
int rumpcomp_sockin_connect(int, const struct sockaddr *, int);
int rumpcomp_sockin_bind(int, const struct sockaddr *, int);
int rumpcomp_sockin_accept(int, struct sockaddr *, int *, int *);
int rumpcomp_sockin_listen(int, int);
int rumpcomp_sockin_getname(int, struct sockaddr *, int *, int);
int rumpcomp_sockin_setsockopt(int, int, int, const void *, int);
int rumpcomp_sockin_poll(struct pollfd *, int, int, int *);

/* NetBSD's error numbers, whatever the compiler's own headers say. */
enum {
    NB_ENOENT = 2, NB_ENXIO = 6, NB_E2BIG = 7, NB_EBADF = 9, NB_ENOMEM = 12, NB_EBUSY = 16, NB_EEXIST = 17, NB_EISDIR = 21,
    NB_EINVAL = 22, NB_ENOSPC = 28, NB_EAGAIN = 35, NB_ENOTSOCK = 38, NB_EDESTADDRREQ = 39, NB_EMSGSIZE = 40, NB_ENOPROTOOPT = 42,
    NB_EOPNOTSUPP = 45, NB_EAFNOSUPPORT = 47, NB_EADDRINUSE = 48, NB_EISCONN = 56, NB_ENOTCONN = 57, NB_ETIMEDOUT = 60,
    NB_ECONNREFUSED = 61, NB_ENOSYS = 78, NB_ENOTSUP = 86
};

/* A test's claim. It goes on after one that does not hold. */
#define check(claim) ((claim) ? (void)0 : failed(__FILE__, __LINE__, #claim))
#define check_equal(left, right) check_equal_at(__FILE__, __LINE__, #left, (long)(left), (long)(right))
/* Lets the others run until it holds. */
#define until(condition) \
    do { \
        for (int tries = 0; !(condition) && tries < 100000; tries++) \
            give_way(); \
        check(condition); \
    } while (0)

void failed(const char *file, int line, const char *claim);
void check_equal_at(const char *file, int line, const char *what, long left, long right);

struct lwp {
    int number;
    int is_temporary;
    /* What hyp_backend_unschedule said, to be told again. */
    int nlocks;
};

/* What the upcalls were called with since note_begin. */
struct note {
    int unschedules, schedules;
    int mode;
    void *unschedule_interlock, *schedule_interlock;
    /* Whether the interlock was held when the CPU was asked for again. */
    int interlock_held;
    int plain_schedules, plain_unschedules;
};
extern struct note note;
void note_begin(void);

/* The lwp that has the CPU. */
struct lwp *cpu_owner(void);
extern int lwps;

/* A thread with an lwp that holds the CPU while it runs `function`. */
struct thread {
    void (*function)(void *);
    void *arg;
    void *cookie;
    struct lwp lwp;
};
void spawn(struct thread *, void (*function)(void *), void *arg);
void join(struct thread *);
/* Gives the CPU up once, without waiting for anything. */
void give_way(void);
/* Lets all others run until they wait. */
void settle(void);

/* A diary, for orders. */
extern char diary[];
void diary_begin(void);
void write_down(char);
int diary_is(const char *);

int same(const void *, const void *, size_t);
size_t length(const char *);
void fill(void *, int, size_t);

/* Sets the pretended kernel up on the calling thread, and runs one test; returns how many claims did not hold. */
int suite_run(const char *name);
/* rump_init(3): runs all of them, says so on the console, and ends the image: with 0 if every claim held. */
int rump_init(void);
int rump_pub_lwproc_rfork(int flags);
int rump_pub_lwproc_newlwp(pid_t pid);
void rump_pub_lwproc_releaselwp(void);
int rump_syscall(int number, void *arguments, size_t len, long *values);

#endif
