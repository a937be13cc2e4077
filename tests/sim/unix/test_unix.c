/* UNIX sockets: names, connections, datagrams, descriptors and credentials in flight, limits.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "../two_hosts.h"
#include "sim/unix/unix.h"

/* A name: a path, or with a leading '@' an abstract one. */
static socklen_t unix_name(struct sockaddr_un *name, const char *text)
{
    memset(name, 0, sizeof *name);
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, text, strlen(text));
    if (text[0] == '@') {
        name->sun_path[0] = '\0';
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text));
}

static int binds_to(struct sim_socket_id id, const char *text)
{
    struct sockaddr_un name;
    const socklen_t length = unix_name(&name, text);
    return rules_of(id)->bind(world, id, (struct sockaddr *)&name, length);
}

static int connects_to(struct sim_socket_id id, const char *text)
{
    struct sockaddr_un name;
    const socklen_t length = unix_name(&name, text);
    return rules_of(id)->connect(world, id, (struct sockaddr *)&name, length);
}

static ssize_t sends_to_name(struct sim_socket_id id, const char *text, const char *to)
{
    struct sockaddr_un name;
    struct iovec vector = {(void *)(uintptr_t)text, strlen(text)};
    const struct msghdr message = {
        .msg_name = &name, .msg_namelen = unix_name(&name, to), .msg_iov = &vector, .msg_iovlen = 1};
    return rules_of(id)->send(world, task, id, &message, 0, 0);
}

static void pair_of(int type, struct sim_socket_id ends[2])
{
    for (size_t i = 0; i < 2; i++) {
        ends[i] = socket_at(a, AF_UNIX, type);
    }
    assert_int_equal(rules_of(ends[0])->pair(world, ends[0], ends[1]), 0);
}

static struct sim_socket_id listens(int type, const char *name, int backlog)
{
    const struct sim_socket_id id = socket_at(a, AF_UNIX, type);
    assert_int_equal(binds_to(id, name), 0);
    assert_int_equal(rules_of(id)->listen(world, id, backlog), 0);
    return id;
}

static int accepts_one(struct sim_socket_id listener, struct sim_socket_id *child)
{
    return rules_of(listener)->accept(world, listener, child);
}

static void closes(struct sim_socket_id id)
{
    sim_socket_release(world, id);
}

static ssize_t sends_control(struct sim_socket_id id, const char *text, int type, const void *data,
                             size_t bytes)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(64)] = {0};
    struct iovec vector = {(void *)(uintptr_t)text, strlen(text)};
    const struct msghdr message = {.msg_iov = &vector,
                                   .msg_iovlen = 1,
                                   .msg_control = control,
                                   .msg_controllen = CMSG_SPACE(bytes)};
    struct cmsghdr *header = (struct cmsghdr *)control;
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(header), data, bytes);
    return rules_of(id)->send(world, task, id, &message, 0, 0);
}

/* A descriptor of the task's process that names a fresh datagram socket. */
static int descriptor(struct sim_file_id *file)
{
    const struct sim_socket_id id = socket_at(a, AF_UNIX, SOCK_DGRAM);
    *file = sim_file_open(world, SIM_FILE_SOCKET, id.index, O_RDWR);
    const int fd = sim_descriptor_install(world, process, *file, 0, 0);
    assert_true(fd >= 0);
    return fd;
}

/* ---- names ---- */

static void path_of_a_closed_socket__bind__is_still_in_use_until_unlinked(void **state)
{
    struct sim_socket_id id = socket_at(a, AF_UNIX, SOCK_STREAM);
    assert_int_equal(binds_to(id, "/tmp/s"), 0);
    closes(id);
    id = socket_at(a, AF_UNIX, SOCK_STREAM);
    assert_int_equal(connects_to(id, "/tmp/s"), -ECONNREFUSED); /* nobody is there */
    assert_int_equal(binds_to(id, "/tmp/s"), -EADDRINUSE);
    assert_int_equal(sim_unix_unlink(world, a, "/tmp/s"), 0);
    assert_int_equal(sim_unix_unlink(world, a, "/tmp/s"), -ENOENT);
    assert_int_equal(connects_to(id, "/tmp/s"), -ENOENT);
    assert_int_equal(binds_to(id, "/tmp/s"), 0);
}

