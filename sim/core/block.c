/* The block: one lazily reserved mapping that holds the world, its pools and its tables.
 * SPDX-License-Identifier: MIT */
#include "block.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "random.h"

enum {
    PAGE_BYTES = 4096,
    SOCKETS_DEFAULT = 65536,
    TASKS_DEFAULT = 65536,
    PACKETS_DEFAULT = 262144,
    CHUNKS_DEFAULT = 262144,
    HOSTS_DEFAULT = 4096,
    SMALL_DEFAULT = 16384,
    SPARE_EVENTS = 1 << 20, /* instants, signals and changes of links that may be queued at once */
    LEAST_SPARE_EVENTS = 16,
    TASK_NUMBERS = 16, /* so many times as many as tasks may live at once are remembered */
};

static const uint64_t MAGIC = 0x6b636f7379726401; /* "\1drysock" */

static const uint32_t item_bytes[SIM_POOL_COUNT] = {
    [SIM_POOL_HOST] = sizeof(struct sim_host),
    [SIM_POOL_INTERFACE] = sizeof(struct sim_interface),
    [SIM_POOL_ROUTE] = sizeof(struct sim_route),
    [SIM_POOL_LINK] = sizeof(struct sim_link),
    [SIM_POOL_PROCESS] = sizeof(struct sim_process),
    [SIM_POOL_DESCRIPTOR_PAGE] = sizeof(struct sim_descriptor_page),
    [SIM_POOL_TASK] = sizeof(struct sim_task),
    [SIM_POOL_FILE] = sizeof(struct sim_file),
    [SIM_POOL_SOCKET] = sizeof(struct sim_socket),
    [SIM_POOL_TCP] = sizeof(struct sim_tcp),
    [SIM_POOL_UNIX] = sizeof(struct sim_unix),
    [SIM_POOL_NETLINK] = sizeof(struct sim_netlink),
    [SIM_POOL_OPTION] = sizeof(struct sim_option),
    [SIM_POOL_MEMBERSHIP] = sizeof(struct sim_membership),
    [SIM_POOL_DATAGRAM] = sizeof(struct sim_datagram),
    [SIM_POOL_RIGHTS] = sizeof(struct sim_rights),
    [SIM_POOL_PACKET] = sizeof(struct sim_packet),
    [SIM_POOL_SPAN] = sizeof(struct sim_span),
    [SIM_POOL_CHUNK] = sizeof(struct sim_chunk),
    [SIM_POOL_EVENT] = sizeof(struct sim_event),
    [SIM_POOL_WAITER] = sizeof(struct sim_waiter),
    [SIM_POOL_EPOLL] = sizeof(struct sim_epoll),
    [SIM_POOL_PIPE] = sizeof(struct sim_pipe),
    [SIM_POOL_COUNTER] = sizeof(struct sim_counter),
    [SIM_POOL_TIMER] = sizeof(struct sim_timer),
    [SIM_POOL_BARRIER] = sizeof(struct sim_barrier),
    [SIM_POOL_LINE] = sizeof(struct sim_line),
    [SIM_POOL_SCRIPT] = sizeof(struct sim_script),
    [SIM_POOL_CELL] = sizeof(struct sim_cell),
    [SIM_POOL_FUTEX] = sizeof(struct sim_futex),
    [SIM_POOL_REAL] = sizeof(struct sim_real),
    [SIM_POOL_ACTIONS] = sizeof(struct sim_actions),
    [SIM_POOL_PENDING] = sizeof(struct sim_pending),
    [SIM_POOL_SIGNALFD] = sizeof(struct sim_signalfd),
    [SIM_POOL_ALARM] = sizeof(struct sim_alarm),
};

static uint32_t clamp(uint64_t wanted)
{
    const uint64_t most = UINT32_MAX / 8; /* indices and table sizes keep room to double */
    return (uint32_t)(wanted < most ? wanted : most);
}

/* How many events the world may need at once to go on: what has an event holds it, one of each kind. */
static uint64_t events_of_its_own(const uint32_t of[SIM_POOL_COUNT])
{
    const uint64_t of_task = 3; /* its run, its deadline, its interrupt */
    return of[SIM_POOL_PACKET] + of_task * of[SIM_POOL_TASK] + of[SIM_POOL_SOCKET] +
           (uint64_t)SIM_TCP_TIMER_COUNT * of[SIM_POOL_TCP] + of[SIM_POOL_TIMER];
}

/* Fills in what was not asked for. Address space is free, so each default is enough for every
 * socket and task to have some of everything at once. */
