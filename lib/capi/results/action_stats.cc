#include "capi/handles.h"
#include "capi/structs.h"
#include "ops/linux/actions/action_statistics.h"

static_assert(damon::kNrSkips == static_cast<int32_t>(DAMOS_SKIP_BACKED_OFF) + 1);
static_assert(static_cast<int32_t>(DAMOS_SKIP_BACKED_OFF) == static_cast<int32_t>(damon::Skip::kBackedOff));
static_assert(damon::kNrSkips <= sizeof(damon_action_stats::skipped_bytes) / sizeof(uint64_t));
static_assert(damon::kNrDamosActions <= sizeof(damon_action_stats::applied_bytes) / sizeof(uint64_t));

void damon_action_stats_init(struct damon_action_stats* stats) {
    if (stats == nullptr) return;
    *stats = {};
    stats->size = sizeof *stats;
}

int damon_ctx_get_action_stats(const damon_ctx* ctx, struct damon_action_stats* stats_out) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::check_struct("damon_action_stats", stats_out);
    if (!status.ok()) return damon::report(ctx, status);
    const damon::ActionStatistics& counted = ctx->vaddr_ops.action_statistics();
    damon_action_stats stats{};
    stats.size = sizeof stats;
    stats.nr_calls = counted.nr_calls;
    stats.nr_failed_calls = counted.nr_failed_calls;
    for (size_t i = 0; i < damon::kNrDamosActions; ++i) stats.applied_bytes[i] = counted.applied_bytes[i];
    for (size_t i = 0; i < damon::kNrSkips; ++i) stats.skipped_bytes[i] = counted.skipped_bytes[i];
    damon::write_struct(stats, stats_out);
    return 0;
}

const char* damos_skip_text(int32_t skip) {
    return skip >= 0 && skip < damon::kNrSkips ? damon::skip_text(static_cast<damon::Skip>(skip)) : "unknown";
}