static void abstract_name__closed__is_free_again_and_apart_by_type(void **state)
{
    const struct sim_socket_id stream = socket_at(a, AF_UNIX, SOCK_STREAM);
    const struct sim_socket_id datagram = socket_at(a, AF_UNIX, SOCK_DGRAM);
    const struct sim_socket_id later = socket_at(a, AF_UNIX, SOCK_STREAM);
    const struct sim_socket_id elsewhere = socket_at(b, AF_UNIX, SOCK_STREAM);
    assert_int_equal(binds_to(stream, "@name"), 0);
    assert_int_equal(binds_to(datagram, "@name"), 0);
    assert_int_equal(binds_to(later, "@name"), -EADDRINUSE);
    assert_int_equal(binds_to(elsewhere, "@name"), 0); /* each host has names of its own */
    closes(stream);
    assert_int_equal(binds_to(later, "@name"), 0);
    assert_int_equal(binds_to(later, "@other"), -EINVAL); /* it has a name */
}

static void names__are_told__by_their_form(void **state)
{
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    const struct sim_socket_id unnamed = socket_at(a, AF_UNIX, SOCK_DGRAM);
    const struct sim_socket_id abstract = socket_at(a, AF_UNIX, SOCK_DGRAM);
    const struct sim_socket_id path = socket_at(a, AF_UNIX, SOCK_DGRAM);
    rules_of(unnamed)->get_name(world, unnamed, false, (struct sockaddr *)&name, &length);
    assert_int_equal(length, 2);
    binds_to(abstract, "@abc");
    length = sizeof name;
    rules_of(abstract)->get_name(world, abstract, false, (struct sockaddr *)&name, &length);
    assert_int_equal(length, 2 + 4);
    assert_memory_equal(name.sun_path, "\0abc", 4);
    binds_to(path, "/tmp/s");
    length = sizeof name;
    rules_of(path)->get_name(world, path, false, (struct sockaddr *)&name, &length);
    assert_int_equal(length, 2 + 7);
    assert_string_equal(name.sun_path, "/tmp/s");
}

static void empty_address__bind__chooses_an_abstract_name(void **state)
{
    const struct sockaddr_un none = {.sun_family = AF_UNIX};
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    const struct sim_socket_id id = socket_at(a, AF_UNIX, SOCK_DGRAM);
    assert_int_equal(rules_of(id)->bind(world, id, (const struct sockaddr *)&none, 2), 0);
    rules_of(id)->get_name(world, id, false, (struct sockaddr *)&name, &length);
    assert_int_equal(length, 2 + 6);
    assert_int_equal(name.sun_path[0], '\0');
}

static void wrong_type__connect__is_told_for_paths_alone(void **state)
{
    const struct sim_socket_id stream = socket_at(a, AF_UNIX, SOCK_STREAM);
    const struct sim_socket_id datagram = socket_at(a, AF_UNIX, SOCK_DGRAM);
    listens(SOCK_STREAM, "/tmp/s", 1);
    assert_int_equal(connects_to(datagram, "/tmp/s"), -EPROTOTYPE);
    binds_to(datagram, "@d");
    assert_int_equal(connects_to(stream, "@d"), -ECONNREFUSED);
}

/* ---- connections ---- */

static void connect__before_accept__is_connected_and_may_send(void **state)
{
    struct sim_socket_id child;
    const struct sim_socket_id listener = listens(SOCK_STREAM, "@l", 1);
    const struct sim_socket_id client = socket_at(a, AF_UNIX, SOCK_STREAM);
    assert_int_equal(accepts_one(listener, &child), -EAGAIN);
    assert_int_equal(connects_to(client, "@l"), 0);
    assert_int_equal(connects_to(client, "@l"), -EISCONN);
    assert_int_equal(sends(client, "early"), 5);
    assert_true((polls(listener) & POLLIN) != 0);
    assert_int_equal(accepts_one(listener, &child), 0);
    assert_receives(child, "early");
    assert_int_equal(sends(child, "back"), 4);
    assert_receives(client, "back");
}

