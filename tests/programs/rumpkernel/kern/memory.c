/* Files in memory, directories, mount(2). */
#include "../rk.h"

enum { FILE_MAX = 512, DIRECTORIES = 8 };

struct memory {
    struct rk_device device;
    size_t len;
    char data[FILE_MAX];
};

static const char *directories[DIRECTORIES] = {"/", "/dev"};

static int memory_read(struct rk_file *file, void *data, size_t len, size_t *done) {
    struct memory *memory = file->data;
    while (*done < len && (size_t)file->offset < memory->len)
        ((char *)data)[(*done)++] = memory->data[file->offset++];
    return 0;
}

static int memory_write(struct rk_file *file, const void *data, size_t len, size_t *done) {
    struct memory *memory = file->data;
    while (*done < len && file->offset < FILE_MAX)
        memory->data[file->offset++] = ((const char *)data)[(*done)++];
    if ((size_t)file->offset > memory->len)
        memory->len = file->offset;
    return 0;
}

static const struct rk_ops memory_ops = {memory_read, memory_write};

/* Whether the directory in which this name is, or this directory, is there. */
static int is_there(const char *name, int itself) {
    char path[64];
    size_t len = 0, end = 0;
    for (; name[len] != '\0' && len < sizeof(path) - 1; len++)
        if ((path[len] = name[len]) == '/')
            end = len;
    path[itself ? len : end == 0 ? 1 : end] = '\0';
    for (int n = 0; n < DIRECTORIES; n++)
        if (directories[n] != NULL && rk_same(directories[n], path))
            return 1;
    return 0;
}

int rk_create(const char *name, const struct rk_ops **opsp, void **datap) {
    if (!is_there(name, 0))
        return ENOENT;
    struct memory *memory = rk_alloc(sizeof(*memory));
    memory->device.name = rk_copy(name);
    memory->device.ops = *opsp = &memory_ops;
    memory->device.is_there = 1;
    memory->device.data = *datap = memory;
    rk_files_add(&memory->device);
    return 0;
}

int rk_mkdir(const char *name) {
    if (is_there(name, 1))
        return EEXIST;
    if (!is_there(name, 0))
        return ENOENT;
    for (int n = 0; n < DIRECTORIES; n++) {
        if (directories[n] == NULL) {
            directories[n] = rk_copy(name);
            return 0;
        }
    }
    return EMFILE;
}

/* An "image" has one file, which is all of its device; a "tmpfs" is a directory like others, and has arguments. */
int rk_mount(const char *kind, const char *directory, const void *args, size_t len) {
    struct { int version; long limits[2]; int owner[2]; unsigned mode; } tmpfs_args;
    const char *from;
    char name[64];
    size_t at = 0;
    if (!is_there(directory, 1))
        return ENOENT;
    if (rk_same(kind, "tmpfs")) {
        if (len < sizeof(tmpfs_args))
            return EINVAL;
        rk_move(&tmpfs_args, args, sizeof(tmpfs_args));
        return tmpfs_args.version == 1 && tmpfs_args.mode == 01777 && tmpfs_args.limits[1] == 0 ? 0 : EINVAL;
    }
    if (!rk_same(kind, "image"))
        return ENODEV;
    if (len < sizeof(from))
        return EINVAL;
    rk_move(&from, args, sizeof(from));
    struct rk_device *device = rk_device_of(from);
    if (device == NULL)
        return ENXIO;
    struct rk_device *file = rk_alloc(sizeof(*file));
    *file = *device;
    file->data = device->data != NULL ? device->data : device;
    for (; directory[at] != '\0' && at < 50; at++)
        name[at] = directory[at];
    for (const char *rest = "/content"; *rest != '\0'; rest++)
        name[at++] = *rest;
    name[at] = '\0';
    file->name = rk_copy(name);
    rk_files_add(file);
    return 0;
}
