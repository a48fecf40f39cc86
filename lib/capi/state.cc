// What a context is doing, and how its worker is made.
#include <cerrno>

#include "capi/handles.h"
#include "capi/structs.h"

using damon::Status;

void damon_state_info_init(struct damon_state_info* info) {
    if (info == nullptr) return;
    *info = {};
    info->size = sizeof *info;
}

void damon_worker_attr_init(struct damon_worker_attr* attr) {
    if (attr == nullptr) return;
    *attr = {};
    attr->size = sizeof *attr;
}

int damon_ctx_get_state(const damon_ctx* ctx, struct damon_state_info* out) {
    Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    status = damon::check_struct("damon_state_info", out);
    if (status.ok()) status = Status::fail(-EOPNOTSUPP, "damon_ctx_get_state() is not in this release");
    return damon::report(ctx, status);
}

int damon_ctx_set_worker_attr(damon_ctx* ctx, const struct damon_worker_attr* attr) {
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (ctx == nullptr) return status.error();
    if (status.ok()) status = damon::check_struct("damon_worker_attr", attr);
    if (status.ok()) status = Status::fail(-EOPNOTSUPP, "damon_ctx_set_worker_attr() is not in this release");
    return damon::report(ctx, status);
}
