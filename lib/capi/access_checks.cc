#include <cerrno>
#include <cstdio>
#include <cstring>

#include "capi/handles.h"
#include "capi/structs.h"
#include "ops/linux/access/access_check_table.h"
#include "ops/linux/registration/declared_ranges.h"
#include "os/thread.h"

namespace {

damon::AddressRange range_of(const void* addr, size_t len) {
    const auto start = reinterpret_cast<uintptr_t>(addr);
    return {start, start + len};
}

}  // namespace

void damon_access_check_info_init(struct damon_access_check_info* info) {
    if (info == nullptr) return;
    *info = {};
    info->size = sizeof *info;
}

int damon_access_check_probe(int32_t id, struct damon_access_check_info* out) {
    const damon::NoCancel no_cancel;
    if (damon::access_check_row(id) == nullptr) return -EINVAL;
    const damon::Status status = damon::check_struct("damon_access_check_info", out);
    if (!status.ok()) return status.error();
    const damon::AccessCheckProbe probe = damon::access_check_probe(id);
    damon_access_check_info info{};
    info.size = sizeof info;
    info.available = probe.available ? 1 : 0;
    if (probe.sees_reads) info.sees |= DAMON_SEES_READS;
    if (probe.sees_writes) info.sees |= DAMON_SEES_WRITES;
    info.error = -probe.error;
    snprintf(info.name, sizeof info.name, "%s", damon::access_check_name(id));
    snprintf(info.reason, sizeof info.reason, "%s", probe.reason);
    damon::write_struct(info, out);
    return 0;
}

void damon_access_report_init(struct damon_access_report* r) {
    if (r == nullptr) return;
    *r = {};
    r->size = sizeof *r;
}

void* damon_shared_map(size_t len) {
    const damon::NoCancel no_cancel;
    int error = -EINVAL;
    void* memory = len == 0 ? nullptr : damon::shared_map(len, error);
    if (memory == nullptr) errno = -error;
    return memory;
}

int damon_shared_unmap(void* addr, size_t len) {
    const damon::NoCancel no_cancel;
    const int error = addr == nullptr ? -EINVAL : damon::shared_unmap(addr, len);
    return error == -ENOENT ? -EINVAL : error;
}

int damon_shared_declare(const void* addr, size_t len) {
    const damon::NoCancel no_cancel;
    const int error = addr == nullptr ? -EINVAL : damon::shared_declare(range_of(addr, len));
    // The header has one number for every range that cannot be declared.
    return error == -ENODEV || error == -EEXIST ? -EINVAL : error;
}

int damon_shared_withdraw(const void* addr, size_t len) {
    const damon::NoCancel no_cancel;
    const int error = addr == nullptr ? -EINVAL : damon::shared_withdraw(range_of(addr, len));
    return addr != nullptr && error == -EINVAL ? -ENOENT : error;  // what is no whole pages was never declared
}

int damon_report_access(damon_ctx* ctx, const struct damon_access_report* r) {
    damon_access_report known{};
    damon::Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::read_struct("damon_access_report", r, known);
    if (!status.ok()) return status.error();
    if (known.len == 0 || known.addr + known.len < known.addr) return -EINVAL;
    if (!ctx->takes_reports.load(std::memory_order_relaxed)) return -EOPNOTSUPP;
    const int error = ctx->vaddr_ops.report_access({known.addr, known.len});
    return error == -EOPNOTSUPP ? -ECANCELED : error;  // never started so far
}
