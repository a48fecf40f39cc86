/* SPDX-License-Identifier: MIT */
#include "turn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Kept until the turn is over: printing takes time. */
struct snapshot {
    uint64_t at_ns; /* since the turn began */
    uint64_t phase; /* since the turn began, not modulo their number */
    uint64_t nr_regions;
    struct score score;
};
enum { MAX_SNAPSHOTS = 2000 };

static struct snapshot snapshots[MAX_SNAPSHOTS];
static struct monitor_region regions[MONITOR_MAX_REGIONS];

/* A window is compared with what was true in its middle. */
static void score_window(const struct program* program, const struct turn* turn, size_t nr_regions,
                         struct snapshot* out) {
    const uint64_t now = program_now_ns();
    const uint64_t half = turn->attrs.aggr_us * 1000 / 2;
    struct score_ranges hot;
    out->at_ns = now - program->begin_ns;
    out->phase = out->at_ns < half ? 0 : (out->at_ns - half) / program->phase_ns;
    out->nr_regions = nr_regions;
    program_truth(program, program_phase_at(program, now - half), &hot);
    const uint64_t nr_checks = turn->attrs.aggr_us / turn->attrs.sample_us;
    out->score = score_regions(regions, nr_regions, (nr_checks + 1) / 2, &program->memory, &hot);
}

static void print_snapshot(const struct turn* turn, const struct snapshot* s) {
    printf("{\"kind\": \"snapshot\", \"pattern\": \"%s\", \"monitor\": \"%s\", \"repeat\": %u, \"at_ms\": %" PRIu64
           ", \"phase\": %" PRIu64 ", \"regions\": %" PRIu64 ", \"hot\": %" PRIu64 ", \"found\": %" PRIu64
           ", \"both\": %" PRIu64 ", \"touched\": %" PRIu64 "}\n",
           turn->pattern, turn->monitor->name, turn->repeat, s->at_ns / 1000000, s->phase, s->nr_regions,
           s->score.hot_bytes, s->score.found_bytes, s->score.both_bytes, s->score.touched_bytes);
}

static int complain(const struct turn* turn, const char* what, int error) {
    char why[200] = "";
    turn->monitor->describe(why, sizeof why);
    fprintf(stderr, "%s, %s: %s: %s (%s)\n", turn->pattern, turn->monitor->name, what, strerror(-error), why);
    return error;
}

/* How many snapshots were taken, or a negative errno. */
static int watch(const struct program* program, const struct turn* turn, uint64_t end_ns) {
    size_t count = 0;
    while (program_now_ns() < end_ns && count < MAX_SNAPSHOTS) {
        const int nr_regions = turn->monitor->read(regions, MONITOR_MAX_REGIONS);
        if (nr_regions == -ETIMEDOUT) continue;
        if (nr_regions < 0) return complain(turn, "read", nr_regions);
        score_window(program, turn, (size_t)nr_regions, &snapshots[count++]);
    }
    return (int)count;
}

struct outcome {
    struct monitor_cost cost;
    uint64_t wall_ns;
    uint64_t nr_accesses;
    uint64_t program_cpu_ns;
};

static void print_turn(const struct turn* turn, const struct program* program, const struct outcome* outcome) {
    char how[200] = "";
    if (turn->monitor != NULL) turn->monitor->describe(how, sizeof how);
    printf("{\"kind\": \"turn\", \"pattern\": \"%s\", \"monitor\": \"%s\", \"repeat\": %u, \"wall_ns\": %" PRIu64
           ", \"accesses\": %" PRIu64 ", \"program_cpu_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64
           ", \"windows\": %" PRIu64 ", \"samples\": %" PRIu64 ", \"aggr_us\": %" PRIu64 ", \"phase_ms\": %" PRIu64
           ", \"how\": \"%s\"}\n",
           turn->pattern, turn->monitor != NULL ? turn->monitor->name : "none", turn->repeat, outcome->wall_ns,
           outcome->nr_accesses, outcome->program_cpu_ns, outcome->cost.cpu_ns, outcome->cost.nr_windows,
           outcome->cost.nr_samples, turn->attrs.aggr_us, program->phase_ns / 1000000, how);
    fflush(stdout);
}

static void sleep_until(uint64_t at_ns) {
    const struct timespec at = {(time_t)(at_ns / 1000000000), (long)(at_ns % 1000000000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

int turn_run(struct program* program, const struct turn* turn) {
    struct outcome outcome = {{0, 0, 0}, 0, 0, 0};
    program_restart(program);
    int error = turn->monitor == NULL ? 0 : turn->monitor->start(&turn->attrs);
    if (error != 0) return complain(turn, "start", error);
    const uint64_t begin_ns = program_now_ns(), accesses_before = program->nr_accesses;
    const uint64_t program_cpu_before = program_cpu_ns(program);
    const uint64_t end_ns = program->begin_ns + turn->run_ms * 1000000;
    int nr_snapshots = 0;
    if (turn->monitor == NULL) {
        sleep_until(end_ns);
    } else {
        nr_snapshots = watch(program, turn, end_ns);
        error = turn->monitor->cost(&outcome.cost);
    }
    outcome.wall_ns = program_now_ns() - begin_ns;
    outcome.nr_accesses = program->nr_accesses - accesses_before;
    outcome.program_cpu_ns = program_cpu_ns(program) - program_cpu_before;
    if (nr_snapshots < 0) error = nr_snapshots;
    if (error == 0) print_turn(turn, program, &outcome);
    if (turn->monitor != NULL) turn->monitor->stop();
    for (int i = 0; i < nr_snapshots; i++) print_snapshot(turn, &snapshots[i]);
    fflush(stdout);
    return error;
}
