/* Ropes: copied in, shared, moved, cut and copied out, beside plain arrays.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "../test.h"
#include "sim/core/bytes.h"
#include "sim/core/random.h"

enum { KIB = 1024 };

static void assert_holds(const struct sim_world *world, const struct sim_bytes *rope,
                         const char *expected)
{
    char text[256] = {0};
    const size_t length = strlen(expected);
    assert_int_equal(rope->length, length);
    assert_int_equal(sim_bytes_copy_out(world, rope, 0, text, sizeof text), length);
    assert_string_equal(text, expected);
}

/* Nothing is referred to, and no byte of any page that was used is left behind. */
static void assert_clean(const struct sim_world *world)
{
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, 0);
    assert_in_range(world->pools[SIM_POOL_CHUNK].live_count, 0, 1); /* the open one stays */
    static const uint8_t zero[SIM_CHUNK_BYTES];
    for (uint32_t i = 1; i <= world->pools[SIM_POOL_CHUNK].high_water; i++) {
        const struct sim_chunk *chunk = sim_chunk_at(world, (struct sim_chunk_id){i});
        assert_int_equal(chunk->references, 0);
        assert_int_equal(chunk->used_bytes, 0);
        assert_memory_equal(chunk->data, zero, sizeof zero);
    }
}

static void empty_rope__copied_out__gives_nothing(void **state)
{
    struct sim_world *world = *state;
    struct sim_bytes rope = {0};
    char byte = 'x';
    assert_int_equal(sim_bytes_append(world, &rope, "", 0), 0);
    assert_int_equal(sim_bytes_copy_out(world, &rope, 0, &byte, 1), 0);
    sim_bytes_clear(world, &rope);
    assert_int_equal(byte, 'x');
    assert_clean(world);
}

static void rope__appended_twice__grows_in_one_span(void **state)
{
    struct sim_world *world = *state;
    struct sim_bytes rope = {0};
    sim_bytes_append(world, &rope, "hello ", 6);
    sim_bytes_append(world, &rope, "world", 5);
    assert_holds(world, &rope, "hello world");
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, 1);
    sim_bytes_clear(world, &rope);
    assert_clean(world);
}

static void a_hundred_thousand_one_byte_messages__passed_on__use_two_pages(void **state)
{
    struct sim_world *world = *state;
    struct sim_bytes kept = {0};
    struct sim_bytes queue = {0};
    sim_bytes_append(world, &kept, "k", 1);
    for (uint32_t i = 0; i < 100000; i++) {
        struct sim_bytes segment = {0};
        const uint8_t byte = (uint8_t)i;
        uint8_t out = 0;
        assert_int_equal(sim_bytes_append(world, &queue, &byte, 1), 0);
        assert_int_equal(sim_bytes_share(world, &segment, &queue, 0, 1), 0);
        sim_bytes_drop(world, &queue, 1);
        assert_int_equal(sim_bytes_copy_out(world, &segment, 0, &out, 1), 1);
        assert_int_equal(out, byte);
        sim_bytes_clear(world, &segment);
    }
    assert_in_range(world->pools[SIM_POOL_CHUNK].high_water, 1, 2);
    sim_bytes_clear(world, &kept);
    assert_clean(world);
}

static void shared_part__source_grows_and_shrinks__stays_as_it_was(void **state)
{
    struct sim_world *world = *state;
    struct sim_bytes source = {0};
    struct sim_bytes part = {0};
    sim_bytes_append(world, &source, "abcdef", 6);
    assert_int_equal(sim_bytes_share(world, &part, &source, 2, 4), 0);
    sim_bytes_append(world, &source, "ghi", 3);
    assert_holds(world, &part, "cdef");
    sim_bytes_append(world, &part, "XY", 2); /* may not overwrite the source's "ghi" */
    assert_holds(world, &source, "abcdefghi");
    assert_holds(world, &part, "cdefXY");
    sim_bytes_clear(world, &source);
    assert_holds(world, &part, "cdefXY");
    sim_bytes_clear(world, &part);
    assert_clean(world);
}

