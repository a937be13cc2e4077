/* The seam's name calls in the world: the host's resolver, its name, its interfaces.
 * SPDX-License-Identifier: MIT */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "names/resolver.h"
#include "names/services.h"
#include "net/host.h"

static struct sim_host *host_of(struct dry_caller caller)
{
    const struct sim *sim = caller.world;
    const struct sim_task_id task = {caller.task};
    return sim_host_at(sim->world, sim_task_at(sim->world, task)->host);
}

static struct sim_resolver *resolver_of(struct dry_caller caller)
{
    struct sim *sim = caller.world;
    const struct sim_task_id task = {caller.task};
    return sim_provider_refuses(caller)
               ? NULL
               : sim_resolver_of(sim, sim_task_at(sim->world, task)->host.index);
}

/* ---- the resolver ------------------------------------------------------------------------------- */

static struct sim_resolver_asker asker_of(struct dry_caller caller)
{
    const struct sim *sim = caller.world;
    struct sim_resolver_asker asker = {
        .caller = caller,
        .habit = &sim_task_at(sim->world, (struct sim_task_id){caller.task})->resolver_habit};
    struct sim_interface_id id = host_of(caller)->first_interface;
    while (id.index) {
        const struct sim_interface *interface = sim_interface_at(sim->world, id);
        for (uint32_t i = 0; i < interface->address_count; i++) {
            const struct sim_ip ip = interface->addresses[i].ip;
            const bool counts = !sim_ip_is_loopback(ip);
            asker.has_ipv4 |= counts && sim_ip_is_v4(ip);
            asker.has_ipv6 |= counts && !sim_ip_is_v4(ip);
        }
        id = interface->next;
    }
    return asker;
}

int sim_seam_getaddrinfo(struct dry_caller caller, const char *node, const char *service,
                         const struct addrinfo *hints, struct addrinfo **list, int *system_error)
{
    struct sim_resolver *resolver = resolver_of(caller);
    if (!resolver) {
        const int refused = sim_provider_refuses(caller);
        *system_error = refused ? -refused : ENOMEM;
        return EAI_SYSTEM;
    }
    return sim_resolver_getaddrinfo(resolver, asker_of(caller), node, service, hints, list,
                                    system_error);
}

void sim_seam_freeaddrinfo(struct dry_caller caller, struct addrinfo *list)
{
    sim_resolver_freeaddrinfo(list);
}

int sim_seam_getnameinfo(struct dry_caller caller, const struct sockaddr *address, socklen_t length,
                         char *host, socklen_t host_bytes, char *service, socklen_t service_bytes,
                         int flags, int *system_error)
{
    struct sim_resolver *resolver = resolver_of(caller);
    if (!resolver) {
        const int refused = sim_provider_refuses(caller);
        *system_error = refused ? -refused : ENOMEM;
        return EAI_SYSTEM;
    }
    return sim_resolver_getnameinfo(resolver, asker_of(caller), address, length, host, host_bytes,
                                    service, service_bytes, flags, system_error);
}

int sim_seam_gethostbyname(struct dry_caller caller, const char *name, int family,
                           struct hostent *result, char *buffer, size_t bytes)
{
    struct sim_resolver *resolver = resolver_of(caller);
    return resolver ? sim_resolver_gethostbyname(resolver, asker_of(caller), name, family, result,
                                                 buffer, bytes)
                    : NETDB_INTERNAL;
}

int sim_seam_gethostbyaddr(struct dry_caller caller, const void *address, socklen_t length, int family,
                           struct hostent *result, char *buffer, size_t bytes)
{
    struct sim_resolver *resolver = resolver_of(caller);
    return resolver ? sim_resolver_gethostbyaddr(resolver, asker_of(caller), address, length, family,
                                                 result, buffer, bytes)
                    : NETDB_INTERNAL;
}

/* ---- services and protocols: the world's own files ---------------------------------------------- */

