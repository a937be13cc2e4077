/* Messages: ancillary data both ways, cut short, and never leaking a descriptor.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_alg.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "double.h"

static struct dry_socket *pair[2];
static char data[64];
static unsigned char control[256];
static struct dry_ancillary items[4];

static void expect_error(enum dry_error_kind kind, int code, const char *message)
{
    assert_int_equal(dry_last_error()->kind, kind);
    assert_int_equal(dry_last_error()->code, code);
    assert_string_equal(dry_last_error()->message, message);
}

static int open_pair(void **state)
{
    return dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int close_pair(void **state)
{
    dry_close(pair[0]);
    dry_close(pair[1]);
    return 0;
}

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

/* One byte with `count` copies of descriptor 0. */
static void send_descriptors(size_t count)
{
    int descriptors[4] = {0};
    struct iovec byte = {.iov_base = "x", .iov_len = 1};
    struct dry_ancillary rights = {
        .level = SOL_SOCKET, .type = SCM_RIGHTS, .data = descriptors, .bytes = count * sizeof(int)};
    assert_int_equal(dry_sendmsg(pair[0], &byte, 1, &rights, 1, 0, NULL), 1);
}

static void scattered_buffers__sent_and_received__joined(void **state)
{
    struct iovec parts[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
    assert_int_equal(dry_sendmsg(pair[0], parts, 3, NULL, 0, 0, NULL), 5);
    char first[2];
    char second[10];
    struct iovec room[2] = {{first, 2}, {second, 10}};
    size_t count = 4;
    int flags = -1;
    struct dry_address from;
    assert_int_equal(
        dry_recvmsg_into(pair[1], room, 2, control, sizeof control, items, &count, 0, &flags, &from),
        5);
    assert_memory_equal(first, "ab", 2);
    assert_memory_equal(second, "cde", 3);
    assert_int_equal(count, 0);
    assert_int_equal(flags, 0);
    assert_int_equal(from.length, 0);
}

static void descriptors__sent__arrive_open(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct iovec byte = {.iov_base = "x", .iov_len = 1};
    struct dry_ancillary rights = {
        .level = SOL_SOCKET, .type = SCM_RIGHTS, .data = ends, .bytes = sizeof ends};
    assert_int_equal(dry_sendmsg(pair[0], &byte, 1, &rights, 1, 0, NULL), 1);
    size_t count = 4;
    int flags;
    assert_int_equal(dry_recvmsg(pair[1], data, sizeof data, control, sizeof control, items, &count, 0,
                                 &flags, NULL),
                     1);
    assert_int_equal(count, 1);
    assert_int_equal(items[0].level, SOL_SOCKET);
    assert_int_equal(items[0].type, SCM_RIGHTS);
    assert_int_equal(items[0].bytes, sizeof ends);
    int received[2];
    memcpy(received, items[0].data, sizeof received);
    assert_int_equal(write(received[1], "hey", 3), 3);
    assert_int_equal(read(ends[0], data, 3), 3);
    close(received[0]);
    close(received[1]);
    close(ends[0]);
    close(ends[1]);
}

static void descriptors__room_for_one_of_three__cut_and_flagged(void **state)
{
    send_descriptors(3);
    int before = open_descriptors();
    size_t count = 4;
    int flags = 0;
    assert_int_equal(dry_recvmsg(pair[1], data, sizeof data, control, CMSG_LEN(sizeof(int)), items,
                                 &count, 0, &flags, NULL),
                     1);
    assert_true(flags & MSG_CTRUNC);
    assert_int_equal(count, 1);
    assert_int_equal(items[0].bytes, sizeof(int));
    assert_int_equal(open_descriptors(), before + 1);
    int received;
    memcpy(&received, items[0].data, sizeof received);
    close(received);
}

static void descriptors__received_and_discarded__are_closed(void **state)
{
    send_descriptors(3);
    int before = open_descriptors();
    size_t count = 4;
    assert_int_equal(
        dry_recvmsg(pair[1], data, sizeof data, control, sizeof control, items, &count, 0, NULL, NULL),
        1);
    assert_int_equal(open_descriptors(), before + 3);
    dry_discard_ancillary(items, count);
    assert_int_equal(open_descriptors(), before);
}

static void descriptors__no_room_for_items__none_are_received(void **state)
{
    send_descriptors(2);
    int before = open_descriptors();
    size_t count = 0;
    int flags = 0;
    assert_int_equal(dry_recvmsg(pair[1], data, sizeof data, control, sizeof control, items, &count, 0,
                                 &flags, NULL),
                     1);
    assert_true(flags & MSG_CTRUNC);
    assert_int_equal(open_descriptors(), before);
}

/* A message of two items into room for one: the call fails after receiving. */
static void descriptors__more_items_than_room__call_fails_and_closes_them(void **state)
{
    int on = 1;
    assert_int_equal(dry_setsockopt_int(pair[1], SOL_SOCKET, SO_PASSCRED, on), 0);
    send_descriptors(2);
    int before = open_descriptors();
    size_t count = 1;
    assert_int_equal(
        dry_recvmsg(pair[1], data, sizeof data, control, sizeof control, items, &count, 0, NULL, NULL),
        -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR, "more ancillary data items than room for them");
    assert_int_equal(count, 0);
    assert_int_equal(open_descriptors(), before);
}

static void control_buffer__not_aligned__read_all_the_same(void **state)
{
    send_descriptors(1);
    size_t count = 4;
    assert_int_equal(dry_recvmsg(pair[1], data, sizeof data, control + 1, sizeof control - 1, items,
                                 &count, 0, NULL, NULL),
                     1);
    assert_int_equal(count, 1);
    int received;
    memcpy(&received, items[0].data, sizeof received);
    assert_int_equal(close(received), 0);
}

static void sizes__at_the_ends_of_their_range__as_python(void **state)
{
    assert_int_equal(dry_cmsg_len(0), CMSG_LEN(0));
    assert_int_equal(dry_cmsg_len(INT_MAX - 16), INT_MAX);
    assert_int_equal(dry_cmsg_len(INT_MAX - 15), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_OVERFLOW, "CMSG_LEN() argument out of range");
    assert_int_equal(dry_cmsg_len(-1), -1);
    assert_int_equal(dry_cmsg_space(0), CMSG_SPACE(0));
    assert_int_equal(dry_cmsg_space(1), CMSG_SPACE(1));
    assert_int_equal(dry_cmsg_space(INT_MAX - 25), INT_MAX - 7);
    assert_int_equal(dry_cmsg_space(INT_MAX - 16), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_OVERFLOW, "CMSG_SPACE() argument out of range");
    assert_int_equal(dry_cmsg_space(INT64_MAX), -1);
}

static void ancillary_item__too_large__refused_before_sending(void **state)
{
    struct iovec byte = {.iov_base = "x", .iov_len = 1};
    struct dry_ancillary large = {.level = SOL_SOCKET, .type = SCM_RIGHTS, .bytes = INT_MAX};
    assert_int_equal(dry_sendmsg(pair[0], &byte, 1, &large, 1, 0, NULL), -1);
    expect_error(DRY_ERROR_OS, 0, "ancillary data item too large");
    struct dry_ancillary many[3] = {
        {.bytes = INT_MAX / 2 - 99}, {.bytes = INT_MAX / 2 - 99}, {.bytes = 400}};
    assert_int_equal(dry_sendmsg(pair[0], &byte, 1, many, 3, 0, NULL), -1);
    expect_error(DRY_ERROR_OS, 0, "too much ancillary data");
}

static void waiting__signals__the_deadline_stays(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 9 * MS, .takes_ns = 2 * MS, .gives = -EINTR, .events = POLLIN},
         {STEP_POLL, .timeout_ns = 7 * MS, .gives = 1}, {STEP_RECVMSG, .gives = 4},
         {STEP_POLL, .timeout_ns = 9 * MS, .takes_ns = 3 * MS, .gives = -EINTR, .events = POLLOUT},
         {STEP_POLL, .timeout_ns = 6 * MS, .gives = 1}, {STEP_SENDMSG, .gives = 4});
    struct dry_socket *s = double_socket(9 * MS);
    struct iovec part = {data, 4};
    assert_int_equal(dry_recvmsg_into(s, &part, 1, NULL, 0, NULL, NULL, 0, NULL, NULL), 4);
    assert_int_equal(dry_sendmsg(s, &part, 1, NULL, 0, 0, NULL), 4);
    assert_string_equal(double_announced(), "recvmsg_into(77) sendmsg(77) ");
    double_finish();
    double_free(s);
}

