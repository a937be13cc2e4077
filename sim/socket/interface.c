/* What ioctl() tells a socket of its host's interfaces: netdevice(7).
 * SPDX-License-Identifier: MIT */
#include "interface.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "core/block.h"
#include "net/host.h"

enum {
    IPV4_PREFIX_BITS = 96, /* of ::ffff:0:0/96 */
    QUEUE_LENGTH = 1000,   /* LINUX: lo's; 500 is a TUN interface's */
    TUN_QUEUE_LENGTH = 500,
};

/* LINUX: what follows a colon names an alias. */
static const struct sim_interface *find(const struct sim_world *world, struct sim_host_id host,
                                        const char *name)
{
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;
    char plain[IFNAMSIZ];
    memcpy(plain, name, sizeof plain);
    plain[IFNAMSIZ - 1] = '\0';
    plain[strcspn(plain, ":")] = '\0';
    while (id.index != 0 && strcmp(sim_interface_at(world, id)->name, plain) != 0) {
        id = sim_interface_at(world, id)->next;
    }
    return id.index == 0 ? NULL : sim_interface_at(world, id);
}

static int give_name(const struct sim_world *world, struct sim_host_id host, struct ifreq *request)
{
    const struct sim_interface *interface = request->ifr_ifindex > 0
                                                ? sim_host_interface(world, host,
                                                                     (uint32_t)request->ifr_ifindex)
                                                : NULL;
    if (interface == NULL) {
        return -ENODEV;
    }
    memset(request->ifr_name, 0, sizeof request->ifr_name);
    memcpy(request->ifr_name, interface->name, strnlen(interface->name, IFNAMSIZ - 1));
    return 0;
}

/* ---- addresses: of IPv4, to a socket of IPv4 ---- */

static int give_address(const struct sim_interface *interface, const char *name, unsigned long which,
                        struct sockaddr *to)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    uint32_t i = 0;
    while (i < interface->address_count && !sim_ip_is_v4(interface->addresses[i].ip)) {
        i++;
    }
    if (i == interface->address_count || strchr(name, ':') != NULL) {
        return -EADDRNOTAVAIL;
    }
    const uint32_t bits = interface->addresses[i].prefix_bits - IPV4_PREFIX_BITS;
    const uint32_t mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
    const uint32_t address = sim_ip_to_v4(interface->addresses[i].ip);
    const bool broadcasts = (interface->flags & IFF_BROADCAST) != 0;
    switch (which) {
    case SIOCGIFNETMASK:
        in.sin_addr.s_addr = htonl(mask);
        break;
    case SIOCGIFBRDADDR:
        in.sin_addr.s_addr = broadcasts ? htonl(address | ~mask) : 0;
        break;
    default: /* SIOCGIFADDR, SIOCGIFDSTADDR: no line here has two ends */
        in.sin_addr.s_addr = htonl(address);
        break;
    }
    memcpy(to, &in, sizeof in);
    return 0;
}

/* ---- the interface itself ---- */

static int give_property(const struct sim_interface *interface, unsigned long which,
                         struct ifreq *request)
{
    const bool loopback = (interface->flags & IFF_LOOPBACK) != 0;
    switch (which) {
    case SIOCGIFFLAGS:
        request->ifr_flags = (short)interface->flags;
        return 0;
    case SIOCGIFMETRIC:
        request->ifr_metric = 0;
        return 0;
    case SIOCGIFMTU:
        request->ifr_mtu = (int)interface->mtu;
        return 0;
    case SIOCGIFINDEX:
        request->ifr_ifindex = (int)interface->number;
        return 0;
    default: /* SIOCGIFTXQLEN */
        request->ifr_qlen = loopback ? QUEUE_LENGTH : TUN_QUEUE_LENGTH;
        return 0;
    }
}

int sim_interface_ioctl(const struct sim_world *world, struct sim_socket_id id, unsigned long request,
                        void *argument)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const bool of_address = request == SIOCGIFADDR || request == SIOCGIFNETMASK ||
                            request == SIOCGIFBRDADDR || request == SIOCGIFDSTADDR;
    const bool of_itself = request == SIOCGIFFLAGS || request == SIOCGIFMETRIC ||
                           request == SIOCGIFMTU || request == SIOCGIFINDEX || request == SIOCGIFTXQLEN;
    if (!of_itself && request != SIOCGIFNAME && !(of_address && socket->family == AF_INET)) {
        return -ENOTTY;
    }
    if (argument == NULL) {
        return -EFAULT;
    }
    struct ifreq *answer = argument;
    if (request == SIOCGIFNAME) {
        return give_name(world, socket->host, answer);
    }
    const struct sim_interface *interface = find(world, socket->host, answer->ifr_name);
    if (interface == NULL) {
        return -ENODEV;
    }
    return of_address ? give_address(interface, answer->ifr_name, request, &answer->ifr_addr)
                      : give_property(interface, request, answer);
}
