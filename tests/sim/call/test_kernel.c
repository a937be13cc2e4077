/* Random calls made on the kernel and on the world: both answer alike, call by call.
 * SPDX-License-Identifier: MIT
 *
 * Each seed is a run of calls in a process and a network namespace of its own, on non-blocking
 * descriptors; some calls wait in a thread while another call is made. What differs is made shorter
 * until no call can be left out. usage: test_sim_call_kernel [FIRST_SEED LAST_SEED [CALLS]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "beside.h"
#include "harness/kernel/netlink.h"
#include "tests/need.h"

enum {
    SEEDS = 120,
    CALLS = 60,
    MOST_CALLS = 2000,
    CHECKED_SEED = 16,
    FIRST_WORLD_DESCRIPTOR = 300,
    TEXT_BYTES = 1 << 20
};

/* A run: its seed, and which of its calls are made. */
struct program {
    uint64_t seed;
    int calls;
    unsigned char left_out[MOST_CALLS];
};

static struct program program;
static char text[TEXT_BYTES];

/* ---- a run ------------------------------------------------------------------------------------- */

static void make_call(void)
{
    const uint32_t which = draw(40);
    if (which < 14) {
        beside_socket();
    } else if (which < 24) {
        beside_transfer();
    } else if (which < 30) {
        beside_file();
    } else if (which < 34) {
        beside_ready();
    } else if (which < 39) {
        beside_option();
    } else {
        beside_wait();
    }
}

static void play(void *argument)
{
    world = dry_current_caller();
    for (int i = 0; i < program.calls && !differs; i++) {
        if (!program.left_out[i]) {
            draw_from(program.seed * MOST_CALLS + (uint64_t)i);
            make_call();
            usleep(SETTLE_US);
        }
    }
}

static void tell_options(void *argument)
{
    static const struct {
        enum kind kind;
        int family, type;
    } all[] = {{TCP4, AF_INET, SOCK_STREAM},        {TCP6, AF_INET6, SOCK_STREAM},
               {UDP4, AF_INET, SOCK_DGRAM},         {UDP6, AF_INET6, SOCK_DGRAM},
               {STREAM, AF_UNIX, SOCK_STREAM},      {DGRAM, AF_UNIX, SOCK_DGRAM},
               {SEQPACKET, AF_UNIX, SOCK_SEQPACKET}};
    world = dry_current_caller();
    brief = true;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const struct slot slot = {all[i].kind, KERNEL(socket, all[i].family, all[i].type, 0),
                                  WORLD(socket, all[i].family, all[i].type, 0), 0};
        beside_all_options(&slot);
    }
}

static bool write_map(const char *path, unsigned id)
{
    char line[32];
    const int length = snprintf(line, sizeof line, "0 %u 1", id);
    const int fd = open(path, O_WRONLY);
    const bool written = fd >= 0 && write(fd, line, (size_t)length) == length;
    close(fd);
    return written;
}

/* What a host of the world has: lo, and eth0 with its addresses and default routes. Nobody reads what
 * is sent by eth0. */
static bool make_interfaces(void)
{
    static const uint8_t v4[4] = {10, 0, 0, 1}, v6[16] = {0xfd, [15] = 1};
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    strcpy(request.ifr_name, "eth0");
    const int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    struct mnl_socket *netlink = kernel_netlink_open();
    if (tun < 0 || ioctl(tun, TUNSETIFF, &request) < 0 || !netlink) {
        return false;
    }
    const unsigned lo = if_nametoindex("lo"), eth0 = if_nametoindex("eth0");
    const bool made = kernel_netlink_up(netlink, lo, 0) == 0 &&
                      kernel_netlink_up(netlink, eth0, 0) == 0 &&
                      kernel_netlink_add_address(netlink, eth0, AF_INET, v4, 24) == 0 &&
                      kernel_netlink_add_address(netlink, eth0, AF_INET6, v6, 64) == 0 &&
                      kernel_netlink_wait_for_address(netlink, v6) == 0 &&
                      kernel_netlink_add_default(netlink, eth0, AF_INET) == 0 &&
                      kernel_netlink_add_default(netlink, eth0, AF_INET6) == 0;
    mnl_socket_close(netlink);
    return made;
}

static bool enter_namespaces(void)
{
    const unsigned uid = getuid(), gid = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return false;
    }
    const int deny = open("/proc/self/setgroups", O_WRONLY);
    if (deny >= 0 && write(deny, "deny", 4) != 4) {
        return false;
    }
    close(deny);
    if (!write_map("/proc/self/uid_map", uid) || !write_map("/proc/self/gid_map", gid)) {
        return false;
    }
    return make_interfaces();
}

