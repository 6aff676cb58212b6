/* rump_init, and what registers itself before. */
#include "../rk.h"

void rk_sched_init(void);
void rk_files_init(struct rk_device *first);

/* Nobody defines this. */
extern int rk_is_absent(void) __attribute__((weak));
/* Everybody may add to the first, nobody does to the second. */
extern const struct rk_module *const __start_link_set_modules[], *const __stop_link_set_modules[];
extern void *const __start_link_set_evcnts[] __attribute__((weak)), *const __stop_link_set_evcnts[] __attribute__((weak));

static struct rk_device *devices;
static int early, late, sigmodel;

static int weight;

/* Those that rumpuser_dl_bootstrap tells of: what is known is not taken again. */
static const struct rk_module *modules[8];

static int module_add(const struct rk_module *module) {
    int n = 0;
    for (; modules[n] != NULL; n++)
        if (modules[n] == module)
            return EEXIST;
    modules[n] = module;
    weight += module->weight;
    return 0;
}

static void modules_add(const struct modinfo *const *first, size_t count) {
    for (size_t n = 0; n < count; n++)
        module_add((const struct rk_module *)first[n]);
}

static const struct rk_module kern_module = {"kern", 1};
RK_MODULE(kern_module);

__attribute__((constructor(200))) static void count_late(void) {
    late = early + 1;
}

__attribute__((constructor(101))) static void count_early(void) {
    early = 1;
}

/* Called by constructors: there is no CPU yet, and no thread but the first. */
void rump_component_load(struct rk_device *device) {
    for (struct rk_device *known = devices; known != NULL; known = known->next)
        if (known == device)
            return;
    device->next = devices;
    devices = device;
}

static void component_load(const struct rump_component *component) {
    rump_component_load((struct rk_device *)component);
}

void rk_panic(const char *file, int line, const char *what) {
    rumpuser_dprintf("rump kernel: %s:%d: %s\n", file, line, what);
    rumpuser_exit(RUMPUSER_PANIC);
}

void *rk_alloc(size_t size) {
    void *memory;
    rk_assert(rumpuser_malloc(size, 8, &memory) == 0);
    for (size_t at = 0; at < size; at++)
        ((volatile char *)memory)[at] = 0;
    return memory;
}

void rk_move(void *to, const void *from, size_t len) {
    for (size_t at = 0; at < len; at++)
        ((volatile char *)to)[at] = ((const char *)from)[at];
}

char *rk_copy(const char *string) {
    size_t len = 0;
    while (string[len] != '\0')
        len++;
    char *copy = rk_alloc(len + 1);
    for (size_t at = 0; at < len; at++)
        copy[at] = string[at];
    return copy;
}

int rk_same(const char *a, const char *b) {
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

/* Signals are the host's to raise: RUMP_SIGMODEL_RAISE. */
void rump_boot_setsigmodel(int model) {
    sigmodel = model;
}

int rump_init(void) {
    char processors[16];
    if (rumpuser_init(RUMPUSER_VERSION, &rk_hyperup) != 0)
        return EPROGMISMATCH;
    rk_assert(early == 1 && late == 2 && sigmodel == 3);
    rk_assert(!rk_is_absent);
    rk_assert(&__start_link_set_evcnts[0] == &__stop_link_set_evcnts[0]);
    rk_assert(rk_shared_answer() == 42 && rk_calls == 1000);
    rk_assert(rumpuser_getparam(RUMPUSER_PARAM_NCPU, processors, sizeof(processors)) == 0);
    rk_sched_init();
    rk_schedule();
    /* As module_init does, with what is in this library set aside for rumpuser_dl_bootstrap. */
    for (const struct rk_module *const *module = __start_link_set_modules; module < __stop_link_set_modules; module++)
        if (*module != &kern_module)
            rk_assert(module_add(*module) == 0);
    rumpuser_dl_bootstrap(modules_add, NULL, component_load, NULL);
    rk_callout_start();
    for (struct rk_device *device = devices; device != NULL; device = device->next)
        device->is_there = device->attach == NULL || device->attach() == 0;
    rk_files_init(devices);
    rumpuser_dprintf("rump kernel: modules of weight %d, processors %s\n", weight, processors);
    rk_unschedule();
    return 0;
}
