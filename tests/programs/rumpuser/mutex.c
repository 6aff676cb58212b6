/* rumpuser_mutex_*. */
#include "suite.h"

static struct rumpuser_mtx *mtx;

static void begin(int flags) {
    mtx = NULL;
    rumpuser_mutex_init(&mtx, flags);
    check(mtx != NULL);
    note_begin();
}

static void enter(void *letter) {
    rumpuser_mutex_enter(mtx);
    write_down(*(char *)letter);
    rumpuser_mutex_exit(mtx);
}

static void enter_nowrap(void *letter) {
    rumpuser_mutex_enter_nowrap(mtx);
    write_down(*(char *)letter);
    rumpuser_mutex_exit(mtx);
}

static void free_mutex_keeps_the_cpu(int flags) {
    begin(flags);
    for (int round = 0; round < 100; round++) {
        rumpuser_mutex_enter(mtx);
        rumpuser_mutex_exit(mtx);
    }
    check_equal(note.unschedules, 0);
    rumpuser_mutex_destroy(mtx);
}

void test_entering_a_free_kmutex_keeps_the_cpu(void) { free_mutex_keeps_the_cpu(RUMPUSER_MTX_KMUTEX); }
void test_entering_a_free_spin_mutex_keeps_the_cpu(void) { free_mutex_keeps_the_cpu(RUMPUSER_MTX_SPIN); }

void test_entering_a_held_kmutex_gives_the_cpu_back(void) {
    struct thread thread;
    begin(RUMPUSER_MTX_KMUTEX);
    rumpuser_mutex_enter(mtx);
    spawn(&thread, enter, "a");
    note_begin();
    give_way();
    /* The other's, which it has not got again, and this thread's. */
    check_equal(note.unschedules, 2);
    check_equal(note.schedules, 1);
    check(note.unschedule_interlock == NULL);
    check(diary_is(""));
    rumpuser_mutex_exit(mtx);
    join(&thread);
    check(note.schedule_interlock == NULL);
    check(diary_is("a"));
    rumpuser_mutex_destroy(mtx);
}

/* A thread without an lwp, which looks on from outside of the rump kernel. */
static struct rumpuser_mtx *outside;
static struct rumpuser_cv *seen;
static struct lwp *seen_owner;
static int seen_unschedules, has_seen;

static void *look(void *arg) {
    rumpuser_mutex_enter_nowrap(outside);
    seen_owner = cpu_owner();
    seen_unschedules = note.unschedules;
    has_seen = 1;
    rumpuser_cv_signal(seen);
    rumpuser_mutex_exit(outside);
    (void)arg;
    rumpuser_thread_exit();
}

/* Holds the mutex without the CPU, while another thread with the CPU wants it. */
static void waiting_keeps_the_cpu(int flags, void (*function)(void *)) {
    struct thread thread;
    void *looker;
    begin(flags);
    rumpuser_mutex_init(&outside, RUMPUSER_MTX_SPIN);
    rumpuser_cv_init(&seen);
    has_seen = 0;
    rumpuser_mutex_enter(mtx);
    spawn(&thread, function, "a");
    check_equal(rumpuser_thread_create(look, NULL, "look", 1, 0, -1, &looker), 0);
    void *cookie = rumpuser_component_unschedule();
    note_begin();
    rumpuser_mutex_enter_nowrap(outside);
    while (!has_seen)
        rumpuser_cv_wait_nowrap(seen, outside);
    rumpuser_mutex_exit(outside);
    check(seen_owner == &thread.lwp);
    check_equal(seen_unschedules, 0);
    check(diary_is(""));
    rumpuser_mutex_exit(mtx);
    rumpuser_component_schedule(cookie);
    note_begin();
    check_equal(rumpuser_thread_join(looker), 0);
    join(&thread);
    check(diary_is("a"));
    rumpuser_mutex_destroy(mtx);
    rumpuser_cv_destroy(seen);
    rumpuser_mutex_destroy(outside);
}

void test_entering_a_held_spin_mutex_keeps_the_cpu(void) { waiting_keeps_the_cpu(RUMPUSER_MTX_SPIN, enter); }
void test_entering_a_held_spin_kmutex_keeps_the_cpu(void) {
    waiting_keeps_the_cpu(RUMPUSER_MTX_SPIN | RUMPUSER_MTX_KMUTEX, enter);
}
void test_enter_nowrap_of_a_held_kmutex_keeps_the_cpu(void) { waiting_keeps_the_cpu(RUMPUSER_MTX_KMUTEX, enter_nowrap); }
void test_enter_nowrap_of_a_held_spin_mutex_keeps_the_cpu(void) { waiting_keeps_the_cpu(RUMPUSER_MTX_SPIN, enter_nowrap); }

void test_tryenter_of_a_free_mutex(void) {
    begin(RUMPUSER_MTX_KMUTEX);
    check_equal(rumpuser_mutex_tryenter(mtx), 0);
    rumpuser_mutex_exit(mtx);
    check_equal(rumpuser_mutex_tryenter(mtx), 0);
    rumpuser_mutex_exit(mtx);
    check_equal(note.unschedules, 0);
    rumpuser_mutex_destroy(mtx);
}

