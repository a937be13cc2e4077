/* NETLINK_ROUTE: links and addresses of the asking host, and which question each message is.
 * SPDX-License-Identifier: MIT
 *
 * rtnetlink(7). SIMPLER: what a host is made of cannot be changed over netlink: RTM_NEW* and RTM_DEL*
 * of what Linux knows are EOPNOTSUPP. */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "internal.h"
#include "net/host.h"
#include "table.h"

enum {
    LINK_BODY = sizeof(struct ifinfomsg),
    LO_QUEUE = 1000,
    ETH0_QUEUE = 500,
    V4_BITS = 96,
    LAST_TYPE = RTM_MAX,
};

/* ---- links ---- */

static void put_statistics(struct sim_netlink_message *message)
{
    const struct rtnl_link_stats64 none64 = {0};
    const struct rtnl_link_stats none = {0};
    sim_netlink_put(message, IFLA_STATS64, &none64, sizeof none64);
    sim_netlink_put(message, IFLA_STATS, &none, sizeof none);
}

/* SIMPLER: of Linux's sixty attributes those that ip(8), getifaddrs(3) and if_nameindex(3) read;
 * nothing is counted. Links have no addresses of their own, as TUN's have not. */
static void make_link(const struct sim_interface *interface, const struct nlmsghdr *as, uint16_t flags,
                      uint32_t port, struct sim_netlink_message *message)
{
    const bool lo = (interface->flags & IFF_LOOPBACK) != 0;
    const bool up = (interface->flags & IFF_UP) != 0;
    static const uint8_t no_address[6];
    struct ifinfomsg *body = sim_netlink_begin(message, RTM_NEWLINK, flags, as->nlmsg_seq, port,
                                               LINK_BODY);
    body->ifi_type = lo ? ARPHRD_LOOPBACK : ARPHRD_NONE;
    body->ifi_index = (int)interface->number;
    body->ifi_flags = interface->flags | (up ? (uint32_t)IFF_LOWER_UP : 0);
    sim_netlink_put_text(message, IFLA_IFNAME, interface->name);
    sim_netlink_put_u32(message, IFLA_TXQLEN, lo ? LO_QUEUE : ETH0_QUEUE);
    sim_netlink_put_u8(message, IFLA_OPERSTATE, lo || !up ? (uint8_t)(lo ? 0 : 2) : 6);
    sim_netlink_put_u8(message, IFLA_LINKMODE, 0);
    sim_netlink_put_u32(message, IFLA_MTU, interface->mtu);
    sim_netlink_put_u32(message, IFLA_GROUP, 0);
    sim_netlink_put_u32(message, IFLA_PROMISCUITY, 0);
    sim_netlink_put_u32(message, IFLA_NUM_TX_QUEUES, 1);
    sim_netlink_put_u32(message, IFLA_NUM_RX_QUEUES, 1);
    sim_netlink_put_u8(message, IFLA_CARRIER, up);
    sim_netlink_put_u32(message, IFLA_CARRIER_CHANGES, 0);
    if (lo) {
        sim_netlink_put(message, IFLA_ADDRESS, no_address, sizeof no_address);
        sim_netlink_put(message, IFLA_BROADCAST, no_address, sizeof no_address);
    }
    put_statistics(message);
    sim_netlink_put_text(message, IFLA_QDISC, lo ? "noqueue" : "pfifo_fast");
}

static const struct sim_interface *interface_after(const struct sim_world *world,
                                                   struct sim_host_id host, uint32_t number)
{
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;
    while (id.index != 0 && sim_interface_at(world, id)->number <= number) {
        id = sim_interface_at(world, id)->next;
    }
    return id.index != 0 ? sim_interface_at(world, id) : NULL;
}

bool sim_netlink_next_link(const struct sim_world *world, struct sim_host_id host,
                           struct sim_netlink_dump *dump, uint32_t port,
                           struct sim_netlink_message *message)
{
    const struct nlmsghdr as = {.nlmsg_seq = dump->sequence};
    const struct sim_interface *interface = interface_after(world, host, dump->at);
    if (interface == NULL) {
        return false;
    }
    make_link(interface, &as, NLM_F_MULTI, port, message);
    dump->at = interface->number;
    return true;
}

