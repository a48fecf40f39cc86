#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* One scheme of a request. Bytes that it took; a negative errno. */
static long add_scheme(damon_ctx* ctx, const unsigned char* at, size_t left) {
    struct damon_agent_scheme_head head;
    struct damos_filter filter;
    struct damos_quota_goal goal;
    if (left < sizeof head) return -EINVAL;
    memcpy(&head, at, sizeof head);
    const size_t filters = sizeof head, goals = filters + (size_t)head.nr_filters * sizeof filter;
    if (head.nr_filters > 256 || head.nr_goals > 64) return -E2BIG;
    const size_t bytes = goals + (size_t)head.nr_goals * sizeof goal;
    if (bytes > left || head.params.size != sizeof head.params) return -EINVAL;
    /* A function of the request's would be another process's choice of what this one runs. */
    if (head.params.action_fn != NULL || head.params.action_data != NULL || head.params.action == DAMOS_CALLBACK)
        return -EPERM;
    damos* scheme = damos_new(&head.params);
    int error = scheme == NULL ? -EINVAL : 0;
    for (uint32_t i = 0; i < head.nr_filters && error == 0; i++) {
        memcpy(&filter, at + filters + i * sizeof filter, sizeof filter);
        /* The library reads as far as the structure says that it goes. */
        error = filter.size == sizeof filter ? damos_add_filter(scheme, &filter) : -EINVAL;
    }
    for (uint32_t i = 0; i < head.nr_goals && error == 0; i++) {
        memcpy(&goal, at + goals + i * sizeof goal, sizeof goal);
        error = goal.size == sizeof goal ? damos_add_quota_goal(scheme, &goal) : -EINVAL;
    }
    if (error == 0) error = damon_ctx_add_scheme(ctx, scheme);
    if (error != 0) damos_free(scheme);
    return error != 0 ? error : (long)bytes;
}

static int add_schemes(damon_ctx* ctx, const unsigned char* schemes, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        long taken = add_scheme(ctx, schemes + at, bytes - at);
        if (taken < 0) return (int)taken;
        at += (size_t)taken;
    }
    return 0;
}

/* What a context says of its last failure, or else what the number means. */
static void explain(const damon_ctx* ctx, int error, char* text, size_t room) {
    if (damon_ctx_errmsg(ctx, text, room) <= 0) snprintf(text, room, "%s", damon_strerror(error));
}

/* A context with these parameters, which watches the memory of the process; NULL with *error and text. */
static damon_ctx* make_context(const struct monitor* monitor, const struct damon_attrs* attrs,
                               const unsigned char* schemes, size_t scheme_bytes, int* error, char* text, size_t room) {
    damon_ctx* ctx = damon_ctx_new();
    damon_target* target = damon_target_new();
    *error = ctx == NULL || target == NULL ? -ENOMEM : damon_ctx_set_attrs(ctx, attrs);
    if (*error == 0) *error = damon_ctx_set_coverage(ctx, monitor->coverage);
    if (*error == 0) *error = damon_ctx_add_target(ctx, target);
    if (*error == 0) {
        target = NULL; /* the context's */
        *error = add_schemes(ctx, schemes, scheme_bytes);
    }
    if (*error == 0) return ctx;
    if (*error == -EPERM)
        snprintf(text, room, "a scheme from outside may not call a function of the program");
    else if (damon_ctx_errmsg(ctx, NULL, 0) <= 0 && target == NULL)
        snprintf(text, room, "the schemes are not those of a 'damon' command of this release");
    else
        explain(ctx, *error, text, room);
    damon_target_free(target);
    damon_ctx_free(ctx);
    return NULL;
}

static int works(int32_t check) {
    struct damon_access_check_info info;
    damon_access_check_info_init(&info);
    return damon_access_check_probe(check, &info) == 0 && info.available;
}

void monitor_choose_passes(struct monitor* monitor, uint64_t us) {
    if (us == 0 || monitor->attrs.referenced_us != 0) return;
    if (works(DAMON_ACCESS_CHECK_UFFD_RWP) || works(DAMON_ACCESS_CHECK_UFFD_WP)) return;
    if (!works(DAMON_ACCESS_CHECK_REFERENCED)) return;
    monitor->attrs.referenced_us = us;
    monitor->coverage |= DAMON_COVER_STABLE;
}

int monitor_start(struct monitor* monitor, int paused) {
    int error;
    char* text = monitor->message;
    damon_ctx* ctx = make_context(monitor, &monitor->attrs, monitor->schemes, monitor->scheme_bytes, &error, text,
                                  sizeof monitor->message);
    if (ctx != NULL) {
        damon_set_pause(ctx, paused);
        error = damon_start(&ctx, 1, 0);
    }
    if (error == 0) {
        monitor->ctx = ctx;
        monitor->phase = DAMON_AGENT_RUNNING;
        text[0] = '\0';
        warm_load(&monitor->warm, text, sizeof monitor->message);
        return 0;
    }
    if (ctx != NULL) explain(ctx, error, text, sizeof monitor->message);
    damon_ctx_free(ctx);
    monitor->phase = DAMON_AGENT_FAILED;
    return error;
}

