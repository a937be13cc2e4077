/* AF_PACKET addresses: (ifname, proto[, pkttype[, hatype[, addr]]]).
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <string.h>

#include "address.h"
#include "error.h"
#include "value.h"

/* "y*": bytes, or any buffer; absent ones leave *address. */
static int read_hardware(const struct address_source *source, const struct dry_value **hardware)
{
    if (source->value->count < 5) {
        return 0;
    }
    *hardware = &source->value->items[4];
    if ((*hardware)->kind == DRY_BYTES) {
        return 0;
    }
    return dry_error_value(source->caller, DRY_VALUE_TYPE, "a bytes-like object is required, not '%s'",
                           dry_value_type_name(*hardware));
}

static int packet_from_value(const struct address_source *source, struct dry_address *address)
{
    static const char form[] = "AF_PACKET address must be a tuple of two to five elements";
    static const char range[] = "address argument out of range";
    struct sockaddr_ll *packet = (struct sockaddr_ll *)(void *)&address->storage;
    char interface[IF_NAMESIZE];
    size_t interface_length = 0;
    int protocol = 0;
    int packet_type = PACKET_HOST;
    int hardware_type = 0;
    const struct dry_value *hardware = NULL;
    if (argument_tuple(source, "AF_PACKET") < 0 || argument_count(source, 2, 5, form) < 0 ||
        argument_text(source, 0, form, interface, sizeof(interface), &interface_length) < 0 ||
        argument_int(source, 1, range, &protocol) < 0 ||
        argument_int(source, 2, range, &packet_type) < 0 ||
        argument_int(source, 3, range, &hardware_type) < 0 || read_hardware(source, &hardware) < 0) {
        return -1;
    }
    int index = source->caller.system->if_nametoindex(source->caller, interface);
    if (index < 0) {
        return dry_error_os(source->caller, -index);
    }
    if (hardware && hardware->count > sizeof(packet->sll_addr)) {
        return dry_error_value(source->caller, DRY_VALUE_ERROR,
                               "Hardware address must be 8 bytes or less");
    }
    if (protocol < 0 || protocol > UINT16_MAX) {
        return dry_error_value(source->caller, DRY_VALUE_OVERFLOW, "%s(): proto must be 0-65535.",
                               source->method);
    }
    packet->sll_family = AF_PACKET;
    packet->sll_protocol = htons((uint16_t)protocol);
    packet->sll_ifindex = index;
    packet->sll_pkttype = (uint8_t)packet_type;
    packet->sll_hatype = (uint16_t)hardware_type;
    if (hardware && hardware->count) {
        memcpy(packet->sll_addr, hardware->bytes, hardware->count);
        packet->sll_halen = (uint8_t)hardware->count;
    }
    address->length = sizeof(*packet);
    return 0;
}

static int packet_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_ll *packet = (const void *)&address->storage;
    size_t hardware = packet->sll_halen;
    if (hardware > sizeof(packet->sll_addr)) {
        hardware = sizeof(packet->sll_addr);
    }
    sink_interface(sink, 0, (unsigned)packet->sll_ifindex);
    sink_int(sink, 1, ntohs(packet->sll_protocol));
    sink_int(sink, 2, packet->sll_pkttype);
    sink_int(sink, 3, packet->sll_hatype);
    sink_bytes(sink, 4, packet->sll_addr, hardware);
    return sink_tuple(sink, 5);
}

const struct address_family dry_family_packet = {AF_PACKET, packet_from_value, packet_to_value};
