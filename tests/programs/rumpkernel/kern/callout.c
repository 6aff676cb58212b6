/* Timers, and a device that ticks. */
#include "../rk.h"

enum { TICK_NS = 20000000 };

static struct rumpuser_mtx *mutex;
static struct rumpuser_cv *changed, *ticked;
static struct rk_callout *first;
static struct rk_callout tick;
static int ticks;

int64_t rk_now_ns(void) {
    int64_t s;
    long ns;
    rk_assert(rumpuser_clock_gettime(RUMPUSER_CLOCK_ABSMONO, &s, &ns) == 0);
    return s * 1000000000 + ns;
}

void rk_callout_schedule(struct rk_callout *callout, int64_t after_ns) {
    callout->due_ns = rk_now_ns() + after_ns;
    rumpuser_mutex_enter(mutex);
    struct rk_callout **at = &first;
    while (*at != NULL && (*at)->due_ns <= callout->due_ns)
        at = &(*at)->next;
    callout->next = *at;
    *at = callout;
    rumpuser_cv_signal(changed);
    rumpuser_mutex_exit(mutex);
}

static void *clock_thread(void *arg) {
    rk_assert(rk_calls == 1000);
    rk_schedule();
    rumpuser_mutex_enter(mutex);
    for (;;) {
        struct rk_callout *next = first;
        int64_t rest = next == NULL ? 0 : next->due_ns - rk_now_ns();
        if (next == NULL) {
            rumpuser_cv_wait(changed, mutex);
        } else if (rest > 0) {
            int error = rumpuser_cv_timedwait(changed, mutex, rest / 1000000000, rest % 1000000000);
            rk_assert(error == 0 || error == ETIMEDOUT);
        } else {
            first = next->next;
            rumpuser_mutex_exit(mutex);
            next->function(next->arg);
            rumpuser_mutex_enter(mutex);
        }
    }
}

static void on_tick(void *arg) {
    rumpuser_mutex_enter(mutex);
    ticks++;
    rk_events++;
    rumpuser_cv_broadcast(ticked);
    rumpuser_mutex_exit(mutex);
    rk_callout_schedule(&tick, TICK_NS);
}

void rk_callout_start(void) {
    rumpuser_mutex_init(&mutex, RUMPUSER_MTX_KMUTEX);
    rumpuser_cv_init(&changed);
    rumpuser_cv_init(&ticked);
    rk_assert(rumpuser_thread_create(clock_thread, NULL, "callout", 0, 0, -1, NULL) == 0);
    tick.function = on_tick;
    rk_callout_schedule(&tick, TICK_NS);
}

/* Waits for the next tick; gives their number. */
static int tick_read(struct rk_file *file, void *data, size_t len, size_t *done) {
    if (len < sizeof(int))
        return EINVAL;
    rumpuser_mutex_enter(mutex);
    int seen = ticks;
    while (ticks == seen)
        rumpuser_cv_wait(ticked, mutex);
    *(int *)data = ticks;
    rumpuser_mutex_exit(mutex);
    *done = sizeof(int);
    return 0;
}

/* Raises the signal whose number is written. */
static int tick_write(struct rk_file *file, const void *data, size_t len, size_t *done) {
    if (len != sizeof(int))
        return EINVAL;
    *done = len;
    return rumpuser_kill(RUMPUSER_PID_SELF, *(const int *)data);
}

static const struct rk_ops tick_ops = {tick_read, tick_write};
static struct rk_device tick_device = {.name = "/dev/tick", .ops = &tick_ops};

__attribute__((constructor)) static void load(void) {
    rump_component_load(&tick_device);
}
