/* A listening socket in one call, as Python's create_server() makes it.
 * SPDX-License-Identifier: MIT */
#include "error.h"
#include "socket.h"

/* Closes the socket and keeps the error that ended it. */
static struct dry_socket *give_up(struct dry_socket *made)
{
    struct dry_error why = *dry_last_error();
    dry_close(made);
    dry_error_restore(dry_current_caller(), &why);
    return NULL;
}

bool dry_has_dualstack_ipv6(void)
{
    struct dry_socket *probe = dry_socket(AF_INET6, SOCK_STREAM, 0);
    bool has = probe != NULL && dry_setsockopt_int(probe, IPPROTO_IPV6, IPV6_V6ONLY, 0) == 0;
    if (probe != NULL) {
        dry_close(probe);
    }
    return has;
}

/* The options in Python's order; SO_REUSEADDR may fail, "on some platforms" it has no such option. */
static int tune(struct dry_socket *made, int family, bool reuse_port, bool dualstack_ipv6)
{
    dry_setsockopt_int(made, SOL_SOCKET, SO_REUSEADDR, 1);
    if (reuse_port && dry_setsockopt_int(made, SOL_SOCKET, SO_REUSEPORT, 1) != 0) {
        return -1;
    }
    return family == AF_INET6 ? dry_setsockopt_int(made, IPPROTO_IPV6, IPV6_V6ONLY, !dualstack_ipv6)
                              : 0;
}

struct dry_socket *dry_create_server(const struct dry_address *address, int family, int backlog,
                                     bool reuse_port, bool dualstack_ipv6)
{
    if (dualstack_ipv6 && !dry_has_dualstack_ipv6()) {
        dry_error_value(dry_current_caller(), DRY_VALUE_ERROR,
                        "dualstack_ipv6 not supported on this platform");
        return NULL;
    }
    if (dualstack_ipv6 && family != AF_INET6) {
        dry_error_value(dry_current_caller(), DRY_VALUE_ERROR,
                        "dualstack_ipv6 requires AF_INET6 family");
        return NULL;
    }
    struct dry_socket *made = dry_socket(family, SOCK_STREAM, 0);
    if (made == NULL) {
        return NULL;
    }
    if (tune(made, family, reuse_port, dualstack_ipv6) != 0 || dry_bind(made, address) != 0 ||
        dry_listen(made, backlog) != 0) {
        return give_up(made);
    }
    return made;
}
