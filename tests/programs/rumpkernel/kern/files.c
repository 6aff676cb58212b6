/* Descriptors, pipes and the system calls on them. */
#include "../rk.h"

enum {
    SYS_read = 3,
    SYS_write = 4,
    SYS_open = 5,
    SYS_close = 6,
    SYS_chdir = 12,
    SYS_dup = 41,
    SYS_pipe = 42,
    SYS_dup2 = 90,
    SYS_mkdir = 136,
    SYS_readv = 120,
    SYS_writev = 121,
    SYS_fcntl = 92,
    F_MAXFD = 11,
    SYS_pread = 173,
    SYS_lseek = 199,
    SYS_poll = 209,
    SYS_kqueue = 344,
    SYS_statvfs1_of_netbsd_8 = 357,
    SYS_kevent_of_netbsd_10 = 435,
    SYS_mount = 410,
    O_CREAT = 0x200,
    O_EXCL = 0x800,
    FILES = 64,
    PIPE = 512
};

int rumpns_copyout(const void *from, void *to, size_t len);

static struct rk_file *files[FILES];
static struct rk_device *devices;
static struct rumpuser_mtx *mutex;

void rk_files_init(struct rk_device *first) {
    devices = first;
    rumpuser_mutex_init(&mutex, RUMPUSER_MTX_KMUTEX);
}

static int install(struct rk_file *file, int *fdp) {
    for (int fd = 0; fd < FILES; fd++) {
        if (files[fd] == NULL) {
            file->references++;
            files[fd] = file;
            *fdp = fd;
            return 0;
        }
    }
    return EMFILE;
}

int rk_fdalloc(const struct rk_ops *ops, void *data, int *fdp) {
    struct rk_file *file = rk_alloc(sizeof(*file));
    file->ops = ops;
    file->data = data;
    return install(file, fdp);
}

void rk_files_add(struct rk_device *device) {
    device->next = devices;
    devices = device;
}

static struct rk_file *file_of(long fd) {
    return (int)fd >= 0 && (int)fd < FILES ? files[(int)fd] : NULL;
}

static int close_fd(long fd) {
    struct rk_file *file = file_of(fd);
    if (file == NULL)
        return EBADF;
    files[(int)fd] = NULL;
    if (--file->references == 0)
        rumpuser_free(file, sizeof(*file));
    return 0;
}

struct pipe {
    struct rumpuser_cv *changed;
    size_t len;
    char data[PIPE];
};

static int pipe_read(struct rk_file *file, void *data, size_t len, size_t *done) {
    struct pipe *pipe = file->data;
    rumpuser_mutex_enter(mutex);
    while (pipe->len == 0)
        rumpuser_cv_wait(pipe->changed, mutex);
    size_t count = len < pipe->len ? len : pipe->len;
    for (size_t at = 0; at < count; at++)
        ((char *)data)[at] = pipe->data[at];
    for (size_t at = count; at < pipe->len; at++)
        pipe->data[at - count] = pipe->data[at];
    pipe->len -= count;
    rumpuser_cv_broadcast(pipe->changed);
    rumpuser_mutex_exit(mutex);
    *done = count;
    return 0;
}

static int pipe_write(struct rk_file *file, const void *data, size_t len, size_t *done) {
    struct pipe *pipe = file->data;
    rumpuser_mutex_enter(mutex);
    for (size_t at = 0; at < len; at++) {
        while (pipe->len == PIPE)
            rumpuser_cv_wait(pipe->changed, mutex);
        pipe->data[pipe->len++] = ((const char *)data)[at];
        rumpuser_cv_broadcast(pipe->changed);
    }
    rumpuser_mutex_exit(mutex);
    *done = len;
    return 0;
}

static const struct rk_ops read_end = {pipe_read, NULL}, write_end = {NULL, pipe_write}, none = {NULL, NULL};

static int make_pipe(long *values) {
    struct pipe *pipe = rk_alloc(sizeof(*pipe));
    int fds[2];
    rumpuser_cv_init(&pipe->changed);
    int error = rk_fdalloc(&read_end, pipe, &fds[0]);
    if (error == 0)
        error = rk_fdalloc(&write_end, pipe, &fds[1]);
    values[0] = fds[0];
    values[1] = fds[1];
    return error;
}

/* The working directory, with a slash at its end; there is one directory beside the root. */
static const char *directory = "/";

static int change_directory(const char *name) {
    if (!rk_same(name, "/dev") && !rk_same(name, "/"))
        return ENOENT;
    directory = name[1] == '\0' ? "/" : "/dev/";
    return 0;
}

struct rk_device *rk_device_of(const char *name) {
    struct rk_device *device = devices;
    while (device != NULL && !rk_same(device->name, name))
        device = device->next;
    return device;
}

/* Of the network there is a library of its own. */
__attribute__((weak)) int rk_net_call(int number, const long *args, long *values) {
    return ENOSYS;
}

__attribute__((weak)) int rk_etfs_find(const char *name) {
    return ENOENT;
}

