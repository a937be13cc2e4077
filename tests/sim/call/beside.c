/* The kernel and the world beside each other: slots, comparing, addresses.
 * SPDX-License-Identifier: MIT */
#include "beside.h"

#include <arpa/inet.h>
#include <limits.h>
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
bool differs;
FILE *transcript;
bool brief;
char heading[128];

static uint64_t random_state;

void draw_from(uint64_t seed)
{
    random_state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    random_state ^= random_state >> 29;
    random_state += random_state == 0;
    for (int i = 0; i < 4; i++) {
        draw(2);
    }
}

uint32_t draw(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % bound;
}

int odd_number(void)
{
    static const int numbers[] = {0,    1,     -1,    2,     3,     4,       5,       7,      8,
                                  63,   64,    127,   128,   255,   256,     1000,    1279,   1280,
                                  1500, 32767, 32768, 65535, 65536, 1 << 20, INT_MAX, INT_MIN};
    return CHOOSE(numbers);
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
    if (brief && in_kernel == in_world) {
        return true;
    }
    fprintf(transcript, "%s  %s: kernel %s, world %s\n", brief ? heading : "", what,
            shown(in_kernel, left), shown(in_world, right));
    differs |= in_kernel != in_world;
    return in_kernel == in_world;
}

void alike_bytes(const char *what, const void *in_kernel, const void *in_world, size_t length)
{
    const unsigned char *left = in_kernel, *right = in_world;
    size_t at = 0;
    while (at < length && left[at] == right[at]) {
        at++;
    }
    if (at == length) {
        return;
    }
    differs = true;
    fprintf(transcript, "%s  %s differ from byte %zu of %zu: kernel", brief ? heading : "", what, at,
            length);
    for (size_t i = at; i < length && i < at + 24; i++) {
        fprintf(transcript, " %02x", left[i]);
    }
    fprintf(transcript, ", world");
    for (size_t i = at; i < length && i < at + 24; i++) {
        fprintf(transcript, " %02x", right[i]);
    }
    fprintf(transcript, "\n");
}

/* ---- slots ------------------------------------------------------------------------------------- */

void keep(enum kind kind, int64_t in_kernel, int64_t in_world)
{
    const uint32_t start = draw(SLOTS);
    alike("descriptor", in_kernel < 0 ? in_kernel : 0, in_world < 0 ? in_world : 0);
    uint32_t tried = 0;
    while (tried < SLOTS && slots[(start + tried) % SLOTS].kind != FREE) {
        tried++;
    }
    if (tried == SLOTS || in_kernel < 0 || in_world < 0) {
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
    slots[(start + tried) % SLOTS] = (struct slot){kind, (int)in_kernel, (int)in_world, descriptions};
    fprintf(transcript, "  slot %u, kind %d\n", (start + tried) % SLOTS, kind);
}

struct slot *pick(enum kind from, enum kind to)
{
    static struct slot closed[2] = {{FREE, -1, -1, 0}, {FREE, 987654, 987654, 0}};
    const uint32_t start = draw(SLOTS);
    if (one_in(60)) {
        return &closed[start % 2];
    }
    if (one_in(25)) { /* of any kind: most calls know what to say */
        from = TCP4;
        to = EPOLL;
    }
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &slots[(start + i) % SLOTS];
        if (slot->kind >= from && slot->kind <= to) {
            return slot;
        }
    }
    return &closed[0];
}

void say(const char *call, const struct slot *slot, long detail)
{
    const bool known = slot >= slots && slot < slots + SLOTS;
    fprintf(transcript, "%s slot %d kind %d: %ld\n", call, known ? (int)(slot - slots) : -1, slot->kind,
            detail);
}

/* ---- addresses --------------------------------------------------------------------------------- */

static const char *const hosts_v4[] = {"127.0.0.1", "127.0.0.1", "127.0.0.1",      "127.0.0.2",
                                       "0.0.0.0",   "10.0.0.1",  "10.1.2.3",       "255.255.255.255",
                                       "224.0.0.1", "239.1.2.3", "127.255.255.255"};
