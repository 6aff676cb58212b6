/* Makes a program process 1 of a Linux guest of Xen by itself, as ../linux/boot.c does on the bare machine. A guest may not use ports, so it powers off. */
#include <stdio.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

int program_main(int count, char **arguments);

int main(int count, char **arguments) {
    program_main(count, arguments);
    fflush(NULL);
    tcdrain(STDOUT_FILENO);
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
