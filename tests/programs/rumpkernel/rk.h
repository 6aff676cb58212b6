/*
 * A small rump kernel of the tests' own, with the parts that NetBSD's has: kernel threads, timers, link sets, constructors, thread-local storage, a
 * block device by rumpuser_bio, an interface by rumpcomp_virt_*. The names that others see are NetBSD's, the others begin with rk_.
 */
#ifndef RK_H
#define RK_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

/* Of NetBSD's sys/cdefs.h, for other compilers. */
#ifndef __dead
#define __dead __attribute__((__noreturn__))
#endif
#ifndef __printflike
#define __printflike(format, first) __attribute__((__format__(__printf__, format, first)))
#endif
#define LIBRUMPUSER
#include <rump/rumpuser.h>

/* NetBSD's error numbers, whatever host this is compiled on. */
enum {
    ENOENT = 2,
    EIO = 5,
    ENXIO = 6,
    EBADF = 9,
    EEXIST = 17,
    ENODEV = 19,
    EINVAL = 22,
    ENOTTY = 25,
    EMFILE = 24,
    ETIMEDOUT = 60,
    EPROGMISMATCH = 75,
    ENOSYS = 78
};

struct lwp {
    int pid, lid, is_temporary;
};

/* The current lwp, as RUMP_CURLWP___THREAD keeps it; rumpuser_curlwp says the same. */
extern __thread struct lwp *rk_curlwp;
/* How many calls the thread has made; it begins with what it is initialised to. */
extern __thread long rk_calls;

#define rk_assert(e) ((e) ? (void)0 : rk_panic(__FILE__, __LINE__, #e))
void rk_panic(const char *file, int line, const char *what) __attribute__((noreturn));

/* The one CPU. */
void rk_schedule(void);
void rk_unschedule(void);
extern const struct rumpuser_hyperup rk_hyperup;

/* An open file. The functions return an error number. */
struct rk_file {
    const struct rk_ops *ops;
    int references;
    int64_t offset;
    void *data;
};
struct rk_ops {
    int (*read)(struct rk_file *, void *, size_t, size_t *);
    int (*write)(struct rk_file *, const void *, size_t, size_t *);
};
int rk_fdalloc(const struct rk_ops *ops, void *data, int *fdp);

/* Devices register themselves: by a constructor, by a link set of which rumpuser_dl_bootstrap tells ... */
struct rk_device {
    const char *name;
    const struct rk_ops *ops;
    int (*attach)(void);
    struct rk_device *next;
    int is_there;
    /* What its files have; itself, if this is null. */
    void *data;
};
void rump_component_load(struct rk_device *device);
#define RK_COMPONENT(device) \
    static struct rk_device *const device##_entry __attribute__((used, section("link_set_rump_components"))) = &device
/* ... or come later. */
void rk_files_add(struct rk_device *device);
struct rk_device *rk_device_of(const char *name);
/* Makes a file of the host's a device; of this there is a library of its own. */
int rk_etfs_find(const char *name);

/* Files in memory, and file systems (memory.c). */
int rk_create(const char *name, const struct rk_ops **opsp, void **datap);
int rk_mkdir(const char *name);
int rk_mount(const char *kind, const char *directory, const void *args, size_t len);
/* The calls of the network; what takes its place where that library is not there does not know them. */
int rk_net_call(int number, const long *args, long *values);
/* ... and modules by a link set. */
struct rk_module {
    const char *name;
    int weight;
};
#define RK_MODULE(module) \
    static const struct rk_module *const module##_entry __attribute__((used, section("link_set_modules"))) = &module

/* Timers: `function` is called by a kernel thread, once. */
struct rk_callout {
    struct rk_callout *next;
    int64_t due_ns;
    void (*function)(void *);
    void *arg;
};
void rk_callout_start(void);
void rk_callout_schedule(struct rk_callout *callout, int64_t after_ns);
int64_t rk_now_ns(void);

void *rk_alloc(size_t size);
void rk_move(void *to, const void *from, size_t len);
int rk_same(const char *a, const char *b);
char *rk_copy(const char *string);

/* Several objects have these, and the kernel one copy: a common symbol, and a function in a section group. */
int rk_events;
int rk_shared_answer(void);
__asm__(".pushsection .text.rk_shared_answer,\"axG\",@progbits,rk_shared_answer,comdat\n"
        ".weak rk_shared_answer\n.type rk_shared_answer,@function\n"
        "rk_shared_answer:\nmovl $42,%eax\nret\n.size rk_shared_answer,.-rk_shared_answer\n.popsection");

#endif
