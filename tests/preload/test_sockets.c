/* A program's sockets: made, joined, written and read in every shape, with good and bad pointers.
 * SPDX-License-Identifier: MIT */
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* A listener on any port of the loopback, and where it is. */
static int listener(struct sockaddr_in *where)
{
    socklen_t length = sizeof *where;
    *where = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)where, sizeof *where), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)where, &length), 0);
    return fd;
}

static void stream_pair(int pair[2])
{
    struct sockaddr_in where;
    const int fd = listener(&where);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(pair[0], (struct sockaddr *)&where, sizeof where), 0);
    pair[1] = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(pair[1] > fd);
    close(fd);
}

static void close_pair(const int pair[2])
{
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
}

static void connected_pair__written_in_pieces__read_whole_in_every_shape(void **state)
{
    int pair[2];
    char text[16] = "", rest[16] = "";
    stream_pair(pair);
    struct iovec out[] = {{(char *)"ab", 2}, {NULL, 0}, {(char *)"cde", 3}};
    assert_int_equal(writev(pair[0], out, 3), 5);
    assert_int_equal(write(pair[0], "fg", 2), 2);
    assert_int_equal(send(pair[0], "h", 1, MSG_NOSIGNAL), 1);
    struct iovec in[] = {{text, 3}, {rest, sizeof rest}};
    assert_int_equal(readv(pair[1], in, 2), 8);
    assert_string_equal(text, "abc");
    assert_string_equal(rest, "defgh");
    assert_int_equal(syscall(SYS_write, pair[1], "by number", 9), 9);
    assert_int_equal(recv(pair[0], text, 16, MSG_PEEK), 9);
    assert_int_equal(read(pair[0], text, 16), 9);
    assert_memory_equal(text, "by number", 9);
    close_pair(pair);
}

static void datagrams__sent_many_at_once__received_many_at_once(void **state)
{
    int pair[2];
    char texts[3][8] = {"one", "two", "three"}, places[3][8] = {"", "", ""};
    struct mmsghdr messages[3] = {0};
    struct iovec vectors[3];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    for (int i = 0; i < 3; i++) {
        vectors[i] = (struct iovec){texts[i], strlen(texts[i])};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    assert_int_equal(sendmmsg(pair[0], messages, 3, 0), 3);
    assert_int_equal(messages[2].msg_len, 5);
    for (int i = 0; i < 3; i++) {
        vectors[i] = (struct iovec){places[i], sizeof places[i]};
    }
    struct timespec timeout = {5, 0};
    assert_int_equal(recvmmsg(pair[1], messages, 3, MSG_WAITFORONE, &timeout), 3);
    assert_int_equal(messages[0].msg_len, 3);
    assert_string_equal(places[1], "two");
    assert_string_equal(places[2], "three");
    assert_errno(recvmmsg(pair[1], messages, 3, MSG_DONTWAIT, NULL), EAGAIN);
    close_pair(pair);
}

static void wild_pointers__given_to_each_call__efault_and_the_program_lives(void **state)
{
    int pair[2];
    char byte;
    socklen_t length = sizeof byte;
    stream_pair(pair);
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_errno(write(pair[0], wild(), 1), EFAULT);
    assert_errno(send(pair[0], wild(), 1, 0), EFAULT);
    assert_errno(bind(pair[0], wild(), 16), EFAULT);
    assert_errno(getsockname(pair[0], wild(), &length), EFAULT);
    assert_errno(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, wild(), &length), EFAULT);
    assert_errno(setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, wild(), 4), EFAULT);
    assert_errno(sendmsg(pair[0], wild(), 0), EFAULT);
    assert_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, wild()), EFAULT);
    assert_errno(ioctl(pair[0], FIONREAD, wild()), EFAULT);
    assert_errno(pipe(wild()), EFAULT);
    close_pair(pair);
}

static void memory__given_back_and_used__is_bad_from_then_on(void **state)
{
    int pair[2];
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pair[0], page, 4096), 4096);
    assert_int_equal(read(pair[1], page, 4096), 4096);
    assert_int_equal(munmap(page, 4096), 0);
    assert_errno(write(pair[0], page, 4096), EFAULT);
    close_pair(pair);
}

static void numbers_that_name_no_socket__used_as_one__ebadf_and_enotsock(void **state)
{
    char byte;
    int kind;
    socklen_t length = sizeof kind;
    const int null = open("/dev/null", O_RDWR);
    assert_true(null >= 0);
    assert_errno(send(null, "x", 1, 0), ENOTSOCK);
    assert_errno(recv(null, &byte, 1, 0), ENOTSOCK);
    assert_errno(listen(null, 1), ENOTSOCK);
    assert_errno(getsockopt(null, SOL_SOCKET, SO_TYPE, &kind, &length), ENOTSOCK);
    assert_errno(sendmsg(null, &(struct msghdr){0}, 0), ENOTSOCK);
    close(null);
    assert_errno(send(null, "x", 1, 0), EBADF);
    assert_errno(recvmsg(null, &(struct msghdr){0}, 0), EBADF);
    assert_errno(accept(-1, NULL, NULL), EBADF);
}

static void unix_path__bound_looked_at_and_removed__is_a_file_of_the_host(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat status;
    snprintf(name.sun_path, sizeof name.sun_path, "/tmp/drysock-%d", getpid());
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0), second = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_errno(connect(second, (struct sockaddr *)&name, sizeof name), ENOENT);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(stat(name.sun_path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(chmod(name.sun_path, 0600), 0);
    assert_errno(bind(second, (struct sockaddr *)&name, sizeof name), EADDRINUSE);
    assert_errno(connect(second, (struct sockaddr *)&name, sizeof name), ECONNREFUSED);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(connect(second, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(unlink(name.sun_path), 0);
    assert_errno(stat(name.sun_path, &status), ENOENT);
    assert_errno(unlink(name.sun_path), ENOENT);
    close(fd);
    close(second);
}

static void stream__opened_with_stdio__speaks_over_the_socket(void **state)
{
    int pair[2];
    char line[32];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    FILE *writer = fdopen(pair[0], "w"), *reader = fdopen(pair[1], "r");
    fprintf(writer, "%d lines\n", 2);
    assert_int_equal(fclose(writer), 0);
    assert_non_null(fgets(line, sizeof line, reader));
    assert_string_equal(line, "2 lines\n");
    assert_null(fgets(line, sizeof line, reader));
    fclose(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connected_pair__written_in_pieces__read_whole_in_every_shape),
        cmocka_unit_test(datagrams__sent_many_at_once__received_many_at_once),
        cmocka_unit_test(wild_pointers__given_to_each_call__efault_and_the_program_lives),
        cmocka_unit_test(memory__given_back_and_used__is_bad_from_then_on),
        cmocka_unit_test(numbers_that_name_no_socket__used_as_one__ebadf_and_enotsock),
        cmocka_unit_test(unix_path__bound_looked_at_and_removed__is_a_file_of_the_host),
        cmocka_unit_test(stream__opened_with_stdio__speaks_over_the_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