void monitor_stop(struct monitor* monitor) {
    if (monitor->ctx != NULL && monitor->warm.path[0] != '\0')
        warm_save(&monitor->warm, monitor->ctx, monitor_rss_bytes(monitor), monitor->message, sizeof monitor->message);
    warm_forget(&monitor->warm);
    damon_ctx_free(monitor->ctx);
    monitor->ctx = NULL;
    monitor->phase = DAMON_AGENT_STOPPED;
}

/* Gives the running context other attributes and schemes; what it has learned stays. */
static int change(struct monitor* monitor, const struct damon_attrs* attrs, const unsigned char* schemes,
                  size_t scheme_bytes, char* answer, size_t room) {
    int error;
    damon_ctx* source = make_context(monitor, attrs, schemes, scheme_bytes, &error, answer, room);
    if (source == NULL) return error;
    damon_set_pause(source, damon_is_paused(monitor->ctx) == 1);
    error = damon_commit_ctx(monitor->ctx, source);
    if (error != 0) explain(monitor->ctx, error, answer, room);
    damon_ctx_free(source);
    return error;
}

static int tune(struct monitor* monitor, const struct page* page, const void* request, size_t bytes, char* answer,
                size_t room) {
    struct damon_attrs attrs;
    if (bytes != sizeof attrs) return -EINVAL;
    memcpy(&attrs, request, sizeof attrs);
    if (attrs.size != sizeof attrs) return -EINVAL;
    if (attrs.max_nr_regions > page->region_cap) {
        snprintf(answer, room, "max_nr_regions is %llu; the agent has room for %zu: start the program with --maxr",
                 (unsigned long long)attrs.max_nr_regions, page->region_cap);
        return -ENOSPC;
    }
    int error = change(monitor, &attrs, monitor->schemes, monitor->scheme_bytes, answer, room);
    if (error == 0) monitor->attrs = attrs;
    return error;
}

static int replace_schemes(struct monitor* monitor, const void* request, size_t bytes, char* answer, size_t room) {
    struct damon_attrs attrs;
    damon_attrs_init(&attrs);
    int error = damon_ctx_get_attrs(monitor->ctx, &attrs); /* as tuned */
    if (error == 0) error = change(monitor, &attrs, request, bytes, answer, room);
    if (error != 0) return error;
    if (bytes != 0) memcpy(monitor->schemes, request, bytes);
    monitor->scheme_bytes = bytes;
    return 0;
}

static int save(struct monitor* monitor, char* answer, size_t room) {
    if (monitor->warm.path[0] != '\0')
        return warm_save(&monitor->warm, monitor->ctx, monitor_rss_bytes(monitor), answer, room);
    snprintf(answer, room, "the program was started without --warm: there is no file to save to");
    return -EINVAL;
}

int monitor_obey(struct monitor* monitor, const struct page* page, uint32_t kind, const void* request, size_t bytes,
                 char* answer, size_t room) {
    int error = 0;
    answer[0] = '\0';
    if (kind == DAMON_AGENT_REFRESH) return 0;
    if (kind == DAMON_AGENT_STOP) {
        monitor_stop(monitor);
        snprintf(answer, room, "stopped");
        return 0;
    }
    if (monitor->ctx == NULL) {
        snprintf(answer, room, "the monitor does not run%s%s", monitor->message[0] ? ": " : "", monitor->message);
        return -ECANCELED;
    }
    switch (kind) {
        case DAMON_AGENT_PAUSE:
        case DAMON_AGENT_RESUME:
            error = damon_set_pause(monitor->ctx, kind == DAMON_AGENT_PAUSE);
            if (error == 0) snprintf(answer, room, kind == DAMON_AGENT_PAUSE ? "paused" : "resumed");
            break;
        case DAMON_AGENT_SAVE:
            error = save(monitor, answer, room);
            break;
        case DAMON_AGENT_TUNE:
            error = tune(monitor, page, request, bytes, answer, room);
            break;
        case DAMON_AGENT_SCHEMES:
            error = replace_schemes(monitor, request, bytes, answer, room);
            break;
        default:
            snprintf(answer, room, "the agent knows no command %u", kind);
            return -EOPNOTSUPP;
    }
    if (error != 0 && answer[0] == '\0') explain(monitor->ctx, error, answer, room);
    return error;
}

