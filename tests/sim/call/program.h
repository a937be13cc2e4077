/* For tests of programs' calls: the processes and tasks of tasks.h, as a program's.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_SIM_CALL_PROGRAM_H
#define TESTS_SIM_CALL_PROGRAM_H

#include "../tasks.h"

#include <errno.h>
#include <signal.h>

#include "sim/call/program.h"

static inline int begin_program(void **state)
{
    begin(state);
    sim_process_become_program(world, process);
    return 0;
}

#define PROGRAM(name) cmocka_unit_test_setup_teardown(name, begin_program, end)

#endif
