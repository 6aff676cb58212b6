/* An interface: what is written is a frame to be sent, what is read one that came. */
#include "../rk.h"

enum { FRAME = 1518 };

struct virtif_sc {
    size_t len;
    char frame[FRAME];
};
struct virtif_user;

int rumpcomp_virt_create(const char *name, struct virtif_sc *sc, uint8_t *address, struct virtif_user **virtifp);
void rumpcomp_virt_send(struct virtif_user *virtif, struct rumpuser_iovec *iov, size_t count);
void rump_virtif_virt_deliverpkt(struct virtif_sc *sc, struct rumpuser_iovec *iov, size_t count);

static struct virtif_sc softc;
static struct virtif_user *virtif;
static uint8_t address[6];
static struct rumpuser_mtx *mutex;
static struct rumpuser_cv *arrived;

static const struct rk_module net_module = {"net_virtif", 100};
RK_MODULE(net_module);

/* Called by the host's side, with the CPU. A frame that nobody has read makes room for the next. */
void rump_virtif_virt_deliverpkt(struct virtif_sc *sc, struct rumpuser_iovec *iov, size_t count) {
    rumpuser_mutex_enter(mutex);
    sc->len = 0;
    for (size_t n = 0; n < count; n++)
        for (size_t at = 0; at < iov[n].iov_len && sc->len < FRAME; at++)
            sc->frame[sc->len++] = ((char *)iov[n].iov_base)[at];
    rk_events++;
    rumpuser_cv_broadcast(arrived);
    rumpuser_mutex_exit(mutex);
}

static int frame_read(struct rk_file *file, void *data, size_t len, size_t *done) {
    rumpuser_mutex_enter(mutex);
    while (softc.len == 0)
        rumpuser_cv_wait(arrived, mutex);
    size_t count = softc.len < len ? softc.len : len;
    for (size_t at = 0; at < count; at++)
        ((char *)data)[at] = softc.frame[at];
    softc.len = 0;
    rumpuser_mutex_exit(mutex);
    *done = count;
    return 0;
}

/* The sender's address is put in its place; the frame goes in two pieces. */
static int frame_write(struct rk_file *file, const void *data, size_t len, size_t *done) {
    char head[14];
    if (len < sizeof(head))
        return EINVAL;
    for (size_t at = 0; at < sizeof(head); at++)
        head[at] = at >= 6 && at < 12 ? address[at - 6] : ((const char *)data)[at];
    struct rumpuser_iovec iov[2] = {{head, sizeof(head)}, {(char *)data + sizeof(head), len - sizeof(head)}};
    rumpcomp_virt_send(virtif, iov, 2);
    *done = len;
    return 0;
}

/* There is no interface before one is made. */
static int attach(void) {
    rumpuser_mutex_init(&mutex, RUMPUSER_MTX_KMUTEX);
    rumpuser_cv_init(&arrived);
    return ENXIO;
}

static const struct rk_ops frame_ops = {frame_read, frame_write};
static struct rk_device frame_device = {.name = "/dev/virt0", .ops = &frame_ops, .attach = attach};

/* NetBSD's virtif names the card by the interface's number. */
int rk_virtif_clone(void) {
    if (virtif != NULL)
        return EEXIST;
    int error = rumpcomp_virt_create("0", &softc, address, &virtif);
    frame_device.is_there = error == 0;
    return error;
}

__attribute__((constructor)) static void load(void) {
    rump_component_load(&frame_device);
}
