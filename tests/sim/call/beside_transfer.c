/* Calls on both systems: bytes and messages, in pieces, with what comes beside them.
 * SPDX-License-Identifier: MIT */
#include "beside.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { PIECES = 6, CONTROL_BYTES = 256, RIGHTS = 3 };

static char source[BUFFER];

static size_t some_length(void)
{
    static const uint32_t bounds[] = {1, 2, 20, 100, 2000, 30000, BUFFER};
    return draw(CHOOSE(bounds));
}

static int send_flags(void)
{
    static const int odd[] = {MSG_OOB,  MSG_DONTROUTE, MSG_EOR,      MSG_CONFIRM, MSG_DONTWAIT,
                              MSG_PEEK, MSG_TRUNC,     MSG_ERRQUEUE, MSG_WAITALL};
    int flags = MSG_NOSIGNAL;
    if (one_in(5)) {
        flags |= CHOOSE(odd);
    }
    return flags;
}

static int receive_flags(void)
{
    static const int often[] = {
        MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_DONTWAIT, MSG_PEEK | MSG_TRUNC, MSG_PEEK | MSG_WAITALL};
    static const int odd[] = {MSG_OOB,       MSG_ERRQUEUE, MSG_CMSG_CLOEXEC, MSG_OOB | MSG_PEEK,
                              MSG_DONTROUTE, MSG_EOR,      MSG_NOSIGNAL,     MSG_CONFIRM};
    int flags = 0;
    if (one_in(3)) {
        flags |= CHOOSE(often);
    }
    if (one_in(6)) {
        flags |= CHOOSE(odd);
    }
    return flags;
}

static void fill_source(enum kind kind)
{
    for (size_t i = 0; i < sizeof source; i++) {
        source[i] = (char)('a' + draw(26) % 26);
        if (i % 64 == 63) { /* drawing is slow: the rest repeats */
            memset(source + i, source[i], sizeof source - i);
            break;
        }
    }
    if (kind == COUNTER) {
        const uint64_t number = one_in(6) ? UINT64_MAX - draw(3) : draw(5);
        memset(source, 0, 16);
        memcpy(source, &number, sizeof number);
    }
}

/* ---- plain ------------------------------------------------------------------------------------- */

static void send_some(void)
{
    const struct slot *slot = pick(TCP4, EPOLL);
    const size_t length = slot->kind == COUNTER && !one_in(6) ? 8 : some_length();
    const int flags = send_flags();
    const char *data = one_in(60) ? NULL : source;
    fill_source(slot->kind);
    if (slot->kind > SEQPACKET || one_in(5)) {
        say("write", slot, (long)length);
        BOTH(write, slot, data, length);
    } else {
        say("send", slot, (long)length);
        fprintf(transcript, "  flags %x\n", (unsigned)flags);
        BOTH(sendto, slot, data, length, flags, NULL, 0);
    }
}

static void send_to_name(void)
{
    const struct slot *slot = pick(TCP4, SEQPACKET);
    struct sockaddr_storage storage;
    uint16_t port;
    const size_t length = some_length();
    const int flags = send_flags();
    fill_source(slot->kind);
    say("sendto", slot, (long)length);
    fprintf(transcript, "  flags %x\n", (unsigned)flags);
    const socklen_t named = some_address(slot->kind, &storage, &port);
    BOTH(sendto, slot, source, length, flags, (const struct sockaddr *)&storage, named);
}

static void receive_some(void)
{
    static char left[BUFFER], right[BUFFER];
    const struct slot *slot = pick(TCP4, EPOLL);
    const size_t length = slot->kind == COUNTER && !one_in(6) ? 8 : some_length();
    const int flags = receive_flags();
    const bool reads = slot->kind > SEQPACKET || one_in(5);
    char *in_kernel = one_in(40) ? NULL : left, *in_world = in_kernel ? right : NULL;
    memset(left, 0, sizeof left);
    memset(right, 0, sizeof right);
    say(reads ? "read" : "recv", slot, (long)length);
    fprintf(transcript, "  flags %x%s\n", (unsigned)flags, in_kernel ? "" : ", NULL");
    if (reads) {
        alike("read", KERNEL(read, slot->kernel, in_kernel, length),
              WORLD(read, slot->world, in_world, length));
    } else {
        alike("recv", KERNEL(recvfrom, slot->kernel, in_kernel, length, flags, NULL, NULL),
              WORLD(recvfrom, slot->world, in_world, length, flags, NULL, NULL));
    }
    alike_bytes("data", left, right, sizeof left);
}

