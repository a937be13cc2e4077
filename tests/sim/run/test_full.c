/* Tests of every pool at its limit: what needs more of it gets an error, and the world goes on.
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/un.h>

/* Before the tests' own names. */
#include "sim/core/block.h"
#include "sim/run/run.h"

#include "small_world.h"

static bool failed_as_full(int64_t result)
{
    switch (-result) {
    case ENOBUFS:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
        return true;
    default:
        return false;
    }
}

/* Each call works, or says that something is full, or tells what followed from an earlier one. */
static int refused, done;

static int64_t told(int64_t result, const char *what)
{
    if (result >= 0) {
        done++;
        return result;
    }
    /* EAGAIN: a wait ended by its timeout, as what was waited for found no room; or no task is left. */
    const bool follows = result == -EAGAIN || result == -EBADF || result == -ENOTCONN ||
                         result == -ECONNREFUSED || result == -EINVAL || result == -EPIPE ||
                         result == -ECONNRESET || result == -ETIMEDOUT || result == -ENOTSOCK ||
                         result == -ENOENT || result == -EDESTADDRREQ || result == -EHOSTUNREACH ||
                         result == -ESRCH || result == -EINPROGRESS || result == -ENETUNREACH ||
                         result == -ENODEV || result == -EADDRNOTAVAIL || result == -ECONNABORTED;
    if (!failed_as_full(result) && !follows) {
        sim_task_fail("%s: %s", what, strerror((int)-result));
    }
    refused += failed_as_full(result);
    return result;
}

#define TOLD(call, ...) told(SYSTEM(call, __VA_ARGS__), #call)

static struct sockaddr_in at(const char *ip, uint16_t port)
{
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, ip, &result.sin_addr);
    return result;
}

