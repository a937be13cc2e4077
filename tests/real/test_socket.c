/* Socket objects over the kernel: made, detected, shared, in their modes, and ended.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "double.h"

static void expect_error(enum dry_error_kind kind, int code, const char *message)
{
    assert_int_equal(dry_last_error()->kind, kind);
    assert_int_equal(dry_last_error()->code, code);
    assert_string_equal(dry_last_error()->message, message);
}

static bool is_nonblocking(const struct dry_socket *socket)
{
    return (fcntl(dry_fileno(socket), F_GETFL) & O_NONBLOCK) != 0;
}

static struct dry_socket *listener(struct dry_address *address)
{
    struct dry_socket *made = dry_socket(-1, -1, -1);
    *address = (struct dry_address){.length = sizeof(struct sockaddr_in)};
    struct sockaddr_in *inet = (void *)&address->storage;
    inet->sin_family = AF_INET;
    inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(dry_bind(made, address), 0);
    assert_int_equal(dry_listen(made, -5), 0);
    assert_int_equal(dry_getsockname(made, address), 0);
    return made;
}

static int no_default_timeout(void **state)
{
    return dry_setdefaulttimeout(DRY_TIMEOUT_NONE);
}

/* ---- making ------------------------------------------------------------------------------- */

static void socket__no_arguments__tcp_blocking_and_not_inheritable(void **state)
{
    struct dry_socket *s = dry_socket(-1, -1, -1);
    assert_int_equal(dry_family(s), AF_INET);
    assert_int_equal(dry_type(s), SOCK_STREAM);
    assert_int_equal(dry_protocol(s), 0);
    assert_int_equal(dry_gettimeout(s), DRY_TIMEOUT_NONE);
    assert_true(dry_getblocking(s));
    assert_false(is_nonblocking(s));
    assert_int_equal(dry_get_inheritable(s), 0);
    assert_int_equal(dry_set_inheritable(s, true), 0);
    assert_int_equal(fcntl(dry_fileno(s), F_GETFD), 0);
    assert_int_equal(dry_get_inheritable(s), 1);
    dry_close(s);
}

static void socket__nonblocking_flag__is_no_part_of_the_type(void **state)
{
    struct dry_socket *s = dry_socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(dry_type(s), SOCK_DGRAM);
    assert_int_equal(dry_gettimeout(s), 0);
    assert_true(is_nonblocking(s));
    dry_close(s);
}

static void socket__no_such_family__os_error(void **state)
{
    assert_null(dry_socket(12345, SOCK_STREAM, 0));
    expect_error(DRY_ERROR_OS, EAFNOSUPPORT, "Address family not supported by protocol");
    assert_string_equal(dry_error_code_name(DRY_ERROR_OS, EAFNOSUPPORT), "EAFNOSUPPORT");
}

static void fileno__nothing_else_given__detected(void **state)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    struct dry_socket *s = dry_socket_fileno(fd, -1, -1, -1);
    assert_int_equal(dry_family(s), AF_INET6);
    assert_int_equal(dry_type(s), SOCK_DGRAM);
    assert_int_equal(dry_protocol(s), IPPROTO_UDP);
    assert_int_equal(dry_fileno(s), fd);
    dry_close(s);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void fileno__not_a_socket__error_and_descriptor_untouched(void **state)
{
    int fd = open("/dev/null", O_RDONLY);
    assert_null(dry_socket_fileno(fd, AF_INET, SOCK_STREAM, 0));
    expect_error(DRY_ERROR_OS, ENOTSOCK, "Socket operation on non-socket");
    assert_int_equal(close(fd), 0);
    assert_null(dry_socket_fileno(fd, -1, -1, -1));
    expect_error(DRY_ERROR_OS, EBADF, "Bad file descriptor");
    assert_null(dry_socket_fileno(-1, -1, -1, -1));
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR, "negative file descriptor");
}

static void dup_and_fromfd__made__own_descriptors_that_are_not_inheritable(void **state)
{
    struct dry_socket *s = dry_socket(AF_INET, SOCK_DGRAM, 0);
    dry_settimeout(s, 3 * MS);
    struct dry_socket *copy = dry_dup(s);
    assert_int_not_equal(dry_fileno(copy), dry_fileno(s));
    assert_int_equal(dry_gettimeout(copy), 3 * MS);
    assert_int_equal(dry_type(copy), SOCK_DGRAM);
    assert_int_equal(dry_get_inheritable(copy), 0);
    struct dry_socket *other = dry_fromfd(dry_fileno(s), AF_INET, SOCK_DGRAM, 0);
    assert_int_not_equal(dry_fileno(other), dry_fileno(s));
    assert_int_equal(dry_gettimeout(other), DRY_TIMEOUT_NONE);
    assert_int_equal(dry_get_inheritable(other), 0);
    dry_close(s);
    dry_close(copy);
    dry_close(other);
}

