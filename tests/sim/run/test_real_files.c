/* Tests of real files beside the world's descriptors: what poll, select and epoll say of them.
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "small_world.h"

static int file, folder, full_pipe, empty_pipe, closed, ours[2];

static int prepare(struct dry_caller caller)
{
    char name[] = "/tmp/drysock-test-XXXXXX";
    int ends[2];
    file = mkstemp(name);
    unlink(name);
    folder = open("/tmp", O_RDONLY | O_DIRECTORY);
    EXPECT(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    full_pipe = ends[0];
    EXPECT(pipe(ends) == 0);
    empty_pipe = ends[0];
    closed = dup(file);
    close(closed);
    EXPECT(SYSTEM(pipe2, ours, 0) == 0);
    return 0;
}

static const struct timespec at_once, second = {1, 0};

static bool explained(struct dry_caller caller)
{
    const char *why = dry_explain(caller, ENOTSUP);
    return why && strstr(why, "drysock exec");
}

static void poll_files(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    prepare(caller);
    struct pollfd items[] = {{.fd = file, .events = POLLIN | POLLOUT},
                             {.fd = ours[0], .events = POLLIN},
                             {.fd = full_pipe, .events = POLLIN},
                             {.fd = empty_pipe, .events = POLLIN},
                             {.fd = closed, .events = POLLIN},
                             {.fd = folder, .events = POLLIN},
                             {.fd = -1, .events = POLLIN}};
    EXPECT(SYSTEM(ppoll, items, 7, &second, NULL) == 4);
    EXPECT(items[0].revents == (POLLIN | POLLOUT) && items[1].revents == 0);
    EXPECT(items[2].revents == POLLIN && items[3].revents == 0);
    EXPECT(items[4].revents == POLLNVAL && items[5].revents == POLLIN && items[6].revents == 0);
    EXPECT(SYSTEM(write, ours[1], "y", 1) == 1);
    EXPECT(SYSTEM(ppoll, items, 2, NULL, NULL) == 2 && items[1].revents == POLLIN);
    EXPECT(SYSTEM(ppoll, &items[1], 3, NULL, NULL) == 2); /* ours and the full pipe */
    EXPECT(sim_now(sim) == 0);
    note("p");
}

static void real_files_in_poll__told_beside_the_worlds(void **state)
{
    spawn("poller", poll_files, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "p");
}

static void poll_what_is_not_ready(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    char byte;
    prepare(caller);
    struct pollfd items[] = {{.fd = empty_pipe, .events = POLLIN}, {.fd = ours[0], .events = POLLIN}};
    EXPECT(SYSTEM(ppoll, items, 2, &at_once, NULL) == 0);
    EXPECT(dry_explain(caller, ENOTSUP) == NULL);
    EXPECT(SYSTEM(ppoll, items, 2, &second, NULL) == -ENOTSUP && explained(caller));
    EXPECT(SYSTEM(ppoll, items, 1, NULL, NULL) == -ENOTSUP && explained(caller));
    EXPECT(SYSTEM(ppoll, &items[1], 1, &second, NULL) == 0); /* the world's own waits as ever */
    EXPECT(dry_explain(caller, ENOTSUP) == NULL);
    EXPECT(SYSTEM(write, ours[1], "y", 1) == 1);
    EXPECT(SYSTEM(ppoll, items, 2, &second, NULL) == 1 && items[1].revents == POLLIN);
    EXPECT(SYSTEM(read, ours[0], &byte, 1) == 1);
    note("n");
}

static void real_pipe_is_not_ready__a_wait_for_it_is_refused_with_the_way(void **state)
{
    spawn("poller", poll_what_is_not_ready, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "n");
}

static void select_files(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    fd_set in, out;
    prepare(caller);
    const int count = (file > full_pipe ? file : full_pipe) + 1;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(file, &in);
    FD_SET(full_pipe, &in);
    FD_SET(file, &out);
    EXPECT(SYSTEM(pselect, count, &in, &out, NULL, &second, NULL) == 3);
    EXPECT(FD_ISSET(file, &in) && FD_ISSET(full_pipe, &in) && FD_ISSET(file, &out));
    FD_ZERO(&in);
    FD_SET(empty_pipe, &in);
    EXPECT(SYSTEM(pselect, empty_pipe + 1, &in, NULL, NULL, NULL, NULL) == -ENOTSUP);
    EXPECT(explained(caller) && FD_ISSET(empty_pipe, &in));
    FD_SET(file, &in);
    EXPECT(SYSTEM(pselect, empty_pipe + 1, &in, NULL, NULL, NULL, NULL) == 1);
    EXPECT(FD_ISSET(file, &in) && !FD_ISSET(empty_pipe, &in));
    FD_ZERO(&in);
    FD_SET(empty_pipe, &in);
    EXPECT(SYSTEM(pselect, empty_pipe + 1, &in, NULL, NULL, &at_once, NULL) == 0);
    EXPECT(!FD_ISSET(empty_pipe, &in));
    FD_ZERO(&in);
    EXPECT(SYSTEM(pselect, empty_pipe + 1, &in, NULL, NULL, &second, NULL) == 0); /* a sleep */
    EXPECT(sim_now(sim) == 1000 * MS);
    FD_SET(closed, &in);
    EXPECT(SYSTEM(pselect, closed + 1, &in, NULL, NULL, &second, NULL) == -EBADF);
    EXPECT(SYSTEM(pselect, -1, &in, NULL, NULL, &second, NULL) == -EINVAL);
    note("s");
}

static void real_files_in_select__told_or_refused(void **state)
{
    spawn("selector", select_files, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "s");
}

static void watch_files(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    struct epoll_event event = {.events = EPOLLIN};
    prepare(caller);
    const int epoll = SYSTEM(epoll_create, 0);
    EXPECT(SYSTEM(epoll_ctl, epoll, EPOLL_CTL_ADD, file, &event) == -EPERM);
    EXPECT(SYSTEM(epoll_ctl, epoll, EPOLL_CTL_ADD, folder, &event) == -EPERM);
    EXPECT(SYSTEM(epoll_ctl, epoll, EPOLL_CTL_ADD, closed, &event) == -EBADF);
    EXPECT(SYSTEM(epoll_ctl, epoll, EPOLL_CTL_ADD, full_pipe, &event) == -ENOTSUP && explained(caller));
    EXPECT(SYSTEM(epoll_ctl, epoll, EPOLL_CTL_ADD, ours[0], &event) == 0);
    note("e");
}

static void real_files_in_epoll__refused_as_linux_does_or_with_the_way(void **state)
{
    spawn("watcher", watch_files, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(real_files_in_poll__told_beside_the_worlds),
        TEST(real_pipe_is_not_ready__a_wait_for_it_is_refused_with_the_way),
        TEST(real_files_in_select__told_or_refused),
        TEST(real_files_in_epoll__refused_as_linux_does_or_with_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
