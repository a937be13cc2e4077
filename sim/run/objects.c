/* The one table that names every kind of object a descriptor may mean.
 * SPDX-License-Identifier: MIT */
#include "file/counter.h"
#include "file/epoll.h"
#include "file/file.h"
#include "file/pipe.h"
#include "file/real.h"
#include "file/signalfd.h"
#include "file/timer.h"
#include "socket/sockets.h"

const struct sim_file_verbs *const sim_file_kinds[SIM_FILE_KIND_COUNT] = {
    [SIM_FILE_SOCKET] = &sim_socket_verbs,
    [SIM_FILE_PIPE_READ] = &sim_pipe_read_verbs,
    [SIM_FILE_PIPE_WRITE] = &sim_pipe_write_verbs,
    [SIM_FILE_EPOLL] = &sim_epoll_verbs,
    [SIM_FILE_COUNTER] = &sim_counter_verbs,
    [SIM_FILE_TIMER] = &sim_timer_verbs,
    [SIM_FILE_REAL] = &sim_real_verbs,
    [SIM_FILE_SIGNALFD] = &sim_signalfd_verbs,
};
