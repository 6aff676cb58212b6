/* rumpuser_cv_*. */
#include "suite.h"

static struct rumpuser_mtx *mtx;
static struct rumpuser_cv *cv;
static int goes;

static void begin(int flags) {
    rumpuser_mutex_init(&mtx, flags);
    rumpuser_cv_init(&cv);
    goes = 0;
    note_begin();
}

static void end(void) {
    rumpuser_cv_destroy(cv);
    rumpuser_mutex_destroy(mtx);
}

static int waiters(void) {
    int count = -1;
    rumpuser_cv_has_waiters(cv, &count);
    return count;
}

static void wait_once(void *letter) {
    rumpuser_mutex_enter(mtx);
    rumpuser_cv_wait(cv, mtx);
    check_equal(rumpuser_mutex_tryenter(mtx), NB_EBUSY);
    write_down(*(char *)letter);
    rumpuser_mutex_exit(mtx);
}

static void wait_once_nowrap(void *letter) {
    rumpuser_mutex_enter(mtx);
    rumpuser_cv_wait_nowrap(cv, mtx);
    check_equal(rumpuser_mutex_tryenter(mtx), NB_EBUSY);
    write_down(*(char *)letter);
    rumpuser_mutex_exit(mtx);
}

/* One waits with a mutex of this kind. Which of CPU and mutex does it get back first? */
static void order(int flags, int mutex_first) {
    struct thread thread;
    begin(flags);
    spawn(&thread, wait_once, "a");
    until(waiters() == 1);
    note_begin();
    rumpuser_cv_signal(cv);
    join(&thread);
    check(diary_is("a"));
    check_equal(note.interlock_held, mutex_first);
    end();
}

void test_spin_kmutex_has_the_cpu_first(void) { order(RUMPUSER_MTX_SPIN | RUMPUSER_MTX_KMUTEX, 0); }
void test_spin_mutex_has_the_mutex_first(void) { order(RUMPUSER_MTX_SPIN, 1); }
void test_kmutex_has_the_mutex_first(void) { order(RUMPUSER_MTX_KMUTEX, 1); }

static int timed;

static void wait_timed(void *letter) {
    rumpuser_mutex_enter(mtx);
    timed = rumpuser_cv_timedwait(cv, mtx, 1000, 0);
    check_equal(rumpuser_mutex_tryenter(mtx), NB_EBUSY);
    write_down(*(char *)letter);
    rumpuser_mutex_exit(mtx);
}

static void timed_order(int flags, int mutex_first) {
    struct thread thread;
    begin(flags);
    spawn(&thread, wait_timed, "a");
    until(waiters() == 1);
    note_begin();
    rumpuser_cv_signal(cv);
    join(&thread);
    check(diary_is("a"));
    check_equal(note.interlock_held, mutex_first);
    check_equal(timed, 0);
    end();
}

void test_timedwait_with_a_spin_kmutex_has_the_cpu_first(void) { timed_order(RUMPUSER_MTX_SPIN | RUMPUSER_MTX_KMUTEX, 0); }
void test_timedwait_with_a_spin_mutex_has_the_mutex_first(void) { timed_order(RUMPUSER_MTX_SPIN, 1); }
void test_timedwait_with_a_kmutex_has_the_mutex_first(void) { timed_order(RUMPUSER_MTX_KMUTEX, 1); }

void test_waiting_passes_the_interlock(void) {
    begin(RUMPUSER_MTX_KMUTEX);
    rumpuser_mutex_enter(mtx);
    note_begin();
    check_equal(rumpuser_cv_timedwait(cv, mtx, 0, 1000), NB_ETIMEDOUT);
    check_equal(note.unschedules, 1);
    check_equal(note.schedules, 1);
    check_equal(note.mode, 0);
    check(note.unschedule_interlock == mtx);
    check(note.schedule_interlock == mtx);
    rumpuser_mutex_exit(mtx);
    end();
}

