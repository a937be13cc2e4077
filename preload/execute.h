/* What a program executes, between the start and the call.
 * SPDX-License-Identifier: MIT */
#ifndef PRELOAD_EXECUTE_H
#define PRELOAD_EXECUTE_H

/* At the start: the environment is made as the program would have it without the library. */
void preload_environment_start(void);

#endif
