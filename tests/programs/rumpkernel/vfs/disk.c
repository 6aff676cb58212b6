/* A disk: blocks by rumpuser_bio. */
#include "../rk.h"

enum { SECTOR = 512 };

struct transfer {
    int is_done, error;
};

static int disk = -1;
static struct rumpuser_mtx *mutex;
static struct rumpuser_cv *ready;
static __thread int transfers = 7;

static const struct rk_module vfs_module = {"vfs", 10};
RK_MODULE(vfs_module);

/* Called by the host's side, with the CPU. */
static void biodone(void *arg, size_t count, int error) {
    struct transfer *transfer = arg;
    rumpuser_mutex_enter(mutex);
    transfer->error = error != 0 ? error : count == SECTOR ? 0 : EIO;
    transfer->is_done = 1;
    rk_events++;
    rumpuser_cv_broadcast(ready);
    rumpuser_mutex_exit(mutex);
}

static int sector(int operation, char *data, int64_t offset) {
    struct transfer transfer = {0, 0};
    rumpuser_bio(disk, operation, data, SECTOR, offset, biodone, &transfer);
    rumpuser_mutex_enter(mutex);
    while (!transfer.is_done)
        rumpuser_cv_wait(ready, mutex);
    rumpuser_mutex_exit(mutex);
    transfers++;
    return transfer.error;
}

/* Bytes, by way of whole sectors. */
static int move(struct rk_file *file, int is_write, char *data, size_t len, size_t *done) {
    char buffer[SECTOR];
    while (len > 0) {
        int64_t at = file->offset & ~(int64_t)(SECTOR - 1);
        size_t skip = file->offset - at, count = SECTOR - skip < len ? SECTOR - skip : len;
        int error = sector(RUMPUSER_BIO_READ, buffer, at);
        if (error != 0)
            return error;
        for (size_t n = 0; n < count; n++) {
            if (is_write)
                buffer[skip + n] = data[n];
            else
                data[n] = buffer[skip + n];
        }
        if (is_write && (error = sector(RUMPUSER_BIO_WRITE | RUMPUSER_BIO_SYNC, buffer, at)) != 0)
            return error;
        file->offset += count;
        *done += count;
        data += count;
        len -= count;
    }
    rk_assert(transfers > 7);
    return 0;
}

static int disk_read(struct rk_file *file, void *data, size_t len, size_t *done) {
    return move(file, 0, data, len, done);
}

static int disk_write(struct rk_file *file, const void *data, size_t len, size_t *done) {
    return move(file, 1, (char *)data, len, done);
}

static int attach(void) {
    rumpuser_mutex_init(&mutex, RUMPUSER_MTX_KMUTEX);
    rumpuser_cv_init(&ready);
    rk_assert(transfers == 7 && rk_shared_answer() == 42);
    return rumpuser_open("/dev/md0:64k", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_BIO, &disk);
}

int rump_pub_etfs_register(const char *key, const char *path, int type);

/* A host's file as a device, which opens as often as it likes: one that is only read. */
struct image {
    struct rk_device device;
    int fd;
};

static int image_read(struct rk_file *file, void *data, size_t len, size_t *done) {
    struct image *image = file->data;
    struct rumpuser_iovec iov = {data, len};
    int error = rumpuser_iovread(image->fd, &iov, 1, file->offset, done);
    file->offset += *done;
    return error;
}

static const struct rk_ops image_ops = {image_read, NULL};

/* A directory of the host's: what is below it is looked for there. */
static const char *tree_key, *tree_path;

int rk_etfs_find(const char *name) {
    char path[64];
    size_t at = 0, skip = 0;
    if (tree_key == NULL)
        return ENOENT;
    while (tree_key[skip] != '\0' && tree_key[skip] == name[skip])
        skip++;
    if (tree_key[skip] != '\0' || name[skip] != '/')
        return ENOENT;
    for (const char *from = tree_path; *from != '\0' && at < 32; from++)
        path[at++] = *from;
    for (const char *from = name + skip; *from != '\0' && at < sizeof(path) - 1; from++)
        path[at++] = *from;
    path[at] = '\0';
    return rump_pub_etfs_register(name, path, 0);
}

int rump_pub_etfs_register(const char *key, const char *path, int type) {
    struct image *image = rk_alloc(sizeof(*image));
    uint64_t size;
    int kind, error = rumpuser_getfileinfo(path, &size, &kind);
    if (error == 0 && type == 4) {
        rk_assert(kind == RUMPUSER_FT_DIR);
        tree_key = rk_copy(key);
        tree_path = rk_copy(path);
        return 0;
    }
    if (error != 0 || (error = rumpuser_open(path, RUMPUSER_OPEN_RDONLY | RUMPUSER_OPEN_BIO, &image->fd)) != 0)
        return error;
    rk_assert(type == 0 ? kind == RUMPUSER_FT_REG : type == 1 && (kind == RUMPUSER_FT_REG || kind == RUMPUSER_FT_BLK));
    image->device.name = rk_copy(key);
    image->device.ops = &image_ops;
    image->device.is_there = 1;
    rk_files_add(&image->device);
    return 0;
}

static const struct rk_ops disk_ops = {disk_read, disk_write};
static struct rk_device disk_device = {.name = "/dev/disk", .ops = &disk_ops, .attach = attach};

RK_COMPONENT(disk_device);
