/* Sends 256 KiB to port argv[2] of the host and ends at once, in the way that argv[1] names: what it has sent is to arrive. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES = 256 << 10 };
static char words[BYTES], much[64 << 20];

static void die(const char *what) {
    perror(what);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    int fd = socket(AF_INET, SOCK_STREAM, 0), size = 2 * BYTES;
    struct sockaddr_in host = {.sin_len = sizeof host, .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    host.sin_addr.s_addr = inet_addr("10.0.2.2");
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) < 0)
        die("socket");
    if (connect(fd, (struct sockaddr *)&host, sizeof host) < 0)
        die("connect");
    memset(words, 'w', sizeof words);
    if (send(fd, words, sizeof words, 0) != sizeof words)
        die("send");
    switch (argv[1][0]) {
    case 'e':
        exit(3);
    case '_':
        _exit(3);
    case 'a':
        abort();
    case 'k':
        kill(getpid(), SIGKILL);
        break;
    case 's':
        *(volatile int *)8 = 1;
        break;
    case 'm':
        /* All the memory that there is, and more. */
        for (size_t i = 0; i < sizeof much; i += 4096)
            ((volatile char *)much)[i] = 1;
        break;
    default:
        return 2;
    }
    return 4;
}
