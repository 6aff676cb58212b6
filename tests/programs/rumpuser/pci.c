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
