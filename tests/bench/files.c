/* Files in memory (/tmp, a tmpfs on either side): data in sequence (`*_64k` in MB/s, append) and out of it (pread, pwrite), names and what is known of
 * them (open, stat, create, rename, list). */
#define PROGRAM "files"
#include "bench.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { FILE_BYTES = 8 << 20, BLOCK = 1 << 16, SMALL = 4096, NAMES = 1000 };

static char block[BLOCK];
static int fd;
static off_t offset;

static void create_unlink(long count) {
    while (count-- > 0) {
        int file = open("bench-new", O_CREAT | O_EXCL | O_RDWR, 0644);
        MUST(file >= 0);
        close(file);
        unlink("bench-new");
    }
}

static void stat_it(long count) {
    struct stat status;
    while (count-- > 0)
        MUST(stat("bench-data", &status) == 0);
}

static void stat_absent(long count) {
    struct stat status;
    while (count-- > 0)
        MUST(stat("bench-absent", &status) != 0);
}

static void fstat_it(long count) {
    struct stat status;
    while (count-- > 0)
        MUST(fstat(fd, &status) == 0);
}

static void open_close(long count) {
    while (count-- > 0)
        close(open("bench-data", O_RDONLY));
}

static void rename_it(long count) {
    while (count-- > 0)
        MUST(rename("bench-other", "bench-renamed") == 0 && rename("bench-renamed", "bench-other") == 0);
}

/* A file of 8 MiB, written anew in steps of 64 KiB: every page is a fresh one. */
static void write_fresh(long count) {
    while (count-- > 0) {
        MUST(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
        for (int done = 0; done < FILE_BYTES; done += BLOCK)
            MUST(write(fd, block, BLOCK) == BLOCK);
    }
}

static void write_again(long count) {
    while (count-- > 0) {
        MUST(lseek(fd, 0, SEEK_SET) == 0);
        for (int done = 0; done < FILE_BYTES; done += BLOCK)
            MUST(write(fd, block, BLOCK) == BLOCK);
    }
}

static void read_all(long count) {
    while (count-- > 0) {
        MUST(lseek(fd, 0, SEEK_SET) == 0);
        for (int done = 0; done < FILE_BYTES; done += BLOCK)
            MUST(read(fd, block, BLOCK) == BLOCK);
    }
}

static void pread_at(long count, size_t bytes) {
    while (count-- > 0) {
        MUST(pread(fd, block, bytes, offset) == (ssize_t)bytes);
        offset = (offset + 37 * BLOCK + SMALL) % (FILE_BYTES - BLOCK);
    }
}

static void pread_1(long count) {
    pread_at(count, 1);
}

static void pread_4k(long count) {
    pread_at(count, SMALL);
}

static void pread_64k(long count) {
    pread_at(count, BLOCK);
}

/* In the same order as what pread_at reads: no page beside the one before. */
static void pwrite_4k(long count) {
    while (count-- > 0) {
        MUST(pwrite(fd, block, SMALL, offset) == SMALL);
        offset = (offset + 37 * BLOCK + SMALL) % (FILE_BYTES - BLOCK);
    }
}

static void append_100(long count) {
    MUST(ftruncate(fd, 0) == 0);
    while (count-- > 0)
        MUST(write(fd, block, 100) == 100);
}

static void list(long count) {
    while (count-- > 0) {
        DIR *directory = opendir("bench-directory");
        MUST(directory != NULL);
        int names = 0;
        while (readdir(directory) != NULL)
            names++;
        closedir(directory);
        MUST(names == NAMES + 2);
    }
}

static void many(int make) {
    char name[64];
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "bench-directory/a-name-of-usual-length-%d", i);
        if (make)
            close(open(name, O_CREAT | O_WRONLY, 0644));
        else
            unlink(name);
    }
}

int main(int argc, char **argv) {
    bench_start(argc, argv);
    MUST(chdir("/tmp") == 0);
    MUST((fd = open("bench-data", O_CREAT | O_RDWR | O_TRUNC, 0644)) >= 0);
    close(open("bench-other", O_CREAT | O_RDWR, 0644));
    measure("create_close_unlink", create_unlink);
    measure("open_close", open_close);
    measure("stat", stat_it);
    measure("stat_absent", stat_absent);
    measure("fstat", fstat_it);
    measure("rename_twice", rename_it);
    measure_rate("write_fresh_64k", write_fresh, FILE_BYTES);
    measure_rate("write_again_64k", write_again, FILE_BYTES);
    measure_rate("read_64k", read_all, FILE_BYTES);
    measure("pread_1", pread_1);
    measure("pread_4k", pread_4k);
    measure("pread_64k", pread_64k);
    measure("pwrite_4k", pwrite_4k);
    close(fd);
    MUST((fd = open("bench-data", O_WRONLY | O_APPEND)) >= 0);
    measure("append_100", append_100);
    close(fd);
    MUST(mkdir("bench-directory", 0755) == 0);
    many(1);
    measure("list_1000_names", list);
    many(0);
    rmdir("bench-directory");
    unlink("bench-data");
    unlink("bench-other");
    return 0;
}
