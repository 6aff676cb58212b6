/* rumpuser_bio. */
#include "suite.h"

enum { SECTOR = 512, PAGE = 4096 };

struct transfer {
    int is_done, error;
    size_t count;
    char letter;
};

static void done(void *arg, size_t count, int error) {
    struct transfer *transfer = arg;
    /* Called in the rump kernel: with an lwp, and with the CPU. */
    check(rumpuser_curlwp() != NULL);
    check(cpu_owner() == rumpuser_curlwp());
    check(!transfer->is_done);
    transfer->is_done = 1;
    transfer->count = count;
    transfer->error = error;
    write_down(transfer->letter);
}

static int open_disk(int mode) {
    int fd = -1;
    check_equal(rumpuser_open("/dev/md1:256k", mode | RUMPUSER_OPEN_BIO, &fd), 0);
    return fd;
}

static void transfer(int fd, int operation, void *data, size_t len, int64_t offset, int error, size_t count) {
    struct transfer transfer = {.letter = 't'};
    rumpuser_bio(fd, operation, data, len, offset, done, &transfer);
    until(transfer.is_done);
    check_equal(transfer.error, error);
    check_equal(transfer.count, count);
}

static unsigned char data[PAGE], other[PAGE];

void test_bio_writes_and_reads(void) {
    int fd = open_disk(RUMPUSER_OPEN_RDWR);
    for (int at = 0; at < PAGE; at++)
        data[at] = (unsigned char)(at * 7);
    transfer(fd, RUMPUSER_BIO_WRITE, data, PAGE, 3 * SECTOR, 0, PAGE);
    fill(other, 0, PAGE);
    transfer(fd, RUMPUSER_BIO_READ, other, PAGE, 3 * SECTOR, 0, PAGE);
    check(same(data, other, PAGE));
    transfer(fd, RUMPUSER_BIO_READ, other, SECTOR, 100 * SECTOR, 0, SECTOR);
    check_equal(other[SECTOR - 1], 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_bio_writes_at_once(void) {
    int fd = open_disk(RUMPUSER_OPEN_RDWR);
    transfer(fd, RUMPUSER_BIO_WRITE | RUMPUSER_BIO_SYNC, data, SECTOR, 0, 0, SECTOR);
    check_equal(rumpuser_close(fd), 0);
}

void test_bio_returns_before_it_is_done(void) {
    struct transfer transfer = {.letter = 'd'};
    int fd = open_disk(RUMPUSER_OPEN_RDWR);
    note_begin();
    rumpuser_bio(fd, RUMPUSER_BIO_READ, data, PAGE, 0, done, &transfer);
    check(!transfer.is_done);
    check_equal(note.unschedules, 0);
    until(transfer.is_done);
    check_equal(rumpuser_close(fd), 0);
}

void test_bio_is_done_in_order(void) {
    static struct transfer transfers[8];
    static unsigned char pages[8][SECTOR];
    int fd = open_disk(RUMPUSER_OPEN_RDWR);
    for (int index = 0; index < 8; index++) {
        transfers[index] = (struct transfer){.letter = "abcdefgh"[index]};
        fill(pages[index], index + 1, SECTOR);
        rumpuser_bio(fd, RUMPUSER_BIO_WRITE, pages[index], SECTOR, 0, done, &transfers[index]);
    }
    until(transfers[7].is_done);
    check(diary_is("abcdefgh"));
    transfer(fd, RUMPUSER_BIO_READ, other, SECTOR, 0, 0, SECTOR);
    check_equal(other[0], 8);
    check_equal(rumpuser_close(fd), 0);
}

/* The next transfer is begun where the last one ends. */
static struct transfer chain[3];
static int chain_fd;

static void next(void *arg, size_t count, int error) {
    struct transfer *transfer = arg;
    done(transfer, count, error);
    if (transfer < &chain[2])
        rumpuser_bio(chain_fd, RUMPUSER_BIO_READ, data, SECTOR, 0, next, transfer + 1);
}

void test_bio_begun_in_biodone(void) {
    chain_fd = open_disk(RUMPUSER_OPEN_RDWR);
    for (int index = 0; index < 3; index++)
        chain[index] = (struct transfer){.letter = "abc"[index]};
    rumpuser_bio(chain_fd, RUMPUSER_BIO_READ, data, SECTOR, 0, next, &chain[0]);
    until(chain[2].is_done);
    check(diary_is("abc"));
    check_equal(rumpuser_close(chain_fd), 0);
}

void test_bio_behind_the_end(void) {
    int fd = open_disk(RUMPUSER_OPEN_RDWR);
    transfer(fd, RUMPUSER_BIO_READ, data, PAGE, (256 << 10) - SECTOR, 0, SECTOR);
    transfer(fd, RUMPUSER_BIO_READ, data, PAGE, 256 << 10, 0, 0);
    transfer(fd, RUMPUSER_BIO_WRITE, data, PAGE, (256 << 10) - SECTOR, 0, SECTOR);
    transfer(fd, RUMPUSER_BIO_WRITE, data, PAGE, 256 << 10, NB_ENOSPC, 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_bio_with_what_is_not_open(void) {
    transfer(1000, RUMPUSER_BIO_READ, data, PAGE, 0, NB_EBADF, 0);
    int fd = open_disk(RUMPUSER_OPEN_RDONLY);
    transfer(fd, RUMPUSER_BIO_WRITE, data, PAGE, 0, NB_EBADF, 0);
    check_equal(rumpuser_close(fd), 0);
    fd = open_disk(RUMPUSER_OPEN_WRONLY);
    transfer(fd, RUMPUSER_BIO_READ, data, PAGE, 0, NB_EBADF, 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_bio_that_there_is_not(void) {
    int fd = open_disk(RUMPUSER_OPEN_RDWR);
    transfer(fd, 0, data, PAGE, 0, NB_EINVAL, 0);
    transfer(fd, RUMPUSER_BIO_READ | RUMPUSER_BIO_WRITE, data, PAGE, 0, NB_EINVAL, 0);
    transfer(fd, RUMPUSER_BIO_READ, data, 100, 0, NB_EINVAL, 0);
    transfer(fd, RUMPUSER_BIO_READ, data, SECTOR, -SECTOR, NB_EINVAL, 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_bio_under_way_when_its_descriptor_is_closed(void) {
    struct transfer transfer = {.letter = 'd'};
    int fd = open_disk(RUMPUSER_OPEN_RDWR);
    rumpuser_bio(fd, RUMPUSER_BIO_WRITE, data, PAGE, 0, done, &transfer);
    check_equal(rumpuser_close(fd), 0);
    until(transfer.is_done);
    check_equal(transfer.error, 0);
    check_equal(transfer.count, PAGE);
}
