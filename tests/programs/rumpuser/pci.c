/* rumpcomp_pci_*. Where the machine has no PCI, only what does not need any. */
#include "suite.h"

enum { ID = 0, COMMAND = 4, CLASS = 8, BAR0 = 0x10, LINE = 0x3c };
enum { PAGE = 4096 };

static unsigned get(unsigned device, int reg) {
    unsigned value = 0;
    check_equal(rumpcomp_pci_confread(0, device, 0, reg, &value), 0);
    return value;
}

void test_pci_place_that_there_cannot_be(void) {
    unsigned value = 7;
    check_equal(rumpcomp_pci_confread(256, 0, 0, ID, &value), NB_EINVAL);
    check_equal(rumpcomp_pci_confread(0, 32, 0, ID, &value), NB_EINVAL);
    check_equal(rumpcomp_pci_confread(0, 0, 8, ID, &value), NB_EINVAL);
    check_equal(rumpcomp_pci_confread(0, 0, 0, 2, &value), NB_EINVAL);
    check_equal(rumpcomp_pci_confread(0, 0, 0, 256, &value), NB_EINVAL);
    check_equal(rumpcomp_pci_confread(0, 0, 0, -4, &value), NB_EINVAL);
    check_equal(value, 7);
    check_equal(rumpcomp_pci_confwrite(0, 0, 8, ID, 0), NB_EINVAL);
    check_equal(rumpcomp_pci_confwrite(0, 0, 0, 1, 0), NB_EINVAL);
}

void test_pci_reads_ones_where_nothing_is(void) {
    unsigned value = 0;
    check_equal(rumpcomp_pci_confread(255, 31, 7, ID, &value), 0);
    check_equal(value, 0xffffffff);
}

void test_pci_line_that_there_cannot_be(void) {
    check_equal(rumpcomp_pci_irq_map(0, 0, 0, 0, 1), NB_ENXIO);
    check_equal(rumpcomp_pci_irq_map(0, 0, 0, 255, 1), NB_ENXIO);
    check_equal(rumpcomp_pci_irq_map(0, 0, 0, -1, 1), NB_ENXIO);
}

static int handler(void *arg) {
    (void)arg;
    return 0;
}

void test_pci_cookie_that_nobody_mapped(void) {
    check(rumpcomp_pci_irq_establish(4711, handler, NULL) == NULL);
}

void test_pci_dma_memory(void) {
    unsigned long address = 0, pointer = 0;
    int error = rumpcomp_pci_dmalloc(3 * PAGE, 16, &address, &pointer);
    if (error == NB_ENOTSUP)
        return;
    check_equal(error, 0);
    check_equal(pointer % PAGE, 0);
    check_equal(address % PAGE, 0);
    const unsigned char *bytes = (const unsigned char *)pointer;
    for (int at = 0; at < 3 * PAGE; at++)
        if (bytes[at] != 0) {
            check(bytes[at] == 0);
            break;
        }
    for (unsigned long at = 0; at < 3 * PAGE; at += 100)
        check_equal(rumpcomp_pci_virt_to_mach((void *)(pointer + at)), address + at);
    rumpcomp_pci_dmafree(pointer, 3 * PAGE);
    check_equal(rumpcomp_pci_dmalloc(PAGE, 65536, &address, &pointer), 0);
    check_equal(address % 65536, 0);
    rumpcomp_pci_dmafree(pointer, PAGE);
    check_equal(rumpcomp_pci_dmalloc(PAGE, PAGE + 1, &address, &pointer), NB_EINVAL);
    check_equal(rumpcomp_pci_dmalloc((size_t)1 << 62, PAGE, &address, &pointer), NB_ENOMEM);
    static char own;
    check(rumpcomp_pci_virt_to_mach(&own) != 0);
}

void test_pci_dma_memory_is_mapped(void) {
    struct rumpcomp_pci_dmaseg runs[2] = {{0, PAGE, 0x10000}, {0, PAGE, 0x11000}};
    void *pointer = NULL;
    check_equal(rumpcomp_pci_dmamem_map(runs, 1, PAGE, &pointer), 0);
    check((unsigned long)pointer == 0x10000);
    check_equal(rumpcomp_pci_dmamem_map(runs, 2, 2 * PAGE, &pointer), 0);
    runs[1].ds_vacookie = 0x20000;
    check_equal(rumpcomp_pci_dmamem_map(runs, 2, 2 * PAGE, &pointer), NB_ENOTSUP);
    check_equal(rumpcomp_pci_dmamem_map(runs, 0, 0, &pointer), NB_EINVAL);
}

void test_pci_ports_need_no_preparation(void) {
    check_equal(rumpcomp_pci_iospace_init(), 0);
}

/* Intel's 82540EM: interrupts when it is told to (its manual, 13.4.18). */
static volatile unsigned *registers;
static int interrupts;

