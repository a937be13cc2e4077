/* Ropes: appending, sharing and dropping spans of reference-counted chunks.
 * SPDX-License-Identifier: MIT
 *
 * All copies go into the world's one open chunk until it is full, so a one-byte message costs a
 * byte of a page. A rope whose last span ends where the open chunk's bytes end grows in place. */
#include "bytes.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "block.h"

/* ---- chunks and spans --------------------------------------------------------------------- */

static void drop_chunk(struct sim_world *world, struct sim_chunk_id id)
{
    struct sim_chunk *chunk = sim_chunk_at(world, id);
    assert(chunk->references > 0);
    if (--chunk->references > 0) {
        return;
    }
    if (!DRY_MUTANT(freed_payload_stays)) {
        memset(chunk->data, 0, chunk->used_bytes);
    }
    chunk->used_bytes = 0;
    if (id.index != world->open_chunk.index) { /* the open one stays, empty again */
        sim_pool_release(world, SIM_POOL_CHUNK, id.index);
    }
}

/* The chunk with room for at least one byte, or NULL. */
static struct sim_chunk *open_chunk(struct sim_world *world)
{
    if (world->open_chunk.index != 0) {
        struct sim_chunk *chunk = sim_chunk_at(world, world->open_chunk);
        if (chunk->used_bytes < SIM_CHUNK_BYTES) {
            return chunk;
        }
        /* Full, hence referred to: used_bytes falls to zero with the last reference. */
    }
    const uint32_t index = sim_pool_take(world, SIM_POOL_CHUNK);
    if (index == 0) {
        return NULL;
    }
    world->open_chunk.index = index;
    return sim_chunk_at(world, world->open_chunk);
}

static void free_span(struct sim_world *world, struct sim_span_id id)
{
    struct sim_span *span = sim_span_at(world, id);
    drop_chunk(world, span->chunk);
    memset(&span->slot + 1, 0, sizeof *span - sizeof span->slot);
    sim_pool_release(world, SIM_POOL_SPAN, id.index);
}

static void link_last(struct sim_world *world, struct sim_bytes *rope, struct sim_span_id id)
{
    if (rope->last.index != 0) {
        sim_span_at(world, rope->last)->next = id;
    } else {
        rope->first = id;
    }
    rope->last = id;
}

/* Adds chunk[offset, offset + length) to the end, growing the last span when it is adjacent. */
static bool add(struct sim_world *world, struct sim_bytes *rope, struct sim_chunk_id chunk,
                uint32_t offset, uint32_t length)
{
    if (rope->last.index != 0) {
        struct sim_span *last = sim_span_at(world, rope->last);
        const bool adjacent = last->offset + last->length == offset;
        if (last->chunk.index == chunk.index &&
            (adjacent || DRY_MUTANT(a_rope_grows_over_anothers_bytes))) {
            last->length += length;
            rope->length += length;
            return true;
        }
    }
    const struct sim_span_id id = {sim_pool_take(world, SIM_POOL_SPAN)};
    if (id.index == 0) {
        return false;
    }
    struct sim_span *span = sim_span_at(world, id);
    span->chunk = chunk;
    span->offset = offset;
    span->length = length;
    sim_chunk_at(world, chunk)->references++;
    link_last(world, rope, id);
    rope->length += length;
    return true;
}

/* The span that holds byte `offset` (< rope->length), and the offset within it. */
static struct sim_span_id find(const struct sim_world *world, const struct sim_bytes *rope,
                               uint64_t offset, uint32_t *within)
{
    struct sim_span_id id = rope->first;
    const struct sim_span *span = sim_span_at(world, id);
    if (offset >= span->length) {
        const uint64_t last_start = rope->length - sim_span_at(world, rope->last)->length;
        if (offset >= last_start) {
            *within = (uint32_t)(offset - last_start);
            return rope->last;
        }
        do {
            offset -= span->length;
            id = span->next;
            span = sim_span_at(world, id);
        } while (offset >= span->length);
    }
    *within = (uint32_t)offset;
    return id;
}

/* ---- in ----------------------------------------------------------------------------------- */

/* As sim_bytes_append, but what was appended before the pool ran dry stays. */
static int append(struct sim_world *world, struct sim_bytes *rope, const char *data, size_t length)
{
    while (length > 0) {
        struct sim_chunk *chunk = open_chunk(world);
        if (!chunk) {
            return -ENOBUFS;
        }
        const uint32_t room = SIM_CHUNK_BYTES - chunk->used_bytes;
        const uint32_t piece = length < room ? (uint32_t)length : room;
        if (!add(world, rope, world->open_chunk, chunk->used_bytes, piece)) {
            return -ENOBUFS;
        }
        memcpy(chunk->data + chunk->used_bytes, data, piece);
        chunk->used_bytes += piece;
        data += piece;
        length -= piece;
    }
    return 0;
}

int sim_bytes_append(struct sim_world *world, struct sim_bytes *rope, const void *data, size_t length)
{
    const uint64_t before = rope->length;
    const int result = append(world, rope, data, length);
    if (result < 0) {
        sim_bytes_truncate(world, rope, before);
    }
    return result;
}