static void complete(uint32_t of[SIM_POOL_COUNT], const struct sim_capacities *asked)
{
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        of[kind] = asked ? clamp(asked->of[kind]) : 0;
    }
#define DEFAULT(kind, wanted)                    \
    do {                                         \
        if (of[SIM_POOL_##kind] == 0) {          \
            of[SIM_POOL_##kind] = clamp(wanted); \
        }                                        \
    } while (0)
    DEFAULT(SOCKET, SOCKETS_DEFAULT);
    DEFAULT(TASK, TASKS_DEFAULT);
    DEFAULT(PACKET, PACKETS_DEFAULT);
    DEFAULT(CHUNK, CHUNKS_DEFAULT);
    DEFAULT(HOST, HOSTS_DEFAULT);
    const uint64_t sockets = of[SIM_POOL_SOCKET];
    const uint64_t tasks = of[SIM_POOL_TASK];
    const uint64_t packets = of[SIM_POOL_PACKET];
    const uint64_t chunks = of[SIM_POOL_CHUNK];
    const uint64_t hosts = of[SIM_POOL_HOST];
    DEFAULT(INTERFACE, 2 * hosts);
    DEFAULT(ROUTE, 16 * hosts);
    DEFAULT(LINK, 4 * hosts + SMALL_DEFAULT);
    DEFAULT(PROCESS, SMALL_DEFAULT);
    DEFAULT(FILE, 2 * sockets + SMALL_DEFAULT);
    DEFAULT(DESCRIPTOR_PAGE, sockets / 256 + SMALL_DEFAULT);
    DEFAULT(TCP, sockets);
    DEFAULT(UNIX, sockets);
    DEFAULT(NETLINK, sockets);
    DEFAULT(OPTION, 2 * sockets);
    DEFAULT(MEMBERSHIP, sockets);
    DEFAULT(DATAGRAM, packets + sockets);
    DEFAULT(RIGHTS, packets);
    DEFAULT(SPAN, 4 * chunks + 4 * packets);
    const uint64_t own = events_of_its_own(of);
    DEFAULT(EVENT, own + SPARE_EVENTS);
    if (of[SIM_POOL_EVENT] < own + LEAST_SPARE_EVENTS) {
        of[SIM_POOL_EVENT] = clamp(own + LEAST_SPARE_EVENTS);
    }
    DEFAULT(WAITER, 4 * sockets + 4 * tasks);
    DEFAULT(EPOLL, sockets);
    DEFAULT(PIPE, SMALL_DEFAULT + sockets / 4);
    DEFAULT(COUNTER, SMALL_DEFAULT + sockets / 4);
    DEFAULT(TIMER, SMALL_DEFAULT + sockets / 4);
    DEFAULT(BARRIER, SMALL_DEFAULT);
    DEFAULT(LINE, 65536 + 4 * hosts);
    DEFAULT(SCRIPT, of[SIM_POOL_EVENT]);
    DEFAULT(CELL, 16 * tasks + SMALL_DEFAULT);
    DEFAULT(FUTEX, 2 * tasks);
    DEFAULT(REAL, of[SIM_POOL_FILE]);
    DEFAULT(ACTIONS, of[SIM_POOL_PROCESS]);
    DEFAULT(PENDING, 8 * tasks + SMALL_DEFAULT);
    DEFAULT(SIGNALFD, SMALL_DEFAULT);
    DEFAULT(ALARM, SMALL_DEFAULT);
#undef DEFAULT
}

static uint64_t page_up(uint64_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static uint32_t power_of_two(uint64_t least)
{
    uint32_t buckets = 16;
    while (buckets < least && buckets < UINT32_C(1) << 31) {
        buckets *= 2;
    }
    return buckets;
}

static uint64_t touched_words(const struct sim_world *world)
{
    const uint64_t pages = (world->touched_offset - world->bound_offset) / SIM_TABLE_PAGE_BYTES;
    return (pages + 63) / 64;
}

/* Where everything lies, as the head of a world that is not there yet. */
static void lay_out(struct sim_world *head, const struct sim_capacities *capacities)
{
    uint32_t of[SIM_POOL_COUNT] = {0};
    complete(of, capacities);
    memset(head, 0, sizeof *head);
    uint64_t offset = page_up(sizeof *head);
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        struct sim_pool *pool = &head->pools[kind];
        pool->offset = offset;
        pool->capacity = of[kind];
        pool->item_bytes = item_bytes[kind];
        offset = page_up(offset + ((uint64_t)of[kind] + 1) * item_bytes[kind]);
    }
    head->spare_limit = of[SIM_POOL_EVENT] - (uint32_t)events_of_its_own(of);
    head->heap_offset = offset;
    offset = page_up(offset + (uint64_t)of[SIM_POOL_EVENT] * sizeof(struct sim_heap_entry));
    head->port_buckets = power_of_two(of[SIM_POOL_SOCKET]);
    head->bound_offset = offset;
    offset = page_up(offset + (uint64_t)head->port_buckets * sizeof(uint32_t));
    head->connected_offset = offset;
    offset = page_up(offset + (uint64_t)head->port_buckets * sizeof(uint32_t));
    head->address_buckets = power_of_two((uint64_t)of[SIM_POOL_INTERFACE] * 2 *
                                         SIM_INTERFACE_ADDRESSES);
    head->address_offset = offset;
    offset = page_up(offset + (uint64_t)head->address_buckets * sizeof(uint32_t));
    head->link_buckets = power_of_two((uint64_t)of[SIM_POOL_LINK] * 2);
    head->link_offset = offset;
    offset = page_up(offset + (uint64_t)head->link_buckets * sizeof(uint32_t));
    head->task_entries = power_of_two((uint64_t)of[SIM_POOL_TASK] * TASK_NUMBERS);
    head->task_entry_offset = offset;
    offset = page_up(offset + (uint64_t)head->task_entries * sizeof(struct sim_task_entry));
    head->touched_offset = offset;
    offset = page_up(offset + touched_words(head) * sizeof(uint64_t));
    head->turn_offset = offset;
    offset = page_up(offset + sizeof(struct sim_turn));
    head->seat_offset = offset;
    offset = page_up(offset + ((uint64_t)of[SIM_POOL_TASK] + 1) * sizeof(struct sim_seat));
    head->place_offset = offset;
    head->block_bytes = page_up(offset +
                                ((uint64_t)of[SIM_POOL_PROCESS] + 1) * sizeof(struct sim_place));
    head->magic = MAGIC;
}

static struct sim_world *reserve(uint64_t bytes)
{
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                       -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

static struct sim_world *map_file(int file, uint64_t bytes)
{
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    return block == MAP_FAILED ? NULL : block;
}

static void begin(struct sim_world *world, uint64_t seed)
{
    world->seed = seed;
    world->until = SIM_NEVER;
    sim_random_seed(&world->random, seed);
}

struct sim_world *sim_block_create_shared(const struct sim_capacities *capacities, uint64_t seed,
                                          int *file)
{
    struct sim_world head;
    lay_out(&head, capacities);
    *file = memfd_create("drysock", MFD_CLOEXEC);
    if (*file < 0) {
        return NULL;
    }
    struct sim_world *world = NULL;
    if (ftruncate(*file, (off_t)head.block_bytes) == 0) {
        world = map_file(*file, head.block_bytes);
    }
    if (!world) {
        const int error = errno;
        close(*file);
        *file = -1;
        errno = error;
        return NULL;
    }
    *world = head;
    begin(world, seed);
    return world;
}

/* Was this world laid out by a build like this one? */
static bool is_ours(const struct sim_world *head)
{
    bool same = head->magic == MAGIC;
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        same = same && head->pools[kind].item_bytes == item_bytes[kind];
    }
    return same;
}

struct sim_world *sim_block_attach(int file)
{
    struct sim_world head;
    const ssize_t count = pread(file, &head, sizeof head, 0);
    if (count != (ssize_t)sizeof head || !is_ours(&head)) {
        errno = count < 0 ? errno : EINVAL;
        return NULL;
    }
    return map_file(file, head.block_bytes);
}

struct sim_world *sim_block_create(const struct sim_capacities *capacities, uint64_t seed)
{
    struct sim_world head;
    lay_out(&head, capacities);
    struct sim_world *world = reserve(head.block_bytes);
    if (!world) {
        return NULL;
    }
    *world = head;
    begin(world, seed);
    return world;
}

void sim_block_destroy(struct sim_world *world)
{
    if (world) {
        assert(world->magic == MAGIC);
        munmap(world, world->block_bytes);
    }
}

/* ---- copy and reset: what was used, no more ----------------------------------------------- */

/* Whether a page of the hash tables was ever written to. */
static uint64_t *touched(const struct sim_world *world)
{
    return (uint64_t *)(void *)((char *)(uintptr_t)world + world->touched_offset);
}

static void copy_tables(struct sim_world *copy, const struct sim_world *world)
{
    const char *from = (const char *)world + world->bound_offset;
    char *to = (char *)copy + world->bound_offset;
    for (uint64_t word = 0; word < touched_words(world); word++) {
        touched(copy)[word] = touched(world)[word];
        for (uint64_t bits = touched(world)[word]; bits != 0; bits &= bits - 1) {
            const uint64_t page = word * 64 + (uint64_t)__builtin_ctzll(bits);
            memcpy(to + page * SIM_TABLE_PAGE_BYTES, from + page * SIM_TABLE_PAGE_BYTES,
                   SIM_TABLE_PAGE_BYTES);
        }
    }
}

static void clear_tables(struct sim_world *world)
{
    char *tables = (char *)world + world->bound_offset;
    for (uint64_t word = 0; word < touched_words(world); word++) {
        for (uint64_t bits = touched(world)[word]; bits != 0; bits &= bits - 1) {
            const uint64_t page = word * 64 + (uint64_t)__builtin_ctzll(bits);
            memset(tables + page * SIM_TABLE_PAGE_BYTES, 0, SIM_TABLE_PAGE_BYTES);
        }
        touched(world)[word] = 0;
    }
}

/* Chunks are pages, most of each often untouched: only the used part moves. */
static void copy_chunks(char *to, const char *from, const struct sim_pool *pool)
{
    for (uint64_t index = 1; index <= pool->high_water; index++) {
        const uint64_t offset = pool->offset + index * pool->item_bytes;
        const struct sim_chunk *chunk = (const struct sim_chunk *)(const void *)(from + offset);
        memcpy(to + offset, chunk, offsetof(struct sim_chunk, data) + chunk->used_bytes);
    }
}

struct sim_world *sim_block_copy(const struct sim_world *world)
{
    struct sim_world *copy = reserve(world->block_bytes);
    if (!copy) {
        return NULL;
    }
    *copy = *world;
    char *to = (char *)copy;
    const char *from = (const char *)world;
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        const struct sim_pool *pool = &world->pools[kind];
        const uint64_t first = pool->offset + pool->item_bytes;
        if (kind == SIM_POOL_CHUNK) {
            copy_chunks(to, from, pool);
        } else {
            memcpy(to + first, from + first, (uint64_t)pool->high_water * pool->item_bytes);
        }
    }
    memcpy(to + world->heap_offset, from + world->heap_offset,
           world->heap_count * sizeof(struct sim_heap_entry));
    if (!DRY_MUTANT(a_copied_world_has_no_ports)) {
        copy_tables(copy, world);
    }
    return copy;
}

