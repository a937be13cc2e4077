/* Netlink sockets: dumps in pieces, full queues, sockets told as ss(8) asks, other hosts unseen.
 * SPDX-License-Identifier: MIT */
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>

#include "../two_hosts.h"
#include "sim/core/block.h"
#include "sim/netlink/netlink.h"

enum { LISTENERS = 120 };

static _Alignas(8) uint8_t received[8192];

static struct sim_socket_id netlink_at(struct sim_host_id host, int protocol)
{
    struct sim_socket_id id = {0};
    const struct sim_process_id owner = host.index == a.index ? process : process_b;
    assert_int_equal(sim_socket_create(world, host, owner, AF_NETLINK, SOCK_RAW, protocol, &id), 0);
    return id;
}

static ssize_t asks(struct sim_socket_id id, uint16_t type, uint16_t flags, const void *body,
                    size_t bytes)
{
    _Alignas(8) uint8_t text[256] = {0};
    const struct nlmsghdr head = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + bytes),
                                  .nlmsg_type = type,
                                  .nlmsg_flags = flags | NLM_F_REQUEST,
                                  .nlmsg_seq = 9};
    memcpy(text, &head, sizeof head);
    memcpy(text + NLMSG_HDRLEN, body, bytes);
    struct iovec vector = {text, head.nlmsg_len};
    const struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return rules_of(id)->send(world, task, id, &message, 0, 0);
}

static ssize_t reads(struct sim_socket_id id)
{
    struct iovec vector = {received, sizeof received};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return rules_of(id)->receive(world, task, id, &message, 0, 0);
}

/* How many messages of the type a whole dump has; *pieces: in how many reads its end came. */
static uint32_t count_dump(struct sim_socket_id id, uint16_t type, uint32_t *pieces)
{
    uint32_t count = 0;
    for (*pieces = 1;; ++*pieces) {
        ssize_t length = reads(id);
        assert_true(length > 0);
        const struct nlmsghdr *head = (const void *)received;
        for (; NLMSG_OK(head, (size_t)length); head = NLMSG_NEXT(head, length)) {
            assert_int_equal(head->nlmsg_seq, 9);
            assert_true((head->nlmsg_flags & NLM_F_MULTI) != 0);
            if (head->nlmsg_type == NLMSG_DONE) {
                return count;
            }
            assert_int_equal(head->nlmsg_type, type);
            count++;
        }
    }
}

static const struct inet_diag_req_v2 all_tcp = {
    .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = UINT32_MAX};

static void listens_at(struct sim_host_id host, const char *ip, uint16_t port)
{
    const struct sim_socket_id id = socket_at(host, AF_INET, SOCK_STREAM);
    assert_int_equal(binds(id, ip, port), 0);
    assert_int_equal(rules_of(id)->listen(world, id, 5), 0);
}

static void many_sockets__dump__comes_in_pieces_and_whole(void **state)
{
    uint32_t pieces;
    const struct sim_socket_id id = netlink_at(a, NETLINK_SOCK_DIAG);
    for (uint16_t port = 1; port <= LISTENERS; port++) {
        listens_at(a, "10.0.0.1", port);
    }
    listens_at(b, "10.0.0.2", 1);
    socket_at(a, AF_INET, SOCK_STREAM); /* without a port nobody finds it */
    assert_true(asks(id, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &all_tcp, sizeof all_tcp) > 0);
    assert_int_equal(count_dump(id, SOCK_DIAG_BY_FAMILY, &pieces), LISTENERS);
    assert_in_range(pieces, 3, 6);
    assert_int_equal(reads(id), -EAGAIN);
}

static void dump_under_way__another__is_busy(void **state)
{
    uint32_t pieces;
    const struct sim_socket_id id = netlink_at(a, NETLINK_SOCK_DIAG);
    listens_at(a, "10.0.0.1", 1);
    asks(id, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &all_tcp, sizeof all_tcp);
    asks(id, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &all_tcp, sizeof all_tcp);
    assert_true(reads(id) > 0);
    assert_true(reads(id) > 0);
    const struct nlmsghdr *head = (const void *)received;
    assert_int_equal(head->nlmsg_type, NLMSG_ERROR);
    assert_int_equal(((const struct nlmsgerr *)NLMSG_DATA(head))->error, -EBUSY);
    assert_int_equal(count_dump(id, SOCK_DIAG_BY_FAMILY, &pieces), 0);
    asks(id, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &all_tcp, sizeof all_tcp);
    assert_int_equal(count_dump(id, SOCK_DIAG_BY_FAMILY, &pieces), 1);
}

