/* The few rtnetlink requests that give a host's interface its addresses and routes, by libmnl.
 * SPDX-License-Identifier: MIT */
#include "netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

enum { REQUEST_BYTES = 512 };

/* A request as it is built. */
struct request {
    _Alignas(struct nlmsghdr) char bytes[REQUEST_BYTES];
    struct nlmsghdr *header;
};

/* The body of `body_bytes`, zeroed, behind the header. */
static void *begin(struct request *request, uint16_t type, uint16_t flags, size_t body_bytes)
{
    request->header = mnl_nlmsg_put_header(request->bytes);
    request->header->nlmsg_type = type;
    request->header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    return mnl_nlmsg_put_extra_header(request->header, body_bytes);
}

/* Sends the request and gives each message of the answer to `take`, which may be NULL. 0 or -errno. */
static int ask(struct mnl_socket *netlink, const struct request *request, mnl_cb_t take, void *data)
{
    _Alignas(
        struct nlmsghdr) char answer[8192]; /* what one datagram of rtnetlink holds at the most here */
    ssize_t length;
    if (mnl_socket_sendto(netlink, request->header, request->header->nlmsg_len) < 0) {
        return -errno;
    }
    do {
        length = mnl_socket_recvfrom(netlink, answer, sizeof answer);
    } while (length < 0 && errno == EINTR);
    if (length < 0 || mnl_cb_run(answer, (size_t)length, request->header->nlmsg_seq,
                                 mnl_socket_get_portid(netlink), take, data) < 0) {
        return -errno;
    }
    return 0;
}

struct mnl_socket *kernel_netlink_open(void)
{
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (netlink != NULL && mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0) {
        int error = errno;
        mnl_socket_close(netlink);
        errno = error;
        return NULL;
    }
    return netlink;
}

/* The address generation mode is set before the interface comes up, or a link-local address would
 * appear with it. */
static int stop_address_generation(struct mnl_socket *netlink, unsigned interface)
{
    struct request request;
    struct ifinfomsg *link = begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof *link);
    link->ifi_index = (int)interface;
    struct nlattr *families = mnl_attr_nest_start(request.header, IFLA_AF_SPEC);
    struct nlattr *inet6 = mnl_attr_nest_start(request.header, AF_INET6);
    mnl_attr_put_u8(request.header, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    mnl_attr_nest_end(request.header, inet6);
    mnl_attr_nest_end(request.header, families);
    return ask(netlink, &request, NULL, NULL);
}

int kernel_netlink_up(struct mnl_socket *netlink, unsigned interface, uint32_t mtu)
{
    struct request request;
    int error = stop_address_generation(netlink, interface);
    /* A kernel without IPv6 has no such attribute and makes no such addresses. */
    if (error < 0 && error != -EAFNOSUPPORT && error != -EOPNOTSUPP) {
        return error;
    }
    struct ifinfomsg *link = begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof *link);
    link->ifi_index = (int)interface;
    link->ifi_flags = IFF_UP;
    link->ifi_change = IFF_UP;
    if (mtu > 0) {
        mnl_attr_put_u32(request.header, IFLA_MTU, mtu);
    }
    return ask(netlink, &request, NULL, NULL);
}

int kernel_netlink_add_address(struct mnl_socket *netlink, unsigned interface, int family,
                               const void *address, uint32_t prefix_bits)
{
    struct request request;
    size_t bytes = family == AF_INET ? 4 : 16;
    uint8_t broadcast[4];
    struct ifaddrmsg *body = begin(&request, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
                                   sizeof *body);

    body->ifa_family = (uint8_t)family;
    body->ifa_prefixlen = (uint8_t)prefix_bits;
    body->ifa_index = interface;
    mnl_attr_put(request.header, IFA_LOCAL, bytes, address);
    mnl_attr_put(request.header, IFA_ADDRESS, bytes, address);
    if (family == AF_INET6) {
        mnl_attr_put_u32(request.header, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
    } else if (prefix_bits < 31) {
        memcpy(broadcast, address, sizeof broadcast);
        for (uint32_t bit = prefix_bits; bit < 32; bit++) {
            broadcast[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
        mnl_attr_put(request.header, IFA_BROADCAST, sizeof broadcast, broadcast);
    }
    return ask(netlink, &request, NULL, NULL);
}

static int take_route(const struct nlmsghdr *header, void *data)
{
    const struct rtmsg *route = mnl_nlmsg_get_payload(header);
    *(int *)data = header->nlmsg_type == RTM_NEWROUTE && route->rtm_type == RTN_LOCAL;
    return MNL_CB_OK;
}

/* Whether the kernel would keep a packet for this IPv6 address; or -errno. */
static int is_local(struct mnl_socket *netlink, const void *address)
{
    struct request request;
    int local = 0;
    struct rtmsg *route = begin(&request, RTM_GETROUTE, 0, sizeof *route);
    route->rtm_family = AF_INET6;
    route->rtm_dst_len = 128;
    mnl_attr_put(request.header, RTA_DST, 16, address);
    int error = ask(netlink, &request, take_route, &local);
    /* No route at all is no local one. */
    return error == -ENETUNREACH || error == -EHOSTUNREACH ? 0 : error < 0 ? error : local;
}

int kernel_netlink_wait_for_address(struct mnl_socket *netlink, const void *address)
{
    static const struct timespec pause = {.tv_nsec = 200000};

    for (int tries = 0; tries < 10000; tries++) {
        int local = is_local(netlink, address);
        if (local != 0) {
            return local < 0 ? local : 0;
        }
        nanosleep(&pause, NULL);
    }
    return -ETIMEDOUT;
}

int kernel_netlink_add_default(struct mnl_socket *netlink, unsigned interface, int family)
{
    struct request request;
    struct rtmsg *route = begin(&request, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
                                sizeof *route);

    route->rtm_family = (uint8_t)family;
    route->rtm_table = RT_TABLE_MAIN;
    route->rtm_protocol = RTPROT_BOOT;
    route->rtm_scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    route->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32(request.header, RTA_OIF, interface);
    return ask(netlink, &request, NULL, NULL);
}

int kernel_netlink_add_vcan(struct mnl_socket *netlink, const char *name)
{
    struct request request;
    struct ifinfomsg *link = begin(&request, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
                                   sizeof *link);

    link->ifi_flags = IFF_UP;
    link->ifi_change = IFF_UP;
    mnl_attr_put_strz(request.header, IFLA_IFNAME, name);
    struct nlattr *kind = mnl_attr_nest_start(request.header, IFLA_LINKINFO);
    mnl_attr_put_strz(request.header, IFLA_INFO_KIND, "vcan");
    mnl_attr_nest_end(request.header, kind);
    return ask(netlink, &request, NULL, NULL);
}
