/* Prints one line and sleeps: what the memory of an idle guest is measured with. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    puts("idle");
    fflush(stdout);
    for (;;)
        sleep(3600);
}