void test_mutex_is_free_during_a_wait(void) {
    struct thread thread;
    begin(RUMPUSER_MTX_KMUTEX);
    spawn(&thread, wait_once, "a");
    until(waiters() == 1);
    check_equal(rumpuser_mutex_tryenter(mtx), 0);
    rumpuser_cv_signal(cv);
    settle();
    /* Woken, but the mutex is not free. */
    check(diary_is(""));
    rumpuser_mutex_exit(mtx);
    join(&thread);
    check(diary_is("a"));
    end();
}

/* Who has waited longest is woken first; each signal wakes one. */
static void one_at_a_time(void (*function)(void *)) {
    struct thread threads[4];
    begin(RUMPUSER_MTX_KMUTEX);
    for (int index = 0; index < 4; index++) {
        spawn(&threads[index], function, &"abcd"[index]);
        until(waiters() == index + 1);
    }
    static const char *const after[4] = {"a", "ab", "abc", "abcd"};
    for (int index = 0; index < 4; index++) {
        rumpuser_cv_signal(cv);
        settle();
        check(diary_is(after[index]));
        check_equal(waiters(), 3 - index);
        join(&threads[index]);
    }
    end();
}

void test_signal_wakes_the_one_that_came_first(void) { one_at_a_time(wait_once); }
void test_signal_wakes_a_timedwait_in_its_turn(void) { one_at_a_time(wait_timed); }

void test_signals_wake_as_many(void) {
    struct thread threads[3];
    begin(RUMPUSER_MTX_KMUTEX);
    for (int index = 0; index < 3; index++) {
        spawn(&threads[index], wait_once, &"abc"[index]);
        until(waiters() == index + 1);
    }
    rumpuser_cv_signal(cv);
    rumpuser_cv_signal(cv);
    check_equal(waiters(), 1);
    settle();
    check(diary_is("ab"));
    rumpuser_cv_signal(cv);
    for (int index = 0; index < 3; index++)
        join(&threads[index]);
    end();
}

void test_broadcast_wakes_all_in_order(void) {
    struct thread threads[4];
    begin(RUMPUSER_MTX_KMUTEX);
    for (int index = 0; index < 4; index++) {
        spawn(&threads[index], wait_once, &"abcd"[index]);
        until(waiters() == index + 1);
    }
    rumpuser_cv_broadcast(cv);
    check_equal(waiters(), 0);
    for (int index = 0; index < 4; index++)
        join(&threads[index]);
    check(diary_is("abcd"));
    end();
}

static void signal_first(void *arg) {
    (void)arg;
    rumpuser_mutex_enter(mtx);
    goes = 1;
    rumpuser_cv_signal(cv);
    rumpuser_mutex_exit(mtx);
}

void test_signal_under_the_mutex_is_not_lost(void) {
    for (int round = 0; round < 50; round++) {
        struct thread thread;
        begin(RUMPUSER_MTX_KMUTEX);
        rumpuser_mutex_enter(mtx);
        spawn(&thread, signal_first, NULL);
        while (!goes)
            rumpuser_cv_wait(cv, mtx);
        rumpuser_mutex_exit(mtx);
        join(&thread);
        end();
    }
}

void test_signal_without_waiters_is_forgotten(void) {
    begin(RUMPUSER_MTX_KMUTEX);
    rumpuser_cv_signal(cv);
    rumpuser_cv_broadcast(cv);
    rumpuser_mutex_enter(mtx);
    check_equal(rumpuser_cv_timedwait(cv, mtx, 0, 1000), NB_ETIMEDOUT);
    rumpuser_mutex_exit(mtx);
    end();
}

void test_nobody_waits_at_first(void) {
    begin(RUMPUSER_MTX_KMUTEX);
    check_equal(waiters(), 0);
    end();
}

void test_who_timed_out_waits_no_more(void) {
    begin(RUMPUSER_MTX_KMUTEX);
    rumpuser_mutex_enter(mtx);
    check_equal(rumpuser_cv_timedwait(cv, mtx, 0, 1000), NB_ETIMEDOUT);
    check_equal(waiters(), 0);
    rumpuser_mutex_exit(mtx);
    end();
}

static int64_t now_ns(void) {
    int64_t sec;
    long nsec;
    check_equal(rumpuser_clock_gettime(RUMPUSER_CLOCK_ABSMONO, &sec, &nsec), 0);
    return sec * 1000000000 + nsec;
}

