/* Filling in an address's Python form: what every family's to_value is made of.
 * SPDX-License-Identifier: MIT */
#include "address.h"

#include <assert.h>
#include <string.h>

#include "value.h"

int sink_tuple(struct address_sink *sink, uint32_t count)
{
    *sink->value = (struct dry_value){.kind = DRY_TUPLE, .count = count, .items = sink->items};
    return 0;
}

void sink_int(struct address_sink *sink, uint32_t index, uint64_t number)
{
    char *digits = sink->text + sink->text_used;
    dry_value_unsigned(&sink->items[index], number, digits);
    if (sink->items[index].count) {
        sink->text_used += sink->items[index].count + 1;
    }
}

void sink_bytes(struct address_sink *sink, uint32_t index, const void *bytes, size_t length)
{
    char *place = sink->text + sink->text_used;
    assert(sink->text_used + length + 1 <= DRY_ADDRESS_TEXT_BYTES);
    memcpy(place, bytes, length);
    place[length] = 0;
    sink->text_used += length + 1;
    sink->items[index] = (struct dry_value){
        .kind = DRY_BYTES, .count = (uint32_t)length, .bytes = place};
}

void sink_text(struct address_sink *sink, uint32_t index, const char *text, size_t length)
{
    sink_bytes(sink, index, text, length);
    sink->items[index].kind = DRY_TEXT;
}

void sink_interface(struct address_sink *sink, uint32_t index, unsigned interface)
{
    char name[IF_NAMESIZE] = "";
    if (interface == 0 || sink->caller.system->if_indextoname(sink->caller, interface, name) < 0) {
        name[0] = 0;
    }
    sink_text(sink, index, name, strlen(name));
}
