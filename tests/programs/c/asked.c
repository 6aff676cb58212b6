/* Waits to be asked to end, by SIGTERM, and says how that went. With an argument it does not care. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

static void on_term(int sig) {
    (void)sig;
    asked = 1;
}

int main(int argc, char **argv) {
    (void)argv;
    sigset_t term, none;
    sigemptyset(&none);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    struct sigaction action = {.sa_handler = argc > 1 ? SIG_IGN : on_term};
    sigaction(SIGTERM, &action, NULL);
    printf("asked: waiting\n");
    fflush(stdout);
    while (!asked)
        sigsuspend(&none);
    printf("asked: ending in an orderly way\n");
    return 5;
}
