/* rumpuser_thread_create, rumpuser_thread_exit, rumpuser_thread_join, rumpuser_curlwp, rumpuser_curlwpop, __thread. */
#include "suite.h"

static int runs;

static void count(void *arg) {
    runs += *(int *)arg;
}

void test_thread_runs_its_function(void) {
    struct thread thread;
    int more = 7;
    runs = 0;
    spawn(&thread, count, &more);
    join(&thread);
    check_equal(runs, 7);
}

static void say(void *letter) {
    write_down(*(char *)letter);
}

void test_threads_begin_in_order(void) {
    struct thread threads[4];
    for (int index = 0; index < 4; index++)
        spawn(&threads[index], say, &"abcd"[index]);
    check(diary_is(""));
    for (int index = 0; index < 4; index++)
        join(&threads[index]);
    check(diary_is("abcd"));
}

void test_join_waits_without_the_cpu(void) {
    struct thread thread;
    spawn(&thread, say, "a");
    note_begin();
    join(&thread);
    check(diary_is("a"));
    check_equal(note.unschedules, 1);
    check_equal(note.schedules, 1);
    check(note.unschedule_interlock == NULL && note.schedule_interlock == NULL);
}

void test_join_of_a_thread_that_has_ended(void) {
    struct thread thread;
    spawn(&thread, say, "a");
    settle();
    check(diary_is("a"));
    join(&thread);
}

void test_join_of_nothing(void) {
    check_equal(rumpuser_thread_join(NULL), NB_EINVAL);
}

static volatile int alone_has_run;

static void *alone(void *arg) {
    check(rumpuser_curlwp() == NULL);
    alone_has_run = *(int *)arg;
    rumpuser_thread_exit();
}

void test_thread_that_nobody_joins(void) {
    static int nine = 9;
    void *cookie = &nine;
    alone_has_run = 0;
    check_equal(rumpuser_thread_create(alone, &nine, NULL, 0, 0, -1, &cookie), 0);
    check(cookie == &nine);
    until(alone_has_run == 9);
}

static void *returns(void *arg) {
    *(volatile int *)arg = 1;
    return NULL;
}

void test_thread_whose_function_returns(void) {
    volatile int has_run = 0;
    void *cookie;
    check_equal(rumpuser_thread_create(returns, (void *)&has_run, "returns", 1, 0, -1, &cookie), 0);
    check_equal(rumpuser_thread_join(cookie), 0);
    check_equal(has_run, 1);
}

void test_threads_of_any_priority_and_cpu(void) {
    for (int priority = -1; priority < 200; priority += 50) {
        volatile int has_run = 0;
        void *cookie;
        check_equal(rumpuser_thread_create(returns, (void *)&has_run, "prio", 1, priority, 0, &cookie), 0);
        check_equal(rumpuser_thread_join(cookie), 0);
        check_equal(has_run, 1);
    }
}

void test_many_threads_come_and_go(void) {
    int one = 1;
    runs = 0;
    for (int round = 0; round < 20; round++) {
        struct thread threads[20];
        for (int index = 0; index < 20; index++)
            spawn(&threads[index], count, &one);
        for (int index = 0; index < 20; index++)
            join(&threads[index]);
    }
    check_equal(runs, 400);
}

static void find_lwp(void *arg) {
    struct thread *self = arg;
    check(rumpuser_curlwp() == &self->lwp);
    give_way();
    check(rumpuser_curlwp() == &self->lwp);
}

void test_each_thread_has_its_lwp(void) {
    struct thread threads[3];
    struct lwp *mine = rumpuser_curlwp();
    for (int index = 0; index < 3; index++)
        spawn(&threads[index], find_lwp, &threads[index]);
    for (int index = 0; index < 3; index++)
        join(&threads[index]);
    check(rumpuser_curlwp() == mine);
}

void test_lwp_is_kept_without_the_cpu(void) {
    struct lwp *mine = rumpuser_curlwp();
    void *cookie = rumpuser_component_unschedule();
    check(rumpuser_curlwp() == mine);
    rumpuser_component_schedule(cookie);
    check(rumpuser_curlwp() == mine);
}

void test_create_and_destroy_do_not_change_the_current_lwp(void) {
    struct lwp other = {.number = 1}, *mine = rumpuser_curlwp();
    rumpuser_curlwpop(RUMPUSER_LWP_CREATE, &other);
    check(rumpuser_curlwp() == mine);
    rumpuser_curlwpop(RUMPUSER_LWP_DESTROY, &other);
    check(rumpuser_curlwp() == mine);
}

void test_clear_leaves_no_lwp(void) {
    struct lwp *mine = rumpuser_curlwp();
    rumpuser_curlwpop(RUMPUSER_LWP_CLEAR, mine);
    check(rumpuser_curlwp() == NULL);
    rumpuser_curlwpop(RUMPUSER_LWP_SET, mine);
    check(rumpuser_curlwp() == mine);
}

static __thread long initialised = 0x1122334455667788;
static __thread long zeroed;
static __thread struct {
    _Alignas(64) char bytes[64];
} aligned;
static __thread struct lwp *curlwp_storage;

static void own_variables(void *arg) {
    int number = *(int *)arg;
    check_equal(initialised, 0x1122334455667788);
    check_equal(zeroed, 0);
    check_equal((uintptr_t)&aligned % 64, 0);
    initialised = number;
    zeroed = -number;
    aligned.bytes[63] = (char)number;
    curlwp_storage = rumpuser_curlwp();
    settle();
    check_equal(initialised, number);
    check_equal(zeroed, -number);
    check_equal(aligned.bytes[63], number);
    check(curlwp_storage == rumpuser_curlwp());
}

void test_each_thread_has_its_variables(void) {
    static int numbers[4] = {1, 2, 3, 4};
    struct thread threads[4];
    for (int index = 0; index < 4; index++)
        spawn(&threads[index], own_variables, &numbers[index]);
    for (int index = 0; index < 4; index++)
        join(&threads[index]);
}
