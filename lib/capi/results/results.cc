#include <cerrno>

#include "capi/convert.h"
#include "capi/handles.h"
#include "capi/structs.h"

namespace {

using damon::Status;

Status check_read(const damon_ctx* ctx, const struct damon_region_info* regions, size_t cap,
                  const struct damon_snapshot_info* info) {
    Status status = damon::check_handle(ctx);
    if (status.ok() && regions == nullptr && cap > 0) {
        status = Status::fail(-EINVAL, "regions is NULL and cap is %llu", static_cast<unsigned long long>(cap));
    }
    if (status.ok() && info != nullptr) status = damon::check_struct("damon_snapshot_info", info);
    return status;
}

int answer(const damon_ctx* ctx, const damon::SnapshotInfo& found, bool fits, size_t cap,
           struct damon_snapshot_info* info) {
    if (info != nullptr) damon::write_struct(damon::snapshot_info_to_c(found), info);
    if (fits) return static_cast<int>(found.nr_regions);
    if (cap == 0) return -ENOSPC;  // a question for the size is no failure
    return damon::report(
        ctx, Status::fail(-ENOSPC, "%llu regions do not fit into cap %llu",
                          static_cast<unsigned long long>(found.nr_regions), static_cast<unsigned long long>(cap)));
}

// Why none came: a context that is held back says by what.
Status no_snapshot(const damon::Kdamond& kdamond, int error, uint64_t after_seq) {
    const auto seq = static_cast<unsigned long long>(after_seq);
    if (error != -ETIMEDOUT) return Status::fail(error, "no snapshot after number %llu: the context does not run", seq);
    const damon::Activity activity = kdamond.activity();
    const char* held_back = activity.state == damon::State::kPaused       ? ": paused "
                            : activity.state == damon::State::kWatermarks ? ": waits for watermarks: "
                            : activity.state == damon::State::kLimited    ? ": limited: "
                                                                          : "";
    return Status::fail(error, "no snapshot after number %llu: none within timeout_ms%s%s", seq, held_back,
                        held_back[0] != '\0' ? activity.reason : "");
}

}  // namespace

void damon_snapshot_info_init(struct damon_snapshot_info* info) {
    if (info == nullptr) return;
    *info = {};
    info->size = sizeof *info;
}

int damon_snapshot_read(const damon_ctx* ctx, struct damon_region_info* regions, size_t cap,
                        struct damon_snapshot_info* info) {
    const damon::NoCancel no_cancel;
    const Status status = check_read(ctx, regions, cap, info);
    if (!status.ok()) return damon::report(ctx, status);
    damon::SnapshotInfo found;
    const bool fits = ctx->kdamond.publisher().read(regions, cap, found);
    return answer(ctx, found, fits, cap, info);
}

int damon_snapshot_wait(const damon_ctx* ctx, uint64_t after_seq, int32_t timeout_ms) {
    const damon::NoCancel no_cancel;
    const Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    // Waiting changes nothing that anybody could see.
    auto& kdamond = const_cast<damon_ctx*>(ctx)->kdamond;
    if (kdamond.on_worker()) {
        return damon::report(ctx, Status::fail(-EDEADLK, "waiting for a snapshot in a callback would wait for itself"));
    }
    const int error = kdamond.wait_for_snapshot(after_seq, timeout_ms);
    if (error == 0) return 0;
    return damon::report(ctx, no_snapshot(kdamond, error, after_seq));
}

int damon_live_read(const damon_ctx* ctx, struct damon_region_info* regions, size_t cap,
                    struct damon_snapshot_info* info) {
    const damon::NoCancel no_cancel;
    Status status = check_read(ctx, regions, cap, info);
    if (!status.ok()) return damon::report(ctx, status);
    auto& kdamond = const_cast<damon_ctx*>(ctx)->kdamond;
    bool entered = false;
    if (kdamond.running() && !kdamond.on_worker()) {
        entered = kdamond.enter_manual();
        if (!entered) {
            status = Status::fail(-EBUSY, "the worker is at work on the regions; read them inside a damon_call()");
            return damon::report(ctx, status);
        }
    }
    damon::SnapshotInfo found = kdamond.describe_now();
    const bool fits = found.nr_regions <= cap;
    if (fits) kdamond.read_now(regions);
    if (entered) kdamond.leave_manual();
    return answer(ctx, found, fits, cap, info);
}
