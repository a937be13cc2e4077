/* The frame around each seam call into the world: who calls, the spin guard, parking.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_PROVIDER_H
#define SIM_PROVIDER_H

#include "call/call.h"
#include "core/block.h"
#include "net/ip.h"
#include "run.h"

int64_t sim_provider_slow_begin(struct sim *sim, uint32_t task);
int64_t sim_provider_slow_end(struct sim *sim, int64_t result);

/* Opens a call. 0, or why it cannot be made: -ENOTSUP (a second thread), -ESRCH (no such task). */
static inline int64_t sim_provider_begin(struct sim *sim, uint32_t task)
{
    if (!sim || sim->running != task) {
        return sim_provider_slow_begin(sim, task);
    }
    sim->in_call = 1;
    sim->calls++;
    struct sim_task *record = sim_task_at(sim->world, (struct sim_task_id){task});
    return ++record->spins > sim->spin_limit ? sim_provider_slow_begin(sim, task) : 0;
}

/* Closes it: its result, -EDEADLK for a call that would have to wait and may not. Does not return
 * when the call was the task's end (a signal without a handler). */
static inline int64_t sim_provider_end(struct sim *sim, int64_t result)
{
    sim->in_call = 0;
    return sim->outside || !sim->world->running.index ? sim_provider_slow_end(sim, result) : result;
}

/* The whole of a seam call: makes the world call `name` until it says something other than wait. */
#define SIM_PROVIDER_CALL(type, name, ...)                       \
    struct sim *sim = caller.world;                              \
    const struct sim_task_id task = {caller.task};               \
    int64_t result = sim_provider_begin(sim, task.index);        \
    if (result < 0) {                                            \
        return (type)result;                                     \
    }                                                            \
    do {                                                         \
        result = sim_call_##name(sim->world, task, __VA_ARGS__); \
        sim_ip_settle(sim->world);                               \
    } while (result == SIM_WAIT && sim_park(sim, task.index));   \
    return (type)sim_provider_end(sim, result);

/* Is this number one of the real system's? Those below the process's first are. */
bool sim_provider_is_real(struct dry_caller caller, int fd);

/* provider_names.c, provider_file.c: the seam calls that are more than a world call. */
int sim_provider_getaddrinfo(struct dry_caller caller, const char *node, const char *service,
                             const struct addrinfo *hints, struct addrinfo **list, int *system_error);
void sim_provider_freeaddrinfo(struct dry_caller caller, struct addrinfo *list);
int sim_provider_getnameinfo(struct dry_caller caller, const struct sockaddr *address, socklen_t length,
                             char *host, socklen_t host_bytes, char *service, socklen_t service_bytes,
                             int flags, int *system_error);
int sim_provider_gethostbyname(struct dry_caller caller, const char *name, int family,
                               struct hostent *result, char *buffer, size_t bytes);
int sim_provider_gethostbyaddr(struct dry_caller caller, const void *address, socklen_t length,
                               int family, struct hostent *result, char *buffer, size_t bytes);
int sim_provider_getservbyname(struct dry_caller caller, const char *name, const char *protocol,
                               struct servent *result, char *buffer, size_t bytes);
int sim_provider_getservbyport(struct dry_caller caller, int port, const char *protocol,
                               struct servent *result, char *buffer, size_t bytes);
int sim_provider_getprotobyname(struct dry_caller caller, const char *name, struct protoent *result,
                                char *buffer, size_t bytes);
int sim_provider_gethostname(struct dry_caller caller, char *buffer, size_t bytes);
int sim_provider_sethostname(struct dry_caller caller, const char *name, size_t length);
struct if_nameindex *sim_provider_if_nameindex(struct dry_caller caller, int *system_error);
int sim_provider_if_nametoindex(struct dry_caller caller, const char *name);
int sim_provider_if_indextoname(struct dry_caller caller, unsigned index, char name[IF_NAMESIZE]);
ssize_t sim_provider_sendfile(struct dry_caller caller, int out_fd, int in_fd, off_t *offset,
                              size_t count);
int sim_provider_fstat(struct dry_caller caller, int fd, struct stat *status);
off_t sim_provider_lseek(struct dry_caller caller, int fd, off_t offset, int whence);

#endif
