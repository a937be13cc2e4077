/* Names of UNIX sockets: paths, which outlive their sockets, and abstract names, which do not.
 * SPDX-License-Identifier: MIT
 *
 * SIMPLER: a host has no directories: any path may be bound, and a name is the text that was given.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "core/random.h"
#include "internal.h"
#include "unix.h"

enum {
    PATH_OFFSET = offsetof(struct sockaddr_un, sun_path),
    AUTOBIND_NAMES = 1 << 20,
    AUTOBIND_BYTES = 6, /* a NUL and five hexadecimal digits */
};

struct name {
    uint32_t bytes;
    uint8_t text[SIM_UNIX_NAME_BYTES];
};

static bool is_path(const uint8_t *text, uint32_t bytes)
{
    return bytes > 0 && text[0] != '\0';
}

int sim_unix_check_name(const struct sockaddr *address, socklen_t length)
{
    return length <= PATH_OFFSET || length > sizeof(struct sockaddr_un) || address->sa_family != AF_UNIX
               ? -EINVAL
               : 0;
}

/* LINUX: unix_validate_addr, unix_mkname: a path ends at its first NUL, an abstract name at the
 * address's length. */
static int name_from(const struct sockaddr *address, socklen_t length, struct name *name)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)address;
    if (sim_unix_check_name(address, length) < 0) {
        return -EINVAL;
    }
    memset(name, 0, sizeof *name);
    name->bytes = (uint32_t)(length - PATH_OFFSET);
    if (un->sun_path[0] != '\0') {
        name->bytes = (uint32_t)strnlen(un->sun_path, name->bytes);
    }
    memcpy(name->text, un->sun_path, name->bytes);
    return 0;
}

/* ---- the host's list ---- */

/* LINUX: paths are of one name space; abstract names are apart for each type of socket. */
static struct sim_unix_id find_name(const struct sim_world *world, struct sim_host_id host,
                                    uint32_t type, const struct name *name)
{
    struct sim_unix_id id = sim_host_at(world, host)->first_unix_name;
    bool path = is_path(name->text, name->bytes);
    while (id.index != 0) {
        const struct sim_unix *named = sim_unix_at(world, id);
        if (named->name_bytes == name->bytes && (path || named->type == type) &&
            memcmp(named->name, name->text, name->bytes) == 0) {
            break;
        }
        id = named->next_named;
    }
    return id;
}

/* LINUX: a message's sender is told by the name it has when the message is read: what it sent before
 * it had one is told under the new one. Names never change again, and an unread message keeps its
 * sender's name though the sender is gone, so this is the only time to bring them up to date. */
static void name_unread(struct sim_world *world, struct sim_unix_id sender)
{
    const struct sim_unix *own = sim_unix_at(world, sender);
    uint32_t count = world->pools[SIM_POOL_DATAGRAM].high_water;
    for (uint32_t i = 1; i <= count; i++) {
        struct sim_datagram *datagram = sim_datagram_at(world, (struct sim_datagram_id){i});
        if (datagram->slot.live == 0 || datagram->sender.index != sender.index ||
            datagram->sender_generation != own->slot.generation) {
            continue;
        }
        memcpy(datagram->sender_name, own->name, sizeof datagram->sender_name);
        datagram->sender_name_bytes = own->name_bytes;
    }
}

static void take_name(struct sim_world *world, struct sim_socket_id id, const struct name *name)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_host *host = sim_host_at(world, socket->host);
    struct sim_unix *own = sim_unix_of(world, id);
    memcpy(own->name, name->text, sizeof own->name);
    own->name_bytes = name->bytes;
    own->name_is_path = is_path(name->text, name->bytes);
    own->is_named = 1;
    own->next_named = host->first_unix_name;
    host->first_unix_name = sim_unix_id_of(world, id);
    host->unix_names++;
    if (socket->send_charge != 0 && !DRY_MUTANT(sender_is_told_as_it_was)) {
        name_unread(world, sim_unix_id_of(world, id));
    }
}

static void unlink_name(struct sim_world *world, struct sim_unix_id id)
{
    struct sim_unix *own = sim_unix_at(world, id);
    struct sim_host *host = sim_host_at(world, own->host);
    struct sim_unix_id *link = &host->first_unix_name;
    while (link->index != id.index) {
        link = &sim_unix_at(world, *link)->next_named;
    }
    *link = own->next_named;
    own->next_named.index = 0;
    own->is_named = 0;
    host->unix_names--;
}

void sim_unix_leave_name(struct sim_world *world, struct sim_unix_id id)
{
    const struct sim_unix *own = sim_unix_at(world, id);
    if (own->is_named && !own->name_is_path) {
        unlink_name(world, id);
    }
}

