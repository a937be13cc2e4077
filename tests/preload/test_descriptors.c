/* A program's descriptors: numbers among real files, duplicates, close-on-exec, readiness of both.
 * SPDX-License-Identifier: MIT */
#include "test.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int lowest(void)
{
    const int fd = open("/dev/null", O_RDONLY);
    close(fd);
    return fd;
}

static void numbers__taken_in_turn__are_the_lowest_free_of_files_and_sockets(void **state)
{
    int pair[2];
    const int first = lowest();
    assert_int_equal(socket(AF_INET, SOCK_STREAM, 0), first);
    assert_int_equal(open("/dev/null", O_RDONLY), first + 1);
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(pair[0], first + 2);
    assert_int_equal(pair[1], first + 3);
    assert_int_equal(close(first + 1), 0);
    assert_int_equal(close(first), 0);
    assert_int_equal(eventfd(0, 0), first);
    assert_int_equal(epoll_create1(0), first + 1);
    assert_int_equal(dup(pair[1]), first + 4);
    assert_int_equal(fcntl(pair[1], F_DUPFD, first + 9), first + 9);
    assert_int_equal(syscall(SYS_close_range, first, first + 9, 0), 0);
    assert_int_equal(lowest(), first);
}

static void duplicates__of_a_pipe_and_a_file__name_the_same_thing(void **state)
{
    int pair[2];
    char text[8] = "";
    struct stat status;
    assert_int_equal(pipe(pair), 0);
    const int file = open("/dev/null", O_WRONLY);
    const int end = pair[1] + 5;
    assert_int_equal(dup2(pair[1], end), end);
    assert_int_equal(write(end, "one", 3), 3);
    assert_int_equal(dup2(file, end), end);
    assert_int_equal(write(end, "gone", 4), 4);
    assert_int_equal(dup3(pair[1], file, O_CLOEXEC), file);
    assert_int_equal(fcntl(file, F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(file, "two", 3), 3);
    assert_int_equal(dup2(file, file), file);
    assert_int_equal(read(pair[0], text, sizeof text), 6);
    assert_memory_equal(text, "onetwo", 6);
    assert_int_equal(fstat(pair[0], &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    assert_errno(lseek(pair[0], 0, SEEK_SET), ESPIPE);
    assert_errno(dup2(pair[0] + 50, 9), EBADF);
    assert_int_equal(syscall(SYS_close_range, pair[0], end, 0), 0);
    assert_errno(close(pair[0]), EBADF);
}

static void close_on_exec__set_in_each_way__is_told(void **state)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
    assert_int_equal(fcntl(fd, F_GETFD), 0);
    assert_int_equal(syscall(SYS_close_range, fd, fd, CLOSE_RANGE_CLOEXEC), 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL), O_RDWR);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    int on = 1;
    assert_int_equal(ioctl(fd, FIOASYNC, &on), 0);
    assert_int_equal(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK | O_ASYNC);
    assert_int_equal(fcntl(fd, F_SETOWN, getpid()), 0);
    assert_errno(ioctl(fd, FIOASYNC, wild()), EFAULT);
    assert_errno(syscall(SYS_close_range, 9, 8, 0), EINVAL);
    close(fd);
}

static int temporary_file(void)
{
    char name[] = "/tmp/drysock-XXXXXX";
    const int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    return fd;
}

static void file_and_pipe__polled_together__the_file_is_ready_the_pipe_when_written(void **state)
{
    int pair[2];
    const int file = temporary_file();
    assert_int_equal(pipe(pair), 0);
    struct pollfd set[] = {
        {file, POLLIN | POLLOUT, 0}, {pair[0], POLLIN, 0}, {-1, POLLIN, 0}, {pair[1] + 40, POLLIN, 0}};
    assert_int_equal(poll(set, 4, 1000), 2);
    assert_int_equal(set[0].revents, POLLIN | POLLOUT);
    assert_int_equal(set[1].revents, 0);
    assert_int_equal(set[3].revents, POLLNVAL);
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_int_equal(poll(set, 2, -1), 2);
    assert_int_equal(set[1].revents, POLLIN);
    assert_errno(poll((void *)wild(), 1, 0), EFAULT);
    close(file);
    close(pair[0]);
    close(pair[1]);
}

static void select__of_small_numbers__writes_the_sets_and_what_is_left_of_the_time(void **state)
{
    int pair[2];
    fd_set readable, writable;
    struct timeval timeout = {0, 30000};
    assert_int_equal(pipe(pair), 0);
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(pair[0], &readable);
    assert_int_equal(select(pair[1] + 1, &readable, NULL, NULL, &timeout), 0);
    assert_false(FD_ISSET(pair[0], &readable));
    assert_int_equal(timeout.tv_sec, 0);
    assert_int_equal(timeout.tv_usec, 0);
    FD_SET(pair[0], &readable);
    FD_SET(pair[1], &writable);
    timeout = (struct timeval){100, 0};
    assert_int_equal(select(pair[1] + 1, &readable, &writable, NULL, &timeout), 1);
    assert_true(FD_ISSET(pair[1], &writable));
    assert_false(FD_ISSET(pair[0], &readable));
    assert_true(timeout.tv_sec >= 99);
    close(pair[0]);
    FD_SET(pair[0], &readable);
    assert_errno(select(pair[1] + 1, &readable, NULL, NULL, &timeout), EBADF);
    close(pair[1]);
}

static void epoll__asked_for_a_regular_file__eperm_and_for_a_pipe_its_bits(void **state)
{
    int pair[2];
    struct epoll_event event = {EPOLLIN, {.u64 = 7}};
    const int epoll = epoll_create(1), file = temporary_file();
    assert_int_equal(pipe2(pair, O_NONBLOCK), 0);
    assert_errno(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event), EPERM);
    assert_errno(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], wild()), EFAULT);
    assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event), 0);
    assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
    assert_int_equal(write(pair[1], "x", 1), 1);
    event.data.u64 = 0;
    assert_int_equal(epoll_wait(epoll, &event, 1, -1), 1);
    assert_int_equal(event.data.u64, 7);
    assert_errno(epoll_wait(epoll, &event, 0, 0), EINVAL);
    close(pair[0]);
    close(pair[1]);
    close(file);
    close(epoll);
}

