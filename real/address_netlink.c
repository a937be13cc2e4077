/* AF_NETLINK addresses: (pid, groups).
 * SPDX-License-Identifier: MIT */
#include <linux/netlink.h>

#include "address.h"

static int netlink_from_value(const struct address_source *source, struct dry_address *address)
{
    struct sockaddr_nl *netlink = (struct sockaddr_nl *)(void *)&address->storage;
    uint64_t pid = 0;
    uint64_t groups = 0;
    if (argument_tuple(source, "AF_NETLINK") < 0 ||
        argument_count(source, 2, 2, "AF_NETLINK address must be a pair (pid, groups)") < 0 ||
        argument_bits(source, 0, &pid) < 0 || argument_bits(source, 1, &groups) < 0) {
        return -1;
    }
    netlink->nl_family = AF_NETLINK;
    netlink->nl_pid = (uint32_t)pid;
    netlink->nl_groups = (uint32_t)groups;
    address->length = sizeof(*netlink);
    return 0;
}

static int netlink_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_nl *netlink = (const void *)&address->storage;
    sink_int(sink, 0, netlink->nl_pid);
    sink_int(sink, 1, netlink->nl_groups);
    return sink_tuple(sink, 2);
}

const struct address_family dry_family_netlink = {AF_NETLINK, netlink_from_value, netlink_to_value};