static void receive_from(void)
{
    const struct slot *slot = pick(TCP4, SEQPACKET);
    struct sockaddr_storage left, right;
    char left_bytes[64], right_bytes[64];
    const int flags = receive_flags();
    memset(&left, 0, sizeof left);
    memset(&right, 0, sizeof right);
    memset(left_bytes, 0, sizeof left_bytes);
    memset(right_bytes, 0, sizeof right_bytes);
    socklen_t left_length = one_in(5) ? draw(130) : sizeof left, right_length = left_length;
    say("recvfrom", slot, (long)left_length);
    fprintf(transcript, "  flags %x\n", (unsigned)flags);
    const ssize_t in_kernel = KERNEL(recvfrom, slot->kernel, left_bytes, sizeof left_bytes, flags,
                                     (struct sockaddr *)&left, &left_length);
    if (alike("recvfrom", in_kernel,
              WORLD(recvfrom, slot->world, right_bytes, sizeof right_bytes, flags,
                    (struct sockaddr *)&right, &right_length)) &&
        in_kernel >= 0) {
        alike("length", left_length, right_length);
        compare_addresses(&left, &right, sizeof left);
    }
    alike_bytes("data", left_bytes, right_bytes, sizeof left_bytes);
}

/* ---- messages ---------------------------------------------------------------------------------- */

static size_t some_pieces(struct iovec pieces[PIECES], char *buffer, size_t room)
{
    const size_t count = draw(PIECES + 1);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = some_length() / 4;
        length = length < room - used ? length : room - used;
        pieces[i] = (struct iovec){buffer + used, length};
        used += length;
    }
    if (count > 0 && one_in(40)) {
        pieces[draw((uint32_t)count)].iov_base = NULL;
    }
    if (count > 0 && one_in(60)) {
        static const size_t long_ones[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1};
        struct iovec *piece = &pieces[draw((uint32_t)count)];
        *piece = (struct iovec){NULL, CHOOSE(long_ones)};
    }
    return count;
}

static void put(char *control, size_t *used, int level, int type, const void *data, size_t bytes)
{
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(bytes), .cmsg_level = level, .cmsg_type = type};
    if (one_in(30)) {
        header.cmsg_len = draw(60);
    }
    memcpy(control + *used, &header, sizeof header);
    memcpy(control + *used + CMSG_LEN(0), data, bytes);
    *used += CMSG_SPACE(bytes);
    fprintf(transcript, "  control %d %d, length %zu\n", level, type, (size_t)header.cmsg_len);
}