int sim_bytes_append_iov(struct sim_world *world, struct sim_bytes *rope, const struct iovec *iov,
                         size_t count, size_t skip, size_t length)
{
    const uint64_t before = rope->length;
    for (size_t i = 0; i < count && length > 0; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        const size_t rest = iov[i].iov_len - skip;
        const size_t piece = length < rest ? length : rest;
        const int result = sim_memory_is_bad(iov[i].iov_base)
                               ? -EFAULT
                               : append(world, rope, (const char *)iov[i].iov_base + skip, piece);
        if (result < 0) {
            sim_bytes_truncate(world, rope, before);
            return result;
        }
        skip = 0;
        length -= piece;
    }
    return 0;
}

int sim_bytes_share(struct sim_world *world, struct sim_bytes *rope, const struct sim_bytes *source,
                    uint64_t offset, uint64_t length)
{
    assert(rope != source && offset <= source->length && length <= source->length - offset);
    if (length == 0) {
        return 0;
    }
    const uint64_t before = rope->length;
    uint32_t within;
    struct sim_span_id id = find(world, source, offset, &within);
    for (;;) {
        const struct sim_span *span = sim_span_at(world, id);
        const uint32_t rest = span->length - within;
        const uint32_t piece = length < rest ? (uint32_t)length : rest;
        if (!add(world, rope, span->chunk, span->offset + within, piece)) {
            sim_bytes_truncate(world, rope, before);
            return -ENOBUFS;
        }
        length -= piece;
        if (length == 0) {
            return 0;
        }
        within = 0;
        id = span->next;
    }
}

void sim_bytes_move(struct sim_world *world, struct sim_bytes *rope, struct sim_bytes *source)
{
    assert(rope != source);
    if (source->length == 0) {
        return;
    }
    if (rope->length == 0) {
        *rope = *source;
        memset(source, 0, sizeof *source);
        return;
    }
    struct sim_span *last = sim_span_at(world, rope->last);
    struct sim_span *first = sim_span_at(world, source->first);
    rope->length += source->length;
    if (last->chunk.index == first->chunk.index && last->offset + last->length == first->offset) {
        last->length += first->length;
        const struct sim_span_id merged = source->first;
        source->first = first->next;
        free_span(world, merged);
    }
    if (source->first.index != 0) {
        last->next = source->first;
        rope->last = source->last;
    }
    memset(source, 0, sizeof *source);
}

/* ---- away --------------------------------------------------------------------------------- */

void sim_bytes_drop(struct sim_world *world, struct sim_bytes *rope, uint64_t length)
{
    assert(length <= rope->length);
    rope->length -= length;
    while (length > 0) {
        const struct sim_span_id id = rope->first;
        struct sim_span *span = sim_span_at(world, id);
        if (span->length > length) {
            span->offset += (uint32_t)length;
            span->length -= (uint32_t)length;
            return;
        }
        length -= span->length;
        rope->first = span->next;
        free_span(world, id);
    }
    if (rope->first.index == 0) {
        rope->last.index = 0;
    }
}

void sim_bytes_truncate(struct sim_world *world, struct sim_bytes *rope, uint64_t length)
{
    if (length >= rope->length) {
        return;
    }
    if (length == 0) {
        sim_bytes_drop(world, rope, rope->length);
        return;
    }
    uint32_t within;
    const struct sim_span_id id = find(world, rope, length - 1, &within);
    struct sim_span *span = sim_span_at(world, id);
    struct sim_span_id beyond = span->next;
    span->length = within + 1;
    span->next.index = 0;
    rope->last = id;
    rope->length = length;
    while (beyond.index != 0) {
        const struct sim_span_id next = sim_span_at(world, beyond)->next;
        free_span(world, beyond);
        beyond = next;
    }
}

void sim_bytes_clear(struct sim_world *world, struct sim_bytes *rope)
{
    sim_bytes_drop(world, rope, rope->length);
}

/* ---- out ---------------------------------------------------------------------------------- */

size_t sim_bytes_copy_out(const struct sim_world *world, const struct sim_bytes *rope, uint64_t offset,
                          void *buffer, size_t length)
{
    if (offset >= rope->length) {
        return 0;
    }
    if (length > rope->length - offset) {
        length = rope->length - offset;
    }
    uint32_t within;
    struct sim_span_id id = find(world, rope, offset, &within);
    for (size_t done = 0; done < length;) {
        const struct sim_span *span = sim_span_at(world, id);
        const size_t rest = span->length - within;
        const size_t piece = length - done < rest ? length - done : rest;
        const struct sim_chunk *chunk = sim_chunk_at(world, span->chunk);
        memcpy((char *)buffer + done, chunk->data + span->offset + within, piece);
        done += piece;
        within = 0;
        id = span->next;
    }
    return length;
}

size_t sim_bytes_copy_out_iov(const struct sim_world *world, const struct sim_bytes *rope,
                              uint64_t offset, const struct iovec *iov, size_t count, size_t skip,
                              size_t length)
{
    size_t done = 0;
    for (size_t i = 0; i < count && done < length; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        const size_t rest = iov[i].iov_len - skip;
        const size_t wanted = length - done < rest ? length - done : rest;
        if (sim_memory_is_bad(iov[i].iov_base)) {
            break;
        }
        const size_t copied = sim_bytes_copy_out(world, rope, offset + done,
                                                 (char *)iov[i].iov_base + skip, wanted);
        done += copied;
        if (copied < wanted) {
            break;
        }
        skip = 0;
    }
    return done;
}
