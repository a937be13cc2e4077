/* What an actor's names mean, and the objects that it holds.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "verbs.h"

struct binding *actor_find_binding(struct actor *actor, const char *name)
{
    for (struct binding *binding = actor->bindings; binding != NULL; binding = binding->next) {
        if (strcmp(binding->name, name) == 0) {
            return binding;
        }
    }
    return NULL;
}

void actor_bind(struct actor *actor, const char *name, const struct value *value)
{
    struct binding *binding = actor_find_binding(actor, name);
    if (binding == NULL) {
        binding = arena_take(&actor->arena, sizeof *binding);
        binding->name = name;
        binding->next = actor->bindings;
        actor->bindings = binding;
    }
    binding->value = *value;
    if (value->kind != VALUE_OBJECT || value->object->name != NULL) {
        return;
    }
    value->object->name = name;
    if ((value->object->kind == OBJECT_SOCKET || value->object->kind == OBJECT_EPOLL) &&
        actor->ops->name_socket != NULL) {
        int descriptor = value->object->kind == OBJECT_SOCKET ? dry_fileno(value->object->socket)
                                                              : value->object->descriptor;

        if (descriptor >= 0) {
            actor->ops->name_socket(actor, descriptor, name);
        }
    }
}

int actor_bind_target(struct actor *actor, const struct expression *target, const struct value *value)
{
    if (target->kind == EXPRESSION_GROUP) {
        return actor_bind_target(actor, target->left, value);
    }
    if (target->kind == EXPRESSION_NAME) {
        actor_bind(actor, target->text, value);
    }
    if (target->kind != EXPRESSION_TUPLE) {
        return 0;
    }
    if (value->kind != VALUE_TUPLE && value->kind != VALUE_LIST) {
        return raise_error(actor, "TypeError", "cannot unpack a value that is no tuple or list");
    }
    if (value->count != target->count) {
        return raise_error(actor, "ValueError", "%zu values cannot be unpacked into %u names",
                           value->count, target->count);
    }
    for (uint32_t i = 0; i < target->count; i++) {
        if (actor_bind_target(actor, target->items[i], &value->items[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

struct object *actor_object(struct actor *actor, enum object_kind kind)
{
    struct object *object = arena_take(&actor->arena, sizeof *object);
    object->kind = kind;
    object->descriptor = -1;
    object->next = actor->objects;
    actor->objects = object;
    return object;
}

struct value value_object(struct object *object)
{
    return (struct value){.kind = VALUE_OBJECT, .object = object};
}