static void full_backlog__connect__waits_until_accept_makes_room(void **state)
{
    struct sim_socket_id child;
    const struct sim_socket_id listener = listens(SOCK_STREAM, "@l", 1);
    for (int i = 0; i < 2; i++) { /* one more than the backlog */
        assert_int_equal(connects_to(socket_at(a, AF_UNIX, SOCK_STREAM), "@l"), 0);
    }
    const struct sim_socket_id late = socket_at(a, AF_UNIX, SOCK_STREAM);
    assert_int_equal(connects_to(late, "@l"), -EAGAIN);
    assert_int_equal(accepts_one(listener, &child), 0);
    assert_int_equal(connects_to(late, "@l"), 0);
}

static void listener_closes__connection_in_its_queue__is_reset(void **state)
{
    const struct sim_socket_id listener = listens(SOCK_STREAM, "@l", 1);
    const struct sim_socket_id client = socket_at(a, AF_UNIX, SOCK_STREAM);
    connects_to(client, "@l");
    closes(listener);
    assert_true((polls(client) & (POLLHUP | POLLERR)) == (POLLHUP | POLLERR));
    assert_int_equal(receives_flags(client, 9, 0), -ECONNRESET);
    assert_int_equal(receives_flags(client, 9, 0), 0);
    assert_int_equal(sends(client, "x"), -EPIPE);
}

static void peer_closes_with_unread_data__the_other_end__is_reset(void **state)
{
    struct sim_socket_id ends[2];
    pair_of(SOCK_STREAM, ends);
    sends(ends[0], "unread");
    closes(ends[1]);
    assert_int_equal(receives_flags(ends[0], 9, 0), -ECONNRESET);
    assert_int_equal(receives_flags(ends[0], 9, 0), 0);
    closes(ends[0]);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_UNIX].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_DATAGRAM].live_count, 0);
}

static void peer_closes__what_it_sent__is_read_before_the_end(void **state)
{
    struct sim_socket_id ends[2];
    pair_of(SOCK_STREAM, ends);
    sends(ends[0], "last words");
    closes(ends[0]);
    assert_receives(ends[1], "last words");
    assert_int_equal(receives_flags(ends[1], 9, MSG_DONTWAIT), 0);
    assert_int_equal(sends(ends[1], "x"), -EPIPE);
}

static void shut_for_writing__the_peer__reads_the_end_and_may_still_send(void **state)
{
    struct sim_socket_id ends[2];
    pair_of(SOCK_STREAM, ends);
    sends(ends[0], "last");
    assert_int_equal(rules_of(ends[0])->shutdown(world, ends[0], SHUT_WR), 0);
    assert_int_equal(sends(ends[0], "x"), -EPIPE);
    assert_receives(ends[1], "last");
    assert_int_equal(receives_flags(ends[1], 9, MSG_DONTWAIT), 0);
    assert_int_equal(sends(ends[1], "still"), 5);
    assert_receives(ends[0], "still");
}

/* ---- bytes and records ---- */

static void stream__two_sends__are_read_as_one(void **state)
{
    struct sim_socket_id ends[2];
    pair_of(SOCK_STREAM, ends);
    sends(ends[0], "one");
    sends(ends[0], "two");
    assert_int_equal(receives_flags(ends[1], 4, MSG_PEEK), 4);
    assert_int_equal(receives_flags(ends[1], 4, 0), 4);
    assert_memory_equal(got.data, "onet", 4);
    assert_receives(ends[1], "wo");
}

static void seqpacket__two_sends__stay_apart(void **state)
{
    struct sim_socket_id ends[2];
    pair_of(SOCK_SEQPACKET, ends);
    sends(ends[0], "one");
    sends(ends[0], "two");
    assert_int_equal(receives_flags(ends[1], 2, 0), 2);
    assert_int_equal(got.flags, MSG_TRUNC);
    assert_receives(ends[1], "two");
    closes(ends[0]);
    assert_int_equal(receives_flags(ends[1], 2, MSG_DONTWAIT), 0);
}

