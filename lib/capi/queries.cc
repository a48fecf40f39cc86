// Questions with exact answers.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "capi/handles.h"
#include "capi/structs.h"
#include "ops/linux/working_set.h"
#include "os/page_sizes.h"
#include "os/thread.h"

namespace {

using damon::Status;

// read_page_sizes() reads a file, which takes longer than a question about a huge page.
uint64_t page_bytes() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

// Values of damon_wss_result.mode.
constexpr int32_t kTracked = 0;
constexpr int32_t kProcess = 1;

Status check_wss(const damon_ctx& ctx, const damon_wss_result& asked) {
    if (asked.mode == kTracked) return {};
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
            return Status::fail(error,
                                "another damon_wss() of this process is under way, or a context has passes over the "
                                "same bits (referenced_us), until it stops");
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

Status refused(int error) {
    if (error == 0) return {};
    if (error == -EBUSY) return Status::fail(error, "another thread is asking this context about its tracked ranges");
    return Status::fail(error, "not inside of one range that was added with DAMON_RANGE_TRACKED");
}

uint32_t seen_in(const damon_ctx& ctx) {
    return ctx.tracked.sees_reads() ? DAMON_SEES_READS | DAMON_SEES_WRITES : DAMON_SEES_WRITES;
}

Status measure_tracked(damon_ctx& ctx, damon_wss_result& result) {
    damon::TrackedAnswer answer;
    const int error = ctx.tracked.query_all(answer);
    if (error == -ENOENT) return Status::fail(error, "the context has no range with DAMON_RANGE_TRACKED");
    if (error != 0) return refused(error);
    result.touched_bytes = answer.counts.touched_bytes;
    result.present_bytes = answer.present_bytes;
    result.unseen_bytes = answer.counts.unseen_bytes;
    result.sees = seen_in(ctx);
    return {};
}

Status check_query(const void* addr, size_t len, const damon_range_query& query) {
    const uint64_t unit = query.unit_bytes;
    const auto start = reinterpret_cast<uint64_t>(addr);
    if (query.flags != 0) return Status::fail(-EINVAL, "flags 0x%x: none is known", query.flags);
    const uint64_t huge = unit == page_bytes() ? 0 : damon::read_page_sizes().huge_bytes;
    if (unit != page_bytes() && unit != huge) {
        return Status::fail(-EINVAL, "unit_bytes is %llu; it must be %llu (a page) or %llu (a huge page)",
                            static_cast<unsigned long long>(unit), static_cast<unsigned long long>(page_bytes()),
                            static_cast<unsigned long long>(huge));
    }
    if (len == 0 || start % unit != 0 || len % unit != 0 || len > UINT64_MAX - start) {
        return Status::fail(-EINVAL, "addr %p, len %zu: must be whole units of unit_bytes", addr, len);
    }
    const bool has_arrays = query.touched != nullptr || query.idle != nullptr;
    if (!has_arrays || query.nr_units >= len / unit) return {};
    return Status::fail(-EINVAL, "nr_units is %zu; this range has %llu", query.nr_units,
                        static_cast<unsigned long long>(len / unit));
}

Status answer_query(damon_ctx& ctx, damon::AddressRange range, damon_range_query& query) {
    const size_t nr_units = range.size() / query.unit_bytes;
    if (query.touched != nullptr) memset(query.touched, 0, (nr_units + 63) / 64 * sizeof *query.touched);
    if (query.idle != nullptr) memset(query.idle, UINT8_MAX, nr_units);
    damon::TrackedAnswer answer;
    const int error = ctx.tracked.query({range, query.unit_bytes, query.touched, query.idle}, answer);
    if (error != 0) return refused(error);
    query.touched_bytes = answer.counts.touched_bytes;
    query.present_bytes = answer.present_bytes;
    query.unseen_bytes = answer.counts.unseen_bytes;
    query.unseen_reason = static_cast<int32_t>(answer.counts.unseen);
    query.since_ns = answer.counts.since_ns;
    query.sees = seen_in(ctx);
    return {};
}

}  // namespace

void damon_range_query_init(struct damon_range_query* query) {
    if (query == nullptr) return;
    *query = {};
    query->size = sizeof *query;
    query->unit_bytes = page_bytes();
}

void damon_wss_result_init(struct damon_wss_result* result) {
    if (result == nullptr) return;
    *result = {};
    result->size = sizeof *result;
}

int damon_query_range(damon_ctx* ctx, const void* addr, size_t len, struct damon_range_query* query) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    damon_range_query asked;
    damon_range_query_init(&asked);
    if (status.ok()) status = damon::read_struct("damon_range_query", query, asked);
    if (status.ok()) status = check_query(addr, len, asked);
    const auto start = reinterpret_cast<uint64_t>(addr);
    if (status.ok()) status = answer_query(*ctx, {start, start + len}, asked);
    if (!status.ok()) return damon::report(ctx, status);
    damon::write_struct(asked, query);
    return 0;
}

int damon_wss(damon_ctx* ctx, struct damon_wss_result* inout) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    damon_wss_result result;
    damon_wss_result_init(&result);
    if (status.ok()) status = damon::read_struct("damon_wss_result", inout, result);
    if (status.ok()) status = check_wss(*ctx, result);
    if (status.ok()) status = result.mode == kProcess ? measure_process(result) : measure_tracked(*ctx, result);
    if (!status.ok()) return damon::report(ctx, status);
    damon::write_struct(result, inout);
    return 0;
}