static uint64_t rss_bytes_of(int statm) {
    char text[128];
    unsigned long long size, resident;
    if (statm < 0) return 0;
    ssize_t length = pread(statm, text, sizeof text - 1, 0);
    if (length <= 0) return 0;
    text[length] = '\0';
    if (sscanf(text, "%llu %llu", &size, &resident) != 2) return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t monitor_rss_bytes(struct monitor* monitor) { return rss_bytes_of(monitor->statm); }

uint64_t monitor_own_rss_bytes(void) {
    int statm = open("/proc/thread-self/statm", O_RDONLY | O_CLOEXEC);
    const uint64_t bytes = rss_bytes_of(statm);
    if (statm >= 0) close(statm);
    return bytes;
}

/* The regions but for those of the shared file itself. */
static uint32_t leave_own_out(const struct page* page, struct damon_region_info* regions, int nr) {
    const uint64_t start = (uint64_t)(uintptr_t)page->header, end = start + page->bytes;
    uint32_t kept = 0;
    for (int i = 0; i < nr; i++)
        if (regions[i].start < start || regions[i].end > end) regions[kept++] = regions[i];
    return kept;
}

static void append(const struct monitor* monitor, struct page* page) {
    const struct damon_agent_snapshot* from = page->snapshot;
    struct damon_agent_record record = {
        .time_ns = from->info.time_ns,
        .wall_ns = from->published_wall_ns - (from->published_ns - from->info.time_ns),
        .seq = from->info.seq,
        .window_us = from->info.window_us,
        .sample_us = from->info.sample_us,
        .aggr_us = from->info.aggr_us,
        .min_nr_regions = from->attrs.min_nr_regions,
        .max_nr_regions = from->attrs.max_nr_regions,
        .rss_bytes = from->rss_bytes,
        .cpu_ns = from->stats.cpu_ns,
        .nr_samples = from->stats.nr_samples,
        .nr_unknown_samples = from->stats.nr_unknown_samples,
        .nr_regions = from->nr_regions,
        .max_nr_accesses = from->info.max_nr_accesses,
        .flags = from->info.flags,
        .nr_targets = from->info.nr_targets,
        .state = from->state.state,
        .cost_permil = (uint32_t)from->state.cost_permil,
    };
    if (record.nr_regions > page->region_cap || record.seq == monitor->seq) return;
    for (uint32_t i = 0; i < record.nr_regions; i++) {
        const struct damon_region_info* region = &page->regions[i];
        const uint64_t bytes = region->end - region->start;
        record.total_bytes += bytes;
        if (region->flags & DAMON_REGION_UNKNOWN)
            record.unknown_bytes += bytes;
        else if (region->nr_accesses != 0)
            record.accessed_bytes += bytes;
    }
    page_append(page, &record, page->regions);
}

static void publish_schemes(const struct monitor* monitor, struct damon_agent_snapshot* to) {
    size_t nr = 0;
    for (size_t at = 0; at < monitor->scheme_bytes && nr < DAMON_AGENT_MAX_SCHEMES; nr++) {
        struct damon_agent_scheme_head head; /* was checked when it was taken */
        memcpy(&head, monitor->schemes + at, sizeof head);
        at += sizeof head + head.nr_filters * sizeof(struct damos_filter) +
              head.nr_goals * sizeof(struct damos_quota_goal);
        struct damos_stat stat;
        damos_stat_init(&stat);
        damon_ctx_get_scheme_stat(monitor->ctx, nr, &stat);
        to->schemes[nr].params = head.params;
        to->schemes[nr].stat = stat;
    }
    to->nr_schemes = (uint32_t)nr;
}

/* Regions, and all that is told beside them. The library reads sizes of structures from where it writes, so these are
 * the agent's own: other processes can write to the page. */
static int read_results(const struct monitor* monitor, const struct page* page, struct damon_agent_snapshot* to) {
    struct damon_attrs attrs = monitor->attrs;
    struct damon_snapshot_info info;
    struct damon_state_info state = {.size = sizeof state};
    struct damon_ctx_stats stats = {.size = sizeof stats};
    struct damon_action_stats action_stats = {.size = sizeof action_stats};
    damon_snapshot_info_init(&info);
    const int nr = damon_snapshot_read(monitor->ctx, page->regions, page->region_cap, &info);
    damon_ctx_get_attrs(monitor->ctx, &attrs);
    damon_ctx_get_state(monitor->ctx, &state);
    damon_ctx_get_stats(monitor->ctx, &stats);
    damon_ctx_get_action_stats(monitor->ctx, &action_stats);
    to->attrs = attrs;
    to->info = info;
    to->state = state;
    to->stats = stats;
    to->action_stats = action_stats;
    return nr;
}

void monitor_publish(struct monitor* monitor, struct page* page) {
    struct damon_agent_snapshot* to = page->snapshot;
    page_begin(page);
    to->phase = monitor->phase;
    memcpy(to->message, monitor->message, sizeof monitor->message);
    to->rss_bytes = monitor_rss_bytes(monitor);
    to->agent_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    to->attrs = monitor->attrs;
    to->nr_regions = to->nr_schemes = 0;
    if (monitor->ctx != NULL) {
        const int nr = read_results(monitor, page, to);
        if (nr > 0) to->nr_regions = leave_own_out(page, page->regions, nr);
        publish_schemes(monitor, to);
    }
    to->published_ns = clock_ns(CLOCK_MONOTONIC);
    to->published_wall_ns = clock_ns(CLOCK_REALTIME);
    page_end(page);
    if (monitor->ctx == NULL || to->info.seq == 0) return;
    append(monitor, page);
    monitor->seq = to->info.seq;
}
