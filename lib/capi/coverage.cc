// What a context watches, beyond the ranges of its targets.
#include <cerrno>

#include "capi/handles.h"

namespace {

using damon::Status;

constexpr uint32_t kCoverageFlags = DAMON_COVER_FILES | DAMON_COVER_THREE_AREAS | DAMON_COVER_STABLE;

int refuse(const damon_ctx* ctx, const char* what) {
    const Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    return damon::report(ctx, Status::fail(-EOPNOTSUPP, "%s is not in this release", what));
}

}  // namespace

int damon_ctx_refresh(damon_ctx* ctx) { return refuse(ctx, "damon_ctx_refresh()"); }

int damon_ctx_set_coverage(damon_ctx* ctx, uint32_t flags) {
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (ctx == nullptr) return status.error();
    if (status.ok() && (flags & ~kCoverageFlags) != 0) {
        status = Status::fail(-EINVAL,
                              "coverage flags 0x%x: only DAMON_COVER_FILES, _THREE_AREAS and _STABLE are known", flags);
    }
    if (status.ok() && flags != 0) status = Status::fail(-EOPNOTSUPP, "coverage flags are not in this release");
    return damon::report(ctx, status);
}

int damon_ctx_add_range(damon_ctx* ctx, const void*, size_t, uint32_t) { return refuse(ctx, "damon_ctx_add_range()"); }

int damon_ctx_remove_range(damon_ctx* ctx, const void*, size_t) { return refuse(ctx, "damon_ctx_remove_range()"); }

int damon_exclude(const void*, size_t) { return -EOPNOTSUPP; }

int damon_include(const void*, size_t) { return -EOPNOTSUPP; }
