/* The library's start in a program: the world is entered, then every system call is the library's.
 * SPDX-License-Identifier: MIT
 *
 * What runs before is the dynamic linker, which opens and maps files only. */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "execute.h"
#include "preload.h"

_Thread_local struct preload_thread preload_self;
static bool running;

bool preload_running(void)
{
    return running;
}

__attribute__((constructor(101))) static void start(void)
{
    enum { RANDOM_BYTES = 16 };
    if (preload_world_start() < 0) {
        return; /* a program that runs outside */
    }
    preload_environment_start();
    preload_descriptors_start();
    preload_vdso_patch();
    void *random = (void *)getauxval(AT_RANDOM);
    if (random) {
        preload_world_random(random, RANDOM_BYTES);
    }
    preload_trap_install();
    preload_trap_arm();
    running = true;
    preload_leave();
}
