/* The line between the kernel's hosts: packets from their TUN interfaces through the link model.
 * SPDX-License-Identifier: MIT */
#include "line.h"

#include <assert.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/core/heap.h"
#include "sim/core/random.h"
#include "sim/net/capture.h"
#include "sim/net/link.h"
#include "sim/net/notation.h"

enum {
    PACKET_BYTES = 65536,
    HOST_ADDRESSES = 16,
};

struct address {
    uint8_t bytes[16];    /* IPv4 as ::ffff:a.b.c.d */
    uint32_t prefix_bits; /* of the 128 */
};

struct host {
    int tun;
    uint32_t address_count;
    struct address addresses[HOST_ADDRESSES];
};

struct line_link {
    uint32_t host[2];
    struct sim_link_way way[2]; /* way[0]: from host[0] to host[1] */
    bool down;
};

/* A packet under way. */
struct flight {
    uint64_t at;
    uint32_t host; /* where it arrives */
    uint32_t length;
    uint8_t data[];
};

struct kernel_line {
    const struct scenario *scenario;
    struct host *hosts;
    struct line_link *links;
    struct sim_random random;
    struct sim_capture *capture;
    struct sim_heap_entry *heap; /* of flights, by the instant of arrival, then in the order sent */
    struct flight **slots;
    uint32_t *free_slots; /* those that hold none: a stack of room - flights */
    uint32_t flights, room;
    uint64_t next_sequence;
    bool *event_done; /* of the scenario's events */
    struct kernel_line_count count;
    uint8_t packet[PACKET_BYTES];
};

/* ---- addresses ---------------------------------------------------------------------------- */

static void map_v4(uint8_t mapped[16], const void *address)
{
    memset(mapped, 0, 10);
    memset(mapped + 10, 0xff, 2);
    memcpy(mapped + 12, address, 4);
}

static bool is_v4(const uint8_t ip[16])
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(ip, prefix, sizeof prefix) == 0;
}

static void read_address(struct host *host, const char *item)
{
    struct address *address = &host->addresses[host->address_count];
    struct sim_ip ip;
    uint32_t bits;
    char message[200];
    if (sim_notation_address(item, &ip, &bits, message, sizeof message) < 0) {
        return; /* the file was refused for it */
    }
    memcpy(address->bytes, ip.bytes, sizeof address->bytes);
    address->prefix_bits = is_v4(ip.bytes) ? 96 + bits : bits;
    host->address_count++;
}

static void read_addresses(struct host *host, const char *addresses)
{
    char *copy = strdup(addresses), *rest = copy, *item;
    while (copy != NULL && (item = strsep(&rest, " \t")) != NULL) {
        if (*item != '\0' && host->address_count < HOST_ADDRESSES) {
            read_address(host, item);
        }
    }
    free(copy);
}

static bool host_owns(const struct host *host, const uint8_t ip[16])
{
    for (uint32_t i = 0; i < host->address_count; i++) {
        if (memcmp(host->addresses[i].bytes, ip, 16) == 0) {
            return true;
        }
    }
    return false;
}

