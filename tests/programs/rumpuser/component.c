/* rumpuser_component_*. */
#include "suite.h"

void test_component_gives_the_cpu_back(void) {
    note_begin();
    void *cookie = rumpuser_component_unschedule();
    check(cpu_owner() == NULL);
    rumpuser_component_schedule(cookie);
    check(cpu_owner() == rumpuser_curlwp());
    check_equal(note.unschedules, 1);
    check_equal(note.schedules, 1);
    check_equal(note.mode, 0);
    check(note.unschedule_interlock == NULL && note.schedule_interlock == NULL);
}

static int before, during, after;

static void *kthread(void *arg) {
    (void)arg;
    check(rumpuser_component_curlwp() == NULL);
    rumpuser_component_kthread();
    struct lwp *mine = rumpuser_component_curlwp();
    check(mine != NULL && mine == rumpuser_curlwp());
    check(!mine->is_temporary);
    check(cpu_owner() != mine);
    during = lwps;
    rumpuser_component_schedule(NULL);
    check(cpu_owner() == mine);
    (void)rumpuser_component_unschedule();
    rumpuser_component_kthread_release();
    check(rumpuser_component_curlwp() == NULL);
    after = lwps;
    rumpuser_thread_exit();
}

void test_component_thread_gets_an_lwp(void) {
    void *cookie;
    before = lwps;
    check_equal(rumpuser_thread_create(kthread, NULL, "kthread", 1, 0, -1, &cookie), 0);
    check_equal(rumpuser_thread_join(cookie), 0);
    check_equal(during, before + 1);
    check_equal(after, before);
}

void test_component_switches_lwps(void) {
    struct lwp other = {.number = 1}, *mine = rumpuser_component_curlwp();
    rumpuser_component_switchlwp(&other);
    check(rumpuser_component_curlwp() == &other);
    check(rumpuser_curlwp() == &other);
    rumpuser_component_switchlwp(mine);
    check(rumpuser_component_curlwp() == mine);
}

void test_component_errors_are_netbsds(void) {
    static const int numbers[] = {0, NB_ENOENT, NB_ENOMEM, NB_ETIMEDOUT, NB_ENOSYS};
    for (int index = 0; index < 5; index++)
        check_equal(rumpuser_component_errtrans(numbers[index]), numbers[index]);
}