static const char *const hosts_v6[] = {"::1",
                                       "::1",
                                       "::1",
                                       "::",
                                       "::ffff:127.0.0.1",
                                       "::ffff:127.0.0.1",
                                       "::ffff:0.0.0.0",
                                       "::ffff:10.0.0.1",
                                       "::ffff:10.1.2.3",
                                       "fd00::1",
                                       "fd00::7",
                                       "ff02::1",
                                       "fe80::1",
                                       "::ffff:224.0.0.1"};

static socklen_t address_v4(struct sockaddr_storage *storage, const char *host, uint16_t port)
{
    struct sockaddr_in *in = (struct sockaddr_in *)storage;
    *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, host, &in->sin_addr);
    return sizeof *in;
}

static socklen_t address_v6(struct sockaddr_storage *storage, const char *host, uint16_t port)
{
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
    *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    inet_pton(AF_INET6, host, &in6->sin6_addr);
    in6->sin6_scope_id = one_in(20) ? draw(3) : 0;
    return sizeof *in6;
}

static socklen_t address_unix(struct sockaddr_storage *storage)
{
    struct sockaddr_un *un = (struct sockaddr_un *)storage;
    un->sun_family = AF_UNIX;
    un->sun_path[1] = (char)('a' + draw(4)); /* abstract */
    return offsetof(struct sockaddr_un, sun_path) + 2;
}

socklen_t some_address(enum kind kind, struct sockaddr_storage *storage, uint16_t *port)
{
    memset(storage, 0, sizeof *storage);
    *port = one_in(20) ? 0 : (uint16_t)(FIRST_PORT + draw(3));
    const bool odd = one_in(5);
    const uint32_t family = one_in(40)                     ? draw(3)
                            : kind == TCP4 || kind == UDP4 ? 0
                            : kind == TCP6 || kind == UDP6 ? 1
                                                           : 2;
    socklen_t length;
    const char *host = "";
    if (family == 0) {
        host = odd ? CHOOSE(hosts_v4) : hosts_v4[draw(8) == 0 ? 4 : 0];
        length = address_v4(storage, host, *port);
    } else if (family == 1) {
        host = odd ? CHOOSE(hosts_v6) : hosts_v6[draw(8) == 0 ? 3 : draw(5)];
        length = address_v6(storage, host, *port);
    } else {
        length = address_unix(storage);
        *port = 0;
    }
    if (one_in(40)) {
        storage->ss_family = (sa_family_t)draw(12);
    }
    if (one_in(30)) {
        static const socklen_t lengths[] = {0,  1,  2,  3,   7,   8,   15,  16,  17,   23,        24,
                                            27, 28, 29, 110, 111, 127, 128, 129, 1000, UINT32_MAX};
        length = CHOOSE(lengths);
    }
    fprintf(transcript, "  address: family %d host %s port %u name %c, %d bytes\n", storage->ss_family,
            host, *port, family == 2 ? ((struct sockaddr_un *)storage)->sun_path[1] : '-', (int)length);
    return length;
}

void hide_luck(struct sockaddr_storage *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)address; /* sin6_port lies at the same place */
    struct sockaddr_un *un = (struct sockaddr_un *)address;
    if (address->ss_family == AF_INET || address->ss_family == AF_INET6) {
        if (ntohs(in->sin_port) >= FIRST_EPHEMERAL) {
            in->sin_port = 0;
        }
    } else if (address->ss_family == AF_UNIX && un->sun_path[0] == 0 && un->sun_path[5] != 0) {
        memset(un->sun_path, 0, 6); /* an automatic name */
    }
}

void compare_addresses(struct sockaddr_storage *in_kernel, struct sockaddr_storage *in_world,
                       socklen_t length)
{
    hide_luck(in_kernel);
    hide_luck(in_world);
    alike_bytes("addresses", in_kernel, in_world,
                length < sizeof *in_kernel ? length : sizeof *in_kernel);
}