int sim_unix_unlink(struct sim_world *world, struct sim_host_id host, const char *path)
{
    struct name name = {.bytes = (uint32_t)strnlen(path, SIM_UNIX_NAME_BYTES + 1)};

    if (name.bytes == 0 || name.bytes > SIM_UNIX_NAME_BYTES) {
        return -ENOENT;
    }
    memcpy(name.text, path, name.bytes);
    struct sim_unix_id id = find_name(world, host, 0, &name);
    if (id.index == 0) {
        return -ENOENT;
    }
    unlink_name(world, id);
    if (sim_unix_at(world, id)->socket.index == 0) {
        sim_pool_give(world, SIM_POOL_UNIX, id.index);
    }
    return 0;
}

/* ---- binding ---- */

int sim_unix_autobind(struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct name name = {.bytes = AUTOBIND_BYTES};

    if (sim_unix_of(world, id)->name_bytes != 0) {
        return 0;
    }
    uint32_t start = (uint32_t)sim_random_below(&world->random, SIM_STREAM_UNIX, AUTOBIND_NAMES);
    for (uint32_t i = 0; i < AUTOBIND_NAMES; i++) {
        char digits[16];
        snprintf(digits, sizeof digits, "%05x", (start + i) % AUTOBIND_NAMES);
        memcpy(name.text + 1, digits, AUTOBIND_BYTES - 1);
        if (find_name(world, socket->host, socket->type, &name).index == 0) {
            take_name(world, id, &name);
            return 0;
        }
    }
    return -ENOSPC;
}

/* LINUX: unix_bind_bsd makes the node before it finds that the socket has a name already: a path in
 * use is EADDRINUSE first; unix_bind_abstract looks the other way round. */
int sim_unix_bind(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                  socklen_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct name name;
    if (length == PATH_OFFSET && address->sa_family == AF_UNIX) {
        return sim_unix_autobind(world, id);
    }
    int error = name_from(address, length, &name);
    if (error < 0) {
        return error;
    }
    bool bound = sim_unix_of(world, id)->name_bytes != 0;
    bool in_use = find_name(world, socket->host, socket->type, &name).index != 0 &&
                  !DRY_MUTANT(unix_names_are_shared);
    if (is_path(name.text, name.bytes)) {
        if (in_use) {
            return -EADDRINUSE;
        }
        if (bound) {
            return -EINVAL;
        }
    } else {
        if (bound) {
            return -EINVAL;
        }
        if (in_use) {
            return -EADDRINUSE;
        }
    }
    take_name(world, id, &name);
    return 0;
}

/* ---- telling ---- */

/* LINUX: an unnamed socket's address is its family alone; a path's has its NUL, even where that lies
 * beyond sun_path. */
void sim_unix_give_name(const uint8_t *name, uint32_t bytes, void *address, socklen_t *length)
{
    struct {
        sa_family_t family;
        uint8_t path[SIM_UNIX_NAME_BYTES + 1];
    } form;
    socklen_t true_length = (socklen_t)(PATH_OFFSET + bytes + (is_path(name, bytes) ? 1 : 0));

    memset(&form, 0, sizeof form);
    form.family = AF_UNIX;
    memcpy(form.path, name, bytes);
    memcpy(address, &form, *length < true_length ? *length : true_length);
    *length = true_length;
}

int sim_unix_get_name(const struct sim_world *world, struct sim_socket_id id, bool peer,
                      struct sockaddr *address, socklen_t *length)
{
    const struct sim_unix *own = sim_unix_of(world, id);
    if (peer && own->peer_gone) {
        sim_unix_give_name(own->gone_name, own->gone_name_bytes, address, length);
        return 0;
    }
    if (peer && own->peer.index == 0) {
        return -ENOTCONN;
    }
    if (peer) {
        own = sim_unix_of(world, own->peer);
    }
    sim_unix_give_name(own->name, own->name_bytes, address, length);
    return 0;
}

/* ---- finding ---- */

int sim_unix_find(const struct sim_world *world, const struct sim_socket *socket,
                  const struct sockaddr *address, socklen_t length, struct sim_socket_id *found)
{
    struct name name;
    int error = name_from(address, length, &name);
    if (error < 0) {
        return error;
    }
    bool path = is_path(name.text, name.bytes);
    struct sim_unix_id id = find_name(world, socket->host, socket->type, &name);
    if (id.index == 0) {
        return path ? -ENOENT : -ECONNREFUSED;
    }
    *found = sim_unix_at(world, id)->socket;
    if (found->index == 0 || (sim_socket_at(world, *found)->flags & SIM_SOCKET_ORPHAN) != 0) {
        return -ECONNREFUSED;
    }
    return sim_unix_at(world, id)->type == socket->type ? 0 : -EPROTOTYPE;
}

/* LINUX: unix_stream_connect, unix_dgram_connect: the form of the address, then the automatic name for
 * who wants credentials, then whether anybody is there. */
int sim_unix_find_peer(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                       socklen_t length, struct sim_socket_id *found)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int error = sim_unix_find(world, socket, address, length, found);
    if (error != -EINVAL && (socket->options & SIM_OPTION_PASSCRED) != 0) {
        int unnamed = sim_unix_autobind(world, id);
        return unnamed < 0 ? unnamed : error;
    }
    return error;
}