static void truncated_rope__appended__does_not_touch_what_others_share(void **state)
{
    struct sim_world *world = *state;
    struct sim_bytes rope = {0};
    struct sim_bytes other = {0};
    sim_bytes_append(world, &rope, "abcdef", 6);
    sim_bytes_share(world, &other, &rope, 0, 6);
    sim_bytes_truncate(world, &rope, 3);
    sim_bytes_append(world, &rope, "XYZ", 3);
    assert_holds(world, &rope, "abcXYZ");
    assert_holds(world, &other, "abcdef");
    sim_bytes_truncate(world, &rope, 100); /* nothing beyond */
    assert_holds(world, &rope, "abcXYZ");
    sim_bytes_clear(world, &rope);
    sim_bytes_clear(world, &other);
    assert_clean(world);
}

static void stream_cut_into_segments__received_in_order__is_one_span_a_page_again(void **state)
{
    struct sim_world *world = *state;
    static char data[64 * KIB];
    memset(data, 's', sizeof data);
    struct sim_bytes send = {0};
    struct sim_bytes receive = {0};
    sim_bytes_append(world, &send, data, sizeof data);
    const uint32_t pages = world->pools[SIM_POOL_SPAN].live_count;
    for (uint64_t offset = 0; offset < sizeof data; offset += 512) {
        struct sim_bytes segment = {0};
        sim_bytes_share(world, &segment, &send, offset, 512);
        sim_bytes_move(world, &receive, &segment);
        assert_int_equal(segment.length, 0);
        assert_int_equal(segment.first.index, 0);
    }
    sim_bytes_clear(world, &send);
    assert_int_equal(receive.length, sizeof data);
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, pages);
    sim_bytes_clear(world, &receive);
    assert_clean(world);
}

static void vector__appended_and_copied_out_from_an_offset__crosses_its_pieces(void **state)
{
    struct sim_world *world = *state;
    struct sim_bytes rope = {0};
    struct iovec in[] = {{"abc", 3}, {NULL, 0}, {"defg", 4}, {"hi", 2}};
    assert_int_equal(sim_bytes_append_iov(world, &rope, in, 4, 2, 6), 0);
    assert_holds(world, &rope, "cdefgh");
    assert_int_equal(sim_bytes_append_iov(world, &rope, in, 4, 8, 100), 0);
    assert_holds(world, &rope, "cdefghi");
    char first[2] = "..";
    char second[6] = ".....";
    struct iovec out[] = {{first, 2}, {NULL, 0}, {second, 5}};
    assert_int_equal(sim_bytes_copy_out_iov(world, &rope, 1, out, 3, 1, 4), 4);
    assert_memory_equal(first, ".d", 2);
    assert_string_equal(second, "efg..");
    assert_int_equal(sim_bytes_copy_out_iov(world, &rope, 5, out, 3, 0, 100), 2);
    assert_memory_equal(first, "hi", 2);
    sim_bytes_clear(world, &rope);
    assert_clean(world);
}

static void full_pools__appended_or_shared__fail_and_leave_the_rope_as_it_was(void **state)
{
    const struct sim_capacities capacities = {.of = {[SIM_POOL_CHUNK] = 2, [SIM_POOL_SPAN] = 3}};
    struct sim_world *world = sim_block_create(&capacities, 1);
    static char data[3 * SIM_CHUNK_BYTES];
    struct sim_bytes rope = {0};
    assert_int_equal(sim_bytes_append(world, &rope, "abc", 3), 0);
    assert_int_equal(sim_bytes_append(world, &rope, data, sizeof data), -ENOBUFS);
    assert_holds(world, &rope, "abc");
    const struct iovec iov[] = {{data, 5000}, {data, 5000}};
    assert_int_equal(sim_bytes_append_iov(world, &rope, iov, 2, 0, 10000), -ENOBUFS);
    assert_holds(world, &rope, "abc");
    assert_int_equal(sim_bytes_append(world, &rope, data, SIM_CHUNK_BYTES), 0);
    struct sim_bytes share = {0};
    assert_int_equal(sim_bytes_share(world, &share, &rope, 0, rope.length), -ENOBUFS);
    assert_int_equal(share.length, 0);
    assert_int_equal(share.last.index, 0);
    sim_bytes_clear(world, &rope);
    assert_clean(world);
    sim_block_destroy(world);
}

/* ---- beside a model ----------------------------------------------------------------------- */

enum { ROPES = 4, MODEL_BYTES = 32 * KIB, MODEL_STEPS = 20000 };

static struct {
    uint8_t data[MODEL_BYTES];
    size_t length;
} model[ROPES];