static int served(void *arg) {
    enum { ICR = 0xc0 / 4 };
    check(arg == &interrupts);
    check(rumpuser_curlwp() != NULL);
    check(cpu_owner() == rumpuser_curlwp());
    /* Reading it clears it. */
    (void)registers[ICR];
    interrupts++;
    return 1;
}

void test_pci_device_is_mapped_and_interrupts(void) {
    enum { ICS = 0xc8 / 4, IMS = 0xd0 / 4, IMC = 0xd8 / 4, BUS_MASTER = 6, COOKIE = 99 };
    unsigned device = 0;
    while (device < 32 && get(device, ID) != 0x100e8086)
        device++;
    if (device == 32)
        return;
    check_equal(rumpcomp_pci_confwrite(0, device, 0, COMMAND, get(device, COMMAND) | BUS_MASTER), 0);
    registers = rumpcomp_pci_map(get(device, BAR0) & ~0xfu, 0x20000);
    check(registers != NULL);
    check_equal(rumpcomp_pci_irq_map(0, device, 0, (int)(get(device, LINE) & 0xff), COOKIE), 0);
    check(rumpcomp_pci_irq_establish(COOKIE, served, &interrupts) != NULL);
    interrupts = 0;
    registers[IMS] = 1;
    for (int round = 1; round <= 3; round++) {
        registers[ICS] = 1;
        for (int turns = 0; turns < 10000 && interrupts < round; turns++)
            rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 1000000);
        check_equal(interrupts, round);
    }
    registers[IMC] = ~0u;
    rumpuser_dprintf("rumpuser: a device has interrupted\n");
}

/* QEMU's device for teaching: interrupts when it is told to, and when it has copied memory (docs/specs/edu of QEMU). */
enum { EDU_STATUS = 0x24 / 4, EDU_RAISE = 0x60 / 4, EDU_ACKNOWLEDGE = 0x64 / 4 };
static volatile unsigned *edu;
static unsigned edu_said;
static int edu_interrupts;

static int edu_served(void *arg) {
    check(arg == &edu_interrupts);
    check(cpu_owner() == rumpuser_curlwp());
    edu_said = edu[EDU_STATUS];
    edu[EDU_ACKNOWLEDGE] = edu_said;
    edu_interrupts++;
    return 1;
}

static void edu_await(int count) {
    for (int turns = 0; turns < 10000 && edu_interrupts < count; turns++)
        rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 1000000);
    check_equal(edu_interrupts, count);
}

/* Copies 64 bytes to the device's own memory (way 0) or from there (way 2). */
static void edu_copy(unsigned long from, unsigned long to, unsigned way) {
    enum { SOURCE = 0x80 / 4, DESTINATION = 0x88 / 4, COUNT = 0x90 / 4, COMMAND_ = 0x98 / 4, START = 1, INTERRUPT = 4 };
    edu[SOURCE] = (unsigned)from;
    edu[DESTINATION] = (unsigned)to;
    edu[COUNT] = 64;
    edu[COMMAND_] = START | way | INTERRUPT;
}

void test_pci_device_copies_and_interrupts(void) {
    enum { BUS_MASTER = 6, COOKIE = 98, OWN = 0x40000, BACK = 2, COPIED = 0x100 };
    unsigned device = 0;
    while (device < 32 && get(device, ID) != 0x11e81234)
        device++;
    if (device == 32)
        return;
    check_equal(rumpcomp_pci_confwrite(0, device, 0, COMMAND, get(device, COMMAND) | BUS_MASTER), 0);
    edu = rumpcomp_pci_map(get(device, BAR0) & ~0xfu, 0x100000);
    check(edu != NULL);
    check_equal(edu[0] & 0xffff, 0x00ed);
    check_equal(rumpcomp_pci_irq_map(0, device, 0, (int)(get(device, LINE) & 0xff), COOKIE), 0);
    check(rumpcomp_pci_irq_establish(COOKIE, edu_served, &edu_interrupts) != NULL);
    for (int round = 1; round <= 3; round++) {
        edu[EDU_RAISE] = 0x10u + (unsigned)round;
        edu_await(round);
        check_equal(edu_said, 0x10u + (unsigned)round);
    }
    unsigned long address = 0, pointer = 0;
    check_equal(rumpcomp_pci_dmalloc(PAGE, PAGE, &address, &pointer), 0);
    unsigned char *bytes = (unsigned char *)pointer;
    for (int at = 0; at < 64; at++)
        bytes[at] = (unsigned char)(at * 3);
    edu_copy(address, OWN, 0);
    edu_await(4);
    edu_copy(OWN, address + 1024, BACK);
    edu_await(5);
    check_equal(edu_said, COPIED);
    for (int at = 0; at < 64; at++)
        check_equal(bytes[1024 + at], bytes[at]);
    rumpcomp_pci_dmafree(pointer, PAGE);
    rumpuser_dprintf("rumpuser: a device has copied and interrupted\n");
}
