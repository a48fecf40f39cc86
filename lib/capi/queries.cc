// Questions with exact answers.
#include <cerrno>

#include "capi/handles.h"
#include "capi/structs.h"
#include "os/page_sizes.h"

namespace {

using damon::Status;

int refuse(const damon_ctx* ctx, const char* what) {
    const Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    return damon::report(ctx, Status::fail(-EOPNOTSUPP, "%s is not in this release", what));
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

int damon_wss(damon_ctx* ctx, struct damon_wss_result*) { return refuse(ctx, "damon_wss()"); }