static const struct sim_interface *named(const struct sim_world *world, struct sim_host_id host,
                                         const char *name, size_t length)
{
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;
    length = strnlen(name, length);
    while (id.index != 0) {
        const struct sim_interface *interface = sim_interface_at(world, id);
        if (strlen(interface->name) == length && memcmp(interface->name, name, length) == 0) {
            return interface;
        }
        id = interface->next;
    }
    return NULL;
}

/* LINUX: rtnl_getlink: by number, else by name; without either EINVAL. */
static int get_link(struct sim_world *world, struct sim_socket_id id,
                    const struct sim_netlink_message *question)
{
    const struct nlmsghdr *head = (const void *)question->data;
    const struct ifinfomsg *body = sim_netlink_body(question, LINK_BODY);
    const struct sim_host_id host = sim_socket_at(world, id)->host;
    const struct sim_interface *interface;
    size_t length = 0;
    if (body == NULL) {
        return -EINVAL;
    }
    const char *name = sim_netlink_attribute(question, LINK_BODY, IFLA_IFNAME, &length);
    if (name == NULL) {
        name = sim_netlink_attribute(question, LINK_BODY, IFLA_ALT_IFNAME, &length);
    }
    if (body->ifi_index > 0) {
        interface = sim_host_interface(world, host, (uint32_t)body->ifi_index);
    } else if (name != NULL) {
        interface = named(world, host, name, length);
    } else {
        return -EINVAL;
    }
    if (interface == NULL) {
        return -ENODEV;
    }
    struct sim_netlink_message answer;
    make_link(interface, head, 0, sim_netlink_of(world, id)->port, &answer);
    sim_netlink_answer(world, id, &answer);
    return 0;
}

/* ---- addresses ---- */

