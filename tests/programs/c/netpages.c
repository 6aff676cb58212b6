/* Says over TCP, port 80, how many pages of memory are free: to each connection once, then closes it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <unistd.h>
#include <uvm/uvm_extern.h>

static void die(const char *what) {
    perror(what);
    exit(1);
}

static long long free_pages(void) {
    int name[] = {CTL_VM, VM_UVMEXP2};
    struct uvmexp_sysctl memory;
    size_t len = sizeof memory;
    if (sysctl(name, 2, &memory, &len, NULL, 0) < 0)
        die("vm.uvmexp2");
    return (long long)memory.free;
}

int main(void) {
    struct sockaddr_in here = {.sin_len = sizeof here, .sin_family = AF_INET, .sin_port = htons(80)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 128) < 0)
        die("port 80");
    /* Something else that takes packets: their own sockets fill up, and no further. */
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0), raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    here.sin_port = htons(7);
    if (datagrams < 0 || raw < 0 || bind(datagrams, (struct sockaddr *)&here, sizeof here) < 0)
        die("port 7");
    printf("netpages: ready\n");
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        /* What fills up beside is emptied before anybody asks how much is free. */
        static char waste[65536];
        while (recv(datagrams, waste, sizeof waste, MSG_DONTWAIT) >= 0)
            ;
        while (recv(raw, waste, sizeof waste, MSG_DONTWAIT) >= 0)
            ;
        char text[64];
        int len = snprintf(text, sizeof text, "%lld\n", free_pages());
        if (send(fd, text, (size_t)len, 0) < 0)
            perror("send");
        close(fd);
    }
}