/* ---- the kernel's cryptography ------------------------------------------------------------ */

static unsigned char seen[256];
static size_t seen_bytes;

static ssize_t see_sendmsg(struct dry_caller caller, int fd, const struct msghdr *message, int flags)
{
    seen_bytes = message->msg_controllen;
    memcpy(seen, message->msg_control, seen_bytes);
    return 0;
}

static void check_item(size_t *at, int type, const void *bytes, size_t count)
{
    struct cmsghdr header;
    memcpy(&header, seen + *at, sizeof header);
    assert_int_equal(header.cmsg_level, SOL_ALG);
    assert_int_equal(header.cmsg_type, type);
    assert_int_equal(header.cmsg_len, CMSG_LEN(count));
    assert_memory_equal(seen + *at + CMSG_LEN(0), bytes, count);
    *at += CMSG_SPACE(count);
}

static int accept_nameless(struct dry_caller caller, int fd, struct sockaddr *address,
                           socklen_t *length, int flags)
{
    assert_null(address);
    assert_null(length);
    return dup(fd);
}

/* LINUX: accept(2) of AF_ALG with a place for the address fails with ECONNABORTED. */
static void accept__of_af_alg__asks_for_no_address(void **state)
{
    struct dry_system system = *dry_provider();
    system.accept = accept_nameless;
    dry_set_current_caller((struct dry_caller){.system = &system});
    struct dry_socket *alg = dry_socket_fileno(dry_fileno(pair[0]), AF_ALG, SOCK_SEQPACKET, 0);
    struct dry_address peer;
    struct dry_socket *operation = dry_accept(alg, &peer);
    assert_non_null(operation);
    assert_int_equal(peer.length, 0);
    dry_set_current_caller((struct dry_caller){0});
    dry_detach(alg);
    dry_close(alg);
    dry_close(operation);
}