int sim_seam_getservbyname(struct dry_caller caller, const char *name, const char *protocol,
                           struct servent *result, char *buffer, size_t bytes)
{
    return sim_service_by_name(name, protocol, result, buffer, bytes);
}

int sim_seam_getservbyport(struct dry_caller caller, int port, const char *protocol,
                           struct servent *result, char *buffer, size_t bytes)
{
    return sim_service_by_port(port, protocol, result, buffer, bytes);
}

int sim_seam_getprotobyname(struct dry_caller caller, const char *name, struct protoent *result,
                            char *buffer, size_t bytes)
{
    return sim_protocol_by_name(name, result, buffer, bytes);
}

/* ---- the host's name and interfaces ------------------------------------------------------------- */

int sim_seam_gethostname(struct dry_caller caller, char *buffer, size_t bytes)
{
    const int refused = sim_provider_refuses(caller);
    if (refused) {
        return refused;
    }
    const char *name = host_of(caller)->hostname;
    if (strlen(name) + 1 > bytes) {
        return -ENAMETOOLONG;
    }
    strcpy(buffer, name);
    return 0;
}

int sim_seam_sethostname(struct dry_caller caller, const char *name, size_t length)
{
    const int refused = sim_provider_refuses(caller);
    if (refused) {
        return refused;
    }
    const struct sim *sim = caller.world;
    if (sim_process_at(sim->world, (struct sim_process_id){caller.process})->uid != 0) {
        return -EPERM;
    }
    if (length > 64) {
        return -EINVAL; /* LINUX: __NEW_UTS_LEN */
    }
    struct sim_host *host = host_of(caller);
    memset(host->hostname, 0, sizeof host->hostname);
    memcpy(host->hostname, name, length);
    return 0;
}

struct if_nameindex *sim_seam_if_nameindex(struct dry_caller caller, int *system_error)
{
    const struct sim *sim = caller.world;
    const int refused = sim_provider_refuses(caller);
    if (refused) {
        *system_error = -refused;
        return NULL;
    }
    size_t count = 0;
    struct sim_interface_id id = host_of(caller)->first_interface;
    for (; id.index; id = sim_interface_at(sim->world, id)->next) {
        count++;
    }
    /* One allocation: the array, then the names it points to. */
    struct if_nameindex *list = calloc(1, (count + 1) * sizeof *list + count * IF_NAMESIZE);
    if (!list) {
        *system_error = ENOMEM;
        return NULL;
    }
    char *names = (char *)(list + count + 1);
    id = host_of(caller)->first_interface;
    for (size_t i = 0; i < count; i++) {
        const struct sim_interface *interface = sim_interface_at(sim->world, id);
        list[i].if_index = interface->number;
        list[i].if_name = names + i * IF_NAMESIZE;
        memcpy(list[i].if_name, interface->name, strnlen(interface->name, IF_NAMESIZE - 1));
        id = interface->next;
    }
    return list;
}

int sim_seam_if_nametoindex(struct dry_caller caller, const char *name)
{
    const struct sim *sim = caller.world;
    const int refused = sim_provider_refuses(caller);
    if (refused) {
        return refused;
    }
    struct sim_interface_id id = host_of(caller)->first_interface;
    while (id.index) {
        const struct sim_interface *interface = sim_interface_at(sim->world, id);
        if (strcmp(interface->name, name) == 0) {
            return (int)interface->number;
        }
        id = interface->next;
    }
    return -ENODEV;
}

int sim_seam_if_indextoname(struct dry_caller caller, unsigned index, char name[IF_NAMESIZE])
{
    const struct sim *sim = caller.world;
    const int refused = sim_provider_refuses(caller);
    if (refused) {
        return refused;
    }
    const struct sim_interface *interface = sim_host_interface(
        sim->world, sim_task_at(sim->world, (struct sim_task_id){caller.task})->host, index);
    if (!interface) {
        return -ENXIO;
    }
    const size_t length = strnlen(interface->name, IF_NAMESIZE - 1);
    memcpy(name, interface->name, length);
    name[length] = 0;
    return 0;
}
