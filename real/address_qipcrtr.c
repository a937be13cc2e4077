/* AF_QIPCRTR addresses: (node, port).
 * SPDX-License-Identifier: MIT */
#include <linux/qrtr.h>

#include "address.h"

static int qipcrtr_from_value(const struct address_source *source, struct dry_address *address)
{
    struct sockaddr_qrtr *router = (struct sockaddr_qrtr *)(void *)&address->storage;
    uint64_t node = 0;
    uint64_t port = 0;
    if (argument_pair(source, "AF_QIPCRTR", &node, &port) < 0) {
        return -1;
    }
    router->sq_family = AF_QIPCRTR;
    router->sq_node = (uint32_t)node;
    router->sq_port = (uint32_t)port;
    address->length = sizeof(*router);
    return 0;
}

static int qipcrtr_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_qrtr *router = (const void *)&address->storage;
    sink_int(sink, 0, router->sq_node);
    sink_int(sink, 1, router->sq_port);
    return sink_tuple(sink, 2);
}

const struct address_family dry_family_qipcrtr = {AF_QIPCRTR, qipcrtr_from_value, qipcrtr_to_value};