static void unconnected__receive__says_so_by_type(void **state)
{
    assert_int_equal(receives_flags(socket_at(a, AF_UNIX, SOCK_STREAM), 9, 0), -EINVAL);
    assert_int_equal(receives_flags(socket_at(a, AF_UNIX, SOCK_SEQPACKET), 9, 0), -ENOTCONN);
    assert_int_equal(receives_flags(socket_at(a, AF_UNIX, SOCK_DGRAM), 9, 0), -EAGAIN);
    assert_int_equal(sends(socket_at(a, AF_UNIX, SOCK_STREAM), "x"), -ENOTCONN);
}

/* ---- limits: numbers observed on Linux 6.18 ---- */

static void send_buffer__full__takes_no_more_until_three_quarters_are_free(void **state)
{
    struct sim_socket_id ends[2];
    int sent = 0, read = 0;
    pair_of(SOCK_STREAM, ends);
    while (sends_bytes(ends[0], 100) == 100) {
        sent++;
    }
    assert_int_equal(sent, 278);
    assert_int_equal(sim_socket_at(world, ends[0])->send_charge, 213504);
    assert_true((polls(ends[0]) & POLLOUT) == 0);
    while ((polls(ends[0]) & POLLOUT) == 0) {
        assert_int_equal(receives_flags(ends[1], 100, 0), 100);
        read++;
    }
    assert_int_equal(read, 278 - 53248 / 768);
}

static void stream__large_send__is_taken_in_part(void **state)
{
    struct sim_socket_id ends[2];
    ssize_t sent, total = 0;
    pair_of(SOCK_STREAM, ends);
    while ((sent = sends_bytes(ends[0], 65536)) > 0) {
        total += sent;
    }
    assert_int_equal(sent, -EAGAIN);
    assert_int_equal(total, 233152);
}

static void datagram__longer_than_the_send_buffer__is_too_long(void **state)
{
    struct sim_socket_id ends[2];
    pair_of(SOCK_DGRAM, ends);
    sets(ends[0], SOL_SOCKET, SO_SNDBUF, 3000);
    assert_int_equal(sends_bytes(ends[0], 6000 - 32), 6000 - 32);
    assert_int_equal(sends_bytes(ends[0], 6000 - 31), -EMSGSIZE);
}

static void full_queue__datagram_sender__waits_unless_it_is_the_peers_peer(void **state)
{
    const struct sim_socket_id server = socket_at(a, AF_UNIX, SOCK_DGRAM);
    const struct sim_socket_id client = socket_at(a, AF_UNIX, SOCK_DGRAM);
    int sent = 0;
    binds_to(server, "@s");
    binds_to(client, "@c");
    connects_to(client, "@s");
    while (sends(client, "x") == 1) {
        sent++;
    }
    assert_int_equal(sent, 11); /* net.unix.max_dgram_qlen and one */
    assert_true((polls(client) & POLLOUT) == 0);
    receives_flags(server, 1, 0);
    assert_true((polls(client) & POLLOUT) != 0);
    assert_int_equal(sends(client, "x"), 1);
    assert_int_equal(sends(client, "x"), -EAGAIN);
    connects_to(server, "@c");
    assert_int_equal(sends(client, "x"), 1);
}

/* ---- datagrams ---- */

static void connected_datagram_socket__hears__its_peer_alone(void **state)
{
    const struct sim_socket_id server = socket_at(a, AF_UNIX, SOCK_DGRAM);
    const struct sim_socket_id client = socket_at(a, AF_UNIX, SOCK_DGRAM);
    const struct sim_socket_id stranger = socket_at(a, AF_UNIX, SOCK_DGRAM);
    binds_to(server, "@s");
    binds_to(client, "@c");
    assert_int_equal(connects_to(server, "@c"), 0);
    assert_int_equal(sends_to_name(stranger, "x", "@s"), -EPERM);
    assert_int_equal(connects_to(stranger, "@s"), -EPERM);
    assert_int_equal(sends_to_name(client, "x", "@s"), 1);
    assert_receives(server, "x");
    assert_int_equal(got.from_bytes, 2 + 2);
    assert_memory_equal(got.from.un.sun_path, "\0c", 2);
}

