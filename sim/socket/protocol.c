/* How a socket() call chooses its protocol.
 * SPDX-License-Identifier: MIT */
#include "protocol.h"

#include <errno.h>
#include <netinet/in.h>

enum {
    FAMILY_LIMIT = AF_MAX,
    TYPE_LIMIT = 11, /* SOCK_PACKET + 1, the kernel's SOCK_MAX */
    TYPE_MASK = 15,
};

int sim_protocol_choose(int family, int type, int protocol, enum sim_protocol_kind *kind, int *number)
{
    type &= TYPE_MASK;
    if (family < 0 || family >= FAMILY_LIMIT) {
        return -EAFNOSUPPORT;
    }
    if (type >= TYPE_LIMIT) {
        return -EINVAL;
    }
    for (const struct sim_family *const *row = sim_families; *row != NULL; row++) {
        if ((*row)->domain == family) {
            return (*row)->choose(type, protocol, kind, number);
        }
    }
    return -EAFNOSUPPORT;
}
