// Questions with exact answers, and what a context has learned as bytes.
#include <cerrno>

#include "capi/handles.h"
#include "capi/structs.h"
#include "ops/linux/working_set.h"
#include "os/page_sizes.h"
#include "os/thread.h"

namespace {

using damon::Status;

int refuse(const damon_ctx* ctx, const char* what) {
    const Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    return damon::report(ctx, Status::fail(-EOPNOTSUPP, "%s is not in this release", what));
}

// Values of damon_wss_result.mode.
constexpr int32_t kTracked = 0;
constexpr int32_t kProcess = 1;

Status check_wss(const damon_ctx& ctx, const damon_wss_result& asked) {
    if (asked.mode == kTracked) {
        return Status::fail(-EOPNOTSUPP, "mode 0 (tracked ranges) is not in this release; 1 is the whole process");
    }
    if (asked.mode != kProcess) {
        return Status::fail(-EINVAL, "mode %d; it must be 0 (tracked ranges) or 1 (the whole process)", asked.mode);
    }
    if (asked.interval_us == 0) {
        return Status::fail(-EINVAL, "interval_us is 0; mode 1 counts what is touched in that time");
    }
    if (!ctx.kdamond.on_worker()) return {};
    return Status::fail(-EDEADLK, "mode 1 waits interval_us, for which the worker would not sample");
}

Status measure_process(damon_wss_result& result) {
    damon::WorkingSet found;
    switch (const int error = damon::measure_working_set(result.interval_us, found)) {
        case 0:
            break;
        case -EBUSY:
            return Status::fail(error, "another damon_wss() of this process is under way");
        case -EACCES:
        case -EPERM:
            return Status::fail(error, "accessed bits: %s; the process must be dumpable and /proc be its own",
                                damon_strerror(error));
        default:
            return Status::fail(error, "accessed bits: %s; they need /proc and Linux 5.4", damon_strerror(error));
    }
    result.touched_bytes = found.touched_bytes;
    result.present_bytes = found.present_bytes;
    result.unseen_bytes = found.unseen_bytes;
    result.sees = DAMON_SEES_READS | DAMON_SEES_WRITES;
    return {};
}

}  // namespace

void damon_range_query_init(struct damon_range_query* query) {
    if (query == nullptr) return;
    *query = {};
    query->size = sizeof *query;
    query->unit_bytes = damon::read_page_sizes().base_bytes;
}

void damon_wss_result_init(struct damon_wss_result* result) {
    if (result == nullptr) return;
    *result = {};
    result->size = sizeof *result;
}

int damon_query_range(damon_ctx* ctx, const void*, size_t, struct damon_range_query*) {
    return refuse(ctx, "damon_query_range()");
}

int damon_wss(damon_ctx* ctx, struct damon_wss_result* inout) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    damon_wss_result result;
    damon_wss_result_init(&result);
    if (status.ok()) status = damon::read_struct("damon_wss_result", inout, result);
    if (status.ok()) status = check_wss(*ctx, result);
    if (status.ok()) status = measure_process(result);
    if (!status.ok()) return damon::report(ctx, status);
    damon::write_struct(result, inout);
    return 0;
}

int64_t damon_ctx_save(const damon_ctx* ctx, void*, size_t) { return refuse(ctx, "damon_ctx_save()"); }

int damon_ctx_restore(damon_ctx* ctx, const void*, size_t) { return refuse(ctx, "damon_ctx_restore()"); }