static void peer_closed__datagram_send__is_refused_then_unconnected(void **state)
{
    const struct sim_socket_id server = socket_at(a, AF_UNIX, SOCK_DGRAM);
    const struct sim_socket_id client = socket_at(a, AF_UNIX, SOCK_DGRAM);
    binds_to(server, "@s");
    connects_to(client, "@s");
    closes(server);
    assert_int_equal(sends(client, "x"), -ECONNREFUSED);
    assert_int_equal(sends(client, "x"), -ENOTCONN);
}

static void reconnect__with_messages_of_the_old_peer__loses_them(void **state)
{
    struct sim_socket_id ends[2];
    pair_of(SOCK_DGRAM, ends);
    sends(ends[1], "lost");
    assert_int_equal(disconnects(ends[0]), 0);
    assert_receives_nothing(ends[0]);
    assert_int_equal(receives_flags(ends[1], 9, MSG_DONTWAIT), -ECONNRESET);
}

/* ---- what travels with messages ---- */

static void descriptor__sent_and_closed__lives_in_the_message(void **state)
{
    struct sim_socket_id ends[2];
    struct sim_file_id file;
    int fd = descriptor(&file);
    pair_of(SOCK_STREAM, ends);
    assert_int_equal(sends_control(ends[0], "x", SCM_RIGHTS, &fd, sizeof fd), 1);
    assert_int_equal(sim_descriptor_close(world, process, fd), 0);
    assert_int_equal(sim_file_at(world, file)->references, 1);
    assert_int_equal(sim_file_at(world, file)->in_flight, 1);
    assert_receives(ends[1], "x");
    assert_non_null(told(SOL_SOCKET, SCM_RIGHTS));
    memcpy(&fd, told(SOL_SOCKET, SCM_RIGHTS), sizeof fd);
    assert_int_equal(sim_descriptor_file(world, process, fd).index, file.index);
    assert_int_equal(sim_file_at(world, file)->in_flight, 0);
}

static void descriptor_in_a_message_nobody_reads__end_of_the_queue__is_its_end(void **state)
{
    struct sim_socket_id ends[2];
    struct sim_file_id file;
    const int fd = descriptor(&file);
    pair_of(SOCK_DGRAM, ends);
    const uint32_t sockets = world->pools[SIM_POOL_SOCKET].live_count;
    sends_control(ends[0], "x", SCM_RIGHTS, &fd, sizeof fd);
    sim_descriptor_close(world, process, fd);
    closes(ends[1]);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, sockets - 2);
    assert_int_equal(world->pools[SIM_POOL_RIGHTS].live_count, 0);
}

/* Sends ends[0]'s own descriptor and then another over it, and closes it: both now live in the queue of
 * ends[1] alone, and what ends there ends ends[0]. */
static void sends_itself(struct sim_socket_id ends[2])
{
    struct sim_file_id own = sim_file_open(world, SIM_FILE_SOCKET, ends[0].index, O_RDWR), other;
    const int fds[2] = {sim_descriptor_install(world, process, own, 0, 0), descriptor(&other)};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(sends_control(ends[0], "x", SCM_RIGHTS, &fds[i], sizeof fds[i]), 1);
    }
    for (size_t i = 0; i < 2; i++) {
        sim_descriptor_close(world, process, fds[i]);
    }
}

static void own_descriptor_in_the_peers_queue__end_of_the_peer__ends_both(void **state)
{
    const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct sim_socket_id ends[2];
        const uint32_t sockets = world->pools[SIM_POOL_SOCKET].live_count;
        pair_of(types[i], ends);
        sends_itself(ends);
        closes(ends[1]);
        assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, sockets);
        assert_int_equal(world->pools[SIM_POOL_DATAGRAM].live_count, 0);
        assert_int_equal(world->pools[SIM_POOL_RIGHTS].live_count, 0);
        assert_int_equal(world->pools[SIM_POOL_FILE].live_count, 0);
    }
}

