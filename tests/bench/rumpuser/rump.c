/* What the hypercalls of rumpuser(3) cost a rump kernel: this is one, as far as they know. linux.c is the same with pthreads. */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#define LIBRUMPUSER
#include <rump/rumpuser.h>

#define KEEP(value) __asm__ volatile("" : : "r"(value) : "memory")

enum { REPETITIONS = 7, BATCH_NS = 20000000 };

/* The rump kernel's one CPU, shared out as NetBSD's does it. */
static struct rumpuser_mtx *cpu_lock, *mutex;
static struct rumpuser_cv *cpu_free, *cond;
static int cpu_is_taken, turn;
struct lwp {
    int unused;
};
static struct lwp lwps[2];

static void cpu_take(void) {
    rumpuser_mutex_enter_nowrap(cpu_lock);
    while (cpu_is_taken)
        rumpuser_cv_wait_nowrap(cpu_free, cpu_lock);
    cpu_is_taken = 1;
    rumpuser_mutex_exit(cpu_lock);
}

static void cpu_give(void) {
    rumpuser_mutex_enter_nowrap(cpu_lock);
    cpu_is_taken = 0;
    rumpuser_cv_signal(cpu_free);
    rumpuser_mutex_exit(cpu_lock);
}

static void backend_unschedule(int mode, int *nlocks, void *interlock) {
    (void)mode, (void)interlock;
    *nlocks = 0;
    cpu_give();
}

static void backend_schedule(int nlocks, void *interlock) {
    (void)nlocks, (void)interlock;
    cpu_take();
}

static pid_t getpid_(void) {
    return 0;
}

static const struct rumpuser_hyperup hyperup = {
    .hyp_schedule = cpu_take,
    .hyp_unschedule = cpu_give,
    .hyp_backend_unschedule = backend_unschedule,
    .hyp_backend_schedule = backend_schedule,
    .hyp_getpid = getpid_,
};

static int64_t now_ns(void) {
    int64_t sec;
    long nsec;
    rumpuser_clock_gettime(RUMPUSER_CLOCK_ABSMONO, &sec, &nsec);
    return sec * 1000000000 + nsec;
}

static int64_t batch_ns(void (*run)(long), long count) {
    int64_t start = now_ns();
    run(count);
    return now_ns() - start;
}

static void measure(const char *figure, void (*run)(long)) {
    long count = 1;
    for (int64_t took = 0; (took = batch_ns(run, count)) < BATCH_NS;)
        count = took > BATCH_NS / 8 ? count * BATCH_NS / took + 1 : count * 8;
    for (int repetition = 0; repetition < REPETITIONS; repetition++) {
        int64_t hundredths = batch_ns(run, count) * 100 / count;
        rumpuser_dprintf("bench rumpuser.%s %ld.%02ld ns\n", figure, (long)(hundredths / 100), (long)(hundredths % 100));
    }
}

static void enter_and_exit(long count) {
    while (count-- > 0) {
        rumpuser_mutex_enter(mutex);
        KEEP(mutex);
        rumpuser_mutex_exit(mutex);
    }
}

static void take_turns(int whose, long count) {
    rumpuser_mutex_enter(mutex);
    while (count-- > 0) {
        while (turn != whose)
            rumpuser_cv_wait(cond, mutex);
        turn = !whose;
        rumpuser_cv_signal(cond);
    }
    rumpuser_mutex_exit(mutex);
}

static void yield(long count) {
    while (count-- > 0)
        rumpuser_clock_sleep(RUMPUSER_CLOCK_ABSMONO, 0, 0);
}

static void *other(void (*function)(long), long count) {
    rumpuser_curlwpop(RUMPUSER_LWP_SET, &lwps[1]);
    cpu_take();
    function(count);
    cpu_give();
    rumpuser_curlwpop(RUMPUSER_LWP_CLEAR, &lwps[1]);
    rumpuser_thread_exit();
}

static void other_turn(long count) {
    take_turns(1, count);
}

static void *turns(void *count) {
    return other(other_turn, (long)count);
}

static void *yields(void *count) {
    return other(yield, (long)count);
}

static void hand_over(long count) {
    void *thread;
    rumpuser_thread_create(turns, (void *)count, "turns", 1, 0, -1, &thread);
    take_turns(0, count);
    rumpuser_thread_join(thread);
}

static void thread_switch(long count) {
    void *thread;
    rumpuser_thread_create(yields, (void *)(count / 2), "yields", 1, 0, -1, &thread);
    yield(count / 2);
    rumpuser_thread_join(thread);
}

static void allocate(long count, size_t size) {
    while (count-- > 0) {
        void *memory;
        rumpuser_malloc(size, 8, &memory);
        KEEP(memory);
        rumpuser_free(memory, size);
    }
}

static void malloc_64(long count) {
    allocate(count, 64);
}

static void malloc_4096(long count) {
    allocate(count, 4096);
}

int rump_init(void);
int rump_init(void) {
    if (rumpuser_init(RUMPUSER_VERSION, &hyperup) != 0)
        return 1;
    rumpuser_mutex_init(&cpu_lock, RUMPUSER_MTX_SPIN);
    rumpuser_cv_init(&cpu_free);
    rumpuser_mutex_init(&mutex, RUMPUSER_MTX_KMUTEX);
    rumpuser_cv_init(&cond);
    rumpuser_curlwpop(RUMPUSER_LWP_SET, &lwps[0]);
    cpu_take();
    measure("mutex", enter_and_exit);
    measure("hand_over", hand_over);
    measure("thread_switch", thread_switch);
    measure("malloc_64", malloc_64);
    measure("malloc_4096", malloc_4096);
    rumpuser_exit(0);
}

/* What an image calls after that, which is never. */
int rump_pub_lwproc_rfork(int);
int rump_pub_lwproc_newlwp(pid_t);
void rump_pub_lwproc_releaselwp(void);
int rump_syscall(int, void *, size_t, long *);

int rump_pub_lwproc_rfork(int flags) {
    return flags;
}

int rump_pub_lwproc_newlwp(pid_t pid) {
    return pid;
}

void rump_pub_lwproc_releaselwp(void) {
}

int rump_syscall(int number, void *arguments, size_t len, long *values) {
    (void)arguments, (void)len, (void)values;
    return number;
}
