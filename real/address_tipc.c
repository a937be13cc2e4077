/* AF_TIPC addresses: (addr_type, v1, v2, v3[, scope]), where the type says what the numbers are.
 * SPDX-License-Identifier: MIT */
#include <linux/tipc.h>
#include <sys/socket.h>

#include "address.h"
#include "error.h"

static int tipc_from_value(const struct address_source *source, struct dry_address *address)
{
    struct sockaddr_tipc *tipc = (struct sockaddr_tipc *)(void *)&address->storage;
    uint64_t numbers[5] = {[4] = TIPC_CLUSTER_SCOPE};
    if (argument_tuple(source, "AF_TIPC") < 0 ||
        argument_count(source, 4, 5,
                       "AF_TIPC address must be a tuple "
                       "(addr_type, v1, v2, v3[, scope])") < 0) {
        return -1;
    }
    for (uint32_t i = 0; i < 5; i++) {
        if (argument_bits(source, i, &numbers[i]) < 0) {
            return -1;
        }
    }
    tipc->family = AF_TIPC;
    tipc->scope = (signed char)numbers[4];
    tipc->addrtype = (unsigned char)numbers[0];
    switch ((uint32_t)numbers[0]) {
    case TIPC_ADDR_NAMESEQ:
        tipc->addr.nameseq.type = (uint32_t)numbers[1];
        tipc->addr.nameseq.lower = (uint32_t)numbers[2];
        tipc->addr.nameseq.upper = (uint32_t)numbers[3];
        break;
    case TIPC_ADDR_NAME:
        tipc->addr.name.name.type = (uint32_t)numbers[1];
        tipc->addr.name.name.instance = (uint32_t)numbers[2];
        break;
    case TIPC_ADDR_ID:
        tipc->addr.id.node = (uint32_t)numbers[1];
        tipc->addr.id.ref = (uint32_t)numbers[2];
        break;
    default:
        return dry_error_value(source->caller, DRY_VALUE_TYPE, "Invalid address type");
    }
    address->length = sizeof(*tipc);
    return 0;
}

static int tipc_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_tipc *tipc = (const void *)&address->storage;
    switch (tipc->addrtype) {
    case TIPC_ADDR_NAMESEQ:
        sink_int(sink, 1, tipc->addr.nameseq.type);
        sink_int(sink, 2, tipc->addr.nameseq.lower);
        sink_int(sink, 3, tipc->addr.nameseq.upper);
        break;
    case TIPC_ADDR_NAME:
        sink_int(sink, 1, tipc->addr.name.name.type);
        sink_int(sink, 2, tipc->addr.name.name.instance);
        sink_int(sink, 3, tipc->addr.name.name.instance);
        break;
    case TIPC_ADDR_ID:
        sink_int(sink, 1, tipc->addr.id.node);
        sink_int(sink, 2, tipc->addr.id.ref);
        sink_int(sink, 3, 0);
        break;
    default:
        return dry_error_value(sink->caller, DRY_VALUE_ERROR, "Invalid address type");
    }
    sink_int(sink, 0, tipc->addrtype);
    /* The scope is a signed char, which CPython prints as an unsigned int. */
    sink_int(sink, 4, (uint32_t)tipc->scope);
    return sink_tuple(sink, 5);
}

const struct address_family dry_family_tipc = {AF_TIPC, tipc_from_value, tipc_to_value};