static void compare(const struct sim_world *world, const struct sim_bytes ropes[ROPES], uint32_t i)
{
    static uint8_t out[MODEL_BYTES];
    assert_int_equal(ropes[i].length, model[i].length);
    assert_int_equal(sim_bytes_copy_out(world, &ropes[i], 0, out, sizeof out), model[i].length);
    assert_memory_equal(out, model[i].data, model[i].length);
}

static void model_append(uint32_t i, const uint8_t *data, size_t length)
{
    memcpy(model[i].data + model[i].length, data, length);
    model[i].length += length;
}

static void model_step(struct sim_world *world, struct sim_bytes ropes[ROPES],
                       struct sim_random *chance)
{
    const uint32_t what = (uint32_t)sim_random_below(chance, SIM_STREAM_LOSS, 6);
    const uint32_t i = (uint32_t)sim_random_below(chance, SIM_STREAM_PORT, ROPES);
    const uint64_t apart = 1 + sim_random_below(chance, SIM_STREAM_ISN, ROPES - 1);
    const uint32_t j = (uint32_t)(i + apart) % ROPES; /* another rope */
    const size_t room = MODEL_BYTES - model[i].length;
    const uint64_t most = sim_random_chance(chance, SIM_STREAM_DNS, 500000) ? 10 : 9000;
    const size_t n = sim_random_below(chance, SIM_STREAM_DELAY, most);
    if (what <= 1) { /* append */
        uint8_t data[9000];
        memset(data, (int)sim_random_draw(chance, SIM_STREAM_UNIX), sizeof data);
        const size_t length = n < room ? n : room;
        assert_int_equal(sim_bytes_append(world, &ropes[i], data, length), 0);
        model_append(i, data, length);
    } else if (what == 2 && model[j].length > 0) { /* share */
        const size_t offset = sim_random_below(chance, SIM_STREAM_UNIX, model[j].length);
        size_t length = n < model[j].length - offset ? n : model[j].length - offset;
        length = length < room ? length : room;
        assert_int_equal(sim_bytes_share(world, &ropes[i], &ropes[j], offset, length), 0);
        model_append(i, model[j].data + offset, length);
    } else if (what == 3 && model[j].length <= room) { /* move */
        sim_bytes_move(world, &ropes[i], &ropes[j]);
        model_append(i, model[j].data, model[j].length);
        model[j].length = 0;
    } else if (what == 4) { /* drop */
        const size_t length = n < model[i].length ? n : model[i].length;
        sim_bytes_drop(world, &ropes[i], length);
        model[i].length -= length;
        memmove(model[i].data, model[i].data + length, model[i].length);
    } else if (what == 5) { /* truncate */
        const size_t length = n < model[i].length ? model[i].length - n : 0;
        sim_bytes_truncate(world, &ropes[i], length);
        model[i].length = length;
    }
}

static void twenty_thousand_operations__beside_plain_arrays__agree_and_leave_nothing(void **state)
{
    struct sim_world *world = *state;
    struct sim_bytes ropes[ROPES] = {{{0}}};
    struct sim_random chance;
    sim_random_seed(&chance, 11);
    for (uint32_t step = 0; step < MODEL_STEPS; step++) {
        model_step(world, ropes, &chance);
        compare(world, ropes, step % ROPES);
    }
    for (uint32_t i = 0; i < ROPES; i++) {
        compare(world, ropes, i);
        sim_bytes_clear(world, &ropes[i]);
    }
    assert_clean(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(empty_rope__copied_out__gives_nothing),
        WORLD_TEST(rope__appended_twice__grows_in_one_span),
        WORLD_TEST(a_hundred_thousand_one_byte_messages__passed_on__use_two_pages),
        WORLD_TEST(shared_part__source_grows_and_shrinks__stays_as_it_was),
        WORLD_TEST(truncated_rope__appended__does_not_touch_what_others_share),
        WORLD_TEST(stream_cut_into_segments__received_in_order__is_one_span_a_page_again),
        WORLD_TEST(vector__appended_and_copied_out_from_an_offset__crosses_its_pieces),
        cmocka_unit_test(full_pools__appended_or_shared__fail_and_leave_the_rope_as_it_was),
        WORLD_TEST(twenty_thousand_operations__beside_plain_arrays__agree_and_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