static void sendmsg_afalg__all_arguments__three_control_messages(void **state)
{
    struct dry_system system = *dry_provider();
    system.sendmsg = see_sendmsg;
    dry_set_current_caller((struct dry_caller){.system = &system});
    struct dry_socket *alg = dry_socket_fileno(dry_fileno(pair[0]), AF_ALG, SOCK_SEQPACKET, 0);
    assert_non_null(alg);
    struct iovec part = {data, 4};
    assert_int_equal(dry_sendmsg_afalg(alg, &part, 1, ALG_OP_ENCRYPT, "iv", 2, 7, 0), 0);
    dry_set_current_caller((struct dry_caller){0});
    size_t at = 0;
    check_item(&at, ALG_SET_OP, &(uint32_t){ALG_OP_ENCRYPT}, 4);
    check_item(&at, ALG_SET_IV, "\2\0\0\0iv", 6);
    check_item(&at, ALG_SET_AEAD_ASSOCLEN, &(uint32_t){7}, 4);
    assert_int_equal(at, seen_bytes);
    assert_int_equal(dry_sendmsg_afalg(alg, &part, 1, -1, NULL, 0, -1, 0), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_TYPE, "Invalid or missing argument 'op'");
    assert_int_equal(dry_sendmsg_afalg(alg, &part, 1, 1, NULL, 0, -2, 0), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_TYPE, "assoclen must be positive");
    dry_detach(alg);
    dry_close(alg);
}

static void sendmsg_afalg__another_family__refused(void **state)
{
    struct iovec part = {data, 4};
    assert_int_equal(dry_sendmsg_afalg(pair[0], &part, 1, 1, NULL, 0, -1, 0), -1);
    expect_error(DRY_ERROR_OS, 0, "algset is only supported for AF_ALG");
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(scattered_buffers__sent_and_received__joined),
        WITH_PAIR(descriptors__sent__arrive_open),
        WITH_PAIR(descriptors__room_for_one_of_three__cut_and_flagged),
        WITH_PAIR(descriptors__received_and_discarded__are_closed),
        WITH_PAIR(descriptors__no_room_for_items__none_are_received),
        WITH_PAIR(descriptors__more_items_than_room__call_fails_and_closes_them),
        WITH_PAIR(control_buffer__not_aligned__read_all_the_same),
        cmocka_unit_test(sizes__at_the_ends_of_their_range__as_python),
        WITH_PAIR(ancillary_item__too_large__refused_before_sending),
        cmocka_unit_test(waiting__signals__the_deadline_stays),
        WITH_PAIR(accept__of_af_alg__asks_for_no_address),
        WITH_PAIR(sendmsg_afalg__all_arguments__three_control_messages),
        WITH_PAIR(sendmsg_afalg__another_family__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
