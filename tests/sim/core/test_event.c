/* The queue: order, cancelling, moving, stale targets, shuffled tasks, beside a slow model.
 * SPDX-License-Identifier: MIT */
#include "../test.h"
#include "sim/core/event.h"
#include "sim/core/random.h"

static struct sim_event_id push(struct sim_world *world, uint64_t at, uint32_t target)
{
    return sim_event_push(world, at, SIM_EVENT_SCRIPT, target, 0, 0);
}

static uint32_t take(struct sim_world *world)
{
    struct sim_event event;
    assert_true(sim_event_take(world, &event).index != 0);
    return event.target;
}

static void empty_queue__asked__has_no_next(void **state)
{
    struct sim_world *world = *state;
    struct sim_event event;
    assert_int_equal(sim_event_take(world, &event).index, 0);
    assert_true(sim_event_next_at(world) == SIM_NEVER);
}

static void events_at_one_instant__taken__come_in_the_order_of_pushing(void **state)
{
    struct sim_world *world = *state;
    for (uint32_t i = 0; i < 20; i++) {
        push(world, 500, i);
    }
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(take(world), i);
        assert_int_equal(world->now, 500);
    }
}

static void event_queued_for_this_instant_before__pushed_for_now__comes_after_it(void **state)
{
    struct sim_world *world = *state;
    push(world, 100, 1);
    push(world, 100, 2);
    assert_int_equal(take(world), 1); /* now is 100, and 2 is in the heap */
    push(world, 100, 3);
    push(world, 50, 4); /* the past counts as now */
    push(world, 101, 5);
    assert_int_equal(take(world), 2);
    assert_int_equal(take(world), 3);
    assert_int_equal(take(world), 4);
    assert_int_equal(world->now, 100);
    assert_int_equal(take(world), 5);
}

static void event_due_now__clock_moved_by_hand__still_comes_first_and_time_stays(void **state)
{
    struct sim_world *world = *state;
    push(world, 0, 1);
    push(world, 90, 2);
    world->now = 100;
    push(world, 0, 3);
    assert_int_equal(take(world), 1);
    assert_int_equal(take(world), 2);
    assert_int_equal(take(world), 3);
    assert_int_equal(world->now, 100);
}

static void queued_event__cancelled__never_comes_and_its_id_is_zero(void **state)
{
    struct sim_world *world = *state;
    struct sim_event_id later = push(world, 10, 1);
    struct sim_event_id now = push(world, 0, 2);
    push(world, 0, 3);
    sim_event_cancel(world, &later);
    sim_event_cancel(world, &now);
    assert_int_equal(later.index, 0);
    sim_event_cancel(world, &now); /* nothing left to forget */
    assert_int_equal(take(world), 3);
    assert_true(sim_event_next_at(world) == SIM_NEVER);
    assert_int_equal(world->pools[SIM_POOL_EVENT].live_count, 0);
}

static void target_freed__its_slot_taken_again__event_is_not_current(void **state)
{
    struct sim_world *world = *state;
    const uint32_t tcp = sim_pool_take(world, SIM_POOL_TCP);
    sim_event_push(world, 5, SIM_EVENT_TCP_TIMER, tcp, 0, 0);
    sim_pool_give(world, SIM_POOL_TCP, tcp);
    assert_int_equal(sim_pool_take(world, SIM_POOL_TCP), tcp);
    sim_event_push(world, 6, SIM_EVENT_TCP_TIMER, tcp, 0, 0);
    struct sim_event event;
    sim_event_take(world, &event);
    assert_false(sim_event_is_current(world, &event));
    sim_event_take(world, &event);
    assert_true(sim_event_is_current(world, &event));
}

static void full_queue__pushed__gives_none(void **state)
{
    struct sim_world *world = sim_block_create(NULL, 1);
    world->pools[SIM_POOL_EVENT].capacity = 2;
    push(world, 1, 1);
    push(world, 0, 2);
    assert_int_equal(push(world, 3, 3).index, 0);
    assert_int_equal(take(world), 2);
    assert_true(push(world, 3, 3).index != 0);
    sim_block_destroy(world);
}

static void queue_asked_for_is_small__laid_out__the_worlds_own_events_fit(void **state)
{
    const struct sim_capacities capacities = {.of = {[SIM_POOL_EVENT] = 1,
                                                     [SIM_POOL_TASK] = 3,
                                                     [SIM_POOL_PACKET] = 5,
                                                     [SIM_POOL_SOCKET] = 7,
                                                     [SIM_POOL_TCP] = 11,
                                                     [SIM_POOL_TIMER] = 13}};
    struct sim_world *world = sim_block_create(&capacities, 1);
    const uint32_t own = 3 * 3 + 5 + 7 + 3 * 11 + 13;
    assert_int_equal(world->pools[SIM_POOL_EVENT].capacity, own + 16);
    for (uint32_t i = 0; i < 16; i++) {
        assert_int_not_equal(sim_event_push_spare(world, i, SIM_EVENT_SCRIPT, 1, 0, 0).index, 0);
    }
    assert_int_equal(sim_event_push_spare(world, 1, SIM_EVENT_LINK_CHANGE, 1, 0, 0).index, 0);
    assert_int_equal(sim_event_push_spare(world, 1, SIM_EVENT_SCRIPT, 1, 0, 0).index, 0);
    struct sim_event_id last = {0};
    for (uint32_t i = 0; i < own; i++) {
        last = push(world, i, i);
        assert_int_not_equal(last.index, 0);
    }
    sim_event_cancel(world, &last); /* which was nobody's spare one */
    assert_int_equal(sim_event_push_spare(world, 1, SIM_EVENT_SCRIPT, 1, 0, 0).index, 0);
    sim_block_reset(world, 2); /* all are given back */
    for (uint32_t i = 0; i < 16; i++) {
        assert_int_not_equal(sim_event_push_spare(world, i, SIM_EVENT_SCRIPT, 1, 0, 0).index, 0);
    }
    assert_int_equal(sim_event_push_spare(world, 1, SIM_EVENT_SCRIPT, 1, 0, 0).index, 0);
    struct sim_event event;
    sim_event_take(world, &event);
    assert_int_not_equal(sim_event_push_spare(world, 1, SIM_EVENT_SCRIPT, 1, 0, 0).index, 0);
    sim_block_destroy(world);
}

