/* Times a guest of Xen from its dom0, where this program runs. The clock stops when the guest's console, which xenconsoled writes to a file, shows a
 * text: inotify(7) tells of each write, so that nobody polls while the guest has the one processor to itself.
 *
 *   watch LOG TEXT create COMMAND...    from the start of a command that makes the guest; prints `line MS`, `command MS`
 *   watch LOG TEXT unpause DOMAIN       from the hypercall that lets a paused guest run; prints `line MS`
 *
 * The hypercall is XEN_DOMCTL_unpausedomain of Xen 4.17 (its public header domctl.h), through Linux' /dev/xen/privcmd. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 120000, DOMCTL = 36, UNPAUSE = 4, DOMCTL_VERSION = 0x15 };

struct privcmd_hypercall {
    uint64_t number, arguments[5];
};

struct domctl {
    uint32_t command, version;
    uint16_t domain, padding[3];
    uint8_t operands[128];
};

static double now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void fail(const char *what) {
    fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Whether the console shows the text by now. */
static int shows(const char *log, const char *text) {
    static char console[1 << 16];
    int file = open(log, O_RDONLY);
    if (file < 0)
        return 0;
    ssize_t size = read(file, console, sizeof console);
    close(file);
    return size > 0 && memmem(console, size, text, strlen(text)) != NULL;
}

static void unpause(int domain) {
    static struct domctl domctl;
    domctl = (struct domctl){.command = UNPAUSE, .version = DOMCTL_VERSION, .domain = domain};
    struct privcmd_hypercall call = {DOMCTL, {(uintptr_t)&domctl}};
    int file = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
    /* Xen reads the operation where it lies, so it has to be in memory. */
    if (file < 0 || mlock(&domctl, sizeof domctl) != 0)
        fail("/dev/xen/privcmd");
    if (ioctl(file, _IOC(_IOC_NONE, 'P', 0, sizeof call), &call) != 0)
        fail("the guest cannot be let run");
}

int main(int count, char **arguments) {
    if (count < 5) {
        fputs("watch LOG TEXT create COMMAND... | watch LOG TEXT unpause DOMAIN\n", stderr);
        return 2;
    }
    const char *log = arguments[1], *text = arguments[2];
    int events = inotify_init1(IN_CLOEXEC);
    char *folder = strndup(log, strrchr(log, '/') - log);
    if (events < 0 || inotify_add_watch(events, folder, IN_MODIFY) < 0)
        fail(folder);
    pid_t command = 0;
    double start = now_ms();
    if (strcmp(arguments[3], "unpause") == 0) {
        unpause(atoi(arguments[4]));
    } else if ((command = fork()) == 0) {
        execvp(arguments[4], arguments + 4);
        fail(arguments[4]);
    }
    /* What shows at the first look came while there was nothing to wait for. */
    double end = now_ms();
    while (!shows(log, text)) {
        struct pollfd writes = {events, POLLIN, 0};
        char buffer[4096];
        int left = PATIENCE_MS - (int)(now_ms() - start);
        if (left <= 0 || poll(&writes, 1, left) <= 0) {
            fprintf(stderr, "watch: '%s' does not come\n", text);
            return 1;
        }
        end = now_ms();
        if (read(events, buffer, sizeof buffer) < 0)
            fail(folder);
    }
    printf("line %.3f\n", end - start);
    if (command == 0)
        return 0;
    int status = 0;
    if (waitpid(command, &status, 0) < 0)
        fail("wait");
    printf("command %.3f\n", now_ms() - start);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