/* The same control message for both, with each system's own descriptors in it. */
static void some_control(char *left, char *right, size_t *left_used, size_t *right_used)
{
    static const int levels[] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, IPPROTO_TCP};
    int left_fds[RIGHTS], right_fds[RIGHTS];
    const uint32_t count = 1 + draw(RIGHTS);
    const uint32_t which = draw(8);
    int number = one_in(3) ? odd_number() : (int)draw(256);
    const int level = CHOOSE(levels), type = (int)draw(70);
    const struct in_pktinfo info4 = {.ipi_ifindex = (int)draw(3),
                                     .ipi_spec_dst.s_addr = htonl(one_in(2) ? INADDR_LOOPBACK : 0)};
    const struct in6_pktinfo info6 = {.ipi6_addr = one_in(2) ? in6addr_loopback : in6addr_any,
                                      .ipi6_ifindex = draw(3)};
    const char *from_left = (const char *)&number, *from_right = (const char *)&number;
    size_t bytes = sizeof number;
    int to_level = level, to_type = type;
    if (which < 3) {
        for (uint32_t i = 0; i < count; i++) {
            const struct slot *slot = pick(TCP4, EPOLL);
            left_fds[i] = slot->kernel;
            right_fds[i] = slot->world;
            fprintf(transcript, "  with slot %d\n", is_open(slot) ? (int)(slot - slots) : -1);
        }
        from_left = (const char *)left_fds;
        from_right = (const char *)right_fds;
        bytes = count * sizeof(int);
        to_level = SOL_SOCKET;
        to_type = SCM_RIGHTS;
    } else if (which == 3) {
        from_left = from_right = (const char *)&info4;
        bytes = sizeof info4;
        to_level = IPPROTO_IP;
        to_type = IP_PKTINFO;
    } else if (which == 4) {
        from_left = from_right = (const char *)&info6;
        bytes = sizeof info6;
        to_level = IPPROTO_IPV6;
        to_type = IPV6_PKTINFO;
    } else if (which == 5) {
        to_level = one_in(2) ? IPPROTO_IP : IPPROTO_IPV6;
        to_type = to_level == IPPROTO_IP ? (one_in(2) ? IP_TTL : IP_TOS)
                                         : (one_in(2) ? IPV6_HOPLIMIT : IPV6_TCLASS);
        bytes = one_in(5) ? 1 : sizeof number;
    } else if (which == 6) {
        to_level = IPPROTO_UDP;
        to_type = 103;
        bytes = one_in(5) ? 4 : 2;
    }
    if (to_level == SOL_SOCKET && to_type != SCM_RIGHTS) {
        return; /* credentials, time stamps to send: each system's own */
    }
    const uint64_t replay = ((uint64_t)draw(1 << 30) << 30) | draw(1 << 30);
    draw_from(replay);
    put(left, left_used, to_level, to_type, from_left, bytes);
    draw_from(replay);
    put(right, right_used, to_level, to_type, from_right, bytes);
}

static void send_message(void)
{
    const struct slot *slot = pick(TCP4, SEQPACKET);
    struct sockaddr_storage storage;
    struct iovec pieces[PIECES];
    char left[CONTROL_BYTES] = {0}, right[CONTROL_BYTES] = {0};
    size_t left_used = 0, right_used = 0;
    uint16_t port;
    struct msghdr message = {.msg_iov = pieces};
    const int flags = send_flags();
    fill_source(slot->kind);
    say("sendmsg", slot, 0);
    message.msg_iovlen = some_pieces(pieces, source, sizeof source);
    for (size_t i = 0; i < message.msg_iovlen; i++) {
        fprintf(transcript, "  piece of %zu%s\n", pieces[i].iov_len, pieces[i].iov_base ? "" : " NULL");
    }
    fprintf(transcript, "  flags %x\n", (unsigned)flags);
    if (one_in(50)) {
        message.msg_iovlen = 1025 + draw(2) * 100000;
    }
    if (one_in(3)) {
        message.msg_name = &storage;
        message.msg_namelen = some_address(slot->kind, &storage, &port);
    }
    for (uint32_t more = draw(3); more > 0; more--) {
        some_control(left, right, &left_used, &right_used);
    }
    struct msghdr other = message;
    message.msg_control = left_used ? left : NULL;
    other.msg_control = right_used ? right : NULL;
    message.msg_controllen = other.msg_controllen = left_used && one_in(20) ? left_used - draw(20)
                                                                            : left_used;
    alike("sendmsg", KERNEL(sendmsg, slot->kernel, &message, flags),
          WORLD(sendmsg, slot->world, &other, flags));
}

/* New descriptors are kept, and alike whatever their numbers. */
static void take_rights(char *left, char *right, size_t bytes)
{
    for (size_t i = 0; i + sizeof(int) <= bytes; i += sizeof(int)) {
        int in_kernel, in_world;
        memcpy(&in_kernel, left + i, sizeof(int));
        memcpy(&in_world, right + i, sizeof(int));
        alike("close-on-exec", KERNEL(fcntl, in_kernel, 1 /* F_GETFD */, 0),
              WORLD(fcntl, in_world, 1, 0));
        KERNEL(close, in_kernel);
        WORLD(close, in_world);
        memset(left + i, 0, sizeof(int));
        memset(right + i, 0, sizeof(int));
    }
}

