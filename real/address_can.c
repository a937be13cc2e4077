/* AF_CAN addresses, by protocol: (interface,), ISO-TP's and J1939's longer forms.
 * SPDX-License-Identifier: MIT */
#include <linux/can.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>

#include "address.h"
#include "error.h"

/* The interface's name is read before the numbers behind it, and looked up after them. */
struct interface_name {
    char text[IF_NAMESIZE];
    size_t length;
};

static int read_interface(const struct address_source *source, struct interface_name *name)
{
    return argument_path(source, 0, name->text, sizeof(name->text), &name->length);
}

/* "" is every interface. */
static int find_interface(const struct address_source *source, const struct interface_name *name,
                          struct sockaddr_can *can)
{
    if (name->length >= sizeof(name->text)) {
        return dry_error_os_text(source->caller, "AF_CAN interface name too long");
    }
    if (name->length == 0) {
        return 0;
    }
    int index = source->caller.system->if_nametoindex(source->caller, name->text);
    if (index < 0) {
        return dry_error_os(source->caller, -index);
    }
    can->can_ifindex = index;
    return 0;
}

static int read_raw(const struct address_source *source, struct sockaddr_can *can)
{
    struct interface_name name;
    if (argument_tuple(source, "AF_CAN") < 0 ||
        argument_count(source, 1, 1, "AF_CAN address must be a tuple (interface, )") < 0 ||
        read_interface(source, &name) < 0) {
        return -1;
    }
    return find_interface(source, &name, can);
}

static int read_isotp(const struct address_source *source, struct sockaddr_can *can)
{
    struct interface_name name;
    uint64_t receive = 0;
    uint64_t transmit = 0;
    if (argument_tuple(source, "AF_CAN") < 0 || argument_count(source, 3, 3, NULL) < 0 ||
        read_interface(source, &name) < 0 || argument_long(source, 1, &receive) < 0 ||
        argument_long(source, 2, &transmit) < 0 || find_interface(source, &name, can) < 0) {
        return -1;
    }
    can->can_addr.tp.rx_id = (canid_t)receive;
    can->can_addr.tp.tx_id = (canid_t)transmit;
    return 0;
}

static int read_j1939(const struct address_source *source, struct sockaddr_can *can)
{
    struct interface_name interface;
    uint64_t name = 0;
    uint64_t group = 0;
    uint64_t node = 0;
    if (argument_tuple(source, "AF_CAN") < 0 || argument_count(source, 4, 4, NULL) < 0 ||
        read_interface(source, &interface) < 0 || argument_long(source, 1, &name) < 0 ||
        argument_bits(source, 2, &group) < 0 || argument_bits(source, 3, &node) < 0 ||
        find_interface(source, &interface, can) < 0) {
        return -1;
    }
    can->can_addr.j1939.name = name;
    can->can_addr.j1939.pgn = (uint32_t)group;
    can->can_addr.j1939.addr = (uint8_t)node;
    return 0;
}

static int can_from_value(const struct address_source *source, struct dry_address *address)
{
    struct sockaddr_can *can = (struct sockaddr_can *)(void *)&address->storage;
    int status;
    switch (source->protocol) {
    case CAN_RAW:
    case CAN_BCM:
        status = read_raw(source, can);
        break;
    case CAN_ISOTP:
        status = read_isotp(source, can);
        break;
    case CAN_J1939:
        status = read_j1939(source, can);
        break;
    default:
        return dry_error_os_text(source->caller, "%s(): unsupported CAN protocol", source->method);
    }
    can->can_family = AF_CAN;
    address->length = sizeof(*can);
    return status;
}

static int can_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_can *can = (const void *)&address->storage;
    sink_interface(sink, 0, (unsigned)can->can_ifindex);
    switch (address->protocol) {
    case CAN_ISOTP:
        sink_int(sink, 1, can->can_addr.tp.rx_id);
        sink_int(sink, 2, can->can_addr.tp.tx_id);
        return sink_tuple(sink, 3);
    case CAN_J1939:
        sink_int(sink, 1, can->can_addr.j1939.name);
        sink_int(sink, 2, can->can_addr.j1939.pgn);
        sink_int(sink, 3, can->can_addr.j1939.addr);
        return sink_tuple(sink, 4);
    default:
        return sink_tuple(sink, 1);
    }
}

const struct address_family dry_family_can = {AF_CAN, can_from_value, can_to_value};
