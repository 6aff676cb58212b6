/* rumpcomp_shmif_*: a bus in a file of the host. The parameter BUS is its path. */
#include "suite.h"

enum { LEN = 64 * 1024, WAKEUP = 8192 };

struct bus {
    int fd, queue;
    volatile uint32_t *memory;
};

static void path_of(char *path, size_t room, int number) {
    check_equal(rumpuser_getparam("BUS", path, room - 1), 0);
    size_t end = length(path);
    path[end] = (char)('0' + number);
    path[end + 1] = 0;
    if (number == 0)
        path[end] = 0;
}

static void open_bus(struct bus *bus, int number) {
    char path[1024];
    void *memory = NULL;
    path_of(path, sizeof path, number);
    bus->queue = -1;
    check_equal(rumpuser_open(path, RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE, &bus->fd), 0);
    check_equal(rumpcomp_shmif_mmap(bus->fd, LEN, &memory), 0);
    bus->memory = memory;
}

static void close_bus(struct bus *bus) {
    rumpuser_unmap((void *)bus->memory, LEN);
    check_equal(rumpuser_close(bus->fd), 0);
    if (bus->queue != -1)
        check_equal(rumpuser_close(bus->queue), 0);
}

/* As shmif(4) does it: four bytes at a place that nobody reads. */
static void wake(struct bus *bus) {
    uint32_t word = 0;
    struct rumpuser_iovec iov = {.iov_base = &word, .iov_len = sizeof word};
    size_t done = 0;
    check_equal(rumpuser_iovwrite(bus->fd, &iov, 1, WAKEUP, &done), 0);
    check_equal(done, sizeof word);
}

void test_shmif_bus_is_shared(void) {
    struct bus one, other;
    open_bus(&one, 1);
    open_bus(&other, 1);
    check(one.memory != other.memory);
    one.memory[0] = 12345;
    check_equal(other.memory[0], 12345);
    other.memory[LEN / 4 - 1] = 7;
    check_equal(one.memory[LEN / 4 - 1], 7);
    uint32_t word = 0;
    struct rumpuser_iovec iov = {.iov_base = &word, .iov_len = sizeof word};
    size_t done = 0;
    check_equal(rumpuser_iovread(one.fd, &iov, 1, 0, &done), 0);
    check_equal(word, 12345);
    close_bus(&one);
    other.memory[0] = 0;
    close_bus(&other);
}

void test_shmif_mmap_of_what_is_not_open(void) {
    void *memory = NULL;
    check_equal(rumpcomp_shmif_mmap(-1, LEN, &memory), NB_EBADF);
    check_equal(rumpcomp_shmif_mmap(12345, LEN, &memory), NB_EBADF);
    check(memory == NULL);
}

void test_shmif_watch_of_what_is_no_bus(void) {
    int queue = -1, fd;
    check_equal(rumpcomp_shmif_watchsetup(&queue, 12345), NB_EBADF);
    check_equal(rumpcomp_shmif_watchwait(12345), NB_EBADF);
    check_equal(rumpuser_open("/baked/file", RUMPUSER_OPEN_RDONLY, &fd), 0);
    check_equal(rumpcomp_shmif_watchsetup(&queue, fd), NB_EINVAL);
    check_equal(rumpcomp_shmif_watchwait(fd), NB_EINVAL);
    check_equal(queue, -1);
    check_equal(rumpuser_close(fd), 0);
}

static volatile int woken;

static void waiter(void *arg) {
    struct bus *bus = arg;
    while (bus->memory[1] == 0)
        check_equal(rumpcomp_shmif_watchwait(bus->queue), 0);
    woken++;
}

void test_shmif_write_wakes_the_others(void) {
    struct bus mine, theirs[2];
    struct thread threads[2];
    woken = 0;
    open_bus(&mine, 1);
    mine.memory[1] = 0;
    for (int nth = 0; nth < 2; nth++) {
        open_bus(&theirs[nth], 1);
        check_equal(rumpcomp_shmif_watchsetup(&theirs[nth].queue, theirs[nth].fd), 0);
        check(theirs[nth].queue >= 0);
        spawn(&threads[nth], waiter, &theirs[nth]);
    }
    /* The others wait without the CPU, or this would not go on. */
    settle();
    check_equal(woken, 0);
    mine.memory[1] = 1;
    wake(&mine);
    for (int nth = 0; nth < 2; nth++) {
        join(&threads[nth]);
        close_bus(&theirs[nth]);
    }
    check_equal(woken, 2);
    close_bus(&mine);
}

void test_shmif_write_before_the_wait_is_not_lost(void) {
    struct bus bus;
    open_bus(&bus, 1);
    check_equal(rumpcomp_shmif_watchsetup(&bus.queue, bus.fd), 0);
    wake(&bus);
    note_begin();
    check_equal(rumpcomp_shmif_watchwait(bus.queue), 0);
    check_equal(note.unschedules, 1);
    check_equal(note.schedules, 1);
    check(note.unschedule_interlock == NULL);
    close_bus(&bus);
}

void test_shmif_one_queue_watches_two_buses(void) {
    struct bus one, other;
    open_bus(&one, 1);
    open_bus(&other, 2);
    check_equal(rumpcomp_shmif_watchsetup(&one.queue, one.fd), 0);
    int queue = one.queue;
    check_equal(rumpcomp_shmif_watchsetup(&queue, other.fd), 0);
    check_equal(queue, one.queue);
    wake(&other);
    check_equal(rumpcomp_shmif_watchwait(queue), 0);
    wake(&one);
    check_equal(rumpcomp_shmif_watchwait(queue), 0);
    close_bus(&one);
    close_bus(&other);
}

/* The other process writes 1 when it sees the bus, and ends when it sees 2. */
void test_shmif_answers_another_process(void) {
    struct bus bus;
    open_bus(&bus, 0);
    check_equal(rumpcomp_shmif_watchsetup(&bus.queue, bus.fd), 0);
    bus.memory[0] = 0xffffffff;
    while (bus.memory[0] != 1)
        check_equal(rumpcomp_shmif_watchwait(bus.queue), 0);
    bus.memory[0] = 2;
    wake(&bus);
    close_bus(&bus);
}
