// How closely a goal is held, in the simulator: a node of 8 GiB of which half shall be free; a sixth of the program is
// in use, the rest is used again now and then, PAGEOUT.
//   goal_bench [ROW [SEEDS]]     rows 0 to 7, all of them without one; a line of JSON for each run, minutes in all
// The worst minute from the third hour on is what docs/actions.md has.
#include <damon_c.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { kTarget = 5000 };  // basis points that are free
static const uint64_t kMiB = 1u << 20, kGiB = 1u << 30, kSecond = 1000000, kHour = 3600000000;

struct row {
    const char* name;
    int32_t tuner;
    uint64_t reset_ms, sample_us, min_nr_regions, quota_mib, hours;
    int parts;  // a fifth each is used once in 1,000, 500, 250, 125 and 62 s; else all once in 1,000 s
};
static const struct row rows[] = {
    {"CONSIST, 20 s, 1 s and 20 s, 100 regions", DAMOS_QUOTA_GOAL_TUNER_CONSIST, 20000, 1000000, 100, 0, 48, 0},
    {"CONSIST, 20 s, 1 s and 20 s, 10 regions", DAMOS_QUOTA_GOAL_TUNER_CONSIST, 20000, 1000000, 10, 0, 48, 0},
    {"CONSIST, 80 s, 2 s and 40 s, 10 regions", DAMOS_QUOTA_GOAL_TUNER_CONSIST, 80000, 2000000, 10, 0, 48, 0},
    {"CONSIST, 600 s, 1 s and 20 s, 100 regions", DAMOS_QUOTA_GOAL_TUNER_CONSIST, 600000, 1000000, 100, 0, 48, 0},
    {"TEMPORAL, 20 s, 1 s and 20 s, 100 regions, 100 MiB", DAMOS_QUOTA_GOAL_TUNER_TEMPORAL, 20000, 1000000, 100, 100,
     48, 0},
    {"parts, CONSIST, 20 s, 1 s and 20 s, 100 regions", DAMOS_QUOTA_GOAL_TUNER_CONSIST, 20000, 1000000, 100, 0, 48, 1},
    {"parts, CONSIST, 10 s, 0.5 s and 10 s, 100 regions", DAMOS_QUOTA_GOAL_TUNER_CONSIST, 10000, 500000, 100, 0, 12, 1},
    {"parts, TEMPORAL, 20 s, 1 s and 20 s, 100 regions, 400 MiB", DAMOS_QUOTA_GOAL_TUNER_TEMPORAL, 20000, 1000000, 100,
     400, 48, 1},
};

static void must(int result, const char* what) {
    if (result >= 0) return;
    fprintf(stderr, "goal_bench: %s: %d\n", what, result);
    exit(1);
}

static void use(damon_sim* sim, uint64_t start, uint64_t end, uint64_t rate_millihz) {
    struct damon_sim_pattern pattern;
    damon_sim_pattern_init(&pattern);
    pattern.start = start;
    pattern.end = end;
    pattern.rate_millihz = rate_millihz;
    must(damon_sim_add_pattern(sim, &pattern), "damon_sim_add_pattern");
}

static damon_sim* make_world(int parts) {
    struct damon_sim_params params;
    damon_sim_params_init(&params);
    params.node_bytes[0] = 8 * kGiB;
    damon_sim* sim = damon_sim_new(&params);
    struct damon_sim_range range;
    damon_sim_range_init(&range);
    range.end = 6 * kGiB;
    must(damon_sim_add_range(sim, &range), "damon_sim_add_range");
    use(sim, 0, kGiB, kSecond);
    for (uint64_t i = 0; i < 5; ++i) use(sim, (1 + i) * kGiB, (2 + i) * kGiB, parts ? UINT64_C(1) << i : 1);
    return sim;
}

static damos* make_scheme(const struct row* row) {
    struct damos_params params;
    damos_params_init(&params);
    params.action = DAMOS_PAGEOUT;
    params.quota.reset_interval_ms = row->reset_ms;
    params.quota.sz = row->quota_mib * kMiB;
    params.quota.weight_nr_accesses = params.quota.weight_age = 1;
    params.quota.goal_tuner = row->tuner;
    damos* scheme = damos_new(&params);
    struct damos_quota_goal goal;
    damos_quota_goal_init(&goal);
    goal.metric = DAMOS_QUOTA_NODE_MEM_FREE_BP;
    goal.nid = 0;
    goal.target_value = kTarget;
    must(damos_add_quota_goal(scheme, &goal), "damos_add_quota_goal");
    return scheme;
}

static uint64_t free_bp(const damon_sim* sim) {
    struct damon_sim_stat stat;
    damon_sim_stat_init(&stat);
    must(damon_sim_get_stat(sim, &stat), "damon_sim_get_stat");
    return (8 * kGiB - stat.node_used_bytes[0]) * 10000 / (8 * kGiB);
}

static void run(const struct row* row, uint64_t seed) {
    damon_sim* sim = make_world(row->parts);
    damon_ctx* ctx = damon_ctx_new();
    must(damon_ctx_set_sim(ctx, sim), "damon_ctx_set_sim");
    must(damon_ctx_set_drive(ctx, DAMON_DRIVE_MANUAL), "damon_ctx_set_drive");
    must(damon_ctx_set_seed(ctx, seed), "damon_ctx_set_seed");
    must(damon_ctx_add_target(ctx, damon_target_new()), "damon_ctx_add_target");
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.sample_us = row->sample_us;
    attrs.aggr_us = 20 * row->sample_us;
    attrs.min_nr_regions = row->min_nr_regions;
    must(damon_ctx_set_attrs(ctx, &attrs), "damon_ctx_set_attrs");
    must(damon_ctx_add_scheme(ctx, make_scheme(row)), "damon_ctx_add_scheme");
    must(damon_start(&ctx, 1, 0), "damon_start");
    uint64_t worst = 0, reached_us = 0, now_us = 0;
    for (uint64_t minute = 1; minute <= row->hours * 60; ++minute) {
        while (now_us < minute * 60 * kSecond) must(damon_step(ctx, now_us += row->sample_us), "damon_step");
        const uint64_t bp = free_bp(sim);
        if (reached_us == 0 && bp >= kTarget * 9 / 10) reached_us = now_us;
        const uint64_t off = bp > kTarget ? bp - kTarget : kTarget - bp;
        if (now_us > 2 * kHour && off > worst) worst = off;
    }
    printf("{\"row\": \"%s\", \"seed\": %" PRIu64 ", \"reached_h\": %.2f, \"worst_percent\": %.1f}\n", row->name, seed,
           (double)reached_us / 3.6e9, (double)worst * 100 / kTarget);
    fflush(stdout);
    damon_ctx_free(ctx);
    damon_sim_free(sim);
}

int main(int argc, char** argv) {
    const size_t nr_rows = sizeof rows / sizeof *rows;
    const size_t only = argc > 1 ? strtoul(argv[1], NULL, 10) : nr_rows;
    const uint64_t seeds = argc > 2 ? strtoul(argv[2], NULL, 10) : 3;
    for (size_t i = 0; i < nr_rows; ++i) {
        if (only < nr_rows && only != i) continue;
        for (uint64_t seed = 1; seed <= seeds; ++seed) run(&rows[i], seed);
    }
    return 0;
}