static void socketpair__default__unix_streams_that_are_connected(void **state)
{
    struct dry_socket *pair[2];
    assert_int_equal(dry_socketpair(-1, -1, -1, pair), 0);
    assert_int_equal(dry_family(pair[0]), AF_UNIX);
    char byte;
    assert_int_equal(dry_send(pair[0], "x", 1, 0), 1);
    assert_int_equal(dry_recv(pair[1], &byte, 1, 0), 1);
    assert_int_equal(dry_get_inheritable(pair[1]), 0);
    dry_close(pair[0]);
    assert_int_equal(dry_recv(pair[1], &byte, 1, 0), 0);
    dry_close(pair[1]);
    assert_int_equal(dry_socketpair(AF_INET, -1, -1, pair), -1);
    expect_error(DRY_ERROR_OS, EOPNOTSUPP, "Operation not supported");
    assert_null(pair[0]);
    assert_null(pair[1]);
}

/* ---- modes -------------------------------------------------------------------------------- */

static void settimeout__each_mode__descriptor_follows(void **state)
{
    struct dry_socket *s = dry_socket(-1, -1, -1);
    assert_int_equal(dry_settimeout(s, 5), 0);
    assert_true(is_nonblocking(s));
    assert_true(dry_getblocking(s));
    assert_int_equal(dry_settimeout(s, 0), 0);
    assert_true(is_nonblocking(s));
    assert_false(dry_getblocking(s));
    assert_int_equal(dry_settimeout(s, DRY_TIMEOUT_NONE), 0);
    assert_false(is_nonblocking(s));
    assert_int_equal(dry_setblocking(s, false), 0);
    assert_int_equal(dry_gettimeout(s), 0);
    assert_int_equal(dry_setblocking(s, true), 0);
    assert_int_equal(dry_gettimeout(s), DRY_TIMEOUT_NONE);
    assert_int_equal(dry_settimeout(s, -2), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR, "Timeout value out of range");
    dry_close(s);
}

static void default_timeout__set__new_sockets_have_it(void **state)
{
    assert_int_equal(dry_getdefaulttimeout(), DRY_TIMEOUT_NONE);
    assert_int_equal(dry_setdefaulttimeout(7 * MS), 0);
    assert_int_equal(dry_getdefaulttimeout(), 7 * MS);
    struct dry_socket *s = dry_socket(-1, -1, -1);
    assert_int_equal(dry_gettimeout(s), 7 * MS);
    assert_true(is_nonblocking(s));
    dry_close(s);
    assert_int_equal(dry_setdefaulttimeout(0), 0);
    s = dry_socket(-1, -1, -1);
    assert_int_equal(dry_gettimeout(s), 0);
    dry_close(s);
    assert_int_equal(dry_setdefaulttimeout(-7), -1);
}

/* The accepted socket's timeout and mode, by the default timeout and the listener's. */
static void accepts(int64_t default_ns, int64_t listener_ns, int64_t timeout_ns, bool nonblocking)
{
    struct dry_address address;
    struct dry_socket *server = listener(&address);
    struct dry_socket *client = dry_socket(-1, -1, -1);
    assert_int_equal(dry_connect(client, &address), 0);
    dry_settimeout(server, listener_ns);
    dry_setdefaulttimeout(default_ns);
    struct dry_address peer;
    struct dry_socket *made = dry_accept(server, &peer);
    assert_non_null(made);
    assert_int_equal(dry_gettimeout(made), timeout_ns);
    assert_int_equal(is_nonblocking(made), nonblocking);
    assert_int_equal(dry_get_inheritable(made), 0);
    struct dry_address name;
    dry_getsockname(client, &name);
    assert_int_equal(peer.length, name.length);
    assert_memory_equal(&peer.storage, &name.storage, name.length);
    dry_setdefaulttimeout(DRY_TIMEOUT_NONE);
    dry_close(made);
    dry_close(client);
    dry_close(server);
}

static void accept__each_default_and_listener__inherits_as_documented(void **state)
{
    int64_t second = 1000 * (int64_t)MS;
    accepts(DRY_TIMEOUT_NONE, DRY_TIMEOUT_NONE, DRY_TIMEOUT_NONE, false);
    accepts(DRY_TIMEOUT_NONE, second, DRY_TIMEOUT_NONE, false);
    accepts(DRY_TIMEOUT_NONE, 0, DRY_TIMEOUT_NONE, false);
    accepts(2 * second, second, 2 * second, true);
    accepts(2 * second, DRY_TIMEOUT_NONE, 2 * second, true);
    accepts(0, second, 0, true);
}

