/* Mutants: real bugs, compiled in by -Dmutants=true and switched on by $DRYSOCK_MUTANT.
 * SPDX-License-Identifier: MIT
 *
 * DRY_MUTANT(name) is true in the one run that tests/mutants.txt makes of that name; in every other
 * build it is the constant 0. Included in front of every source by that build alone. */
#ifndef DRY_MUTANT_H
#define DRY_MUTANT_H

#include <stdlib.h>
#include <string.h>

static inline int dry_mutant_is(const char *name)
{
    const char *chosen = getenv("DRYSOCK_MUTANT");
    return chosen != NULL && strcmp(chosen, name) == 0;
}

#define DRY_MUTANT(name) dry_mutant_is(#name)

#endif