static void compare_control(char *left, char *right, size_t bytes)
{
    size_t at = 0;
    while (at + sizeof(struct cmsghdr) <= bytes) {
        struct cmsghdr header, other;
        memcpy(&header, left + at, sizeof header);
        memcpy(&other, right + at, sizeof other);
        alike("cmsg_len", (int64_t)header.cmsg_len, (int64_t)other.cmsg_len);
        alike("cmsg_level", header.cmsg_level, other.cmsg_level);
        alike("cmsg_type", header.cmsg_type, other.cmsg_type);
        if (differs || header.cmsg_len < sizeof header || at + header.cmsg_len > bytes) {
            return;
        }
        char *data = left + at + CMSG_LEN(0), *other_data = right + at + CMSG_LEN(0);
        const size_t length = header.cmsg_len - CMSG_LEN(0);
        const bool of_socket = header.cmsg_level == SOL_SOCKET;
        if (of_socket && header.cmsg_type == SCM_RIGHTS) {
            take_rights(data, other_data, length);
        } else if (of_socket) { /* credentials and times are each system's own */
            memset(data, 0, length);
            memset(other_data, 0, length);
        }
        alike_bytes("control", data, other_data, length);
        at += CMSG_ALIGN(header.cmsg_len);
    }
}

static void receive_message(void)
{
    static char left[BUFFER], right[BUFFER];
    static const size_t rooms[] = {0, 1, 15, 16, 17, 20, 24, 28, 32, 40, 100, CONTROL_BYTES};
    const struct slot *slot = pick(TCP4, SEQPACKET);
    struct sockaddr_storage left_name, right_name;
    struct iovec pieces[PIECES], others[PIECES];
    char left_control[CONTROL_BYTES] = {0}, right_control[CONTROL_BYTES] = {0};
    struct msghdr message = {.msg_iov = pieces}, other;
    const int flags = receive_flags();
    memset(left, 0, sizeof left);
    memset(right, 0, sizeof right);
    memset(&left_name, 0, sizeof left_name);
    memset(&right_name, 0, sizeof right_name);
    message.msg_iovlen = some_pieces(pieces, left, sizeof left);
    message.msg_name = one_in(2) ? &left_name : NULL;
    message.msg_namelen = one_in(5) ? (socklen_t)odd_number() : sizeof left_name;
    message.msg_controllen = CHOOSE(rooms);
    message.msg_control = message.msg_controllen ? left_control : NULL;
    message.msg_flags = odd_number();
    other = message;
    other.msg_iov = others;
    other.msg_name = message.msg_name ? &right_name : NULL;
    other.msg_control = message.msg_control ? right_control : NULL;
    say("recvmsg", slot, (long)message.msg_controllen);
    for (size_t i = 0; i < message.msg_iovlen; i++) {
        others[i] = pieces[i];
        others[i].iov_base = pieces[i].iov_base ? right + ((char *)pieces[i].iov_base - left) : NULL;
        fprintf(transcript, "  piece of %zu%s\n", pieces[i].iov_len, pieces[i].iov_base ? "" : " NULL");
    }
    fprintf(transcript, "  flags %x name %d\n", (unsigned)flags,
            message.msg_name ? (int)message.msg_namelen : -1);
    const ssize_t in_kernel = KERNEL(recvmsg, slot->kernel, &message, flags);
    if (alike("recvmsg", in_kernel, WORLD(recvmsg, slot->world, &other, flags)) && in_kernel >= 0) {
        alike("msg_flags", message.msg_flags, other.msg_flags);
        alike("msg_namelen", message.msg_namelen, other.msg_namelen);
        alike("msg_controllen", (int64_t)message.msg_controllen, (int64_t)other.msg_controllen);
        compare_addresses(&left_name, &right_name, sizeof left_name);
        if (!differs) {
            compare_control(left_control, right_control, message.msg_controllen);
        }
    }
    alike_bytes("data", left, right, sizeof left);
}

void beside_transfer(void)
{
    const uint32_t which = draw(20);
    if (which < 5) {
        send_some();
    } else if (which < 8) {
        send_to_name();
    } else if (which < 11) {
        send_message();
    } else if (which < 15) {
        receive_some();
    } else if (which < 17) {
        receive_from();
    } else {
        receive_message();
    }
}