static int open_file(const char *given, int flags, int *fdp) {
    char name[64];
    size_t len = 0;
    for (const char *from = given[0] == '/' ? "" : directory; *from != '\0'; from++)
        name[len++] = *from;
    for (; *given != '\0' && len < sizeof(name) - 1; given++)
        name[len++] = *given;
    name[len] = '\0';
    struct rk_device *device = rk_device_of(name);
    if (device == NULL && rk_etfs_find(name) == 0)
        device = rk_device_of(name);
    if (device != NULL && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return EEXIST;
    if (device != NULL && !device->is_there)
        return ENXIO;
    if (device != NULL)
        return rk_fdalloc(device->ops, device->data != NULL ? device->data : device, fdp);
    if ((flags & O_CREAT) == 0)
        return ENOENT;
    const struct rk_ops *ops;
    void *data;
    int error = rk_create(name, &ops, &data);
    return error != 0 ? error : rk_fdalloc(ops, data, fdp);
}

static int transfer(int is_write, const long *args, long *values) {
    struct rk_file *file = file_of(args[0]);
    size_t done = 0;
    if (file == NULL)
        return EBADF;
    if (is_write ? file->ops->write == NULL : file->ops->read == NULL)
        return EBADF;
    int error = is_write ? file->ops->write(file, (const void *)args[1], args[2], &done)
                         : file->ops->read(file, (void *)args[1], args[2], &done);
    values[0] = done;
    return error;
}

struct poll_entry {
    int fd;
    short events, revents;
};

/* poll(2) that does not wait: pipes can be read when there is something in them, all else always. */
static int poll_now(struct poll_entry *entries, long count, long *values) {
    enum { IN = 0x41, NVAL = 0x20 };
    for (long n = 0; n < count; n++) {
        struct rk_file *file = file_of(entries[n].fd);
        entries[n].revents = 0;
        if (entries[n].fd >= 0 && file == NULL)
            entries[n].revents = NVAL;
        else if (file != NULL && (file->ops != &read_end || ((struct pipe *)file->data)->len > 0))
            entries[n].revents = entries[n].events & IN;
        values[0] += entries[n].revents != 0;
    }
    return 0;
}

/* One piece of many: read through copyout(9), written from where it lies. */
static int transfer_vector(int is_write, const long *args, long *values) {
    const struct rumpuser_iovec *iov = (const struct rumpuser_iovec *)args[1];
    char buffer[16];
    long all[3] = {args[0], (long)buffer, iov->iov_len < sizeof(buffer) ? (long)iov->iov_len : (long)sizeof(buffer)};
    if (is_write)
        for (long at = 0; at < all[2]; at++)
            buffer[at] = ((const volatile char *)iov->iov_base)[at];
    int error = transfer(is_write, all, values);
    return error != 0 || is_write ? error : rumpns_copyout(buffer, iov->iov_base, values[0]);
}

/* kevent(2) as it was before NetBSD 11, of which the newer one does not know: every change is an event, with its number raised. */
struct event {
    unsigned long ident;
    unsigned filter, flags, fflags;
    long data;
    void *udata;
};

static int give_back(const struct event *changes, int count, struct event *events, long *values) {
    for (int n = 0; n < count; n++) {
        events[n] = changes[n];
        events[n].data++;
    }
    values[0] = count;
    return 0;
}

static int call(int number, const long *args, long *values) {
    int fd = -1, error;
    struct rk_file *file;
    switch (number) {
    case SYS_read:
    case SYS_write:
        return transfer(number == SYS_write, args, values);
    case SYS_pread:
        /* fd, buffer, length, padding, offset */
        if ((file = file_of(args[0])) == NULL)
            return EBADF;
        int64_t own = file->offset;
        file->offset = args[4];
        error = transfer(0, args, values);
        file->offset = own;
        return error;
    case SYS_poll:
        rk_assert((int)args[2] == 0);
        values[0] = 0;
        return poll_now((struct poll_entry *)args[0], (unsigned)args[1], values);
    case SYS_readv:
    case SYS_writev:
        return transfer_vector(number == SYS_writev, args, values);
    case SYS_open:
        error = open_file((const char *)args[0], (int)args[1], &fd);
        values[0] = fd;
        return error;
    case SYS_close:
        return close_fd(args[0]);
    case SYS_chdir:
        return change_directory((const char *)args[0]);
    case SYS_dup:
        if ((file = file_of(args[0])) == NULL)
            return EBADF;
        error = install(file, &fd);
        values[0] = fd;
        return error;
    case SYS_dup2:
        if ((file = file_of(args[0])) == NULL || args[1] < 0 || args[1] >= FILES)
            return EBADF;
        file->references++;
        close_fd(args[1]);
        files[args[1]] = file;
        values[0] = args[1];
        return 0;
    case SYS_pipe:
        return make_pipe(values);
    case SYS_kqueue:
        error = rk_fdalloc(&none, NULL, &fd);
        values[0] = fd;
        return error;
    case SYS_lseek:
        /* fd, padding, offset, whence */
        if ((file = file_of(args[0])) == NULL)
            return EBADF;
        if ((int)args[3] != 0)
            return EINVAL;
        values[0] = file->offset = args[2];
        return 0;
    case SYS_kevent_of_netbsd_10:
        return give_back((const struct event *)args[1], args[2], (struct event *)args[3], values);
    case SYS_statvfs1_of_netbsd_8:
        for (const char *from = "rkfs", *to = (char *)args[1] + 172; *from != '\0'; from++, to++)
            *(char *)to = *from;
        ((unsigned long *)args[1])[1] = 512;
        ((unsigned *)args[1])[38] = 1000;
        return 0;
    case SYS_fcntl:
        if ((int)args[1] != F_MAXFD)
            return EINVAL;
        for (fd = 0; fd < FILES; fd++)
            if (files[fd] != NULL)
                values[0] = fd;
        return 0;
    case SYS_mkdir:
        return rk_mkdir((const char *)args[0]);
    case SYS_mount:
        return rk_mount((const char *)args[0], (const char *)args[1], (const void *)args[3], args[4]);
    default:
        return rk_net_call(number, args, values);
    }
}

int rump_syscall(int number, void *args, size_t len, long *values) {
    rk_assert(len >= 6 * sizeof(long));
    rk_schedule();
    rk_assert(!rk_curlwp->is_temporary && rk_curlwp->pid == 2);
    rk_calls++;
    int error = call(number, args, values);
    rk_unschedule();
    return error;
}
