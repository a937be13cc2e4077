/* AF_VSOCK addresses: (CID, port).
 * SPDX-License-Identifier: MIT */
#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include "address.h"

static int vsock_from_value(const struct address_source *source, struct dry_address *address)
{
    struct sockaddr_vm *vsock = (struct sockaddr_vm *)(void *)&address->storage;
    uint64_t cid = 0;
    uint64_t port = 0;
    if (argument_pair(source, "AF_VSOCK", &cid, &port) < 0) {
        return -1;
    }
    vsock->svm_family = AF_VSOCK;
    vsock->svm_cid = (uint32_t)cid;
    vsock->svm_port = (uint32_t)port;
    address->length = sizeof(*vsock);
    return 0;
}

static int vsock_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_vm *vsock = (const void *)&address->storage;
    sink_int(sink, 0, vsock->svm_cid);
    sink_int(sink, 1, vsock->svm_port);
    return sink_tuple(sink, 2);
}

const struct address_family dry_family_vsock = {AF_VSOCK, vsock_from_value, vsock_to_value};