static void file__sent_into_a_socket__moves_the_position_or_the_offset(void **state)
{
    int pair[2];
    char text[16] = "";
    const int file = temporary_file();
    assert_int_equal(write(file, "0123456789", 10), 10);
    assert_int_equal(lseek(file, 2, SEEK_SET), 2);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(sendfile(pair[0], file, NULL, 3), 3);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 5);
    off_t offset = 8;
    assert_int_equal(sendfile(pair[0], file, &offset, 100), 2);
    assert_int_equal(offset, 10);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 5);
    assert_int_equal(read(pair[1], text, sizeof text), 5);
    assert_memory_equal(text, "23489", 5);
    assert_errno(sendfile(pair[0], pair[1], NULL, 1), EINVAL);
    assert_errno(sendfile(pair[0], pair[1] + 40, NULL, 1), EBADF);
    close(pair[0]);
    close(pair[1]);
    close(file);
}

static void send_descriptor(int socket, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {{0}};
    struct iovec vector = {(char *)"x", 1};
    const struct msghdr message = {.msg_iov = &vector,
                                   .msg_iovlen = 1,
                                   .msg_control = control.bytes,
                                   .msg_controllen = sizeof control.bytes};
    control.header = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    assert_int_equal(sendmsg(socket, &message, 0), 1);
}

static int receive_descriptor(int socket, int flags)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {{0}};
    char byte;
    int fd = -1;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    assert_int_equal(recvmsg(socket, &message, flags), 1);
    assert_non_null(CMSG_FIRSTHDR(&message));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void file_and_pipe__sent_with_a_message_twice__name_the_same_things(void **state)
{
    int pair[2], pipe_ends[2];
    char text[8] = "";
    const int file = temporary_file();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(write(file, "kept", 4), 4);
    send_descriptor(pair[0], file);
    send_descriptor(pair[0], file);
    send_descriptor(pair[0], pipe_ends[1]);
    assert_int_equal(close(file), 0);
    const int first = receive_descriptor(pair[1], MSG_CMSG_CLOEXEC);
    assert_int_equal(first, file);
    const int second = receive_descriptor(pair[1], 0);
    const int third = receive_descriptor(pair[1], 0);
    assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(second, F_GETFD), 0);
    assert_int_equal(lseek(first, 1, SEEK_SET), 1);
    assert_int_equal(read(second, text, 8), 3);
    assert_memory_equal(text, "ept", 3);
    assert_int_equal(write(third, "p", 1), 1);
    assert_int_equal(read(pipe_ends[0], text, 8), 1);
    const int all[] = {first, second, third, pair[0], pair[1], pipe_ends[0], pipe_ends[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(close(all[i]), 0);
    }
}

static void limit_of_descriptors__lowered__is_told_and_met(void **state)
{
    struct rlimit before, now;
    int fds[64], count = 0;
    const int first = lowest();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = (struct rlimit){(rlim_t)first + 10, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    while (count < 64 &&
           (fds[count] = count % 2 ? socket(AF_INET, SOCK_STREAM, 0) : open("/", 0)) >= 0) {
        count++;
    }
    assert_int_equal(errno, EMFILE);
    assert_int_equal(count, 10);
    assert_errno(dup(fds[0]), EMFILE);
    assert_errno(dup2(fds[0], first + 10), EBADF);
    assert_errno(fcntl(fds[1], F_DUPFD, first + 10), EINVAL);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_int_equal(now.rlim_cur, first + 10);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(dup(fds[0]), first + 10);
    assert_int_equal(syscall(SYS_close_range, first, first + 10, 0), 0);
}

static void bytes__spliced_from_a_pipe_to_a_socket__arrive(void **state)
{
    int pipe_ends[2], pair[2];
    char text[16] = "";
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pipe_ends[1], "spliced", 7), 7);
    assert_int_equal(splice(pipe_ends[0], NULL, pair[0], NULL, 100, 0), 7);
    assert_int_equal(read(pair[1], text, sizeof text), 7);
    assert_memory_equal(text, "spliced", 7);
    assert_errno(splice(pipe_ends[0], NULL, pair[0], NULL, 100, SPLICE_F_NONBLOCK), EAGAIN);
    assert_int_equal(syscall(SYS_close_range, pipe_ends[0], pair[1], 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers__taken_in_turn__are_the_lowest_free_of_files_and_sockets),
        cmocka_unit_test(duplicates__of_a_pipe_and_a_file__name_the_same_thing),
        cmocka_unit_test(close_on_exec__set_in_each_way__is_told),
        cmocka_unit_test(file_and_pipe__polled_together__the_file_is_ready_the_pipe_when_written),
        cmocka_unit_test(select__of_small_numbers__writes_the_sets_and_what_is_left_of_the_time),
        cmocka_unit_test(epoll__asked_for_a_regular_file__eperm_and_for_a_pipe_its_bits),
        cmocka_unit_test(file__sent_into_a_socket__moves_the_position_or_the_offset),
        cmocka_unit_test(file_and_pipe__sent_with_a_message_twice__name_the_same_things),
        cmocka_unit_test(limit_of_descriptors__lowered__is_told_and_met),
        cmocka_unit_test(bytes__spliced_from_a_pipe_to_a_socket__arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
