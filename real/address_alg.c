/* AF_ALG addresses: (type, name[, feat[, mask]]).
 * SPDX-License-Identifier: MIT */
#include <linux/if_alg.h>
#include <string.h>

#include "address.h"
#include "error.h"

static int alg_from_value(const struct address_source *source, struct dry_address *address)
{
    static const char form[] = "AF_ALG address must be a tuple (type, name[, feat[, mask]])";
    struct sockaddr_alg *alg = (struct sockaddr_alg *)(void *)&address->storage;
    uint64_t feat = 0;
    uint64_t mask = 0;
    size_t type_length = 0;
    size_t name_length = 0;
    char *type = (char *)alg->salg_type;
    char *name = (char *)alg->salg_name;
    if (argument_tuple(source, "AF_ALG") < 0 || argument_count(source, 2, 4, form) < 0 ||
        argument_text(source, 0, form, type, sizeof(alg->salg_type), &type_length) < 0 ||
        argument_text(source, 1, form, name, sizeof(alg->salg_name), &name_length) < 0 ||
        argument_bits(source, 2, &feat) < 0 || argument_bits(source, 3, &mask) < 0) {
        return -1;
    }
    if (type_length >= sizeof(alg->salg_type)) {
        return dry_error_value(source->caller, DRY_VALUE_ERROR, "AF_ALG type too long.");
    }
    if (name_length >= sizeof(alg->salg_name)) {
        return dry_error_value(source->caller, DRY_VALUE_ERROR, "AF_ALG name too long.");
    }
    alg->salg_family = AF_ALG;
    /* The documentation says 32 bits; CPython reads 16. */
    alg->salg_feat = (uint16_t)feat;
    alg->salg_mask = (uint16_t)mask;
    address->length = sizeof(*alg);
    return 0;
}

static int alg_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_alg *alg = (const void *)&address->storage;
    const char *type = (const char *)alg->salg_type;
    const char *name = (const char *)alg->salg_name;
    sink_text(sink, 0, type, strnlen(type, sizeof(alg->salg_type)));
    sink_text(sink, 1, name, strnlen(name, sizeof(alg->salg_name)));
    sink_int(sink, 2, alg->salg_feat);
    sink_int(sink, 3, alg->salg_mask);
    return sink_tuple(sink, 4);
}

const struct address_family dry_family_alg = {AF_ALG, alg_from_value, alg_to_value};
