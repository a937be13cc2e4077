/* The few rtnetlink requests that give a host's interface its addresses and routes.
 * SPDX-License-Identifier: MIT */
#include "netlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One request as it goes out: the header, the family's own struct, then attributes. */
struct request {
    struct nlmsghdr header;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
        struct rtmsg route;
    };
    uint8_t attributes[256];
};

static void begin(struct request *request, uint16_t type, uint16_t flags, size_t body_bytes)
{
    memset(request, 0, sizeof *request);
    request->header.nlmsg_type = type;
    request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body_bytes);
}

/* Appends an attribute and returns where it starts, so that a nest can be ended. */
static struct rtattr *attribute(struct request *request, uint16_t type, const void *data, size_t bytes)
{
    size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
    struct rtattr *item = (struct rtattr *)((uint8_t *)request + at);

    assert(at + RTA_SPACE(bytes) <= sizeof *request);
    item->rta_type = type;
    item->rta_len = (uint16_t)RTA_LENGTH(bytes);
    if (bytes > 0) {
        memcpy(RTA_DATA(item), data, bytes);
    }
    request->header.nlmsg_len = (uint32_t)(at + RTA_ALIGN(item->rta_len));
    return item;
}

static void end_nest(struct request *request, struct rtattr *nest)
{
    nest->rta_len = (uint16_t)((uint8_t *)request + request->header.nlmsg_len - (uint8_t *)nest);
}

/* Sends the request and reads its acknowledgment. */
static int ask(int netlink, const struct request *request)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t rest[512];
    } answer;
    ssize_t length;

    if (send(netlink, request, request->header.nlmsg_len, 0) < 0) {
        return -errno;
    }
    do {
        length = recv(netlink, &answer, sizeof answer, 0);
    } while (length < 0 && errno == EINTR);
    if (length < 0) {
        return -errno;
    }
    if ((size_t)length < NLMSG_LENGTH(sizeof answer.error.error) ||
        answer.header.nlmsg_type != NLMSG_ERROR) {
        return -EPROTO;
    }
    return answer.error.error;
}

int kernel_netlink_open(void)
{
    struct sockaddr_nl self = {.nl_family = AF_NETLINK};
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    int error;

    if (netlink < 0) {
        return -errno;
    }
    if (bind(netlink, (struct sockaddr *)&self, sizeof self) < 0) {
        error = -errno;
        close(netlink);
        return error;
    }
    return netlink;
}

/* The address generation mode is set before the interface comes up, or a link-local address would
 * appear with it. */
static int stop_address_generation(int netlink, unsigned interface)
{
    struct request request;
    struct rtattr *families, *inet6;
    uint8_t mode = IN6_ADDR_GEN_MODE_NONE;

    begin(&request, RTM_NEWLINK, 0, sizeof request.link);
    request.link.ifi_index = (int)interface;
    families = attribute(&request, IFLA_AF_SPEC | NLA_F_NESTED, NULL, 0);
    inet6 = attribute(&request, AF_INET6 | NLA_F_NESTED, NULL, 0);
    attribute(&request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    end_nest(&request, inet6);
    end_nest(&request, families);
    return ask(netlink, &request);
}

int kernel_netlink_up(int netlink, unsigned interface, uint32_t mtu)
{
    struct request request;
    int error = stop_address_generation(netlink, interface);

    /* A kernel without IPv6 has no such attribute and makes no such addresses. */
    if (error < 0 && error != -EAFNOSUPPORT && error != -EOPNOTSUPP) {
        return error;
    }
    begin(&request, RTM_NEWLINK, 0, sizeof request.link);
    request.link.ifi_index = (int)interface;
    request.link.ifi_flags = IFF_UP;
    request.link.ifi_change = IFF_UP;
    if (mtu > 0) {
        attribute(&request, IFLA_MTU, &mtu, sizeof mtu);
    }
    return ask(netlink, &request);
}

int kernel_netlink_add_address(int netlink, unsigned interface, int family, const void *address,
                               uint32_t prefix_bits)
{
    struct request request;
    size_t bytes = family == AF_INET ? 4 : 16;
    uint32_t flags = IFA_F_NODAD | IFA_F_PERMANENT;
    uint8_t broadcast[4];

    begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof request.address);
    request.address.ifa_family = (uint8_t)family;
    request.address.ifa_prefixlen = (uint8_t)prefix_bits;
    request.address.ifa_index = interface;
    attribute(&request, IFA_LOCAL, address, bytes);
    attribute(&request, IFA_ADDRESS, address, bytes);
    if (family == AF_INET6) {
        attribute(&request, IFA_FLAGS, &flags, sizeof flags);
    } else if (prefix_bits < 31) {
        memcpy(broadcast, address, sizeof broadcast);
        for (uint32_t bit = prefix_bits; bit < 32; bit++) {
            broadcast[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
        attribute(&request, IFA_BROADCAST, broadcast, sizeof broadcast);
    }
    return ask(netlink, &request);
}

/* Whether the kernel would keep a packet for this IPv6 address; or -errno. */
static int is_local(int netlink, const void *address)
{
    struct request request;
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        uint8_t rest[1024];
    } answer;

    begin(&request, RTM_GETROUTE, 0, sizeof request.route);
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.route.rtm_family = AF_INET6;
    request.route.rtm_dst_len = 128;
    attribute(&request, RTA_DST, address, 16);
    if (send(netlink, &request, request.header.nlmsg_len, 0) < 0 ||
        recv(netlink, &answer, sizeof answer, 0) < (ssize_t)NLMSG_LENGTH(sizeof answer.route)) {
        return -errno;
    }
    return answer.header.nlmsg_type == RTM_NEWROUTE && answer.route.rtm_type == RTN_LOCAL;
}

int kernel_netlink_wait_for_address(int netlink, const void *address)
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

int kernel_netlink_add_default(int netlink, unsigned interface, int family)
{
    struct request request;
    uint32_t index = interface;

    begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof request.route);
    request.route.rtm_family = (uint8_t)family;
    request.route.rtm_table = RT_TABLE_MAIN;
    request.route.rtm_protocol = RTPROT_BOOT;
    request.route.rtm_scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    request.route.rtm_type = RTN_UNICAST;
    attribute(&request, RTA_OIF, &index, sizeof index);
    return ask(netlink, &request);
}

int kernel_netlink_add_vcan(int netlink, const char *name)
{
    struct request request;
    struct rtattr *kind;

    begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof request.link);
    request.link.ifi_flags = IFF_UP;
    request.link.ifi_change = IFF_UP;
    attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
    kind = attribute(&request, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
    attribute(&request, IFLA_INFO_KIND, "vcan", 5);
    end_nest(&request, kind);
    return ask(netlink, &request);
}
