/* The CPU and who has it. */
#include "../rk.h"

static struct rumpuser_mtx *cpu_mutex;
static struct rumpuser_cv *cpu_free;
static struct lwp *cpu_owner;
static int next_lid = 1, next_pid = 1;

__thread struct lwp *rk_curlwp;
__thread long rk_calls = 1000;

void rk_sched_init(void) {
    rumpuser_mutex_init(&cpu_mutex, RUMPUSER_MTX_SPIN);
    rumpuser_cv_init(&cpu_free);
}

static void set_curlwp(struct lwp *l) {
    if (rk_curlwp != NULL)
        rumpuser_curlwpop(RUMPUSER_LWP_CLEAR, rk_curlwp);
    if (l != NULL)
        rumpuser_curlwpop(RUMPUSER_LWP_SET, l);
    rk_curlwp = l;
}

static struct lwp *new_lwp(int pid) {
    struct lwp *l = rk_alloc(sizeof(*l));
    l->pid = pid;
    l->lid = next_lid++;
    rumpuser_curlwpop(RUMPUSER_LWP_CREATE, l);
    return l;
}

static void take_cpu(void) {
    rumpuser_mutex_enter_nowrap(cpu_mutex);
    while (cpu_owner != NULL)
        rumpuser_cv_wait_nowrap(cpu_free, cpu_mutex);
    cpu_owner = rk_curlwp;
    rumpuser_mutex_exit(cpu_mutex);
}

static void give_cpu(void) {
    rumpuser_mutex_enter_nowrap(cpu_mutex);
    rk_assert(cpu_owner == rk_curlwp);
    cpu_owner = NULL;
    rumpuser_cv_signal(cpu_free);
    rumpuser_mutex_exit(cpu_mutex);
}

static void drop_lwp(struct lwp *l) {
    rumpuser_curlwpop(RUMPUSER_LWP_DESTROY, l);
    rumpuser_free(l, sizeof(*l));
}

void rk_schedule(void) {
    rk_assert(rk_curlwp == rumpuser_curlwp());
    if (rk_curlwp == NULL) {
        set_curlwp(new_lwp(1));
        rk_curlwp->is_temporary = 1;
    }
    take_cpu();
}

void rk_unschedule(void) {
    struct lwp *l = rk_curlwp;
    give_cpu();
    if (l->is_temporary) {
        set_curlwp(NULL);
        drop_lwp(l);
    }
}

static void backend_unschedule(int nlocks, int *countp, void *interlock) {
    *countp = 0;
    give_cpu();
}

static void backend_schedule(int nlocks, void *interlock) {
    take_cpu();
}

/* With the CPU, from one lwp to another. */
static void lwproc_switch(struct lwp *l) {
    struct lwp *old = rk_curlwp;
    set_curlwp(NULL);
    set_curlwp(l);
    cpu_owner = l;
    if (old->is_temporary)
        drop_lwp(old);
}

static int lwproc_newlwp(pid_t pid) {
    lwproc_switch(new_lwp(pid));
    return 0;
}

static void lwproc_release(void) {
    struct lwp *l = rk_curlwp;
    rk_assert(!l->is_temporary);
    l->is_temporary = 1;
}

static int lwproc_rfork(void *client, int flags, const char *name) {
    return lwproc_newlwp(++next_pid);
}

static struct lwp *lwproc_curlwp(void) {
    return rk_curlwp;
}

static pid_t getpid_of_curlwp(void) {
    return rk_curlwp->pid;
}

const struct rumpuser_hyperup rk_hyperup = {
    .hyp_schedule = rk_schedule,
    .hyp_unschedule = rk_unschedule,
    .hyp_backend_unschedule = backend_unschedule,
    .hyp_backend_schedule = backend_schedule,
    .hyp_lwproc_switch = lwproc_switch,
    .hyp_lwproc_release = lwproc_release,
    .hyp_lwproc_rfork = lwproc_rfork,
    .hyp_lwproc_newlwp = lwproc_newlwp,
    .hyp_lwproc_curlwp = lwproc_curlwp,
    .hyp_getpid = getpid_of_curlwp,
};

int rump_pub_lwproc_rfork(int flags) {
    rk_schedule();
    int error = lwproc_rfork(NULL, flags, NULL);
    rk_unschedule();
    return error;
}

int rump_pub_lwproc_newlwp(pid_t pid) {
    rk_schedule();
    int error = lwproc_newlwp(pid);
    rk_unschedule();
    return error;
}

void rump_pub_lwproc_releaselwp(void) {
    rk_schedule();
    lwproc_release();
    rk_unschedule();
}