/* Takes everything; the order of the tasks, in *order, and 0 for the one event that is none. */
static void run_shuffled(uint64_t seed, bool shuffle, uint32_t order[9])
{
    struct sim_world *world = sim_block_create(NULL, seed);
    world->shuffle = shuffle;
    for (uint32_t i = 0; i < 8; i++) {
        sim_event_push(world, 0, SIM_EVENT_TASK_RUNS, sim_pool_take(world, SIM_POOL_TASK), 0, 0);
    }
    sim_event_push(world, 0, SIM_EVENT_SCRIPT, 0, 0, 0);
    for (uint32_t i = 0; i < 9; i++) {
        order[i] = take(world);
    }
    sim_block_destroy(world);
}

static void shuffled_world__tasks_ready_at_once__each_runs_once_in_the_seeds_order(void **state)
{
    uint32_t plain[9];
    uint32_t first[9];
    uint32_t again[9];
    uint32_t second[9];
    run_shuffled(1, false, plain);
    run_shuffled(1, true, first);
    run_shuffled(1, true, again);
    run_shuffled(2, true, second);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(plain[i], i + 1);
    }
    assert_int_equal(plain[8], 0);
    assert_int_equal(first[0], 0); /* the instant's other events come first */
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first + 1, plain, 8 * sizeof plain[0]);
    uint32_t seen = 0;
    for (uint32_t i = 1; i < 9; i++) {
        seen |= UINT32_C(1) << first[i];
    }
    assert_int_equal(seen, 0x1fe);
}

/* ---- beside a model ----------------------------------------------------------------------- */

enum { MODEL_EVENTS = 400, MODEL_STEPS = 40000 };

struct model {
    uint64_t at[MODEL_EVENTS];
    uint64_t order[MODEL_EVENTS];
    struct sim_event_id id[MODEL_EVENTS]; /* index 0: not queued */
    uint64_t pushes;
};

static uint32_t model_first(const struct model *model)
{
    uint32_t first = MODEL_EVENTS;
    for (uint32_t i = 0; i < MODEL_EVENTS; i++) {
        if (model->id[i].index != 0 &&
            (first == MODEL_EVENTS || model->at[i] < model->at[first] ||
             (model->at[i] == model->at[first] && model->order[i] < model->order[first]))) {
            first = i;
        }
    }
    return first;
}

static void check_heap_positions(const struct sim_world *world)
{
    const struct sim_heap_entry *heap = sim_event_heap(world);
    for (uint32_t i = 0; i < world->heap_count; i++) {
        assert_int_equal(sim_event_at(world, heap[i].event)->heap_position, i + 1);
    }
}

static void set(struct model *model, struct sim_world *world, uint32_t i, uint64_t at)
{
    if (model->id[i].index != 0) {
        sim_event_move(world, model->id[i], at);
    } else {
        model->id[i] = push(world, at, i);
    }
    model->at[i] = at > world->now ? at : world->now;
    model->order[i] = model->pushes++;
}

static void forty_thousand_pushes_moves_cancels_takes__beside_a_model__agree(void **state)
{
    struct sim_world *world = *state;
    static struct model model;
    struct sim_random chance;
    sim_random_seed(&chance, 7);
    for (uint32_t step = 0; step < MODEL_STEPS; step++) {
        const uint32_t what = (uint32_t)sim_random_below(&chance, SIM_STREAM_LOSS, 100);
        const uint32_t i = (uint32_t)sim_random_below(&chance, SIM_STREAM_PORT, MODEL_EVENTS);
        const uint64_t later = sim_random_below(&chance, SIM_STREAM_DELAY, 40);
        if (what < 55) {
            set(&model, world, i, world->now + (later < 10 ? 0 : later));
        } else if (what < 65) {
            sim_event_cancel(world, &model.id[i]);
        } else {
            const uint32_t first = model_first(&model);
            struct sim_event event;
            const struct sim_event_id id = sim_event_take(world, &event);
            if (first == MODEL_EVENTS) {
                assert_int_equal(id.index, 0);
                continue;
            }
            assert_int_equal(event.target, first);
            assert_int_equal(id.index, model.id[first].index);
            assert_true(event.at == model.at[first] && world->now == event.at);
            model.id[first].index = 0;
        }
        if (step % 64 == 0) {
            check_heap_positions(world);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(empty_queue__asked__has_no_next),
        WORLD_TEST(events_at_one_instant__taken__come_in_the_order_of_pushing),
        WORLD_TEST(event_queued_for_this_instant_before__pushed_for_now__comes_after_it),
        WORLD_TEST(event_due_now__clock_moved_by_hand__still_comes_first_and_time_stays),
        WORLD_TEST(queued_event__cancelled__never_comes_and_its_id_is_zero),
        WORLD_TEST(target_freed__its_slot_taken_again__event_is_not_current),
        cmocka_unit_test(full_queue__pushed__gives_none),
        cmocka_unit_test(queue_asked_for_is_small__laid_out__the_worlds_own_events_fit),
        cmocka_unit_test(shuffled_world__tasks_ready_at_once__each_runs_once_in_the_seeds_order),
        WORLD_TEST(forty_thousand_pushes_moves_cancels_takes__beside_a_model__agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
