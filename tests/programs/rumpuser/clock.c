/* rumpuser_clock_gettime, rumpuser_clock_sleep. */
#include "suite.h"

static int64_t now_ns(void) {
    int64_t sec;
    long nsec;
    check_equal(rumpuser_clock_gettime(RUMPUSER_CLOCK_ABSMONO, &sec, &nsec), 0);
    check(nsec >= 0 && nsec < 1000000000);
    return sec * 1000000000 + nsec;
}

void test_wall_clock_says_the_time_of_day(void) {
    int64_t sec = 0;
    long nsec = -1;
    check_equal(rumpuser_clock_gettime(RUMPUSER_CLOCK_RELWALL, &sec, &nsec), 0);
    /* 2020-01-01. */
    check(sec > 1577836800);
    check(nsec >= 0 && nsec < 1000000000);
}

void test_monotonic_clock_goes_on(void) {
    int64_t before = now_ns();
    for (int round = 0; round < 1000; round++) {
        int64_t after = now_ns();
        check(after >= before);
        before = after;
    }
}

void test_clock_that_there_is_not(void) {
    int64_t sec;
    long nsec;
    check_equal(rumpuser_clock_gettime(2, &sec, &nsec), NB_EINVAL);
    check_equal(rumpuser_clock_sleep(2, 0, 0), NB_EINVAL);
    check_equal(note.unschedules, 0);
}

void test_sleep_for_a_time(void) {
    int64_t start = now_ns();
    check_equal(rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 3000000), 0);
    check(now_ns() - start >= 3000000);
}

void test_sleep_until_a_time(void) {
    int64_t until_ns = now_ns() + 3000000;
    check_equal(rumpuser_clock_sleep(RUMPUSER_CLOCK_ABSMONO, until_ns / 1000000000, until_ns % 1000000000), 0);
    check(now_ns() >= until_ns);
}

void test_sleep_until_a_time_that_has_passed(void) {
    check_equal(rumpuser_clock_sleep(RUMPUSER_CLOCK_ABSMONO, 0, 1), 0);
}

void test_sleep_for_a_time_that_there_is_not(void) {
    check_equal(rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 1000000000), NB_EINVAL);
    check_equal(rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, -1), NB_EINVAL);
    check_equal(rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, -1, 0), NB_EINVAL);
}

void test_sleep_gives_the_cpu_back(void) {
    note_begin();
    check_equal(rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 1000), 0);
    check_equal(note.unschedules, 1);
    check_equal(note.schedules, 1);
    check_equal(note.mode, 0);
    check(note.unschedule_interlock == NULL && note.schedule_interlock == NULL);
}

static void say(void *letter) {
    write_down(*(char *)letter);
}

void test_others_run_during_a_sleep(void) {
    struct thread thread;
    spawn(&thread, say, "o");
    check_equal(rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 2000000), 0);
    until(diary[0] == 'o');
    join(&thread);
}

void test_a_clock_that_lags_lets_the_others_run(void) {
    struct thread thread;
    spawn(&thread, say, "o");
    until(diary[0] == 'o');
    join(&thread);
}

static volatile int has_slept;

static void sleep_a_little(void *arg) {
    (void)arg;
    rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 1000000);
    has_slept = 1;
}

/* A thread that looks again and again must not keep those from running that it waits for, timers among them. */
void test_looking_again_and_again_lets_the_others_run(void) {
    struct thread thread;
    has_slept = 0;
    spawn(&thread, sleep_a_little, NULL);
    for (long tries = 0; !has_slept && tries < 1000000000; tries++)
        rumpuser_component_schedule(rumpuser_component_unschedule());
    check(has_slept);
    join(&thread);
}

void test_looking_at_the_clock_lets_timers_run(void) {
    struct thread thread;
    has_slept = 0;
    spawn(&thread, sleep_a_little, NULL);
    void *cookie = rumpuser_component_unschedule();
    for (int64_t start = now_ns(); !has_slept && now_ns() - start < 60000000000;)
        continue;
    rumpuser_component_schedule(cookie);
    check(has_slept);
    join(&thread);
}
