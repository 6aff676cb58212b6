/* The pretended rump kernel: one CPU, lwps, the upcalls. */
#include "suite.h"

struct note note;
int lwps;
static int failures;
static struct rumpuser_mtx *cpu_lock;
static struct rumpuser_cv *cpu_free;
static struct lwp *owner;
static struct lwp lwp0;
static int next_nlocks;
static int balance;
static int next_number;

void failed(const char *file, int line, const char *claim) {
    failures++;
    rumpuser_dprintf("%s:%d: %s does not hold\n", file, line, claim);
}

void check_equal_at(const char *file, int line, const char *what, long left, long right) {
    if (left != right) {
        failures++;
        rumpuser_dprintf("%s:%d: %s is %ld and not %ld\n", file, line, what, left, right);
    }
}

struct lwp *cpu_owner(void) {
    return owner;
}

static void cpu_take(struct lwp *lwp) {
    rumpuser_mutex_enter_nowrap(cpu_lock);
    while (owner != NULL)
        rumpuser_cv_wait_nowrap(cpu_free, cpu_lock);
    owner = lwp;
    rumpuser_mutex_exit(cpu_lock);
}

static void cpu_give(void) {
    check(owner == rumpuser_curlwp());
    rumpuser_mutex_enter_nowrap(cpu_lock);
    owner = NULL;
    rumpuser_cv_signal(cpu_free);
    rumpuser_mutex_exit(cpu_lock);
}

static struct lwp *lwp_new(int is_temporary) {
    void *memory;
    check_equal(rumpuser_malloc(sizeof(struct lwp), 0, &memory), 0);
    struct lwp *lwp = memory;
    *lwp = (struct lwp){.number = ++next_number, .is_temporary = is_temporary};
    lwps++;
    rumpuser_curlwpop(RUMPUSER_LWP_CREATE, lwp);
    return lwp;
}

static void lwp_free(struct lwp *lwp) {
    rumpuser_curlwpop(RUMPUSER_LWP_DESTROY, lwp);
    rumpuser_free(lwp, sizeof(struct lwp));
    lwps--;
}

static void hyp_schedule(void) {
    note.plain_schedules++;
    struct lwp *lwp = rumpuser_curlwp();
    if (lwp == NULL) {
        lwp = lwp_new(1);
        rumpuser_curlwpop(RUMPUSER_LWP_SET, lwp);
    }
    cpu_take(lwp);
}

static void hyp_unschedule(void) {
    note.plain_unschedules++;
    struct lwp *lwp = rumpuser_curlwp();
    cpu_give();
    if (lwp->is_temporary) {
        rumpuser_curlwpop(RUMPUSER_LWP_CLEAR, lwp);
        lwp_free(lwp);
    }
}

static void hyp_backend_unschedule(int mode, int *nlocks, void *interlock) {
    note.unschedules++;
    balance++;
    note.mode = mode;
    note.unschedule_interlock = interlock;
    struct lwp *lwp = rumpuser_curlwp();
    check(lwp != NULL);
    lwp->nlocks = *nlocks = ++next_nlocks;
    cpu_give();
}

static void hyp_backend_schedule(int nlocks, void *interlock) {
    note.schedules++;
    balance--;
    note.schedule_interlock = interlock;
    struct lwp *lwp = rumpuser_curlwp();
    check(lwp != NULL);
    check_equal(nlocks, lwp->nlocks);
    if (interlock != NULL) {
        note.interlock_held = rumpuser_mutex_tryenter(interlock) != 0;
        if (!note.interlock_held)
            rumpuser_mutex_exit(interlock);
    }
    cpu_take(lwp);
}

static void hyp_lwproc_switch(struct lwp *lwp) {
    struct lwp *old = rumpuser_curlwp();
    check(owner == old);
    rumpuser_curlwpop(RUMPUSER_LWP_CLEAR, old);
    if (old->is_temporary)
        lwp_free(old);
    rumpuser_curlwpop(RUMPUSER_LWP_SET, lwp);
    owner = lwp;
}

/* The lwp goes with the CPU; until then it is the current one. */
static void hyp_lwproc_release(void) {
    check(owner == rumpuser_curlwp());
    owner->is_temporary = 1;
}

static int hyp_lwproc_rfork(void *arg, int flags, const char *comm) {
    (void)arg, (void)flags, (void)comm;
    return NB_ENOSYS;
}

static int hyp_lwproc_newlwp(pid_t pid) {
    (void)pid;
    hyp_lwproc_switch(lwp_new(0));
    return 0;
}

static struct lwp *hyp_lwproc_curlwp(void) {
    return rumpuser_curlwp();
}

static int hyp_syscall(int number, void *args, long *retval) {
    (void)number, (void)args, (void)retval;
    return NB_ENOSYS;
}

static void hyp_lwpexit(void) {
}

static void hyp_execnotify(const char *comm) {
    (void)comm;
}

static pid_t hyp_getpid(void) {
    return 0;
}