static void own_descriptor_in_the_peers_queue__peer_looks_elsewhere__ends_it(void **state)
{
    struct sim_socket_id ends[2];
    const uint32_t sockets = world->pools[SIM_POOL_SOCKET].live_count;
    pair_of(SOCK_DGRAM, ends);
    sends_itself(ends);
    assert_int_equal(disconnects(ends[1]), 0);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, sockets + 1);
    assert_int_equal(world->pools[SIM_POOL_RIGHTS].live_count, 0);
    assert_receives_nothing(ends[1]);
}

static void no_room_for_control__descriptors__are_closed_and_told(void **state)
{
    struct sim_socket_id ends[2];
    struct sim_file_id file;
    const int fd = descriptor(&file);
    char data[8];
    struct iovec vector = {data, sizeof data};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    pair_of(SOCK_STREAM, ends);
    sends_control(ends[0], "x", SCM_RIGHTS, &fd, sizeof fd);
    assert_int_equal(rules_of(ends[1])->receive(world, task, ends[1], &message, 0, 0), 1);
    assert_int_equal(message.msg_flags, MSG_CTRUNC);
    assert_int_equal(sim_file_at(world, file)->references, 1);
}

static void peeked__descriptors__are_given_each_time(void **state)
{
    struct sim_socket_id ends[2];
    struct sim_file_id file;
    const int fd = descriptor(&file);
    pair_of(SOCK_DGRAM, ends);
    sends_control(ends[0], "x", SCM_RIGHTS, &fd, sizeof fd);
    receives_flags(ends[1], 9, MSG_PEEK);
    assert_non_null(told(SOL_SOCKET, SCM_RIGHTS));
    receives_flags(ends[1], 9, 0);
    assert_non_null(told(SOL_SOCKET, SCM_RIGHTS));
    assert_int_equal(sim_file_at(world, file)->references, 3);
}

static void stream__read__ends_after_the_piece_with_descriptors(void **state)
{
    struct sim_socket_id ends[2];
    struct sim_file_id file;
    const int fd = descriptor(&file);
    pair_of(SOCK_STREAM, ends);
    sends(ends[0], "AA");
    sends_control(ends[0], "BB", SCM_RIGHTS, &fd, sizeof fd);
    sends(ends[0], "CC");
    assert_receives(ends[1], "AABB");
    assert_non_null(told(SOL_SOCKET, SCM_RIGHTS));
    assert_receives(ends[1], "CC");
    assert_null(told(SOL_SOCKET, SCM_RIGHTS));
}

static void wrong_descriptor__send__sends_nothing(void **state)
{
    struct sim_socket_id ends[2];
    struct sim_file_id file;
    const int fds[2] = {descriptor(&file), 999};
    pair_of(SOCK_STREAM, ends);
    assert_int_equal(sends_control(ends[0], "x", SCM_RIGHTS, fds, sizeof fds), -EBADF);
    assert_receives_nothing(ends[1]);
    assert_int_equal(sim_file_at(world, file)->references, 1);
    assert_int_equal(sends_control(ends[0], "x", 77, fds, sizeof fds), -EINVAL);
}

static void passcred__message__tells_its_sender_and_is_not_glued(void **state)
{
    struct sim_socket_id ends[2];
    struct ucred told_of, other = {.pid = 1, .uid = 2, .gid = 3};
    pair_of(SOCK_STREAM, ends);
    sets(ends[1], SOL_SOCKET, SO_PASSCRED, 1);
    sends(ends[0], "mine");
    sends_control(ends[0], "another's", SCM_CREDENTIALS, &other, sizeof other);
    assert_receives(ends[1], "mine");
    memcpy(&told_of, told(SOL_SOCKET, SCM_CREDENTIALS), sizeof told_of);
    assert_int_equal(told_of.pid, sim_process_at(world, process)->pid);
    assert_receives(ends[1], "another's");
    memcpy(&told_of, told(SOL_SOCKET, SCM_CREDENTIALS), sizeof told_of);
    assert_int_equal(told_of.uid, 2);
}

