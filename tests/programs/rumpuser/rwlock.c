/* rumpuser_rw_*. */
#include "suite.h"

static struct rumpuser_rw *rw;

static void begin(void) {
    rumpuser_rw_init(&rw);
    note_begin();
}

static int held(int kind) {
    int is = -1;
    rumpuser_rw_held(kind, rw, &is);
    return is;
}

static void read(void *letter) {
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    write_down(*(char *)letter);
    rumpuser_rw_exit(rw);
}

static void write(void *letter) {
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    write_down(*(char *)letter);
    rumpuser_rw_exit(rw);
}

void test_readers_share(void) {
    struct thread thread;
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    spawn(&thread, read, "r");
    join(&thread);
    check(diary_is("r"));
    check_equal(rumpuser_rw_tryenter(RUMPUSER_RW_READER, rw), 0);
    rumpuser_rw_exit(rw);
    rumpuser_rw_exit(rw);
    rumpuser_rw_destroy(rw);
}

void test_entering_a_free_lock_keeps_the_cpu(void) {
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    rumpuser_rw_exit(rw);
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    rumpuser_rw_exit(rw);
    check_equal(note.unschedules, 0);
    rumpuser_rw_destroy(rw);
}

/* Somebody waits for the lock that this thread holds. */
static void waits_without_the_cpu(int kind, void (*function)(void *)) {
    struct thread thread;
    begin();
    rumpuser_rw_enter(kind, rw);
    spawn(&thread, function, "a");
    note_begin();
    give_way();
    check_equal(note.unschedules, 2);
    check_equal(note.schedules, 1);
    check(note.unschedule_interlock == NULL);
    check(diary_is(""));
    rumpuser_rw_exit(rw);
    join(&thread);
    check(note.schedule_interlock == NULL);
    check(diary_is("a"));
    rumpuser_rw_destroy(rw);
}

void test_a_writer_waits_for_a_reader_without_the_cpu(void) { waits_without_the_cpu(RUMPUSER_RW_READER, write); }
void test_a_writer_waits_for_a_writer_without_the_cpu(void) { waits_without_the_cpu(RUMPUSER_RW_WRITER, write); }
void test_a_reader_waits_for_a_writer_without_the_cpu(void) { waits_without_the_cpu(RUMPUSER_RW_WRITER, read); }

void test_tryenter_of_what_is_written(void) {
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    check_equal(rumpuser_rw_tryenter(RUMPUSER_RW_READER, rw), NB_EBUSY);
    check_equal(rumpuser_rw_tryenter(RUMPUSER_RW_WRITER, rw), NB_EBUSY);
    check_equal(note.unschedules, 0);
    rumpuser_rw_exit(rw);
    check_equal(rumpuser_rw_tryenter(RUMPUSER_RW_WRITER, rw), 0);
    rumpuser_rw_exit(rw);
    rumpuser_rw_destroy(rw);
}

void test_tryenter_of_what_is_read(void) {
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    check_equal(rumpuser_rw_tryenter(RUMPUSER_RW_WRITER, rw), NB_EBUSY);
    check_equal(note.unschedules, 0);
    rumpuser_rw_exit(rw);
    rumpuser_rw_destroy(rw);
}

void test_a_waiting_writer_keeps_readers_out(void) {
    struct thread threads[2];
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    spawn(&threads[0], write, "w");
    settle();
    check_equal(rumpuser_rw_tryenter(RUMPUSER_RW_READER, rw), NB_EBUSY);
    spawn(&threads[1], read, "r");
    settle();
    check(diary_is(""));
    rumpuser_rw_exit(rw);
    join(&threads[0]);
    join(&threads[1]);
    check(diary_is("wr"));
    rumpuser_rw_destroy(rw);
}

void test_writers_come_in_their_order(void) {
    struct thread threads[3];
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    for (int index = 0; index < 3; index++)
        spawn(&threads[index], write, &"abc"[index]);
    settle();
    rumpuser_rw_exit(rw);
    for (int index = 0; index < 3; index++)
        join(&threads[index]);
    check(diary_is("abc"));
    rumpuser_rw_destroy(rw);
}

void test_after_a_writer_all_readers_have_their_turn(void) {
    struct thread threads[3];
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    spawn(&threads[0], write, "w");
    spawn(&threads[1], read, "r");
    spawn(&threads[2], read, "s");
    settle();
    rumpuser_rw_exit(rw);
    for (int index = 0; index < 3; index++)
        join(&threads[index]);
    check(diary_is("rsw"));
    rumpuser_rw_destroy(rw);
}

void test_upgrade_of_the_only_reader(void) {
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    check_equal(rumpuser_rw_tryupgrade(rw), 0);
    check(held(RUMPUSER_RW_WRITER));
    check_equal(rumpuser_rw_tryenter(RUMPUSER_RW_READER, rw), NB_EBUSY);
    rumpuser_rw_exit(rw);
    check_equal(note.unschedules, 0);
    rumpuser_rw_destroy(rw);
}

