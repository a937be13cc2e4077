/* What scripts say to sysctl, ip and tc: applied where the world knows it, told where it does not.
 * SPDX-License-Identifier: MIT
 *
 * The stand-ins in bin/ append one line for each command to the file that $DRYSOCK_COMMANDS names:
 * "sysctl NAME=VALUE" or any other command as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plugin.h"

static long done; /* bytes of the file that were applied */

static void set(const char *name, const char *value)
{
    int host;
    struct sim *sim = plugin_world(&host);
    const int result = sim_set_text(sim, host, name, value);
    if (result < 0) {
        fprintf(stderr, "drysock-packetdrill: the world does not know %s = %s\n", name, value);
    }
}

static void apply(char *line)
{
    static const char sysctl[] = "sysctl ";
    char *value = strchr(line, '=');
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, sysctl, sizeof sysctl - 1) != 0 || !value) {
        if (*line) {
            fprintf(stderr, "drysock-packetdrill: the world does not know: %s\n", line);
        }
        return;
    }
    *value = 0;
    set(line + sizeof sysctl - 1, value + 1);
}

void plugin_commands(void)
{
    const char *path = getenv("DRYSOCK_COMMANDS");
    struct stat status;
    if (!path || stat(path, &status) != 0 || status.st_size <= done) {
        return;
    }
    FILE *file = fopen(path, "re");
    char line[1024];
    if (!file || fseek(file, done, SEEK_SET) != 0) {
        return;
    }
    while (fgets(line, sizeof line, file)) {
        apply(line);
    }
    done = ftell(file);
    fclose(file);
}
