/* The one list of all verbs.
 * SPDX-License-Identifier: MIT */
#include "verbs.h"

const struct verb *const verb_tables[] = {
    verbs_socket, verbs_transfer, verbs_message, verbs_names,
    verbs_files,  verbs_poll,     verbs_values,  NULL,
};
