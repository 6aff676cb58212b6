/* Process 1 of the Linux guest for the programs that measure inside: mounts what they use, runs /program with the arguments that the kernel's
 * command line has behind `--`, and switches the machine off when it has ended. With BENCH_ADDRESS it loads /module0, /module1 and so on, and
 * gives the network card that address. */
#define _GNU_SOURCE
#include "power_off.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

static void load_modules(void) {
    for (int number = 0;; number++) {
        char name[32];
        snprintf(name, sizeof name, "/module%d", number);
        int file = open(name, O_RDONLY);
        if (file < 0)
            return;
        if (syscall(SYS_finit_module, file, "", 0) != 0)
            fprintf(stderr, "init: %s: %s\n", name, strerror(errno));
        close(file);
    }
}

static void interface_call(int request, struct ifreq *arguments, const char *what) {
    int any = socket(AF_INET, SOCK_DGRAM, 0);
    if (any < 0 || ioctl(any, request, arguments) != 0)
        fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
    close(any);
}

static void set_address(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET}, mask = {.sin_family = AF_INET};
    struct ifreq arguments = {.ifr_name = "eth0"};
    inet_pton(AF_INET, text, &address.sin_addr);
    inet_pton(AF_INET, "255.255.255.0", &mask.sin_addr);
    memcpy(&arguments.ifr_addr, &address, sizeof address);
    interface_call(SIOCSIFADDR, &arguments, "address");
    memcpy(&arguments.ifr_netmask, &mask, sizeof mask);
    interface_call(SIOCSIFNETMASK, &arguments, "netmask");
    arguments.ifr_flags = IFF_UP | IFF_RUNNING;
    interface_call(SIOCSIFFLAGS, &arguments, "eth0");
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

    const char *address = getenv("BENCH_ADDRESS");
    if (address != NULL) {
        load_modules();
        set_address(address);
    }

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
