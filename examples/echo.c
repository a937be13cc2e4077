/* An echo server and its client in one program: relinked, it runs on the kernel or in the world.
 * SPDX-License-Identifier: MIT
 *
 * It includes socket.h alone and knows nothing of the system beneath. Linked with libdrysock it uses
 * this machine's sockets; the same object file linked with libdrysock-sim uses simulated ones. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <drysock/socket.h>

static void must(bool good, const char *what)
{
    if (good) {
        return;
    }
    fprintf(stderr, "%s: %s\n", what, dry_last_error()->message);
    exit(1);
}

static void serve(void *argument)
{
    struct dry_socket *listener = argument;
    struct dry_address peer;
    struct dry_socket *connection = dry_accept(listener, &peer);
    must(connection != NULL, "accept");
    char buffer[1024];
    ssize_t length;
    while ((length = dry_recv(connection, buffer, sizeof buffer, 0)) > 0) {
        must(dry_sendall(connection, buffer, (size_t)length, 0, NULL) == 0, "sendall");
    }
    must(length == 0, "recv");
    must(dry_close(connection) == 0, "close");
}

int main(void)
{
    struct dry_address address;
    struct dry_socket *listener = dry_socket(AF_INET, SOCK_STREAM, 0);
    must(listener != NULL, "socket");
    must(dry_address_inet(&address, AF_INET, "127.0.0.1", 0) == 0, "address");
    must(dry_bind(listener, &address) == 0, "bind");
    must(dry_listen(listener, 1) == 0, "listen");
    must(dry_getsockname(listener, &address) == 0, "getsockname");
    struct dry_task *server = dry_spawn(serve, listener);
    must(server != NULL, "spawn");

    struct dry_socket *client = dry_socket(AF_INET, SOCK_STREAM, 0);
    must(client != NULL, "socket");
    must(dry_settimeout(client, 200000000) == 0, "settimeout");
    must(dry_connect(client, &address) == 0, "connect");
    must(dry_sendall(client, "Hello, world", 12, 0, NULL) == 0, "sendall");
    char buffer[64];
    ssize_t length = dry_recv(client, buffer, sizeof buffer, 0);
    must(length > 0, "recv");
    printf("Received %.*s\n", (int)length, buffer);

    uint64_t start = dry_now();
    length = dry_recv(client, buffer, sizeof buffer, 0);
    bool timed_out = length < 0 && dry_last_error()->kind == DRY_ERROR_TIMEOUT;
    printf("Nothing more to come: %s after at least 0.2 s: %s\n", dry_last_error()->message,
           timed_out && dry_now() - start >= 200000000 ? "yes" : "no");
    must(dry_shutdown(client, SHUT_WR) == 0, "shutdown");
    printf("After the server closed: %zd bytes\n", dry_recv(client, buffer, sizeof buffer, 0));
    must(dry_join(server) == 0, "join");
    must(dry_close(client) == 0, "close");
    must(dry_close(listener) == 0, "close");
    return 0;
}