static void clear_pool(struct sim_world *world, enum sim_pool_kind kind)
{
    struct sim_pool *pool = &world->pools[kind];
    if (kind == SIM_POOL_CHUNK) {
        for (uint32_t index = 1; index <= pool->high_water; index++) {
            struct sim_chunk *chunk = sim_pool_at(world, kind, index);
            memset(chunk, 0, offsetof(struct sim_chunk, data) + chunk->used_bytes);
        }
    } else {
        memset(sim_pool_at(world, kind, 1), 0, (size_t)pool->high_water * pool->item_bytes);
    }
    pool->high_water = 0;
    pool->first_free = 0;
    pool->live_count = 0;
}

void sim_block_reset(struct sim_world *world, uint64_t seed)
{
    assert(world->magic == MAGIC);
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        clear_pool(world, kind);
    }
    clear_tables(world);
    /* The heap's array needs nothing: places beyond heap_count are never read. */
    struct sim_world fresh = {
        .magic = world->magic,
        .block_bytes = world->block_bytes,
        .heap_offset = world->heap_offset,
        .port_buckets = world->port_buckets,
        .bound_offset = world->bound_offset,
        .connected_offset = world->connected_offset,
        .address_offset = world->address_offset,
        .link_offset = world->link_offset,
        .address_buckets = world->address_buckets,
        .link_buckets = world->link_buckets,
        .touched_offset = world->touched_offset,
        .turn_offset = world->turn_offset,
        .seat_offset = world->seat_offset,
        .place_offset = world->place_offset,
        .task_entry_offset = world->task_entry_offset,
        .task_entries = world->task_entries,
        .spare_limit = world->spare_limit,
    };
    memcpy(fresh.pools, world->pools, sizeof fresh.pools);
    *world = fresh;
    begin(world, seed);
}

/* ---- slots -------------------------------------------------------------------------------- */

void sim_pool_give(struct sim_world *world, enum sim_pool_kind kind, uint32_t index)
{
    struct sim_slot *slot = sim_pool_at(world, kind, index);
    memset(slot + 1, 0, world->pools[kind].item_bytes - sizeof *slot);
    sim_pool_release(world, kind, index);
}