const struct rumpuser_hyperup hyperup = {
    .hyp_schedule = hyp_schedule,
    .hyp_unschedule = hyp_unschedule,
    .hyp_backend_unschedule = hyp_backend_unschedule,
    .hyp_backend_schedule = hyp_backend_schedule,
    .hyp_lwproc_switch = hyp_lwproc_switch,
    .hyp_lwproc_release = hyp_lwproc_release,
    .hyp_lwproc_rfork = hyp_lwproc_rfork,
    .hyp_lwproc_newlwp = hyp_lwproc_newlwp,
    .hyp_lwproc_curlwp = hyp_lwproc_curlwp,
    .hyp_syscall = hyp_syscall,
    .hyp_lwpexit = hyp_lwpexit,
    .hyp_execnotify = hyp_execnotify,
    .hyp_getpid = hyp_getpid,
};

void note_begin(void) {
    fill(&note, 0, sizeof note);
}

static void *bounce(void *arg) {
    struct thread *thread = arg;
    check(rumpuser_curlwp() == NULL);
    rumpuser_curlwpop(RUMPUSER_LWP_CREATE, &thread->lwp);
    rumpuser_curlwpop(RUMPUSER_LWP_SET, &thread->lwp);
    cpu_take(&thread->lwp);
    thread->function(thread->arg);
    cpu_give();
    rumpuser_curlwpop(RUMPUSER_LWP_CLEAR, &thread->lwp);
    rumpuser_curlwpop(RUMPUSER_LWP_DESTROY, &thread->lwp);
    rumpuser_thread_exit();
}

void spawn(struct thread *thread, void (*function)(void *), void *arg) {
    *thread = (struct thread){.function = function, .arg = arg, .lwp.number = ++next_number};
    check_equal(rumpuser_thread_create(bounce, thread, "test", 1, 0, -1, &thread->cookie), 0);
}

void join(struct thread *thread) {
    check_equal(rumpuser_thread_join(thread->cookie), 0);
}

void give_way(void) {
    rumpuser_clock_sleep(RUMPUSER_CLOCK_ABSMONO, 0, 0);
}

void settle(void) {
    for (int turns = 0; turns < 50; turns++)
        give_way();
}

static int diary_length;
char diary[64];

void diary_begin(void) {
    diary_length = 0;
    diary[0] = '\0';
}

void write_down(char letter) {
    if (diary_length + 1 < (int)sizeof diary) {
        diary[diary_length++] = letter;
        diary[diary_length] = '\0';
    }
}

int diary_is(const char *text) {
    int is = same(diary, text, length(text) + 1);
    if (!is)
        rumpuser_dprintf("the diary says %s and not %s\n", diary, text);
    return is;
}

int same(const void *left, const void *right, size_t count) {
    const unsigned char *a = left, *b = right;
    for (; count > 0; count--)
        if (*a++ != *b++)
            return 0;
    return 1;
}

size_t length(const char *text) {
    size_t count = 0;
    while (text[count] != '\0')
        count++;
    return count;
}

void fill(void *memory, int byte, size_t count) {
    volatile unsigned char *at = memory;
    while (count-- > 0)
        *at++ = (unsigned char)byte;
}

/* A test that needs a partner, which somebody else sees to. */
#define W T
#define T(name) void test_##name(void);
#include "tests.h"
#ifdef POSIX
#include "posix/tests.h"
#endif
#undef T

static const struct {
    const char *name;
    void (*function)(void);
} tests[] = {
#define T(name) {#name, test_##name},
#include "tests.h"
#ifdef POSIX
#include "posix/tests.h"
#endif
#undef T
};

enum { TESTS = sizeof tests / sizeof tests[0] };

/* What rump_init(3) does before anything else, and its undoing. */
static int run(void (*test)(void)) {
    failures = 0;
    check_equal(rumpuser_init(RUMPUSER_VERSION, &hyperup), 0);
    rumpuser_mutex_init(&cpu_lock, RUMPUSER_MTX_SPIN);
    rumpuser_cv_init(&cpu_free);
    owner = NULL;
    balance = 0;
    rumpuser_curlwpop(RUMPUSER_LWP_CREATE, &lwp0);
    rumpuser_curlwpop(RUMPUSER_LWP_SET, &lwp0);
    cpu_take(&lwp0);
    note_begin();
    diary_begin();
    test();
    check(owner == &lwp0);
    check_equal(balance, 0);
    cpu_give();
    rumpuser_curlwpop(RUMPUSER_LWP_CLEAR, &lwp0);
    rumpuser_curlwpop(RUMPUSER_LWP_DESTROY, &lwp0);
    return failures;
}

int suite_run(const char *name) {
    for (int index = 0; index < TESTS; index++)
        if (same(tests[index].name, name, length(name) + 1))
            return run(tests[index].function);
    return -1;
}

int rump_init(void) {
    int wrong = 0;
    for (int index = 0; index < TESTS; index++) {
        int count = run(tests[index].function);
        if (count > 0)
            rumpuser_dprintf("rumpuser: %s: %d claims do not hold\n", tests[index].name, count);
        wrong += count > 0;
    }
    rumpuser_dprintf("rumpuser: %d of %d tests passed\n", TESTS - wrong, TESTS);
    rumpuser_exit(wrong > 0);
}

/* What an image calls after that, which is never. */
int rump_pub_lwproc_rfork(int flags) {
    (void)flags;
    return NB_ENOSYS;
}

int rump_pub_lwproc_newlwp(pid_t pid) {
    (void)pid;
    return NB_ENOSYS;
}

void rump_pub_lwproc_releaselwp(void) {
}

int rump_syscall(int number, void *arguments, size_t len, long *values) {
    (void)number, (void)arguments, (void)len, (void)values;
    return NB_ENOSYS;
}