static void not_root__credentials_of_another__are_not_permitted(void **state)
{
    struct sim_socket_id ends[2];
    const struct ucred other = {.pid = 1, .uid = 0, .gid = 0};
    pair_of(SOCK_STREAM, ends);
    sim_process_at(world, process)->uid = 1000;
    assert_int_equal(sends_control(ends[0], "x", SCM_CREDENTIALS, &other, sizeof other), -EPERM);
}

static void peercred__both_ends__name_each_others_process(void **state)
{
    struct sim_socket_id child;
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    const struct sim_socket_id listener = listens(SOCK_STREAM, "@l", 1);
    const struct sim_socket_id client = socket_at(a, AF_UNIX, SOCK_STREAM);
    connects_to(client, "@l");
    accepts_one(listener, &child);
    sim_option_get(world, child, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
    assert_int_equal(credentials.pid, sim_process_at(world, process)->pid);
    length = sizeof credentials;
    sim_option_get(world, socket_at(a, AF_UNIX, SOCK_STREAM), SOL_SOCKET, SO_PEERCRED, &credentials,
                   &length);
    assert_int_equal(credentials.pid, 0);
    assert_int_equal(credentials.uid, (uid_t)-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO_HOSTS(path_of_a_closed_socket__bind__is_still_in_use_until_unlinked),
        TWO_HOSTS(abstract_name__closed__is_free_again_and_apart_by_type),
        TWO_HOSTS(names__are_told__by_their_form),
        TWO_HOSTS(empty_address__bind__chooses_an_abstract_name),
        TWO_HOSTS(wrong_type__connect__is_told_for_paths_alone),
        TWO_HOSTS(connect__before_accept__is_connected_and_may_send),
        TWO_HOSTS(full_backlog__connect__waits_until_accept_makes_room),
        TWO_HOSTS(listener_closes__connection_in_its_queue__is_reset),
        TWO_HOSTS(peer_closes_with_unread_data__the_other_end__is_reset),
        TWO_HOSTS(peer_closes__what_it_sent__is_read_before_the_end),
        TWO_HOSTS(shut_for_writing__the_peer__reads_the_end_and_may_still_send),
        TWO_HOSTS(stream__two_sends__are_read_as_one),
        TWO_HOSTS(seqpacket__two_sends__stay_apart),
        TWO_HOSTS(unconnected__receive__says_so_by_type),
        TWO_HOSTS(send_buffer__full__takes_no_more_until_three_quarters_are_free),
        TWO_HOSTS(stream__large_send__is_taken_in_part),
        TWO_HOSTS(datagram__longer_than_the_send_buffer__is_too_long),
        TWO_HOSTS(full_queue__datagram_sender__waits_unless_it_is_the_peers_peer),
        TWO_HOSTS(connected_datagram_socket__hears__its_peer_alone),
        TWO_HOSTS(peer_closed__datagram_send__is_refused_then_unconnected),
        TWO_HOSTS(reconnect__with_messages_of_the_old_peer__loses_them),
        TWO_HOSTS(descriptor__sent_and_closed__lives_in_the_message),
        TWO_HOSTS(descriptor_in_a_message_nobody_reads__end_of_the_queue__is_its_end),
        TWO_HOSTS(own_descriptor_in_the_peers_queue__end_of_the_peer__ends_both),
        TWO_HOSTS(own_descriptor_in_the_peers_queue__peer_looks_elsewhere__ends_it),
        TWO_HOSTS(no_room_for_control__descriptors__are_closed_and_told),
        TWO_HOSTS(peeked__descriptors__are_given_each_time),
        TWO_HOSTS(stream__read__ends_after_the_piece_with_descriptors),
        TWO_HOSTS(wrong_descriptor__send__sends_nothing),
        TWO_HOSTS(passcred__message__tells_its_sender_and_is_not_glued),
        TWO_HOSTS(not_root__credentials_of_another__are_not_permitted),
        TWO_HOSTS(peercred__both_ends__name_each_others_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
