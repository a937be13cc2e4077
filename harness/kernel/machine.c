/* What the whole machine decides and no scenario can change, where the world has another value.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "run.h"
#include "sim/core/state.h"

static const struct {
    const char *name;
    long long value;
} defaults[] = {
#define SIM_SETTING(id, name, value) {name, value},
#include "sim/core/settings.h"
#undef SIM_SETTING
};

/* LINUX: a network namespace sees these but may not write them. */
static const char *const fixed[] = {"net.core.rmem_default", "net.core.rmem_max",
                                    "net.core.wmem_default", "net.core.wmem_max"};

static bool is_fixed(const char *name)
{
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(fixed[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_here(const char *name, long long *value)
{
    char path[128];
    FILE *file;
    bool got;
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    for (char *dot = path + strlen("/proc/sys/"); *dot != '\0'; dot++) {
        if (*dot == '.') {
            *dot = '/';
        }
    }
    file = fopen(path, "re");
    got = file != NULL && fscanf(file, "%lld", value) == 1;
    if (file != NULL) {
        fclose(file);
    }
    return got;
}

void kernel_run_machine(struct text *text)
{
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        long long here;
        if (is_fixed(defaults[i].name) && read_here(defaults[i].name, &here) &&
            here != defaults[i].value) {
            text_add(text, "%s is %lld on this machine and %lld in the world\n", defaults[i].name, here,
                     defaults[i].value);
        }
    }
}