static void states_asked_for__dump__tells_these_alone(void **state)
{
    uint32_t pieces;
    const struct sim_socket_id id = netlink_at(a, NETLINK_SOCK_DIAG);
    listens_at(a, "10.0.0.1", 7);
    struct inet_diag_req_v2 asked = all_tcp;
    asked.idiag_states = 1U << TCP_ESTABLISHED;
    asks(id, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &asked, sizeof asked);
    assert_int_equal(count_dump(id, SOCK_DIAG_BY_FAMILY, &pieces), 0);
    asked.idiag_states = 1U << TCP_LISTEN;
    asked.sdiag_family = AF_INET6;
    asks(id, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &asked, sizeof asked);
    assert_int_equal(count_dump(id, SOCK_DIAG_BY_FAMILY, &pieces), 0);
    asked.sdiag_family = AF_INET;
    asks(id, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &asked, sizeof asked);
    assert_true(reads(id) > 0);
    const struct inet_diag_msg *told = NLMSG_DATA((const struct nlmsghdr *)received);
    assert_int_equal(told->idiag_state, TCP_LISTEN);
    assert_int_equal(told->id.idiag_sport, htons(7));
    assert_int_equal(told->id.idiag_src[0], htonl(0x0a000001));
    assert_int_equal(told->idiag_wqueue, 5);
}

static void one_socket__by_its_ends__is_found_or_not(void **state)
{
    const struct sim_socket_id id = netlink_at(a, NETLINK_SOCK_DIAG);
    listens_at(a, "10.0.0.1", 7);
    struct inet_diag_req_v2 asked = all_tcp;
    asked.id.idiag_sport = htons(7);
    asked.id.idiag_src[0] = htonl(0x0a000001);
    asks(id, SOCK_DIAG_BY_FAMILY, 0, &asked, sizeof asked);
    assert_true(reads(id) > 0);
    assert_int_equal(((const struct nlmsghdr *)received)->nlmsg_type, SOCK_DIAG_BY_FAMILY);
    asked.id.idiag_sport = htons(8);
    asks(id, SOCK_DIAG_BY_FAMILY, 0, &asked, sizeof asked);
    assert_true(reads(id) > 0);
    const struct nlmsghdr *head = (const void *)received;
    assert_int_equal(((const struct nlmsgerr *)NLMSG_DATA(head))->error, -ENOENT);
}

static void unix_sockets__dump__have_names_and_peers(void **state)
{
    const struct sim_socket_id id = netlink_at(a, NETLINK_SOCK_DIAG);
    const struct sim_socket_id one = socket_at(a, AF_UNIX, SOCK_STREAM);
    const struct sim_socket_id two = socket_at(a, AF_UNIX, SOCK_STREAM);
    socket_at(b, AF_UNIX, SOCK_STREAM);
    rules_of(one)->pair(world, one, two);
    const struct unix_diag_req asked = {.sdiag_family = AF_UNIX,
                                        .udiag_states = UINT32_MAX,
                                        .udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_NAME};
    asks(id, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &asked, sizeof asked);
    ssize_t length = reads(id);
    const struct nlmsghdr *head = (const void *)received;
    uint32_t count = 0;
    for (; NLMSG_OK(head, (size_t)length); head = NLMSG_NEXT(head, length)) {
        const struct unix_diag_msg *told = NLMSG_DATA(head);
        const struct rtattr *peer = (const void *)(told + 1);
        assert_int_equal(told->udiag_state, TCP_ESTABLISHED);
        assert_int_equal(peer->rta_type, UNIX_DIAG_PEER);
        assert_int_equal(*(const uint32_t *)RTA_DATA(peer),
                         told->udiag_ino == one.index ? two.index : one.index);
        count++;
    }
    assert_int_equal(count, 2);
}