/* In a child process: 0 alike, 1 different, SKIPPED; the transcript goes to `to`. */
static int run(void (*entry)(void *), int to)
{
    if (!enter_namespaces()) {
        return SKIPPED;
    }
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
        signal(deadly[i], SIG_DFL); /* not the runner's handlers, which would go on in this child */
    }
    signal(SIGPIPE, SIG_IGN);
    transcript = fdopen(to, "w");
    setvbuf(transcript, NULL, _IOLBF, 0);
    kernel = (struct dry_caller){kernel_provider(), NULL, 0, 0};
    const struct sim_options options = {.seed = program.seed,
                                        .check = program.seed % CHECKED_SEED == 0,
                                        .first_descriptor = FIRST_WORLD_DESCRIPTOR};
    struct sim *sim = sim_create(&options);
    const int process = sim_add_process(sim, sim_add_host(sim, "host", "10.0.0.1 fd00::1"), "p");
    sim_signal_action(sim, process, SIGPIPE, true, false);
    sim_signal_action(sim, process, SIGUSR1, true, false);
    sim_spawn(sim, process, "task", entry, NULL);
    const int result = sim_run(sim);
    if (result != SIM_IDLE) {
        fprintf(transcript, "the world's run ended with %d\n", result);
        differs = true;
    }
    fclose(transcript);
    return differs;
}

static bool lacks; /* there is no network namespace here */

/* The status of one run in a child of its own; its transcript is in `text`. */
static int run_apart(void (*entry)(void *))
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        alarm(20);
        _exit(run(entry, ends[1]));
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    static char rest[4096];
    do {
        const bool room = length + sizeof rest < sizeof text;
        got = read(ends[0], room ? text + length : rest, sizeof rest);
        length += got > 0 && room ? (size_t)got : 0;
    } while (got > 0);
    text[length] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    if (!WIFEXITED(status)) {
        snprintf(text + length, sizeof text - length, "ended by signal %d\n", WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

/* ---- the shortest run that differs --------------------------------------------------------------- */

/* Leaves calls out, many at first, then few, as long as the rest still ends as before. */
static void shorten(int ended)
{
    for (int step = program.calls / 2; step >= 1; step = step == 1 ? 0 : step / 2) {
        for (int first = 0; first < program.calls; first += step) {
            const struct program before = program;
            int gone = 0;
            for (int i = first; i < first + step && i < program.calls; i++) {
                gone += !program.left_out[i];
                program.left_out[i] = 1;
            }
            if (gone > 0 && run_apart(play) != ended) {
                program = before;
            }
        }
    }
    for (int i = 0; i < 3 && run_apart(play) != ended; i++) {
    }
}

static void run_seeds(uint64_t first, uint64_t last, int calls)
{
    for (uint64_t seed = first; seed <= last; seed++) {
        program = (struct program){.seed = seed, .calls = calls};
        const int ended = run_apart(play);
        if (ended == SKIPPED) {
            lacks = true;
            skip();
        }
        if (ended == 0 || run_apart(play) == 0) {
            continue; /* once, on a machine that was busy */
        }
        shorten(ended);
        fprintf(stderr, "seed %llu, made short:\n%s", (unsigned long long)seed, text);
        if (!getenv("BESIDE_GO_ON")) {
            assert_int_equal(ended, 0);
        }
    }
}

static uint64_t first_seed = 1, last_seed = SEEDS;
static int calls = CALLS;

static void random_calls__on_both_systems__have_the_same_answers(void **state)
{
    run_seeds(first_seed, last_seed, calls);
}

static void every_option__of_fresh_sockets__is_told_alike(void **state)
{
    const int ended = run_apart(tell_options);
    if (ended == SKIPPED) {
        skip();
    }
    if (ended != 0) {
        fputs(text, stderr);
    }
    assert_int_equal(ended, 0);
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls__on_both_systems__have_the_same_answers),
        cmocka_unit_test(every_option__of_fresh_sockets__is_told_alike),
    };
    if (count > 2) {
        first_seed = strtoull(words[1], NULL, 10);
        last_seed = strtoull(words[2], NULL, 10);
    }
    calls = count > 3 ? atoi(words[3]) : CALLS;
    calls = calls < MOST_CALLS ? calls : MOST_CALLS;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed == 0 && lacks ? test_lacks("namespaces") : failed;
}
