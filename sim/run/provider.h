/* The world as a system: what it answers to each call of the seam.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_PROVIDER_H
#define SIM_PROVIDER_H

#include <drysock/system_calls.h>

#include "run.h"

/* Why this caller can make no call: -ENOTSUP, it has no world (a second thread); -ESRCH, there is no
 * such task, or it has ended. 0: it can. For the calls that open no frame. */
int sim_provider_refuses(struct dry_caller caller);
/* Is this number one of the real system's? Those below the process's first are. */
bool sim_provider_is_real(struct dry_caller caller, int fd);

/* The world's answer to each of the seam's calls, sim_seam_NAME: system.h says what it does.
 * provider.c, provider_names.c and provider_file.c define them. */
#define DECLARE(type, name, parameters, ...) type sim_seam_##name parameters;
DRY_SYSTEM_CALLS(DECLARE)
#undef DECLARE

#endif
