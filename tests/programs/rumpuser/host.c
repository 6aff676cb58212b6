/* rumpuser_getparam, getrandom, seterrno, kill, dl_bootstrap, daemonize_*, putchar, dprintf. */
#include "suite.h"

static char buffer[64];

static int param(const char *name) {
    fill(buffer, 'x', sizeof buffer);
    return rumpuser_getparam(name, buffer, sizeof buffer);
}

void test_param_ncpu(void) {
    check_equal(param(RUMPUSER_PARAM_NCPU), 0);
    check(buffer[0] >= '1' && buffer[0] <= '9');
}

void test_param_hostname(void) {
    check_equal(param(RUMPUSER_PARAM_HOSTNAME), 0);
    check(length(buffer) > 0);
}

/* The suite is run with RUMP_VERBOSE=1 in the image's environment. */
void test_param_from_the_environment(void) {
    check_equal(param("RUMP_VERBOSE"), 0);
    check(same(buffer, "1", 2));
}

void test_param_memlimit_is_a_number(void) {
    check_equal(param("RUMP_MEMLIMIT"), 0);
    check(length(buffer) > 0);
    for (size_t at = 0; at < length(buffer); at++)
        check(buffer[at] >= '0' && buffer[at] <= '9');
}

void test_param_that_is_not_set(void) {
    check_equal(param("RUMP_NOTHING"), NB_ENOENT);
    check_equal(buffer[0], 'x');
}

void test_param_that_must_be_and_is_not(void) {
    check_equal(param("_RUMPUSER_NOTHING"), NB_EINVAL);
    check_equal(buffer[0], 'x');
}

void test_param_that_does_not_fit(void) {
    fill(buffer, 'x', sizeof buffer);
    check_equal(rumpuser_getparam(RUMPUSER_PARAM_NCPU, buffer, 1), NB_E2BIG);
    check_equal(rumpuser_getparam(RUMPUSER_PARAM_NCPU, buffer, 0), NB_E2BIG);
    check_equal(buffer[0], 'x');
    check_equal(rumpuser_getparam(RUMPUSER_PARAM_NCPU, buffer, 2), 0);
    check_equal(buffer[1], '\0');
}

static void random(int flags) {
    unsigned char bytes[2][512];
    size_t got = 0;
    for (int round = 0; round < 2; round++) {
        fill(bytes[round], 0, sizeof bytes[round]);
        check_equal(rumpuser_getrandom(bytes[round], sizeof bytes[round], flags, &got), 0);
        check_equal(got, sizeof bytes[round]);
    }
    check(!same(bytes[0], bytes[1], sizeof bytes[0]));
    int zeros = 0;
    for (size_t at = 0; at < sizeof bytes[0]; at++)
        zeros += bytes[0][at] == 0;
    check(zeros < 100);
}

void test_random_bytes(void) { random(0); }
void test_random_bytes_hard(void) { random(RUMPUSER_RANDOM_HARD); }
void test_random_bytes_nowait(void) { random(RUMPUSER_RANDOM_NOWAIT); }
void test_random_bytes_hard_nowait(void) { random(RUMPUSER_RANDOM_HARD | RUMPUSER_RANDOM_NOWAIT); }

void test_no_random_bytes(void) {
    size_t got = 99;
    check_equal(rumpuser_getrandom(NULL, 0, 0, &got), 0);
    check_equal(got, 0);
}

static void other_errno(void *arg) {
    (void)arg;
    rumpuser_seterrno(2);
    give_way();
}

void test_seterrno_leaves_the_lwp_alone(void) {
    struct thread thread;
    struct lwp *mine = rumpuser_curlwp();
    rumpuser_seterrno(1);
    spawn(&thread, other_errno, NULL);
    join(&thread);
    check(rumpuser_curlwp() == mine);
}

void test_dl_bootstrap_has_nothing_to_load(void) {
    rumpuser_dl_bootstrap(NULL, NULL, NULL, NULL);
}

void test_daemonize_is_not_there(void) {
    check_equal(rumpuser_daemonize_begin(), NB_ENOSYS);
    check_equal(rumpuser_daemonize_done(0), NB_ENOSYS);
}

/* Whoever runs the suite compares the next two with what the console shows. */
void test_putchar(void) {
    for (const char *at = "rumpuser: by putchar\n"; *at != '\0'; at++)
        rumpuser_putchar(*at);
}

void test_dprintf(void) {
    rumpuser_dprintf("rumpuser: %d %i %u %o %x %X %c %s %%\n", -1, 2, 3u, 8u, 0xabu, 0xcdu, 'c', "string");
    rumpuser_dprintf("rumpuser: %ld %lld %lx %zu %jd %hd %hhu\n", -5000000000L, 1LL << 40, 1L << 32, (size_t)7, (intmax_t)8, 9, 10);
    rumpuser_dprintf("rumpuser: [%5d] [%-5d] [%05d] [%+d] [% d] [%.3d] [%#x] [%*d]\n", 1, 2, 3, 4, 5, 6, 7u, 4, 8);
    rumpuser_dprintf("rumpuser: [%8s] [%-8s] [%.2s] [%.*s] [%p]\n", "right", "left", "cut", 3, "longer", (void *)0x1000);
    rumpuser_dprintf("rumpuser: nothing at all\n");
}
