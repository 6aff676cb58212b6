/* rumpuser_open, rumpuser_close, rumpuser_getfileinfo, rumpuser_iovread, rumpuser_iovwrite, rumpuser_syncfd. */
#include "suite.h"

/* The root archive that the suite is run with holds this file, in a directory. */
static const char baked[] = "/baked/file", baked_directory[] = "/baked", baked_text[] = "what was baked in\n";

static int open_as(const char *name, int mode) {
    int fd = -1;
    check_equal(rumpuser_open(name, mode, &fd), 0);
    check(fd >= 0);
    return fd;
}

static int open_error(const char *name, int mode) {
    int fd = -7;
    int error = rumpuser_open(name, mode, &fd);
    check_equal(fd, -7);
    return error;
}

static void put(int fd, const char *text, int64_t offset) {
    struct rumpuser_iovec iov = {.iov_base = (void *)text, .iov_len = length(text)};
    size_t done = 99;
    check_equal(rumpuser_iovwrite(fd, &iov, 1, offset, &done), 0);
    check_equal(done, length(text));
}

static void expect(int fd, const char *text, int64_t offset) {
    char buffer[100];
    struct rumpuser_iovec iov = {.iov_base = buffer, .iov_len = length(text)};
    size_t done = 99;
    check_equal(rumpuser_iovread(fd, &iov, 1, offset, &done), 0);
    check_equal(done, length(text));
    check(same(buffer, text, length(text)));
}

void test_open_of_what_there_is_not(void) {
    check_equal(open_error("/nowhere", RUMPUSER_OPEN_RDONLY), NB_ENOENT);
    check_equal(open_error("/nowhere", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_EXCL), NB_ENOENT);
    check_equal(open_error("", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE), NB_ENOENT);
}

void test_open_neither_for_reading_nor_writing(void) {
    check_equal(open_error(baked, RUMPUSER_OPEN_ACCMODE), NB_EINVAL);
}