void test_upgrade_beside_other_readers(void) {
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    check_equal(rumpuser_rw_tryupgrade(rw), NB_EBUSY);
    /* It is still read. */
    check(!held(RUMPUSER_RW_WRITER));
    check(held(RUMPUSER_RW_READER));
    rumpuser_rw_exit(rw);
    check_equal(rumpuser_rw_tryupgrade(rw), 0);
    rumpuser_rw_exit(rw);
    rumpuser_rw_destroy(rw);
}

static int upgraded, gave_up;

static void race(void *arg) {
    (void)arg;
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    settle();
    int error = rumpuser_rw_tryupgrade(rw);
    if (error == 0)
        upgraded++;
    else {
        check_equal(error, NB_EBUSY);
        gave_up++;
    }
    settle();
    rumpuser_rw_exit(rw);
}

/* Readers that all want to write: none may wait for the others, and no two succeed. */
void test_upgrade_race(void) {
    struct thread threads[4];
    begin();
    upgraded = gave_up = 0;
    for (int index = 0; index < 4; index++)
        spawn(&threads[index], race, NULL);
    for (int index = 0; index < 4; index++)
        join(&threads[index]);
    check_equal(upgraded + gave_up, 4);
    check(upgraded <= 1);
    check_equal(rumpuser_rw_tryenter(RUMPUSER_RW_WRITER, rw), 0);
    rumpuser_rw_exit(rw);
    rumpuser_rw_destroy(rw);
}

void test_upgrade_comes_before_a_waiting_writer(void) {
    struct thread thread;
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    spawn(&thread, write, "w");
    settle();
    check_equal(rumpuser_rw_tryupgrade(rw), 0);
    settle();
    check(diary_is(""));
    rumpuser_rw_exit(rw);
    join(&thread);
    check(diary_is("w"));
    rumpuser_rw_destroy(rw);
}

void test_downgrade_lets_waiting_readers_in(void) {
    struct thread thread;
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    spawn(&thread, read, "r");
    settle();
    check(diary_is(""));
    rumpuser_rw_downgrade(rw);
    check(!held(RUMPUSER_RW_WRITER));
    check(held(RUMPUSER_RW_READER));
    join(&thread);
    check(diary_is("r"));
    check_equal(rumpuser_rw_tryenter(RUMPUSER_RW_WRITER, rw), NB_EBUSY);
    rumpuser_rw_exit(rw);
    rumpuser_rw_destroy(rw);
}

void test_downgrade_keeps_waiting_writers_out(void) {
    struct thread thread;
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    spawn(&thread, write, "w");
    settle();
    rumpuser_rw_downgrade(rw);
    settle();
    check(diary_is(""));
    rumpuser_rw_exit(rw);
    join(&thread);
    check(diary_is("w"));
    rumpuser_rw_destroy(rw);
}

static void look(void *arg) {
    int *seen = arg;
    seen[0] = held(RUMPUSER_RW_READER);
    seen[1] = held(RUMPUSER_RW_WRITER);
}

/* What another lwp is told. */
static void others_see(int reader, int writer) {
    struct thread thread;
    int seen[2] = {-1, -1};
    spawn(&thread, look, seen);
    join(&thread);
    check_equal(seen[0] != 0, reader);
    check_equal(seen[1] != 0, writer);
}

void test_held_of_a_free_lock(void) {
    begin();
    check_equal(held(RUMPUSER_RW_READER), 0);
    check_equal(held(RUMPUSER_RW_WRITER), 0);
    rumpuser_rw_destroy(rw);
}

void test_held_by_a_writer(void) {
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    check(held(RUMPUSER_RW_WRITER));
    check_equal(held(RUMPUSER_RW_READER), 0);
    others_see(0, 0);
    rumpuser_rw_exit(rw);
    check_equal(held(RUMPUSER_RW_WRITER), 0);
    rumpuser_rw_destroy(rw);
}

void test_held_by_a_reader(void) {
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_READER, rw);
    check(held(RUMPUSER_RW_READER));
    check_equal(held(RUMPUSER_RW_WRITER), 0);
    others_see(1, 0);
    rumpuser_rw_exit(rw);
    check_equal(held(RUMPUSER_RW_READER), 0);
    rumpuser_rw_destroy(rw);
}

static void write_and_look(void *arg) {
    (void)arg;
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    check(held(RUMPUSER_RW_WRITER));
    settle();
    check(held(RUMPUSER_RW_WRITER));
    rumpuser_rw_exit(rw);
}

void test_held_after_it_was_handed_over(void) {
    struct thread threads[2];
    begin();
    rumpuser_rw_enter(RUMPUSER_RW_WRITER, rw);
    for (int index = 0; index < 2; index++)
        spawn(&threads[index], write_and_look, NULL);
    settle();
    rumpuser_rw_exit(rw);
    check_equal(held(RUMPUSER_RW_WRITER), 0);
    for (int index = 0; index < 2; index++)
        join(&threads[index]);
    rumpuser_rw_destroy(rw);
}
