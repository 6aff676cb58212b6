/* The way out of the Linux guest: the one that an image takes, too, and the quickest that there is. The status goes to QEMU's debug console at
 * port 0xe9 as `exited N`, then QEMU's isa-debug-exit at port 0xf4 ends it. reboot(2) would first shut every device down. */
#ifndef POWER_OFF_H
#define POWER_OFF_H

#include <stdio.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

__attribute__((noreturn)) static void power_off(int status) {
    char line[32];
    int length = snprintf(line, sizeof line, "exited %d\n", status);
    fflush(NULL);
    tcdrain(STDOUT_FILENO);
    if (ioperm(0xe9, 1, 1) == 0 && ioperm(0xf4, 1, 1) == 0) {
        for (int i = 0; i < length; i++)
            outb((unsigned char)line[i], 0xe9);
        outb(0, 0xf4);
    }
    reboot(RB_AUTOBOOT);
    for (;;)
        pause();
}

#endif