static uint8_t scope_of(const struct sim_interface *interface, struct sim_ip ip)
{
    if ((interface->flags & IFF_LOOPBACK) != 0 || sim_ip_is_loopback(ip)) {
        return RT_SCOPE_HOST;
    }
    return sim_ip_is_link_local(ip) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static void make_address(const struct sim_interface *interface, uint32_t slot, uint32_t sequence,
                         uint32_t port, struct sim_netlink_message *message)
{
    const struct sim_ip ip = interface->addresses[slot].ip;
    const uint32_t bits = interface->addresses[slot].prefix_bits;
    const bool v4 = sim_ip_is_v4(ip);
    const struct ifa_cacheinfo life = {.ifa_prefered = UINT32_MAX, .ifa_valid = UINT32_MAX};
    struct ifaddrmsg *body = sim_netlink_begin(message, RTM_NEWADDR, NLM_F_MULTI, sequence, port,
                                               sizeof *body);
    body->ifa_family = v4 ? AF_INET : AF_INET6;
    body->ifa_prefixlen = (uint8_t)(v4 ? bits - V4_BITS : bits);
    /* LINUX: no duplicate of a loopback address is looked for, and here of none. */
    body->ifa_flags = IFA_F_PERMANENT |
                      (v4 || (interface->flags & IFF_LOOPBACK) != 0 ? 0 : IFA_F_NODAD);
    body->ifa_scope = scope_of(interface, ip);
    body->ifa_index = interface->number;
    if (v4) {
        sim_netlink_put(message, IFA_ADDRESS, ip.bytes + 12, 4);
        sim_netlink_put(message, IFA_LOCAL, ip.bytes + 12, 4);
        sim_netlink_put_text(message, IFA_LABEL, interface->name);
        sim_netlink_put_u32(message, IFA_FLAGS, IFA_F_PERMANENT);
        sim_netlink_put(message, IFA_CACHEINFO, &life, sizeof life);
    } else {
        sim_netlink_put(message, IFA_ADDRESS, ip.bytes, sizeof ip.bytes);
        sim_netlink_put(message, IFA_CACHEINFO, &life, sizeof life);
        sim_netlink_put_u32(message, IFA_FLAGS, body->ifa_flags);
        if ((interface->flags & IFF_LOOPBACK) != 0) {
            sim_netlink_put_u8(message, IFA_PROTO, IFAPROT_KERNEL_LO);
        }
    }
}

/* IPv4's addresses of all interfaces come first, then IPv6's: at counts both rounds. */
bool sim_netlink_next_address(const struct sim_world *world, struct sim_host_id host,
                              struct sim_netlink_dump *dump, uint32_t port,
                              struct sim_netlink_message *message)
{
    static const uint32_t families[] = {AF_INET, AF_INET6};
    uint32_t place = 0;
    for (size_t round = 0; round < 2; round++) {
        struct sim_interface_id id = sim_host_at(world, host)->first_interface;
        while (id.index != 0) {
            const struct sim_interface *interface = sim_interface_at(world, id);
            for (uint32_t slot = 0; slot < interface->address_count; slot++) {
                const bool v4 = sim_ip_is_v4(interface->addresses[slot].ip);
                if (place++ < dump->at || v4 != (families[round] == AF_INET) ||
                    (dump->family != AF_UNSPEC && dump->family != families[round]) ||
                    (dump->interface != 0 && dump->interface != interface->number)) {
                    continue;
                }
                dump->at = place;
                make_address(interface, slot, dump->sequence, port, message);
                return true;
            }
            id = interface->next;
        }
    }
    return false;
}

/* ---- which question it is ---- */

static int dump_of(uint32_t type)
{
    switch (type) {
    case RTM_GETLINK:
        return SIM_NETLINK_DUMP_LINKS;
    case RTM_GETADDR:
        return SIM_NETLINK_DUMP_ADDRESSES;
    case RTM_GETROUTE:
        return SIM_NETLINK_DUMP_ROUTES;
    case RTM_GETRULE:
        return SIM_NETLINK_DUMP_RULES;
    case RTM_GETNEIGH:
    case RTM_GETNEIGHTBL:
    case RTM_GETQDISC:
    case RTM_GETTCLASS:
    case RTM_GETADDRLABEL:
    case RTM_GETNETCONF:
    case RTM_GETMULTICAST:
    case RTM_GETNEXTHOP:
        return SIM_NETLINK_DUMP_NOTHING;
    default:
        return -EOPNOTSUPP;
    }
}

static int plan_dump(struct sim_world *world, struct sim_socket_id id,
                     const struct sim_netlink_message *question, uint32_t family,
                     struct sim_netlink_dump *dump)
{
    const struct nlmsghdr *head = (const void *)question->data;
    const int kind = dump_of(head->nlmsg_type);
    if (kind < 0) {
        return kind;
    }
    /* LINUX: a family that has no tables of its own stands for all. */
    const bool known = family == AF_INET || family == AF_INET6;
    dump->kind = (uint32_t)kind;
    dump->family = known ? family : AF_UNSPEC;
    const struct ifaddrmsg *address = sim_netlink_body(question, sizeof *address);
    const bool strict = (sim_netlink_of(world, id)->options & 1U << NETLINK_GET_STRICT_CHK) != 0;
    if (strict &&
        kind == SIM_NETLINK_DUMP_ADDRESSES) { /* LINUX: errors too are told at the dump's end */
        if (address == NULL || address->ifa_prefixlen != 0 || address->ifa_flags != 0 ||
            address->ifa_scope != 0) {
            dump->status = -EINVAL;
            return 0;
        }
        dump->interface = address->ifa_index;
        if (dump->interface != 0 &&
            sim_host_interface(world, sim_socket_at(world, id)->host, dump->interface) == NULL) {
            dump->status = -ENODEV;
        }
    }
    return 0;
}

int sim_netlink_route(struct sim_world *world, struct sim_socket_id id,
                      const struct sim_netlink_message *question, struct sim_netlink_dump *dump)
{
    enum { KINDS = 4, KIND_GET = 2 }; /* LINUX: NEW, DEL, GET, SET of each thing, in this order */
    const struct nlmsghdr *head = (const void *)question->data;
    const struct rtgenmsg *general = sim_netlink_body(question, sizeof *general);
    if (head->nlmsg_type < RTM_BASE || head->nlmsg_type > LAST_TYPE) {
        return -EOPNOTSUPP;
    }
    if (general == NULL) {
        return 0;
    }
    if ((head->nlmsg_type - RTM_BASE) % KINDS != KIND_GET) {
        return -EOPNOTSUPP;
    }
    if ((head->nlmsg_flags & NLM_F_DUMP) != 0) {
        return plan_dump(world, id, question, general->rtgen_family, dump);
    }
    switch (head->nlmsg_type) {
    case RTM_GETLINK:
        return get_link(world, id, question);
    case RTM_GETROUTE:
        return sim_netlink_get_route(world, id, question);
    default:
        return -EOPNOTSUPP;
    }
}
