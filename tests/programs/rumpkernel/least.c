/*
 * The least rump kernel: what the platform calls of one, and nothing behind it. Its rump_init says hello through the hypercalls of rumpuser(3) and
 * ends the image with status 7.
 */
#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

#define LIBRUMPUSER
#include <rump/rumpuser.h>

static void schedule(void) {}
static void unschedule(void) {}
static void backend_unschedule(int nlocks, int *countp, void *interlock) { *countp = 0; }
static void backend_schedule(int nlocks, void *interlock) {}

static const struct rumpuser_hyperup hyperup = {
    .hyp_schedule = schedule,
    .hyp_unschedule = unschedule,
    .hyp_backend_unschedule = backend_unschedule,
    .hyp_backend_schedule = backend_schedule,
};

int rump_init(void)
{
    int error = rumpuser_init(RUMPUSER_VERSION, &hyperup);
    if (error != 0)
        return error;
    rumpuser_dprintf("hello from %s %d\n", "version", RUMPUSER_VERSION);
    rumpuser_putchar('!');
    rumpuser_putchar('\n');
    rumpuser_exit(7);
}

int rump_pub_lwproc_rfork(int flags) { return 0; }
int rump_pub_lwproc_newlwp(pid_t pid) { return 0; }
void rump_pub_lwproc_releaselwp(void) {}
int rump_syscall(int number, void *arguments, size_t len, long *values) { return 78; }