void test_timedwait_lasts_that_long(void) {
    begin(RUMPUSER_MTX_KMUTEX);
    rumpuser_mutex_enter(mtx);
    int64_t start = now_ns();
    check_equal(rumpuser_cv_timedwait(cv, mtx, 0, 3000000), NB_ETIMEDOUT);
    check(now_ns() - start >= 3000000);
    check_equal(rumpuser_mutex_tryenter(mtx), NB_EBUSY);
    rumpuser_mutex_exit(mtx);
    end();
}

void test_timedwait_for_no_time(void) {
    begin(RUMPUSER_MTX_KMUTEX);
    rumpuser_mutex_enter(mtx);
    note_begin();
    check_equal(rumpuser_cv_timedwait(cv, mtx, 0, 0), NB_ETIMEDOUT);
    check_equal(note.unschedules, 1);
    check_equal(note.schedules, 1);
    check_equal(rumpuser_cv_timedwait(cv, mtx, -1, 0), NB_ETIMEDOUT);
    rumpuser_mutex_exit(mtx);
    end();
}

void test_timedwait_for_ever(void) {
    struct thread thread;
    begin(RUMPUSER_MTX_KMUTEX);
    rumpuser_mutex_enter(mtx);
    spawn(&thread, signal_first, NULL);
    check_equal(rumpuser_cv_timedwait(cv, mtx, INT64_MAX, 999999999), 0);
    rumpuser_mutex_exit(mtx);
    join(&thread);
    end();
}

/* As with mutexes: somebody without an lwp looks on. */
static struct rumpuser_mtx *outside;
static struct rumpuser_cv *seen;
static struct lwp *seen_owner;
static int has_seen, seen_unschedules;

static void *look_and_signal(void *arg) {
    (void)arg;
    rumpuser_mutex_enter_nowrap(outside);
    seen_owner = cpu_owner();
    seen_unschedules = note.unschedules;
    has_seen = 1;
    rumpuser_cv_signal(seen);
    rumpuser_mutex_exit(outside);
    rumpuser_mutex_enter_nowrap(mtx);
    rumpuser_cv_signal(cv);
    rumpuser_mutex_exit(mtx);
    rumpuser_thread_exit();
}

void test_wait_nowrap_keeps_the_cpu(void) {
    struct thread thread;
    void *looker;
    begin(RUMPUSER_MTX_SPIN);
    rumpuser_mutex_init(&outside, RUMPUSER_MTX_SPIN);
    rumpuser_cv_init(&seen);
    has_seen = 0;
    spawn(&thread, wait_once_nowrap, "a");
    check_equal(rumpuser_thread_create(look_and_signal, NULL, "look", 1, 0, -1, &looker), 0);
    void *cookie = rumpuser_component_unschedule();
    note_begin();
    rumpuser_mutex_enter_nowrap(outside);
    while (!has_seen)
        rumpuser_cv_wait_nowrap(seen, outside);
    rumpuser_mutex_exit(outside);
    check(seen_owner == &thread.lwp);
    check_equal(seen_unschedules, 0);
    rumpuser_component_schedule(cookie);
    note_begin();
    check_equal(rumpuser_thread_join(looker), 0);
    join(&thread);
    check(diary_is("a"));
    rumpuser_cv_destroy(seen);
    rumpuser_mutex_destroy(outside);
    end();
}

static void pass_on(void *arg) {
    int mine = *(int *)arg;
    rumpuser_mutex_enter(mtx);
    for (int round = 0; round < 100; round++) {
        while (goes % 2 != mine)
            rumpuser_cv_wait(cv, mtx);
        goes++;
        rumpuser_cv_signal(cv);
    }
    rumpuser_mutex_exit(mtx);
}

void test_two_threads_take_turns(void) {
    struct thread threads[2];
    static int numbers[2] = {0, 1};
    begin(RUMPUSER_MTX_KMUTEX);
    for (int index = 0; index < 2; index++)
        spawn(&threads[index], pass_on, &numbers[index]);
    for (int index = 0; index < 2; index++)
        join(&threads[index]);
    check_equal(goes, 200);
    end();
}