void test_create_makes_a_file(void) {
    uint64_t size = 99;
    int type = 99;
    int fd = open_as("created", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE);
    check_equal(rumpuser_getfileinfo("created", &size, &type), 0);
    check_equal(size, 0);
    check_equal(type, RUMPUSER_FT_REG);
    put(fd, "hello", 0);
    check_equal(rumpuser_close(fd), 0);
    /* It is there now, and CREATE changes nothing. */
    fd = open_as("created", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE);
    expect(fd, "hello", 0);
    check_equal(rumpuser_close(fd), 0);
    fd = open_as("created", RUMPUSER_OPEN_RDONLY);
    expect(fd, "hello", 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_create_what_must_not_be_there(void) {
    int fd = open_as("exclusive", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_EXCL);
    check_equal(rumpuser_close(fd), 0);
    check_equal(open_error("exclusive", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_EXCL), NB_EEXIST);
    check_equal(open_error(baked, RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_EXCL), NB_EEXIST);
}

void test_baked_file_is_read(void) {
    uint64_t size = 0;
    int type = 0;
    check_equal(rumpuser_getfileinfo(baked, &size, &type), 0);
    check_equal(size, length(baked_text));
    check_equal(type, RUMPUSER_FT_REG);
    int fd = open_as(baked, RUMPUSER_OPEN_RDONLY);
    expect(fd, baked_text, 0);
    expect(fd, "baked", 9);
    check_equal(rumpuser_close(fd), 0);
}

void test_baked_file_is_written_in_memory(void) {
    int fd = open_as("/baked/written", RUMPUSER_OPEN_RDWR);
    put(fd, "WAS", 5);
    put(fd, "more\n", (int64_t)length(baked_text));
    check_equal(rumpuser_close(fd), 0);
    fd = open_as("/baked/written", RUMPUSER_OPEN_RDONLY);
    expect(fd, "what WAS baked in\nmore\n", 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_open_of_a_directory(void) {
    int type = 0;
    check_equal(rumpuser_getfileinfo(baked_directory, NULL, &type), 0);
    check_equal(type, RUMPUSER_FT_DIR);
    check_equal(open_error(baked_directory, RUMPUSER_OPEN_WRONLY), NB_EISDIR);
    check_equal(open_error(baked_directory, RUMPUSER_OPEN_RDWR), NB_EISDIR);
    int fd = open_as(baked_directory, RUMPUSER_OPEN_RDONLY);
    char buffer[8];
    struct rumpuser_iovec iov = {.iov_base = buffer, .iov_len = sizeof buffer};
    size_t done = 99;
    check_equal(rumpuser_iovread(fd, &iov, 1, 0, &done), NB_EISDIR);
    check_equal(done, 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_getfileinfo_of_what_there_is_not(void) {
    uint64_t size = 99;
    int type = 99;
    check_equal(rumpuser_getfileinfo("/nowhere", &size, &type), NB_ENOENT);
    check_equal(size, 99);
    check_equal(type, 99);
}

void test_getfileinfo_that_nobody_wants(void) {
    check_equal(rumpuser_getfileinfo(baked, NULL, NULL), 0);
}

void test_close_of_what_is_not_open(void) {
    check_equal(rumpuser_close(-1), NB_EBADF);
    check_equal(rumpuser_close(1000), NB_EBADF);
    int fd = open_as(baked, RUMPUSER_OPEN_RDONLY);
    check_equal(rumpuser_close(fd), 0);
    check_equal(rumpuser_close(fd), NB_EBADF);
}

static void transfer_errors(int fd, int read_error, int write_error) {
    char buffer[8] = "";
    struct rumpuser_iovec iov = {.iov_base = buffer, .iov_len = sizeof buffer};
    size_t done = 99;
    check_equal(rumpuser_iovread(fd, &iov, 1, 0, &done), read_error);
    if (read_error != 0)
        check_equal(done, 0);
    done = 99;
    check_equal(rumpuser_iovwrite(fd, &iov, 1, 0, &done), write_error);
    if (write_error != 0)
        check_equal(done, 0);
}

void test_transfers_with_what_is_not_open(void) {
    transfer_errors(1000, NB_EBADF, NB_EBADF);
    transfer_errors(-1, NB_EBADF, NB_EBADF);
}

void test_rdonly_only_reads(void) {
    int fd = open_as(baked, RUMPUSER_OPEN_RDONLY);
    transfer_errors(fd, 0, NB_EBADF);
    check_equal(rumpuser_close(fd), 0);
}

void test_wronly_only_writes(void) {
    int fd = open_as("wronly", RUMPUSER_OPEN_WRONLY | RUMPUSER_OPEN_CREATE);
    transfer_errors(fd, NB_EBADF, 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_rdwr_reads_and_writes(void) {
    int fd = open_as("rdwr", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_BIO);
    transfer_errors(fd, 0, 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_transfers_in_pieces(void) {
    int fd = open_as("pieces", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE);
    const struct rumpuser_iovec out[3] = {{"ab", 2}, {NULL, 0}, {"cdef", 4}};
    size_t done = 0;
    check_equal(rumpuser_iovwrite(fd, out, 3, 4094, &done), 0);
    check_equal(done, 6);
    char first[3], second[9];
    struct rumpuser_iovec in[2] = {{first, 3}, {second, 9}};
    check_equal(rumpuser_iovread(fd, in, 2, 4093, &done), 0);
    check_equal(done, 7);
    check(same(first, "\0ab", 3) && same(second, "cdef", 4));
    check_equal(rumpuser_iovread(fd, in, 0, 0, &done), 0);
    check_equal(done, 0);
    check_equal(rumpuser_close(fd), 0);
}

void test_read_at_the_end(void) {
    int fd = open_as(baked, RUMPUSER_OPEN_RDONLY);
    char buffer[8];
    struct rumpuser_iovec iov = {.iov_base = buffer, .iov_len = sizeof buffer};
    size_t done = 99;
    check_equal(rumpuser_iovread(fd, &iov, 1, (int64_t)length(baked_text), &done), 0);
    check_equal(done, 0);
    check_equal(rumpuser_iovread(fd, &iov, 1, INT64_MAX, &done), 0);
    check_equal(done, 0);
    check_equal(rumpuser_iovread(fd, &iov, 1, (int64_t)length(baked_text) - 3, &done), 0);
    check_equal(done, 3);
    check_equal(rumpuser_close(fd), 0);
}

void test_noseek_goes_on_where_it_was(void) {
    int fd = open_as("noseek", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE);
    put(fd, "one", RUMPUSER_IOV_NOSEEK);
    put(fd, "two", RUMPUSER_IOV_NOSEEK);
    check_equal(rumpuser_close(fd), 0);
    fd = open_as("noseek", RUMPUSER_OPEN_RDWR);
    expect(fd, "onet", RUMPUSER_IOV_NOSEEK);
    expect(fd, "wo", RUMPUSER_IOV_NOSEEK);
    check_equal(rumpuser_close(fd), 0);
}

void test_offset_that_there_is_not(void) {
    int fd = open_as("offset", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE);
    struct rumpuser_iovec iov = {.iov_base = "x", .iov_len = 1};
    size_t done = 99;
    check_equal(rumpuser_iovwrite(fd, &iov, 1, -2, &done), NB_EINVAL);
    check_equal(rumpuser_iovread(fd, &iov, 1, INT64_MIN, &done), NB_EINVAL);
    check_equal(rumpuser_close(fd), 0);
}

void test_memory_disk_has_its_size(void) {
    uint64_t size = 0;
    int type = 0;
    check_equal(rumpuser_getfileinfo("/dev/md0:1m", &size, &type), 0);
    check_equal(size, 1 << 20);
    check_equal(type, RUMPUSER_FT_BLK);
    int fd = open_as("/dev/md0:1m", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_BIO);
    expect(fd, "", 1 << 19);
    put(fd, "end", (1 << 20) - 3);
    struct rumpuser_iovec iov = {.iov_base = "behind", .iov_len = 6};
    size_t done = 99;
    check_equal(rumpuser_iovwrite(fd, &iov, 1, 1 << 20, &done), NB_ENOSPC);
    check_equal(done, 0);
    check_equal(rumpuser_iovwrite(fd, &iov, 1, (1 << 20) - 2, &done), 0);
    check_equal(done, 2);
    check_equal(rumpuser_getfileinfo("/dev/md0:1m", &size, &type), 0);
    check_equal(size, 1 << 20);
    check_equal(rumpuser_close(fd), 0);
    check_equal(open_error("/dev/md0", RUMPUSER_OPEN_RDWR), NB_ENOENT);
    check_equal(open_error("/dev/md0:", RUMPUSER_OPEN_RDWR), NB_ENOENT);
    check_equal(open_error("/dev/md0:0", RUMPUSER_OPEN_RDWR), NB_ENOENT);
}

void test_syncfd(void) {
    int fd = open_as("synced", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE);
    check_equal(rumpuser_syncfd(fd, RUMPUSER_SYNCFD_READ, 0, 0), 0);
    check_equal(rumpuser_syncfd(fd, RUMPUSER_SYNCFD_WRITE, 0, 0), 0);
    check_equal(rumpuser_syncfd(fd, RUMPUSER_SYNCFD_BOTH, 512, 512), 0);
    check_equal(rumpuser_syncfd(fd, RUMPUSER_SYNCFD_WRITE | RUMPUSER_SYNCFD_BARRIER, 0, 0), 0);
    check_equal(rumpuser_syncfd(fd, RUMPUSER_SYNCFD_WRITE | RUMPUSER_SYNCFD_SYNC, 0, 0), 0);
    check_equal(rumpuser_syncfd(fd, 0, 0, 0), NB_EINVAL);
    check_equal(rumpuser_syncfd(fd, RUMPUSER_SYNCFD_SYNC, 0, 0), NB_EINVAL);
    check_equal(rumpuser_syncfd(fd, RUMPUSER_SYNCFD_WRITE | 0x10, 0, 0), NB_EINVAL);
    check_equal(rumpuser_close(fd), 0);
    check_equal(rumpuser_syncfd(fd, RUMPUSER_SYNCFD_WRITE, 0, 0), NB_EBADF);
}

void test_descriptor_1_is_the_console(void) {
    put(1, "rumpuser: by descriptor\n", RUMPUSER_IOV_NOSEEK);
}
