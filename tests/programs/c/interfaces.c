/* Lists the interfaces; opens no socket. */
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <arpa/inet.h>

int main(void) {
    struct ifaddrs *list;
    if (getifaddrs(&list) < 0) {
        perror("getifaddrs");
        return 1;
    }
    for (struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        char text[INET6_ADDRSTRLEN] = "";
        if (at->ifa_addr != NULL && at->ifa_addr->sa_family == AF_INET)
            inet_ntop(AF_INET, &((struct sockaddr_in *)at->ifa_addr)->sin_addr, text, sizeof text);
        else if (at->ifa_addr != NULL && at->ifa_addr->sa_family == AF_INET6)
            inet_ntop(AF_INET6, &((struct sockaddr_in6 *)at->ifa_addr)->sin6_addr, text, sizeof text);
        if (text[0] != '\0')
            printf("%s %s\n", at->ifa_name, text);
    }
    freeifaddrs(list);
    printf("lo0 is number %u\n", if_nametoindex("lo0"));
    return 0;
}
