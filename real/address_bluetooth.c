/* AF_BLUETOOTH addresses, by protocol: L2CAP, RFCOMM, HCI and SCO.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <bluetooth/bluetooth.h>
#include <bluetooth/hci.h>
#include <bluetooth/l2cap.h>
#include <bluetooth/rfcomm.h>
#include <bluetooth/sco.h>
#include <string.h>

#include "address.h"
#include "error.h"

enum {
    BDADDR_BYTES = 6,
    BDADDR_TEXT_BYTES = 64, /* leading zeros are let through, so texts may be longer than usual */
};

static int wrong_format(const struct address_source *source)
{
    return dry_error_os_text(source->caller, "%s(): wrong format", source->method);
}

/* "00:11:22:33:44:55", the most significant byte first, as scanf's %X reads each. */
static int read_bdaddr(const struct address_source *source, const char *text, bdaddr_t *bdaddr)
{
    unsigned bytes[BDADDR_BYTES];
    char rest;
    int count = sscanf(text, "%X:%X:%X:%X:%X:%X%c", &bytes[5], &bytes[4], &bytes[3], &bytes[2],
                       &bytes[1], &bytes[0], &rest);
    unsigned all = 0;
    for (int i = 0; count == BDADDR_BYTES && i < BDADDR_BYTES; i++) {
        all |= bytes[i];
    }
    if (count != BDADDR_BYTES || all > UINT8_MAX) {
        return dry_error_os_text(source->caller, "bad bluetooth address");
    }
    for (int i = 0; i < BDADDR_BYTES; i++) {
        bdaddr->b[i] = (uint8_t)bytes[i];
    }
    return 0;
}

/* (bdaddr, number) */
static int read_pair(const struct address_source *source, bdaddr_t *bdaddr, int *number)
{
    char text[BDADDR_TEXT_BYTES];
    size_t length = 0;
    if (source->value->kind != DRY_TUPLE || argument_count(source, 2, 2, "") < 0 ||
        argument_text(source, 0, "", text, sizeof(text), &length) < 0 ||
        argument_int(source, 1, "", number) < 0) {
        return wrong_format(source);
    }
    return read_bdaddr(source, text, bdaddr);
}

static int l2cap_from_value(const struct address_source *source, struct dry_address *address)
{
    struct sockaddr_l2 *l2cap = (struct sockaddr_l2 *)(void *)&address->storage;
    int psm = 0;
    if (read_pair(source, &l2cap->l2_bdaddr, &psm) < 0) {
        return -1;
    }
    l2cap->l2_family = AF_BLUETOOTH;
    l2cap->l2_psm = (uint16_t)psm;
    address->length = sizeof(*l2cap);
    return 0;
}

static int rfcomm_from_value(const struct address_source *source, struct dry_address *address)
{
    struct sockaddr_rc *rfcomm = (struct sockaddr_rc *)(void *)&address->storage;
    int channel = 0;
    if (read_pair(source, &rfcomm->rc_bdaddr, &channel) < 0) {
        return -1;
    }
    rfcomm->rc_family = AF_BLUETOOTH;
    rfcomm->rc_channel = (uint8_t)channel;
    address->length = sizeof(*rfcomm);
    return 0;
}

static int hci_from_value(const struct address_source *source, struct dry_address *address)
{
    struct sockaddr_hci *hci = (struct sockaddr_hci *)(void *)&address->storage;
    int device = 0;
    if (source->value->kind != DRY_TUPLE || argument_count(source, 1, 1, "") < 0 ||
        argument_int(source, 0, "", &device) < 0) {
        return wrong_format(source);
    }
    hci->hci_family = AF_BLUETOOTH;
    hci->hci_dev = (uint16_t)device;
    hci->hci_channel = (uint16_t)((unsigned)device >> 16);
    address->length = sizeof(*hci);
    return 0;
}

static int sco_from_value(const struct address_source *source, struct dry_address *address)
{
    struct sockaddr_sco *sco = (struct sockaddr_sco *)(void *)&address->storage;
    char text[BDADDR_TEXT_BYTES];
    if (source->value->kind != DRY_BYTES) {
        return wrong_format(source);
    }
    size_t length = source->value->count;
    if (length >= sizeof(text)) {
        length = sizeof(text) - 1;
    }
    if (length) {
        memcpy(text, source->value->bytes, length);
    }
    text[length] = 0;
    if (read_bdaddr(source, text, &sco->sco_bdaddr) < 0) {
        return -1;
    }
    sco->sco_family = AF_BLUETOOTH;
    address->length = sizeof(*sco);
    return 0;
}

static int bluetooth_from_value(const struct address_source *source, struct dry_address *address)
{
    switch (source->protocol) {
    case BTPROTO_L2CAP:
        return l2cap_from_value(source, address);
    case BTPROTO_RFCOMM:
        return rfcomm_from_value(source, address);
    case BTPROTO_HCI:
        return hci_from_value(source, address);
    case BTPROTO_SCO:
        return sco_from_value(source, address);
    default:
        return dry_error_os_text(source->caller, "%s(): unknown Bluetooth protocol", source->method);
    }
}

static void sink_bdaddr(struct address_sink *sink, uint32_t index, const bdaddr_t *bdaddr)
{
    char text[18];
    snprintf(text, sizeof(text), "%02X:%02X:%02X:%02X:%02X:%02X", bdaddr->b[5], bdaddr->b[4],
             bdaddr->b[3], bdaddr->b[2], bdaddr->b[1], bdaddr->b[0]);
    sink_text(sink, index, text, strlen(text));
}

static int bluetooth_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const void *storage = &address->storage;
    const struct sockaddr_l2 *l2cap = storage;
    const struct sockaddr_rc *rfcomm = storage;
    const struct sockaddr_hci *hci = storage;
    const struct sockaddr_sco *sco = storage;
    switch (address->protocol) {
    case BTPROTO_L2CAP:
        sink_bdaddr(sink, 0, &l2cap->l2_bdaddr);
        sink_int(sink, 1, l2cap->l2_psm);
        return sink_tuple(sink, 2);
    case BTPROTO_RFCOMM:
        sink_bdaddr(sink, 0, &rfcomm->rc_bdaddr);
        sink_int(sink, 1, rfcomm->rc_channel);
        return sink_tuple(sink, 2);
    case BTPROTO_HCI:
        sink_int(sink, 0, hci->hci_dev);
        *sink->value = sink->items[0];
        return 0;
    case BTPROTO_SCO:
        sink_bdaddr(sink, 0, &sco->sco_bdaddr);
        *sink->value = sink->items[0];
        return 0;
    default:
        return dry_error_value(sink->caller, DRY_VALUE_ERROR, "Unknown Bluetooth protocol");
    }
}

const struct address_family dry_family_bluetooth = {AF_BLUETOOTH, bluetooth_from_value,
                                                    bluetooth_to_value};