static void try(void *arg) {
    *(int *)arg = rumpuser_mutex_tryenter(mtx);
}

static void tryenter_of_a_held_mutex(int flags) {
    struct thread thread;
    int error = 0;
    begin(flags);
    rumpuser_mutex_enter(mtx);
    check_equal(rumpuser_mutex_tryenter(mtx), NB_EBUSY);
    check_equal(note.unschedules, 0);
    spawn(&thread, try, &error);
    join(&thread);
    check_equal(error, NB_EBUSY);
    rumpuser_mutex_exit(mtx);
    rumpuser_mutex_destroy(mtx);
}

void test_tryenter_of_a_held_kmutex(void) { tryenter_of_a_held_mutex(RUMPUSER_MTX_KMUTEX); }
void test_tryenter_of_a_held_spin_mutex(void) { tryenter_of_a_held_mutex(RUMPUSER_MTX_SPIN); }

static struct lwp *mutex_owner(void) {
    struct lwp *lwp = (struct lwp *)&mtx;
    rumpuser_mutex_owner(mtx, &lwp);
    return lwp;
}

static void owner_is_the_holder(int flags) {
    begin(flags);
    check(mutex_owner() == NULL);
    rumpuser_mutex_enter(mtx);
    check(mutex_owner() == rumpuser_curlwp());
    rumpuser_mutex_exit(mtx);
    check(mutex_owner() == NULL);
    check_equal(rumpuser_mutex_tryenter(mtx), 0);
    check(mutex_owner() == rumpuser_curlwp());
    rumpuser_mutex_exit(mtx);
    rumpuser_mutex_enter_nowrap(mtx);
    check(mutex_owner() == rumpuser_curlwp());
    rumpuser_mutex_exit(mtx);
    rumpuser_mutex_destroy(mtx);
}

void test_owner_of_a_kmutex(void) { owner_is_the_holder(RUMPUSER_MTX_KMUTEX); }
void test_owner_of_a_spin_kmutex(void) { owner_is_the_holder(RUMPUSER_MTX_SPIN | RUMPUSER_MTX_KMUTEX); }

static void enter_and_look(void *letter) {
    rumpuser_mutex_enter(mtx);
    check(mutex_owner() == rumpuser_curlwp());
    write_down(*(char *)letter);
    settle();
    check(mutex_owner() == rumpuser_curlwp());
    rumpuser_mutex_exit(mtx);
}

void test_owner_after_it_was_handed_over(void) {
    struct thread threads[2];
    begin(RUMPUSER_MTX_KMUTEX);
    rumpuser_mutex_enter(mtx);
    spawn(&threads[0], enter_and_look, "a");
    spawn(&threads[1], enter_and_look, "b");
    settle();
    check(mutex_owner() == rumpuser_curlwp());
    rumpuser_mutex_exit(mtx);
    check(mutex_owner() != rumpuser_curlwp());
    join(&threads[0]);
    join(&threads[1]);
    check(diary_is("ab"));
    check(mutex_owner() == NULL);
    rumpuser_mutex_destroy(mtx);
}

void test_mutex_goes_to_the_one_that_came_first(void) {
    struct thread threads[5];
    begin(RUMPUSER_MTX_KMUTEX);
    rumpuser_mutex_enter(mtx);
    for (int index = 0; index < 5; index++)
        spawn(&threads[index], enter, &"abcde"[index]);
    settle();
    rumpuser_mutex_exit(mtx);
    /* It belongs to the first of them now; nobody overtakes. */
    check_equal(rumpuser_mutex_tryenter(mtx), NB_EBUSY);
    rumpuser_mutex_enter(mtx);
    check(diary_is("abcde"));
    rumpuser_mutex_exit(mtx);
    for (int index = 0; index < 5; index++)
        join(&threads[index]);
    rumpuser_mutex_destroy(mtx);
}

static int inside, most_inside;

static void alone(void *arg) {
    for (int round = 0; round < 5; round++) {
        rumpuser_mutex_enter(mtx);
        if (++inside > most_inside)
            most_inside = inside;
        settle();
        inside--;
        rumpuser_mutex_exit(mtx);
    }
    (void)arg;
}

void test_mutex_lets_one_in_at_a_time(void) {
    struct thread threads[4];
    begin(RUMPUSER_MTX_KMUTEX);
    inside = most_inside = 0;
    for (int index = 0; index < 4; index++)
        spawn(&threads[index], alone, NULL);
    for (int index = 0; index < 4; index++)
        join(&threads[index]);
    check_equal(most_inside, 1);
    rumpuser_mutex_destroy(mtx);
}

void test_spin_p_tells_the_kind(void) {
    begin(RUMPUSER_MTX_SPIN);
    check(rumpuser_mutex_spin_p(mtx) != 0);
    rumpuser_mutex_destroy(mtx);
    begin(RUMPUSER_MTX_SPIN | RUMPUSER_MTX_KMUTEX);
    check(rumpuser_mutex_spin_p(mtx) != 0);
    rumpuser_mutex_destroy(mtx);
    begin(RUMPUSER_MTX_KMUTEX);
    check_equal(rumpuser_mutex_spin_p(mtx), 0);
    rumpuser_mutex_destroy(mtx);
}
