/* As much of sockets as ifconfig(8) and route(8) need: an interface, its address, the default route. */
#include "../rk.h"

enum {
    SYS_ioctl = 54,
    SYS_setsockopt = 105,
    ENOTSOCK = 38,
    SYS_socket = 394,
    AF_INET = 2,
    AF_ROUTE = 34,
    SOCK_RAW = 3,
    SOCK_DGRAM = 2
};

int rk_virtif_clone(void);

/* sys/sockio.h */
static const unsigned long IFCREATE = 0x8090697a, AIFADDR = 0x8040691a, GIFADDR = 0xc0906921, GIFNETMASK = 0xc0906925,
                           GIFBRDADDR = 0xc0906923, GIFDSTADDR = 0xc0906922, GIFAFLAG_IN = 0xc0906927, SIFMTU = 0x8090697f, GIFMTU = 0xc090697e;

struct address {
    unsigned char len, family, port[2], addr[4], zero[8];
};
struct alias {
    char name[16];
    struct address address, broadcast, mask;
};
struct request {
    char name[16];
    union {
        struct address address;
        int number;
        char room[128];
    } u;
};
/* net/route.h: struct rt_msghdr, and what follows it. */
struct message {
    unsigned short len;
    unsigned char version, type;
    unsigned short index;
    int flags, addrs, pid, seq, error, use, inits;
    unsigned long metrics[10];
    struct address destination, gateway, mask;
};

static struct alias inet;
static struct address router;
static int last_socket = -1;
/* Somebody else may have the address, for as many questions. */
static int mtu = 1500, is_made, tentative;

static int route_write(struct rk_file *file, const void *data, size_t len, size_t *done) {
    struct message message;
    if (len != sizeof(message))
        return EINVAL;
    rk_move(&message, data, len);
    if (message.len != len || message.version != 4 || message.type != 1 || message.flags != 0x803 || message.addrs != 7)
        return EINVAL;
    /* The router has to be in reach. */
    for (int n = 0; n < 4 && tentative == 0; n++)
        if ((message.gateway.addr[n] ^ inet.address.addr[n]) & inet.mask.addr[n])
            return ENXIO;
    if (tentative != 0)
        return ENXIO;
    if (message.mask.addr[0] == 0)
        router = message.gateway;
    *done = len;
    return 0;
}

static const struct rk_ops none = {NULL, NULL}, route_ops = {NULL, route_write};

static int ioctl(unsigned long request, void *argument) {
    struct request *ifr = argument;
    if (request == IFCREATE) {
        int error = rk_same(ifr->name, "virt0") ? rk_virtif_clone() : EINVAL;
        is_made = is_made || error == 0;
        return error;
    }
    if (!is_made || !rk_same(ifr->name, "virt0"))
        return ENXIO;
    if (request == AIFADDR) {
        rk_move(&inet, argument, sizeof(inet));
        tentative = 3;
    } else if (request == GIFAFLAG_IN)
        ifr->u.number = tentative > 0 && --tentative > 0 ? 2 : 0;
    else if (request == GIFADDR)
        ifr->u.address = inet.address;
    else if (request == GIFBRDADDR)
        ifr->u.address = inet.broadcast;
    else if (request == GIFNETMASK)
        ifr->u.address = inet.mask;
    else if (request == GIFDSTADDR)
        ifr->u.address = router;
    else if (request == SIFMTU)
        mtu = ifr->u.number;
    else if (request == GIFMTU)
        ifr->u.number = mtu;
    else
        return ENOTTY;
    return 0;
}

int rk_net_call(int number, const long *args, long *values) {
    int fd, error;
    switch (number) {
    case SYS_socket:
        if ((int)args[0] == AF_ROUTE && (int)args[1] == SOCK_RAW)
            error = rk_fdalloc(&route_ops, NULL, &fd);
        else if ((int)args[0] == AF_INET && (int)args[1] == SOCK_DGRAM)
            error = rk_fdalloc(&none, NULL, &fd);
        else
            return EINVAL;
        values[0] = last_socket = fd;
        return error;
    case SYS_setsockopt:
        if ((int)args[0] != last_socket)
            return ENOTSOCK;
        if ((int)args[1] == 0xffff && (int)args[2] == 0x80 && ((const int *)args[3])[0] == 1)
            rumpuser_dprintf("rump kernel: a socket lingers\n");
        return 0;
    case SYS_ioctl:
        return ioctl(args[1], (void *)args[2]);
    default:
        return ENOSYS;
    }
}
