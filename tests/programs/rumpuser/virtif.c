/* rumpcomp_virt_*, rump_virtif_virt_deliverpkt. Where the machine has no card, only what does not need one. */
#include "suite.h"

struct virtif_sc {
    int packets;
    size_t len;
    unsigned char frame[1600];
};

void rump_virtif_virt_deliverpkt(struct virtif_sc *sc, struct rumpuser_iovec *iov, size_t count) {
    check(rumpuser_curlwp() != NULL);
    check(cpu_owner() == rumpuser_curlwp());
    sc->len = 0;
    for (size_t piece = 0; piece < count; piece++)
        for (size_t at = 0; at < iov[piece].iov_len; at++)
            if (sc->len < sizeof sc->frame)
                sc->frame[sc->len++] = ((unsigned char *)iov[piece].iov_base)[at];
    sc->packets++;
}

static struct virtif_sc softcs[2];

void test_virtif_without_a_number(void) {
    struct virtif_user *user = NULL;
    uint8_t address[6];
    check_equal(rumpcomp_virt_create("virt", &softcs[0], address, &user), NB_EINVAL);
    check_equal(rumpcomp_virt_create("", &softcs[0], address, &user), NB_EINVAL);
    check(user == NULL);
}

void test_virtif_without_a_card(void) {
    struct virtif_user *user = NULL;
    uint8_t address[6];
    check_equal(rumpcomp_virt_create("virt77", &softcs[0], address, &user), NB_ENXIO);
    check(user == NULL);
}

/* 0 if there is no such card. */
static int create(int number, struct virtif_user **user, uint8_t *address) {
    static const char *const names[2] = {"virt0", "1"};
    fill(address, 0, 6);
    int error = rumpcomp_virt_create(names[number], &softcs[number], address, user);
    if (error != NB_ENXIO)
        check_equal(error, 0);
    return error == 0;
}

void test_virtif_has_the_cards_address(void) {
    struct virtif_user *user;
    uint8_t address[6];
    if (!create(0, &user, address))
        return;
    check(!same(address, "\0\0\0\0\0\0", 6));
    check_equal(address[0] & 1, 0);
    rumpcomp_virt_dying(user);
    rumpcomp_virt_destroy(user);
}

void test_virtif_of_a_card_in_use(void) {
    struct virtif_user *user, *other = NULL;
    uint8_t address[6];
    for (int round = 0; round < 3; round++) {
        if (!create(0, &user, address))
            return;
        check_equal(rumpcomp_virt_create("virt0", &softcs[1], address, &other), NB_EBUSY);
        check(other == NULL);
        check_equal(rumpcomp_virt_dying(user), 0);
        note_begin();
        rumpcomp_virt_destroy(user);
        check_equal(note.unschedules, 1);
    }
}

/* One card, on a network that has a gateway at 10.0.2.2, as QEMU's has: asks for its address (RFC 826). */
static void ask_the_gateway(struct virtif_user *user, const uint8_t *address) {
    static unsigned char request[42] = {
        [0] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, [28] = 10, 0, 2, 15, [38] = 10, 0, 2, 2};
    struct rumpuser_iovec iov = {request, sizeof request};
    for (int at = 0; at < 6; at++)
        request[6 + at] = request[22 + at] = address[at];
    softcs[0].packets = 0;
    rumpcomp_virt_send(user, &iov, 1);
    for (int turns = 0; turns < 10000 && softcs[0].packets == 0; turns++)
        rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 1000000);
    check(softcs[0].packets > 0);
    check(softcs[0].len >= 42);
    check(same(softcs[0].frame, address, 6));
    /* An answer from 10.0.2.2. */
    static const unsigned char answer[2] = {0, 2}, gateway[4] = {10, 0, 2, 2};
    check(same(softcs[0].frame + 20, answer, 2));
    check(same(softcs[0].frame + 28, gateway, 4));
    rumpuser_dprintf("rumpuser: the gateway has answered\n");
}

void test_virtif_sends_and_delivers(void) {
    struct virtif_user *users[2];
    uint8_t addresses[2][6];
    if (!create(0, &users[0], addresses[0]))
        return;
    if (create(1, &users[1], addresses[1])) {
        /* Two cards on one wire. */
        unsigned char head[14], body[100];
        struct rumpuser_iovec iov[3] = {{head, 14}, {NULL, 0}, {body, 100}};
        for (int at = 0; at < 6; at++) {
            head[at] = addresses[1][at];
            head[6 + at] = addresses[0][at];
        }
        head[12] = 0x88;
        head[13] = 0xb5;
        softcs[1].packets = 0;
        for (int number = 0; number < 20; number++) {
            fill(body, number + 1, sizeof body);
            rumpcomp_virt_send(users[0], iov, 3);
            until(softcs[1].packets == number + 1);
            check_equal(softcs[1].len, 114);
            check(same(softcs[1].frame, head, 14) && same(softcs[1].frame + 14, body, 100));
        }
        rumpcomp_virt_dying(users[1]);
        rumpcomp_virt_destroy(users[1]);
        /* Nothing is delivered any more. */
        rumpcomp_virt_send(users[0], iov, 3);
        settle();
        check_equal(softcs[1].packets, 20);
    } else {
        ask_the_gateway(users[0], addresses[0]);
    }
    rumpcomp_virt_dying(users[0]);
    rumpcomp_virt_destroy(users[0]);
}
