/* SPDX-License-Identifier: MIT */
/*
 * Which reclaim policy for a program that works in shifts? Three candidates, a day each, in virtual time.
 *
 * The program has 4 GiB. 512 MiB are in use all the time, another 1 GiB for ten minutes of every hour. Memory that is
 * paged out costs nothing until it is touched again; then the program waits. A policy pages out what was idle for so
 * long; the longer it waits the more memory is held for nothing, the hastier it is the more the program waits.
 */
#include <damon_c.h>
#include <inttypes.h>
#include <stdio.h>

#define MIB ((uint64_t)1 << 20)
#define SECOND_US ((uint64_t)1000000)
#define HOUR_US (3600 * SECOND_US)
#define SAMPLE_US (SECOND_US / 2)
#define AGGR_US (10 * SECOND_US)

static int add_pattern(damon_sim* sim, int32_t kind, uint64_t start, uint64_t end) {
    struct damon_sim_pattern pattern;
    damon_sim_pattern_init(&pattern);
    pattern.kind = kind;
    pattern.start = start;
    pattern.end = end;
    pattern.period_us = HOUR_US;
    pattern.hot_us = HOUR_US / 6;
    return damon_sim_add_pattern(sim, &pattern);
}

static damon_sim* new_program(void) {
    damon_sim* sim = damon_sim_new(NULL);
    struct damon_sim_range range;
    damon_sim_range_init(&range);
    range.end = 4096 * MIB;
    if (damon_sim_add_range(sim, &range) == 0 && add_pattern(sim, DAMON_SIM_CONSTANT, 0, 512 * MIB) == 0 &&
        add_pattern(sim, DAMON_SIM_PULSE, 2048 * MIB, 3072 * MIB) == 0) {
        return sim;
    }
    damon_sim_free(sim);
    return NULL;
}

/* A monitor that pages out what was not accessed for so long. */
static damon_ctx* new_monitor(damon_sim* sim, uint64_t idle_us) {
    damon_ctx* ctx = damon_ctx_new();
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.sample_us = SAMPLE_US;
    attrs.aggr_us = AGGR_US;
    attrs.survey_bp = 0; /* the kernel's algorithm */
    struct damos_params reclaim;
    damos_params_init(&reclaim);
    reclaim.action = DAMOS_PAGEOUT;
    reclaim.pattern.max_nr_accesses = 0;
    reclaim.pattern.min_age = (uint32_t)(idle_us / AGGR_US);
    damon_target* target = damon_target_new();
    damos* scheme = damos_new(&reclaim);
    if (damon_ctx_set_attrs(ctx, &attrs) == 0 && damon_ctx_set_seed(ctx, 1) == 0 && damon_ctx_set_sim(ctx, sim) == 0 &&
        damon_ctx_set_drive(ctx, DAMON_DRIVE_MANUAL) == 0) {
        if (damon_ctx_add_target(ctx, target) == 0) target = NULL;
        if (damon_ctx_add_scheme(ctx, scheme) == 0) scheme = NULL;
    }
    if (target == NULL && scheme == NULL && damon_start(&ctx, 1, 0) == 0) return ctx;
    damon_target_free(target);
    damos_free(scheme);
    damon_ctx_free(ctx);
    return NULL;
}

/* 0: a line was printed. */
static int try_policy(uint64_t idle_us) {
    damon_sim* sim = new_program();
    damon_ctx* ctx = sim != NULL ? new_monitor(sim, idle_us) : NULL;
    struct damon_sim_stat stat;
    damon_sim_stat_init(&stat);
    uint64_t resident_mib_steps = 0;
    uint64_t steps = 0;
    int error = ctx == NULL ? -1 : 0;
    while (error == 0 && steps * SAMPLE_US < 24 * HOUR_US) {
        error = damon_step(ctx, ++steps * SAMPLE_US);
        if (error == 0) error = damon_sim_get_stat(sim, &stat);
        resident_mib_steps += stat.resident_bytes / MIB;
    }
    if (error == 0) {
        printf("%8" PRIu64 " min %14" PRIu64 " MiB %14" PRIu64 " MiB %12.1f s\n", idle_us / SECOND_US / 60,
               resident_mib_steps / steps, stat.refault_bytes / MIB, (double)stat.stall_ns / 1e9);
    }
    damon_ctx_free(ctx);
    damon_sim_free(sim);
    return error;
}

int main(void) {
    const uint64_t idle_minutes[] = {1, 20, 120};
    printf("idle for         mean memory        touched again      waited\n");
    for (size_t i = 0; i < sizeof idle_minutes / sizeof idle_minutes[0]; i++) {
        if (try_policy(idle_minutes[i] * 60 * SECOND_US) == 0) continue;
        fprintf(stderr, "the simulation failed\n");
        return 1;
    }
    return 0;
}
