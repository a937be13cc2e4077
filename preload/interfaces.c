/* What ioctl(2) tells of a host's interfaces, by whichever socket it is asked.
 * SPDX-License-Identifier: MIT */
#include "interfaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

#include "preload.h"
#include "sim/core/block.h"
#include "sim/net/host.h"
#include "world.h"

enum { OLD_BITS = 96 }; /* before an IPv4 prefix, of the 128 */

static void put_address(struct sockaddr *place, uint32_t address)
{
    const struct sockaddr_in value = {.sin_family = AF_INET, .sin_addr = {htonl(address)}};
    memcpy(place, &value, sizeof value);
}

/* The interface's first IPv4 address and its prefix; false: it has none. */
static bool first_address(const struct sim_interface *interface, uint32_t *address, uint32_t *bits)
{
    for (uint32_t i = 0; i < interface->address_count; i++) {
        if (sim_ip_is_v4(interface->addresses[i].ip)) {
            *address = sim_ip_to_v4(interface->addresses[i].ip);
            *bits = interface->addresses[i].prefix_bits - OLD_BITS;
            return true;
        }
    }
    return false;
}

static int64_t tell(const struct sim_interface *interface, unsigned long request, struct ifreq *wanted)
{
    uint32_t address = 0, bits = 0;
    const bool has = first_address(interface, &address, &bits);
    const uint32_t mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
    switch (request) {
    case SIOCGIFINDEX:
        wanted->ifr_ifindex = (int)interface->number;
        return 0;
    case SIOCGIFFLAGS:
        wanted->ifr_flags = (short)interface->flags;
        return 0;
    case SIOCGIFMTU:
        wanted->ifr_mtu = (int)interface->mtu;
        return 0;
    case SIOCGIFHWADDR:
        memset(&wanted->ifr_hwaddr, 0, sizeof wanted->ifr_hwaddr);
        wanted->ifr_hwaddr.sa_family = interface->number == SIM_LOOPBACK_NUMBER ? ARPHRD_LOOPBACK
                                                                                : ARPHRD_ETHER;
        return 0;
    case SIOCGIFADDR:
        put_address(&wanted->ifr_addr, address);
        return has ? 0 : -EADDRNOTAVAIL;
    case SIOCGIFNETMASK:
        put_address(&wanted->ifr_netmask, mask);
        return has ? 0 : -EADDRNOTAVAIL;
    default:
        put_address(&wanted->ifr_broadaddr,
                    interface->number == SIM_LOOPBACK_NUMBER ? 0 : address | ~mask);
        return has ? 0 : -EADDRNOTAVAIL;
    }
}

/* LINUX: those with an IPv4 address; without a buffer, the room they take. */
static int64_t list_all(const struct sim_world *world, struct sim_interface_id first,
                        struct ifconf *list)
{
    if (!preload_writable(list, sizeof *list)) {
        return -EFAULT;
    }
    size_t length = 0;
    for (struct sim_interface_id id = first; id.index; id = sim_interface_at(world, id)->next) {
        const struct sim_interface *interface = sim_interface_at(world, id);
        uint32_t address, bits;
        if (!first_address(interface, &address, &bits)) {
            continue;
        }
        if (list->ifc_buf) {
            struct ifreq one = {0};
            if (length + sizeof one > (size_t)list->ifc_len) {
                break;
            }
            memcpy(one.ifr_name, interface->name, strnlen(interface->name, IFNAMSIZ - 1));
            put_address(&one.ifr_addr, address);
            if (!preload_writable(list->ifc_buf + length, sizeof one)) {
                return -EFAULT;
            }
            memcpy(list->ifc_buf + length, &one, sizeof one);
        }
        length += sizeof(struct ifreq);
    }
    list->ifc_len = (int)length;
    return 0;
}

bool preload_is_of_interfaces(unsigned long request)
{
    static const unsigned long requests[] = {SIOCGIFNAME,    SIOCGIFINDEX,   SIOCGIFFLAGS,
                                             SIOCGIFMTU,     SIOCGIFHWADDR,  SIOCGIFADDR,
                                             SIOCGIFNETMASK, SIOCGIFBRDADDR, SIOCGIFCONF};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (requests[i] == request) {
            return true;
        }
    }
    return false;
}

int64_t preload_interfaces(unsigned long request, void *argument)
{
    struct ifreq *wanted = argument;
    const struct sim_world *world = preload_world();
    const struct sim_interface_id first =
        sim_host_at(world, (struct sim_host_id){preload_host()})->first_interface;
    if (request == SIOCGIFCONF) {
        return list_all(world, first, argument);
    }
    if (!preload_writable(wanted, sizeof *wanted)) {
        return -EFAULT;
    }
    for (struct sim_interface_id id = first; id.index; id = sim_interface_at(world, id)->next) {
        const struct sim_interface *interface = sim_interface_at(world, id);
        if (request == SIOCGIFNAME) {
            if ((int)interface->number == wanted->ifr_ifindex) {
                memset(wanted->ifr_name, 0, IFNAMSIZ);
                memcpy(wanted->ifr_name, interface->name, strnlen(interface->name, IFNAMSIZ - 1));
                return 0;
            }
        } else if (strncmp(interface->name, wanted->ifr_name, IFNAMSIZ - 1) == 0) {
            return tell(interface, request, wanted);
        }
    }
    return -ENODEV;
}
