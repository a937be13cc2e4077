/* The kernel and the world beside each other: slots, comparing, addresses.
 * SPDX-License-Identifier: MIT */
#include "beside.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

struct slot slots[SLOTS];
uint16_t ports[4096];
uint32_t descriptions;
struct dry_caller kernel, world;
uint64_t random_state;
bool differs;
FILE *transcript;

uint32_t draw(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % bound;
}

/* ---- comparing --------------------------------------------------------------------------------- */

static const char *shown(int64_t result, char text[32])
{
    const char *name = result < 0 ? strerrorname_np((int)-result) : NULL;
    if (name) {
        snprintf(text, 32, "-%s", name);
    } else {
        snprintf(text, 32, "%lld", (long long)result);
    }
    return text;
}

bool alike(const char *what, int64_t in_kernel, int64_t in_world)
{
    char left[32], right[32];
    fprintf(transcript, "  %s: kernel %s, world %s\n", what, shown(in_kernel, left),
            shown(in_world, right));
    differs |= in_kernel != in_world;
    return in_kernel == in_world;
}

void keep(enum kind kind, int64_t in_kernel, int64_t in_world)
{
    alike("descriptor", in_kernel < 0 ? in_kernel : 0, in_world < 0 ? in_world : 0);
    int place = 0;
    while (place < SLOTS && slots[place].kind != FREE) {
        place++;
    }
    if (place == SLOTS || in_kernel < 0 || in_world < 0) {
        if (in_kernel >= 0) {
            KERNEL(close, (int)in_kernel);
        }
        if (in_world >= 0) {
            WORLD(close, (int)in_world);
        }
        return;
    }
    descriptions++;
    assert_true(descriptions < sizeof ports / sizeof ports[0]);
    slots[place] = (struct slot){kind, (int)in_kernel, (int)in_world, descriptions};
    fprintf(transcript, "  slot %d, kind %d\n", place, kind);
}

struct slot *pick(enum kind from, enum kind to)
{
    int found[SLOTS], count = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i].kind >= from && slots[i].kind <= to) {
            found[count++] = i;
        }
    }
    return count ? &slots[found[draw((uint32_t)count)]] : NULL;
}

void say(const char *call, const struct slot *slot, long detail)
{
    fprintf(transcript, "%s %d %ld\n", call, (int)(slot - slots), detail);
}

/* ---- addresses --------------------------------------------------------------------------------- */

socklen_t some_address(enum kind kind, struct sockaddr_storage *storage, uint16_t *port)
{
    memset(storage, 0, sizeof *storage);
    *port = (uint16_t)(FIRST_PORT + draw(2));
    const bool any = draw(8) == 0;
    fprintf(transcript, "  to %s %u\n", any ? "any" : "loopback", *port);
    if (kind == TCP4 || kind == UDP4) {
        struct sockaddr_in *in = (struct sockaddr_in *)storage;
        *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(*port)};
        in->sin_addr.s_addr = htonl(any ? INADDR_ANY : INADDR_LOOPBACK);
        return sizeof *in;
    }
    if (kind == TCP6 || kind == UDP6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
        *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(*port)};
        in6->sin6_addr = any ? in6addr_any : in6addr_loopback;
        return sizeof *in6;
    }
    struct sockaddr_un *un = (struct sockaddr_un *)storage;
    un->sun_family = AF_UNIX;
    un->sun_path[1] = (char)('a' + draw(4)); /* abstract */
    return offsetof(struct sockaddr_un, sun_path) + 2;
}

void hide_luck(struct sockaddr_storage *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)address; /* sin6_port lies at the same place */
    if (address->ss_family != AF_UNIX && ntohs(in->sin_port) >= FIRST_EPHEMERAL) {
        in->sin_port = 0;
    }
}

void compare_name(const struct slot *slot, bool peer)
{
    struct sockaddr_storage left, right;
    socklen_t left_length = sizeof left, right_length = sizeof right;
    memset(&left, 0, sizeof left);
    memset(&right, 0, sizeof right);
    struct sockaddr *in_kernel = (struct sockaddr *)&left, *in_world = (struct sockaddr *)&right;
    const int first = peer ? KERNEL(getpeername, slot->kernel, in_kernel, &left_length)
                           : KERNEL(getsockname, slot->kernel, in_kernel, &left_length);
    const int second = peer ? WORLD(getpeername, slot->world, in_world, &right_length)
                            : WORLD(getsockname, slot->world, in_world, &right_length);
    if (!alike(peer ? "peer" : "name", first, second) || first < 0 ||
        !alike("length", left_length, right_length)) {
        return;
    }
    hide_luck(&left);
    hide_luck(&right);
    alike("bytes differ", 0, memcmp(&left, &right, left_length) != 0);
}