static void limit_waits(struct dry_caller caller, int fd)
{
    const struct timeval second = {1, 0};
    SYSTEM(setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    SYSTEM(setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
}

static char bytes[200000];

/* ---- what each of two hosts does ---------------------------------------------------------------- */

static void use_streams(struct dry_caller caller)
{
    const struct sockaddr_in there = at("10.0.0.1", 50007);
    const int fd = (int)TOLD(socket, AF_INET, SOCK_STREAM, 0);
    limit_waits(caller, fd);
    TOLD(connect, fd, (const struct sockaddr *)&there, sizeof there);
    TOLD(sendto, fd, bytes, sizeof bytes, 0, NULL, 0);
    TOLD(sendto, fd, "!", 1, MSG_OOB, NULL, 0);
    TOLD(recvfrom, fd, bytes, 100, 0, NULL, NULL);
    TOLD(shutdown, fd, SHUT_WR);
    TOLD(close, fd);
}

static void serve_streams(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in here = at("0.0.0.0", 50007);
    const int listener = (int)TOLD(socket, AF_INET, SOCK_STREAM, 0);
    limit_waits(caller, listener);
    TOLD(bind, listener, (const struct sockaddr *)&here, sizeof here);
    TOLD(listen, listener, 5);
    for (int i = 0; i < 2; i++) {
        const int fd = (int)TOLD(accept, listener, NULL, NULL, 0);
        limit_waits(caller, fd);
        while (TOLD(recvfrom, fd, bytes, 50000, 0, NULL, NULL) > 0) {
            TOLD(sendto, fd, bytes, 100, 0, NULL, 0);
        }
        TOLD(close, fd);
    }
    TOLD(close, listener);
}

static void use_datagrams(struct dry_caller caller)
{
    const struct sockaddr_in here = at("0.0.0.0", 50008);
    const struct sockaddr_in there = at("10.0.0.1", 50009); /* nobody: an error comes back */
    const struct ip_mreqn group = {.imr_multiaddr.s_addr = htonl(0xe0000105), .imr_ifindex = 2};
    const int on = 1;
    char control[256];
    struct iovec vector = {bytes, 100};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    const int fd = (int)TOLD(socket, AF_INET, SOCK_DGRAM, 0);
    limit_waits(caller, fd);
    TOLD(setsockopt, fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    TOLD(setsockopt, fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    TOLD(setsockopt, fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group);
    TOLD(setsockopt, fd, SOL_SOCKET, SO_INCOMING_CPU, &on, sizeof on); /* a stored one */
    TOLD(bind, fd, (const struct sockaddr *)&here, sizeof here);
    for (int i = 0; i < 4; i++) {
        TOLD(sendto, fd, bytes, 3000, 0, (const struct sockaddr *)&there, sizeof there);
    }
    const struct sockaddr_in self = at("127.0.0.1", 50008);
    TOLD(sendto, fd, bytes, 100, 0, (const struct sockaddr *)&self, sizeof self);
    TOLD(recvmsg, fd, &message, 0);
    message.msg_controllen = sizeof control;
    TOLD(recvmsg, fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    TOLD(close, fd);
}

static void use_unix(struct dry_caller caller)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr head;
    } control = {.head = {CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    const struct sockaddr_un name = {AF_UNIX, "/tmp/name"};
    struct iovec vector = {bytes, 100};
    const struct msghdr message = {.msg_iov = &vector,
                                   .msg_iovlen = 1,
                                   .msg_control = control.bytes,
                                   .msg_controllen = sizeof control.bytes};
    int pair[2] = {-1, -1};
    TOLD(socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
    memcpy(CMSG_DATA(&control.head), pair, sizeof pair);
    TOLD(sendmsg, pair[0], &message, MSG_DONTWAIT);
    TOLD(sendto, pair[0], bytes, 100000, MSG_DONTWAIT, NULL, 0);
    TOLD(recvfrom, pair[1], bytes, sizeof bytes, MSG_DONTWAIT, NULL, NULL);
    TOLD(close, pair[0]);
    TOLD(close, pair[1]);
    const int listener = (int)TOLD(socket, AF_UNIX, SOCK_STREAM, 0);
    const int client = (int)TOLD(socket, AF_UNIX, SOCK_STREAM, 0);
    limit_waits(caller, listener);
    limit_waits(caller, client);
    TOLD(bind, listener, (const struct sockaddr *)&name, sizeof name);
    TOLD(listen, listener, 1);
    TOLD(connect, client, (const struct sockaddr *)&name, sizeof name);
    TOLD(close, client);
    const int server = (int)TOLD(accept, listener, NULL, NULL, 0);
    TOLD(close, server);
    TOLD(close, listener);
    const int datagrams = (int)TOLD(socket, AF_UNIX, SOCK_DGRAM, 0);
    TOLD(bind, datagrams, (const struct sockaddr *)&name, sizeof(sa_family_t)); /* a name of its own */
    TOLD(close, datagrams);
    sim_unlink(sim, alpha, name.sun_path);
    sim_unlink(sim, beta, name.sun_path);
}

static void use_files(struct dry_caller caller)
{
    int pair[2] = {-1, -1};
    uint64_t value = 1;
    const struct itimerspec soon = {{0, 1000000}, {0, 1000000}};
    const struct timespec moment = {0, 5000000};
    struct epoll_event event = {.events = EPOLLIN};
    TOLD(pipe2, pair, O_NONBLOCK);
    TOLD(write, pair[1], bytes, 20000);
    TOLD(read, pair[0], bytes, 20000);
    const int counter = (int)TOLD(eventfd, 0, 0);
    TOLD(write, counter, &value, sizeof value);
    const int timer = (int)TOLD(timerfd_create, CLOCK_MONOTONIC, 0);
    TOLD(timerfd_settime, timer, 0, &soon, NULL);
    const int epoll = (int)TOLD(epoll_create, 0);
    TOLD(epoll_ctl, epoll, EPOLL_CTL_ADD, counter, &event);
    TOLD(epoll_ctl, epoll, EPOLL_CTL_ADD, timer, &event);
    TOLD(epoll_pwait, epoll, &event, 1, &moment, NULL);
    struct pollfd items[2] = {{.fd = timer, .events = POLLIN}, {.fd = pair[0], .events = POLLIN}};
    TOLD(ppoll, items, 2, &moment, NULL);
    TOLD(fcntl, pair[0], F_DUPFD, 0);
    TOLD(fcntl, pair[0], F_DUPFD, (1 << 20) + 5000); /* another page of the table */
    TOLD(clock_nanosleep, CLOCK_MONOTONIC, 0, &moment, NULL);
}

static void do_nothing(void *argument)
{
}

static void use_all(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    uint32_t task = 0;
    struct addrinfo *list = NULL;
    int error;
    use_streams(caller);
    use_datagrams(caller);
    use_unix(caller);
    use_files(caller);
    if (TOLD(spawn, do_nothing, NULL, &task) == 0) {
        TOLD(join, task);
    }
    if (SYSTEM(getaddrinfo, "www.example", NULL, NULL, &list, &error) == 0) {
        SYSTEM(freeaddrinfo, list);
    }
    const int child = (int)told(sim_fork_process(sim, (int)caller.process), "fork");
    if (child > 0) {
        sim_end_process(sim, child, 0);
    }
    use_streams(caller);
    /* Closes what is open. */
    EXPECT(sim_end_process(sim, (int)caller.process, 0) == 0);
}

#define WANT(what)                                                                   \
    do {                                                                             \
        if (!(what)) {                                                               \
            fail_msg("pool %d, room %u: %s: %d", limited, room_left, #what, result); \
        }                                                                            \
    } while (0)

static int limited;
static uint32_t room_left;

/* What is asked for from outside meanwhile. */
static void ask_from_outside(void *argument)
{
    const uint64_t later = sim_now(sim) + MS;
    const struct sim_link_options options = {.delay_ns = MS};
    int result;
    const int other = result = sim_add_host(sim, "gamma", "10.0.0.3 fd00::3");
    WANT(other > 0 || failed_as_full(other));
    if (other > 0) {
        const int link = result = sim_add_link(sim, alpha, other, &options);
        WANT(link > 0 || failed_as_full(link));
        const int one = result = sim_add_process(sim, other, "one");
        WANT(one > 0 || one == -ENOMEM);
        if (one > 0) {
            const int task = result = sim_spawn(sim, one, "one", do_nothing, NULL);
            WANT(task > 0 || task == -EAGAIN);
        }
    }
    result = sim_at(sim, later, do_nothing, NULL);
    WANT(result == 0 || result == -ENOMEM);
    const int meeting = result = sim_add_barrier(sim, "here", 2);
    WANT(meeting > 0 || meeting == -ENOMEM);
    const int changed = result = sim_change_link(sim, link_number, later, true);
    WANT(changed == 0 || changed == -ENOMEM);
    const int line = result = sim_add_hosts_line(sim, alpha, "10.0.0.1 a.name");
    WANT(line == 0 || line == -ENOMEM);
}

/* ---- every pool --------------------------------------------------------------------------------- */

static void run_with_limit(enum sim_pool_kind kind, uint32_t room)
{
    const struct sim_options options = {.seed = 7, .check = 1, .packets = 4096, .chunks = 1024};
    char message[128];
    sim = sim_create(&options);
    assert_non_null(sim);
    build();
    assert_int_equal(sim_add_record(sim, "www.example A 10.0.0.1", message, sizeof message), 0);
    assert_true(sim_add_nameserver(sim, alpha) > 0);
    assert_int_equal(sim_add_resolver_line(sim, beta, "nameserver 10.0.0.1"), 0);
    const int other = sim_add_process(sim, beta, "q");
    spawn("server", serve_streams, NULL);
    assert_true(sim_spawn(sim, other, "all", use_all, NULL) > 0);
    assert_int_equal(sim_at(sim, 10 * MS, ask_from_outside, NULL), 0);
    struct sim_pool *pool = &sim->world->pools[kind];
    pool->capacity = pool->high_water + room;
    limited = (int)kind;
    room_left = room;
    const enum sim_outcome outcome = sim_run_until(sim, (uint64_t)100000 * 1000 * MS);
    /* A name server that finds no socket or no room to wait stops, and says so. */
    const bool stopped = outcome == SIM_FAILED &&
                         strstr(sim_failure(sim), "nameserver: the name server stopped: ");
    if (outcome != SIM_IDLE && !stopped) {
        char waits[1024];
        sim_describe_waits(sim, waits, sizeof waits);
        fail_msg("pool %d with room for %u: outcome %d: %s\n%s", (int)kind, room, (int)outcome,
                 sim_failure(sim) ? sim_failure(sim) : "", waits);
    }
    sim_check(sim);
    sim_destroy(sim);
    sim = NULL;
}

static void each_pool_at_each_small_limit__calls_err__world_goes_on(void **state)
{
    refused = done = 0;
    run_with_limit(SIM_POOL_HOST, 1000);
    assert_int_equal(refused, 0); /* with room for all nothing is refused */
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        for (uint32_t room = 0; room < 24 && kind != SIM_POOL_EVENT; room++) {
            run_with_limit(kind, room);
        }
    }
    assert_true(refused > 100);
    assert_true(done > 1000);
}

/* ---- events ------------------------------------------------------------------------------------- */

static int fill_with(int (*ask)(uint32_t i))
{
    uint32_t count = 0;
    int result;
    while ((result = ask(count)) == 0) {
        count++;
        assert_true(count < 20000000);
    }
    assert_int_equal(result, -ENOMEM);
    return (int)count;
}

static int victim;

static int ask_for_signal(uint32_t i)
{
    return sim_signal_at(sim, victim, SIM_NEVER - 2 - i, SIGUSR1, true);
}

static int ask_for_instant(uint32_t i)
{
    return sim_at(sim, SIM_NEVER - 2 - i, do_nothing, NULL);
}

static int ask_for_change(uint32_t i)
{
    return sim_change_link(sim, link_number, SIM_NEVER - 2 - i, true);
}

static void queue_filled_from_outside(int (*ask)(uint32_t i))
{
    char message[128];
    const struct sim_options options = {.seed = 7};
    sim = sim_create(&options);
    assert_non_null(sim);
    build();
    refused = done = 0;
    victim = spawn("victim", sleep_and_note, "v");
    assert_true(fill_with(ask) > 1000);
    assert_int_equal(sim_add_record(sim, "www.example A 10.0.0.1", message, sizeof message), 0);
    assert_true(sim_add_nameserver(sim, alpha) > 0);
    assert_int_equal(sim_add_resolver_line(sim, beta, "nameserver 10.0.0.1"), 0);
    spawn("server", serve_streams, NULL);
    assert_true(sim_spawn(sim, sim_add_process(sim, beta, "q"), "all", use_all, NULL) > 0);
    sim_run_until(sim, (uint64_t)100000 * 1000 * MS);
    assert_null(sim_failure(sim));
    assert_string_equal(order, "v");
    assert_int_equal(refused, 0); /* nobody within noticed */
    sim_check(sim);
    sim_destroy(sim);
    sim = NULL;
}

static void queue_full_of_signals__all_else_goes_on(void **state)
{
    queue_filled_from_outside(ask_for_signal);
}

static void queue_full_of_instants__all_else_goes_on(void **state)
{
    queue_filled_from_outside(ask_for_instant);
}

static void queue_full_of_link_changes__all_else_goes_on(void **state)
{
    queue_filled_from_outside(ask_for_change);
}

static uint32_t instants;

static void again(void *argument)
{
    if (++instants < 1000000) {
        assert_int_equal(sim_at(sim, sim_now(sim) + 1, again, NULL), 0);
    }
}

static void million_instants_one_after_the_other__none_is_refused(void **state)
{
    make(7);
    sim->check = 0;
    instants = 0;
    const uint32_t events = sim->world->pools[SIM_POOL_EVENT].high_water;
    assert_int_equal(sim_at(sim, 1, again, NULL), 0);
    assert_outcome(SIM_IDLE);
    assert_int_equal(instants, 1000000);
    assert_true(sim->world->pools[SIM_POOL_EVENT].high_water <= events + 2);
    assert_true(sim->world->pools[SIM_POOL_SCRIPT].high_water <= 2);
    end(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pool_at_each_small_limit__calls_err__world_goes_on),
        cmocka_unit_test(queue_full_of_signals__all_else_goes_on),
        cmocka_unit_test(queue_full_of_instants__all_else_goes_on),
        cmocka_unit_test(queue_full_of_link_changes__all_else_goes_on),
        cmocka_unit_test(million_instants_one_after_the_other__none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