static void queue_full_of_answers__kernel__says_that_it_lost_some(void **state)
{
    const struct sim_socket_id id = netlink_at(a, NETLINK_ROUTE);
    const int least = 1;
    sim_option_set(world, id, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
    const struct ifinfomsg none = {0};
    for (int i = 0; i < 4; i++) {
        assert_true(asks(id, RTM_GETLINK, 0, &none, sizeof none) > 0);
    }
    assert_int_equal(rules_of(id)->poll(world, id) & (POLLIN | POLLERR), POLLIN | POLLERR);
    assert_int_equal(reads(id), -ENOBUFS);
    assert_true(reads(id) > 0);
    assert_true(reads(id) > 0);
    assert_int_equal(reads(id), -EAGAIN);
}

static void links__asked_one_by_one__have_names_and_numbers(void **state)
{
    static const char *const names[] = {"lo", "eth0"};
    const struct sim_socket_id id = netlink_at(a, NETLINK_ROUTE);
    for (int number = 1; number <= 2; number++) {
        const struct ifinfomsg asked = {.ifi_index = number};
        asks(id, RTM_GETLINK, 0, &asked, sizeof asked);
        assert_true(reads(id) > 0);
        const struct ifinfomsg *told = NLMSG_DATA((const struct nlmsghdr *)received);
        const struct rtattr *name = IFLA_RTA(told);
        assert_int_equal(told->ifi_index, number);
        assert_int_equal(name->rta_type, IFLA_IFNAME);
        assert_string_equal((const char *)RTA_DATA(name), names[number - 1]);
    }
    struct {
        struct ifinfomsg body;
        struct rtattr attribute;
        char name[8];
    } asked = {.attribute = {sizeof(struct rtattr) + 5, IFLA_IFNAME}, .name = "eth0"};
    asks(id, RTM_GETLINK, 0, &asked, sizeof asked);
    assert_true(reads(id) > 0);
    assert_int_equal(
        ((const struct ifinfomsg *)NLMSG_DATA((const struct nlmsghdr *)received))->ifi_index, 2);
}

static void ports__second_socket_and_other_host__differ_or_not(void **state)
{
    struct sockaddr_nl name[3];
    const struct sim_socket_id ids[3] = {netlink_at(a, NETLINK_ROUTE), netlink_at(a, NETLINK_ROUTE),
                                         netlink_at(b, NETLINK_ROUTE)};
    for (size_t i = 0; i < 3; i++) {
        const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
        socklen_t length = sizeof name[i];
        assert_int_equal(rules_of(ids[i])->bind(world, ids[i], (const void *)&any, sizeof any), 0);
        rules_of(ids[i])->get_name(world, ids[i], false, (void *)&name[i], &length);
        assert_int_equal(length, sizeof name[i]);
    }
    assert_int_equal(name[0].nl_pid, sim_process_at(world, process)->pid);
    assert_true(name[1].nl_pid >= 0x80000000U && name[1].nl_pid < 0xfffff000U);
    assert_int_equal(name[2].nl_pid, sim_process_at(world, process_b)->pid);
    sim_socket_release(world, ids[0]);
    sim_socket_release(world, ids[1]);
    sim_socket_release(world, ids[2]);
    assert_int_equal(world->pools[SIM_POOL_NETLINK].live_count, 0);
    assert_int_equal(sim_host_at(world, a)->first_netlink.index, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO_HOSTS(many_sockets__dump__comes_in_pieces_and_whole),
        TWO_HOSTS(dump_under_way__another__is_busy),
        TWO_HOSTS(states_asked_for__dump__tells_these_alone),
        TWO_HOSTS(one_socket__by_its_ends__is_found_or_not),
        TWO_HOSTS(unix_sockets__dump__have_names_and_peers),
        TWO_HOSTS(queue_full_of_answers__kernel__says_that_it_lost_some),
        TWO_HOSTS(links__asked_one_by_one__have_names_and_numbers),
        TWO_HOSTS(ports__second_socket_and_other_host__differ_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
