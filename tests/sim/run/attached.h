/* Programs in a run, as preload/ makes them of real ones: what tests of them begin with.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ATTACHED_H
#define TESTS_ATTACHED_H

#include "sim/core/block.h"
#include "sim/run/attach.h"
#include "sim/run/run.h"

#include "small_world.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { PORT = 5000, LOG_BYTES = 4096 };

static const char *program_path;
static char *record; /* shared by all processes of a test: what happened, in order */

static inline void say(const char *what)
{
    assert(strlen(record) + strlen(what) + 1 < LOG_BYTES);
    strcat(record, what);
    strcat(record, " ");
}

/* ---- a program's side --------------------------------------------------------------------------- */

static struct sim *here; /* this process's handle */

struct thread {
    int task;
    uint32_t tid; /* what the kernel would clear */
    void (*body)(struct dry_caller caller, int number);
    int number;
};

static inline void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "a program: %s\n", what);
        _exit(99);
    }
}
#define REQUIRE(what) require((what), #what)

static inline void *run_thread(void *argument)
{
    struct thread *thread = argument;
    sim_thread_enter(here, thread->task, getpid());
    thread->body(sim_thread_caller(here, thread->task), thread->number);
    sim_thread_leave(here, thread->task, &thread->tid);
    syscall(SYS_exit, 0);
    return NULL;
}

static inline void start_thread(struct thread *thread, int process_number, const char *name, int number,
                                void (*body)(struct dry_caller caller, int number))
{
    pthread_t real;
    *thread = (struct thread){sim_thread_add(here, process_number, name, false), 1, body, number};
    REQUIRE(thread->task > 0);
    REQUIRE(pthread_create(&real, NULL, run_thread, thread) == 0);
}

/* As pthread_join: waits for the word that the kernel clears. */
static inline void join_thread(struct dry_caller caller, struct thread *thread)
{
    while (thread->tid) {
        sim_program_futex(caller, &thread->tid, FUTEX_WAIT, 1, NULL, NULL, 0, 0, NULL, NULL);
    }
}

static inline int connect_to_server(struct dry_caller caller)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, "10.0.0.2", &to.sin_addr);
    const int fd = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    REQUIRE(fd >= 0);
    REQUIRE(SYSTEM(connect, fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

static inline void be_program(int file, int process_number, int task,
                              void (*body)(struct dry_caller caller, int base), int base)
{
    here = sim_attach(file);
    REQUIRE(here != NULL);
    sim_thread_enter(here, task, getpid());
    body(sim_thread_caller(here, task), base);
    sim_process_leave(here, process_number, 7);
    _exit(7);
}

/* ---- the coordinator's -------------------------------------------------------------------------- */

static inline void serve_one(void *argument)
{
    const struct dry_caller caller = dry_current_caller();
    const int fd = (int)(intptr_t)argument;
    char bytes[64];
    ssize_t count;
    while ((count = SYSTEM(recvfrom, fd, bytes, sizeof bytes, 0, NULL, NULL)) > 0) {
        EXPECT(SYSTEM(sendto, fd, bytes, (size_t)count, 0, NULL, 0) == count);
    }
    SYSTEM(close, fd);
    say(count == 0 ? "fin" : "reset");
}

static inline void serve(void *argument)
{
    const struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    const int listener = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(bind, listener, (const struct sockaddr *)&at, sizeof at) == 0);
    EXPECT(SYSTEM(listen, listener, 10) == 0);
    for (;;) {
        uint32_t task;
        const int fd = SYSTEM(accept, listener, NULL, NULL, 0);
        EXPECT(fd >= 0);
        EXPECT(SYSTEM(spawn, serve_one, (void *)(intptr_t)fd, &task) == 0);
    }
}

static inline void make_shared(uint64_t schedule)
{
    const struct sim_options options = {.seed = 7, .check = 1, .shared = 1};
    sim = sim_create(&options);
    assert_non_null(sim);
    assert_true(sim_block_fd(sim) >= 0);
    if (schedule) {
        sim_schedule_seed(sim, schedule);
    }
    build();
    const int server = sim_add_process(sim, beta, "server");
    assert_true(sim_spawn_daemon(sim, server, "server", serve, NULL) > 0);
}

static inline int begin_shared(void **state)
{
    record = mmap(NULL, LOG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make_shared(0);
    return 0;
}

static inline int end_shared(void **state)
{
    munmap(record, LOG_BYTES);
    return end(state);
}

struct started {
    int process, task;
    pid_t pid;
};

static inline struct started start_forked(void (*body)(struct dry_caller caller, int base), int base)
{
    struct started started = {.process = sim_program_add(sim, alpha, "forked")};
    started.task = sim_thread_add(sim, started.process, "main", false);
    assert_true(started.process > 0 && started.task > 0);
    fflush(NULL);
    started.pid = fork();
    if (started.pid == 0) {
        be_program(sim_block_fd(sim), started.process, started.task, body, base);
    }
    sim_process_is(sim, started.process, started.pid);
    return started;
}

static inline struct started start_executed(int base)
{
    struct started started = {.process = sim_program_add(sim, alpha, "executed")};
    started.task = sim_thread_add(sim, started.process, "main", false);
    started.pid = fork();
    if (started.pid == 0) {
        char words[4][24];
        const int numbers[] = {sim_block_fd(sim), started.process, started.task, base};
        for (int i = 0; i < 4; i++) {
            snprintf(words[i], sizeof words[i], "%d", numbers[i]);
        }
        fcntl(sim_block_fd(sim), F_SETFD, 0);
        execl(program_path, program_path, "--attached", words[0], words[1], words[2], words[3], NULL);
        _exit(97);
    }
    sim_process_is(sim, started.process, started.pid);
    return started;
}

#define SHARED(name) cmocka_unit_test_setup_teardown(name, begin_shared, end_shared)

#endif