/* The last address of a prefix of the host's. */
static bool is_prefix_broadcast(const struct host *host, const uint8_t ip[16])
{
    for (uint32_t i = 0; i < host->address_count; i++) {
        const struct address *own = &host->addresses[i];
        uint8_t last[16];
        if (!is_v4(own->bytes) || own->prefix_bits >= 127) {
            continue;
        }
        memcpy(last, own->bytes, sizeof last);
        for (uint32_t bit = own->prefix_bits; bit < 128; bit++) {
            last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
        if (memcmp(last, ip, sizeof last) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether every linked host hears it. */
static bool is_for_all(const struct host *from, const uint8_t ip[16])
{
    if (!is_v4(ip)) {
        return ip[0] == 0xff;
    }
    return (ip[12] & 0xf0) == 0xe0 || memcmp(ip + 12, "\xff\xff\xff\xff", 4) == 0 ||
           is_prefix_broadcast(from, ip);
}

/* The destination; false when it is no IP packet. */
static bool destination_of(const uint8_t *packet, size_t length, uint8_t ip[16])
{
    if (length >= sizeof(struct ip) && packet[0] >> 4 == 4) {
        map_v4(ip, packet + offsetof(struct ip, ip_dst));
        return true;
    }
    if (length >= sizeof(struct ip6_hdr) && packet[0] >> 4 == 6) {
        memcpy(ip, packet + offsetof(struct ip6_hdr, ip6_dst), 16);
        return true;
    }
    return false;
}

/* SIMPLER: who wants which group is not told: links carry every multicast to every linked host, as
 * in the world, where hosts do not speak IGMP and MLD. */
static bool is_group_report(const uint8_t *packet, size_t length)
{
    if (packet[0] >> 4 == 4) {
        return packet[offsetof(struct ip, ip_p)] == IPPROTO_IGMP;
    }
    if (packet[offsetof(struct ip6_hdr, ip6_nxt)] != IPPROTO_HOPOPTS || length < 49 ||
        packet[40] != IPPROTO_ICMPV6) {
        return false;
    }
    return packet[48] == MLD_LISTENER_QUERY || packet[48] == MLD_LISTENER_REPORT ||
           packet[48] == MLD_LISTENER_REDUCTION || packet[48] == 143; /* MLDv2 report */
}

/* ---- packets under way -------------------------------------------------------------------- */

/* The heap names flights by their slots; a free slot holds none. */
static uint32_t free_slot(struct kernel_line *line)
{
    if (line->flights == line->room) {
        uint32_t more = line->room == 0 ? 64 : line->room;
        line->heap = realloc(line->heap, (line->room + more) * sizeof *line->heap);
        line->slots = realloc(line->slots, (line->room + more) * sizeof *line->slots);
        line->free_slots = realloc(line->free_slots, (line->room + more) * sizeof *line->free_slots);
        assert(line->heap != NULL && line->slots != NULL && line->free_slots != NULL);
        for (uint32_t i = 0; i < more; i++) { /* the lowest on top */
            line->free_slots[i] = line->room + more - 1 - i;
            line->slots[line->room + i] = NULL;
        }
        line->room += more;
    }
    return line->free_slots[line->room - line->flights - 1];
}

static void push_flight(struct kernel_line *line, uint64_t at, struct flight *flight)
{
    uint32_t slot = free_slot(line);
    struct sim_heap_entry entry = {.at = at, .sequence = line->next_sequence++, .event = {slot}};

    line->slots[slot] = flight;
    sim_heap_up(line->heap, line->flights++, entry, NULL, NULL);
}

static struct flight *pop_flight(struct kernel_line *line)
{
    uint32_t slot = line->heap[0].event.index;
    struct flight *flight = line->slots[slot];
    line->slots[slot] = NULL;
    sim_heap_remove(line->heap, &line->flights, 0, NULL, NULL);
    line->free_slots[line->room - line->flights - 1] = slot;
    return flight;
}

static void deliver_at(struct kernel_line *line, uint64_t at, uint32_t host, size_t length,
                       bool corrupt)
{
    struct flight *flight = malloc(sizeof *flight + length);
    assert(flight != NULL);
    flight->at = at;
    flight->host = host;
    flight->length = (uint32_t)length;
    memcpy(flight->data, line->packet, length);
    /* The last byte lies in what the transport's checksum covers. */
    if (corrupt) {
        flight->data[length - 1] ^= 0x10;
    }
    push_flight(line, at, flight);
}

static void send_over(struct kernel_line *line, struct line_link *link, uint32_t direction,
                      uint64_t now, size_t length)
{
    struct sim_link_plan plan = sim_link_plan(&link->way[direction], link->down, now, (uint32_t)length,
                                              &line->random);
    uint32_t to = link->host[!direction];

    if (plan.verdict != SIM_LINK_DELIVER) {
        line->count.dropped++;
        return;
    }
    deliver_at(line, plan.arrives_at, to, length, plan.corrupt != 0);
    if (plan.duplicate_at != SIM_NEVER) {
        deliver_at(line, plan.duplicate_at, to, length, plan.corrupt != 0);
    }
}

/* A packet for one host takes one link, though several may lead there. */
static void send_packet(struct kernel_line *line, uint32_t from, uint64_t now, size_t length)
{
    uint8_t ip[16];
    bool all;
    if (!destination_of(line->packet, length, ip) || is_group_report(line->packet, length)) {
        return;
    }
    line->count.sent++;
    /* As it leaves its host: what the line then does to it is the receiver's to see. */
    if (line->capture != NULL) {
        sim_capture_write(line->capture, now, line->packet, length);
    }
    all = is_for_all(&line->hosts[from], ip);
    for (uint32_t i = 0; i < line->scenario->link_count; i++) {
        struct line_link *link = &line->links[i];
        uint32_t direction = link->host[0] == from ? 0 : 1;
        if (link->host[direction] != from) {
            continue;
        }
        if (!all && !host_owns(&line->hosts[link->host[!direction]], ip)) {
            continue;
        }
        send_over(line, link, direction, now, length);
        if (!all) {
            return;
        }
    }
}

void kernel_line_receive(struct kernel_line *line, uint32_t host, uint64_t now)
{
    ssize_t length;
    while ((length = read(line->hosts[host].tun, line->packet, sizeof line->packet)) > 0) {
        send_packet(line, host, now, (size_t)length);
    }
}

void kernel_line_drain(struct kernel_line *line)
{
    for (uint32_t host = 0; host < line->scenario->host_count; host++) {
        while (read(line->hosts[host].tun, line->packet, sizeof line->packet) > 0)
            ;
    }
}

/* ---- time --------------------------------------------------------------------------------- */

/* The next event that changes a link; NULL: none. */
static const struct scenario_event *next_change(const struct kernel_line *line)
{
    const struct scenario_event *next = NULL;
    for (uint32_t i = 0; i < line->scenario->event_count; i++) {
        const struct scenario_event *event = &line->scenario->events[i];
        if (event->kind == EVENT_SIGNAL || line->event_done[i]) {
            continue;
        }
        if (next == NULL || event->instant_ns < next->instant_ns) {
            next = event;
        }
    }
    return next;
}

static void change_link(struct kernel_line *line, const struct scenario_event *event)
{
    line->event_done[event - line->scenario->events] = true;
    line->links[event->link].down = event->kind == EVENT_LINK_DOWN;
}

static void deliver(struct kernel_line *line, uint64_t now)
{
    struct flight *flight = pop_flight(line);
    ssize_t written = write(line->hosts[flight->host].tun, flight->data, flight->length);
    if (written == (ssize_t)flight->length) {
        line->count.delivered++;
    } else {
        line->count.dropped++; /* the interface is down, or the process has ended */
    }
    if (now - flight->at > line->count.late_ns) {
        line->count.late_ns = now - flight->at;
    }
    free(flight);
}

void kernel_line_advance(struct kernel_line *line, uint64_t now)
{
    const struct scenario_event *event;
    while ((event = next_change(line)) != NULL && event->instant_ns <= now) {
        change_link(line, event);
    }
    while (line->flights > 0 && line->heap[0].at <= now) {
        deliver(line, now);
    }
}

uint64_t kernel_line_next_at(const struct kernel_line *line)
{
    const struct scenario_event *event = next_change(line);
    uint64_t at = event == NULL ? SIM_NEVER : event->instant_ns;
    if (line->flights > 0 && line->heap[0].at < at) {
        at = line->heap[0].at;
    }
    return at;
}

struct kernel_line_count kernel_line_count(const struct kernel_line *line)
{
    return line->count;
}

/* ---- life --------------------------------------------------------------------------------- */

static void set_up_link(struct line_link *link, const struct scenario_link *written)
{
    link->host[0] = written->a;
    link->host[1] = written->b;
    link->way[0] = sim_link_way_of(&written->options);
    link->way[1] = link->way[0];
    link->down = written->options.down != 0;
}

struct kernel_line *kernel_line_create(const struct scenario *scenario, const int *tuns, uint64_t seed,
                                       const char *capture_path)
{
    struct kernel_line *line = calloc(1, sizeof *line);
    if (line == NULL) {
        return NULL;
    }
    line->scenario = scenario;
    line->hosts = calloc(scenario->host_count, sizeof *line->hosts);
    line->links = calloc(scenario->link_count + 1, sizeof *line->links);
    line->event_done = calloc(scenario->event_count + 1, sizeof *line->event_done);
    if (line->hosts == NULL || line->links == NULL || line->event_done == NULL ||
        (capture_path != NULL && sim_capture_open(capture_path, &line->capture) < 0)) {
        kernel_line_free(line);
        return NULL;
    }
    for (uint32_t i = 0; i < scenario->host_count; i++) {
        line->hosts[i].tun = tuns[i];
        read_addresses(&line->hosts[i], scenario->hosts[i].addresses);
    }
    for (uint32_t i = 0; i < scenario->link_count; i++) {
        set_up_link(&line->links[i], &scenario->links[i]);
    }
    sim_random_seed(&line->random, seed);
    return line;
}

int kernel_line_end_capture(struct kernel_line *line)
{
    int status = sim_capture_close(line->capture);
    line->capture = NULL;
    return status;
}

void kernel_line_free(struct kernel_line *line)
{
    if (line == NULL) {
        return;
    }
    while (line->flights > 0) {
        free(pop_flight(line));
    }
    sim_capture_close(line->capture);
    free(line->heap);
    free(line->slots);
    free(line->free_slots);
    free(line->hosts);
    free(line->links);
    free(line->event_done);
    free(line);
}