static void waiting__timeout__never_early(void **state)
{
    struct dry_address address;
    struct dry_socket *server = listener(&address);
    dry_settimeout(server, 20 * MS);
    uint64_t before = dry_now();
    assert_null(dry_accept(server, NULL));
    expect_error(DRY_ERROR_TIMEOUT, 0, "timed out");
    assert_true(dry_now() - before >= 20 * MS);
    dry_setblocking(server, false);
    assert_null(dry_accept(server, NULL));
    expect_error(DRY_ERROR_OS, EAGAIN, "Resource temporarily unavailable");
    dry_close(server);
}

/* ---- ending ------------------------------------------------------------------------------- */

static void detach__descriptor_given_away__object_is_closed(void **state)
{
    struct dry_socket *s = dry_socket(-1, -1, -1);
    int fd = dry_fileno(s);
    assert_int_equal(dry_detach(s), fd);
    assert_int_equal(dry_fileno(s), -1);
    assert_int_equal(dry_detach(s), -1);
    assert_int_equal(dry_listen(s, 1), -1);
    expect_error(DRY_ERROR_OS, EBADF, "Bad file descriptor");
    assert_int_equal(dry_close(s), 0);
    assert_int_equal(close(fd), 0);
}

static void close__descriptor_closed_behind_its_back__error_raised(void **state)
{
    struct dry_socket *s = dry_socket(-1, -1, -1);
    close(dry_fileno(s));
    assert_int_equal(dry_close(s), -1);
    expect_error(DRY_ERROR_OS, EBADF, "Bad file descriptor");
}

static void close__reset_by_the_peer__is_no_error(void **state)
{
    PLAY({STEP_CLOSE, .code = DOUBLE_FD, .gives = -ECONNRESET});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_close(s), 0);
    double_finish();
}

static void close_keep__twice__closes_once(void **state)
{
    PLAY({STEP_CLOSE, .code = DOUBLE_FD});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_close_keep(s), 0);
    assert_int_equal(dry_close_keep(s), 0);
    assert_int_equal(dry_close(s), 0);
    double_finish();
}

/* ---- options ------------------------------------------------------------------------------ */

static void options__int_buffer_and_null__all_forms(void **state)
{
    struct dry_socket *s = dry_socket(-1, -1, -1);
    int value = -1;
    assert_int_equal(dry_setsockopt_int(s, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
    assert_int_equal(dry_getsockopt_int(s, SOL_SOCKET, SO_KEEPALIVE, &value), 0);
    assert_int_equal(value, 1);
    struct linger linger = {1, 9};
    assert_int_equal(dry_setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    memset(&linger, 0, sizeof linger);
    assert_int_equal(dry_getsockopt(s, SOL_SOCKET, SO_LINGER, &linger, 64), sizeof linger);
    assert_int_equal(linger.l_linger, 9);
    assert_int_equal(dry_getsockopt(s, SOL_SOCKET, SO_LINGER, &linger, 1025), -1);
    expect_error(DRY_ERROR_OS, 0, "getsockopt buflen out of range");
    assert_int_equal(dry_setsockopt_null(s, SOL_SOCKET, SO_KEEPALIVE, 4), -1);
    expect_error(DRY_ERROR_OS, EFAULT, "Bad address");
    dry_close(s);
}

static void windows_only__called__unsupported(void **state)
{
    struct dry_socket *s = dry_socket(-1, -1, -1);
    assert_int_equal(dry_share(s, 1), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_UNSUPPORTED);
    assert_int_equal(dry_ioctl(s, 1, NULL), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_UNSUPPORTED);
    assert_null(dry_fromshare("", 0));
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_UNSUPPORTED);
    dry_close(s);
}

#define ANEW(test) cmocka_unit_test_setup_teardown(test, no_default_timeout, no_default_timeout)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANEW(socket__no_arguments__tcp_blocking_and_not_inheritable),
        ANEW(socket__nonblocking_flag__is_no_part_of_the_type),
        ANEW(socket__no_such_family__os_error),
        ANEW(fileno__nothing_else_given__detected),
        ANEW(fileno__not_a_socket__error_and_descriptor_untouched),
        ANEW(dup_and_fromfd__made__own_descriptors_that_are_not_inheritable),
        ANEW(socketpair__default__unix_streams_that_are_connected),
        ANEW(settimeout__each_mode__descriptor_follows),
        ANEW(default_timeout__set__new_sockets_have_it),
        ANEW(accept__each_default_and_listener__inherits_as_documented),
        ANEW(waiting__timeout__never_early),
        ANEW(detach__descriptor_given_away__object_is_closed),
        ANEW(close__descriptor_closed_behind_its_back__error_raised),
        ANEW(close__reset_by_the_peer__is_no_error),
        ANEW(close_keep__twice__closes_once),
        ANEW(options__int_buffer_and_null__all_forms),
        ANEW(windows_only__called__unsupported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
