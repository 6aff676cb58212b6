/* Process 1 of the Linux guest for the programs that measure inside: mounts what they use, runs /program with the arguments that the kernel's
 * command line has behind `--`, and switches the machine off when it has ended. */
#define _GNU_SOURCE
#include "power_off.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void mount_at(const char *type, const char *where) {
    mkdir(where, 0755);
    if (mount(type, where, type, 0, NULL) != 0)
        fprintf(stderr, "init: %s: %s\n", where, strerror(errno));
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        fprintf(stderr, "init: %s: %s\n", name, strerror(errno));
}

int main(int count, char **arguments) {
    (void)count;
    mount_at("proc", "/proc");
    mount_at("sysfs", "/sys");
    mount_at("devtmpfs", "/dev");
    mount_at("tmpfs", "/tmp");
    /* The counts of the scaling programs go to 10,000; the limits of a default system would leave them out. */
    write_file("/proc/sys/fs/nr_open", "1048576");
    write_file("/proc/sys/kernel/threads-max", "120000");
    write_file("/proc/sys/vm/max_map_count", "262144");
    struct rlimit files = {65536, 65536};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        fprintf(stderr, "init: setrlimit: %s\n", strerror(errno));
    struct rlimit processes = {120000, 120000};
    if (setrlimit(RLIMIT_NPROC, &processes) != 0)
        fprintf(stderr, "init: setrlimit: %s\n", strerror(errno));

    /* QEMU's translator does `rep stosb` and `rep movsb` byte by byte; glibc takes them for large areas because the processor claims that they are
     * fast. Its vector loops are several times quicker here. */
    setenv("GLIBC_TUNABLES", "glibc.cpu.x86_rep_stosb_threshold=1000000000:glibc.cpu.x86_rep_movsb_threshold=1000000000", 1);

    arguments[0] = "/program";
    pid_t program = fork();
    if (program == 0) {
        execv("/program", arguments);
        fprintf(stderr, "init: /program: %s\n", strerror(errno));
        _exit(127);
    }
    int status = 0;
    for (;;) {
        pid_t ended = wait(&status);
        if (ended == program || (ended < 0 && errno != EINTR))
            break;
    }
    power_off(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}
