/* The name service's configuration: lines that lie in the world, read into what answers from them.
 * SPDX-License-Identifier: MIT
 *
 * A handle reads the lines that it has not read yet whenever it needs the zone or a host's resolver, so
 * a copy of the world, and every process that maps it, answers alike. */
#include <drysock/sim.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "names/resolver.h"
#include "names/zone.h"
#include "run.h"

/* A host's resolver, and the last line that it has read. */
struct sim_lines_read {
    struct sim_resolver *resolver;
    struct sim_line_id line;
};

static struct sim_line_id next_line(const struct sim_world *world, struct sim_line_id line)
{
    return line.index ? sim_line_at(world, line)->next : world->first_line;
}

void sim_lines_forget(struct sim *sim)
{
    for (uint32_t host = 0; host < sim->resolver_count; host++) {
        sim_resolver_destroy(sim->resolvers[host].resolver);
    }
    free(sim->resolvers);
    sim->resolvers = NULL;
    sim->resolver_count = 0;
    sim_zone_destroy(sim->zone);
    sim->zone = NULL;
    sim->zone_line.index = 0;
}

/* ---- reading ------------------------------------------------------------------------------------ */

struct sim_zone *sim_zone_of(struct sim *sim)
{
    const struct sim_world *world = sim->world;
    if (!sim->zone && !(sim->zone = sim_zone_create())) {
        return NULL;
    }
    for (struct sim_line_id id = next_line(world, sim->zone_line); id.index;
         id = next_line(world, id)) {
        const struct sim_line *line = sim_line_at(world, id);
        char message[256];
        if (line->kind == SIM_LINE_RECORD &&
            sim_zone_add(sim->zone, line->text, message, sizeof message, NULL) == -ENOMEM) {
            return NULL;
        }
        sim->zone_line = id;
    }
    return sim->zone;
}

static struct sim_lines_read *read_of(struct sim *sim, uint32_t host)
{
    if (host >= sim->resolver_count) {
        const uint32_t count = host + 1;
        struct sim_lines_read *grown = realloc(sim->resolvers, count * sizeof *grown);
        if (!grown) {
            return NULL;
        }
        memset(grown + sim->resolver_count, 0, (count - sim->resolver_count) * sizeof *grown);
        sim->resolvers = grown;
        sim->resolver_count = count;
    }
    return &sim->resolvers[host];
}

static int read_line(struct sim_resolver *resolver, enum sim_line_kind kind, const char *text)
{
    return kind == SIM_LINE_HOSTS ? sim_resolver_add_hosts(resolver, text)
                                  : sim_resolver_add_line(resolver, text, NULL, 0, NULL);
}

struct sim_resolver *sim_resolver_of(struct sim *sim, uint32_t host)
{
    const struct sim_world *world = sim->world;
    struct sim_lines_read *read = read_of(sim, host);
    if (!read) {
        return NULL;
    }
    if (!read->resolver) {
        read->resolver = sim_resolver_create();
        if (!read->resolver) {
            return NULL;
        }
        sim_resolver_remember_in(read->resolver,
                                 sim_host_at(world, (struct sim_host_id){host})->resolver_memory);
    }
    for (struct sim_line_id id = next_line(world, read->line); id.index; id = next_line(world, id)) {
        const struct sim_line *line = sim_line_at(world, id);
        if ((line->host.index == host || DRY_MUTANT(every_host_reads_every_line)) &&
            line->kind != SIM_LINE_RECORD &&
            read_line(read->resolver, line->kind, line->text) == -ENOMEM) {
            return NULL;
        }
        read->line = id;
    }
    return read->resolver;
}

/* ---- writing ------------------------------------------------------------------------------------ */

/* The line at the end of the world's; index 0: no room. */
static struct sim_line_id add_line(struct sim_world *world, enum sim_line_kind kind, int host,
                                   const char *text)
{
    const struct sim_line_id id = {sim_pool_take(world, SIM_POOL_LINE)};
    if (id.index) {
        struct sim_line *line = sim_line_at(world, id);
        line->kind = kind;
        line->host.index = (uint32_t)host;
        memcpy(line->text, text, strlen(text));
        if (world->last_line.index) {
            sim_line_at(world, world->last_line)->next = id;
        } else {
            world->first_line = id;
        }
        world->last_line = id;
    }
    return id;
}

/* A line that its reader accepts: it has been read already. */
static int keep_line(struct sim_world *world, enum sim_line_kind kind, int host, const char *text,
                     struct sim_line_id *read)
{
    const struct sim_line_id id = add_line(world, kind, host, text);
    if (id.index) {
        *read = id;
    }
    return id.index ? 0 : -ENOMEM;
}

int sim_add_record(struct sim *sim, const char *text, char *message, size_t bytes)
{
    struct sim_zone *zone = sim_zone_of(sim);
    if (bytes > 0) {
        snprintf(message, bytes, "there is no room for another record");
    }
    if (strlen(text) >= SIM_LINE_BYTES) {
        return -ENAMETOOLONG;
    }
    const int result = zone ? sim_zone_add(zone, text, message, bytes, NULL) : -ENOMEM;
    return result < 0 ? result : keep_line(sim->world, SIM_LINE_RECORD, 0, text, &sim->zone_line);
}

static int add_host_line(struct sim *sim, enum sim_line_kind kind, int host, const char *text)
{
    if (!sim_host_exists(sim, host)) {
        return -ENOENT;
    }
    if (strlen(text) >= SIM_LINE_BYTES) {
        return -ENAMETOOLONG;
    }
    struct sim_resolver *resolver = sim_resolver_of(sim, (uint32_t)host);
    const int result = resolver ? read_line(resolver, kind, text) : -ENOMEM;
    return result < 0 ? result
                      : keep_line(sim->world, kind, host, text, &read_of(sim, (uint32_t)host)->line);
}

int sim_add_hosts_line(struct sim *sim, int host, const char *hosts_line)
{
    return add_host_line(sim, SIM_LINE_HOSTS, host, hosts_line);
}

int sim_add_resolver_line(struct sim *sim, int host, const char *resolver_line)
{
    return add_host_line(sim, SIM_LINE_RESOLVER, host, resolver_line);
}
