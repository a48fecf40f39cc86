// What a context watches, beyond the ranges of its targets.
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/arithmetic.h"
#include "base/heap.h"
#include "capi/handles.h"
#include "ops/linux/registration/declared_ranges.h"
#include "ops/linux/registration/exclusion.h"
#include "os/process.h"

namespace {

using damon::AddressRange;
using damon::Status;

// Empty where it would go past the end of the address space, which is refused.
damon::AddressRange range_of(const void* addr, size_t len) {
    const auto start = reinterpret_cast<uintptr_t>(addr);
    return len > UINTPTR_MAX - start ? damon::AddressRange() : damon::AddressRange{start, start + len};
}

constexpr uint32_t kCoverageFlags = DAMON_COVER_FILES | DAMON_COVER_THREE_AREAS | DAMON_COVER_STABLE;

static_assert(static_cast<uint32_t>(DAMON_COVER_FILES) == damon::kCoverFiles);
static_assert(static_cast<uint32_t>(DAMON_COVER_THREE_AREAS) == damon::kCoverThreeAreas);
static_assert(static_cast<uint32_t>(DAMON_COVER_STABLE) == damon::kCoverStable);

Status check_coverage(uint32_t flags) {
    if ((flags & ~kCoverageFlags) != 0) {
        return Status::fail(-EINVAL, "coverage flags 0x%x: only DAMON_COVER_FILES, _THREE_AREAS and _STABLE are known",
                            flags);
    }
    if ((flags & DAMON_COVER_THREE_AREAS) != 0 && (flags & DAMON_COVER_FILES) != 0) {
        return Status::fail(
            -EINVAL, "coverage flags 0x%x: DAMON_COVER_THREE_AREAS covers files already, leave out _FILES", flags);
    }
    return {};
}

Status check_range_flags(uint32_t flags) {
    constexpr uint32_t kKnown = DAMON_RANGE_SHARED | DAMON_RANGE_STABLE | DAMON_RANGE_TRACKED;
    if ((flags & ~kKnown) != 0) {
        return Status::fail(-EINVAL, "range flags 0x%x: only DAMON_RANGE_SHARED, _STABLE and _TRACKED are known",
                            flags);
    }
    return {};
}

// Outwards; a range must not share a page with another one.
Status whole_pages(const void* addr, size_t len, AddressRange& range) {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    const auto start = reinterpret_cast<uint64_t>(addr);
    if (len == 0 || len > UINT64_MAX - page - start) {
        return Status::fail(-EINVAL, "addr %p, len %zu: len must be above 0, and the end below 2^64", addr, len);
    }
    range = {damon::align_down(start, page), damon::align_up(start + len, page)};
    return {};
}

// A context without a target gets one of ranges. `follows`: it has targets that lie where others say.
Status become_one_of_ranges(damon_ctx& ctx, bool& follows) {
    const damon::Lock lock(ctx.sync.mutex);
    follows = !ctx.kdamond.added().only() && !ctx.targets.empty();
    if (!ctx.targets.empty()) return {};
    Status status = damon::check_stopped_locked(ctx);
    if (!status.ok()) return status;
    auto* target = damon::heap_new<damon_target>();
    if (target == nullptr || !damon::append_part(ctx, ctx.targets, ctx.params.targets, target)) {
        damon::heap_delete(target);
        return Status::fail(-ENOMEM, "no memory for a target");
    }
    ctx.kdamond.added().set_only();
    return status;
}

Status declared(AddressRange range) {
    const int error = damon::shared_declare(range);
    if (error == 0) return {};
    const auto start = static_cast<unsigned long long>(range.start);
    if (error == -ENOMEM) return Status::fail(error, "no memory to declare another range");
    return Status::fail(-EINVAL, "DAMON_RANGE_SHARED: the range at 0x%llx is %s", start,
                        error == -EEXIST ? "declared already" : "no shared mapping as a whole");
}

// Marks and accessed bits are of pages of this process.
Status check_own_pages(const damon_ctx& ctx, uint32_t flags) {
    if ((flags & (DAMON_RANGE_TRACKED | DAMON_RANGE_STABLE)) == 0) return {};
    const damon::Lock lock(ctx.sync.mutex);
    const damon::OpsId id = ctx.params.ops_id;
    bool own = id == damon::OpsId::kVaddr || id == damon::OpsId::kFvaddr;
    for (const damon::TargetParams& target : ctx.params.targets.span()) {
        own = own && (target.pid == 0 || target.pid == damon::pid_of(ctx.pid));
    }
    if (own) return {};
    return Status::fail(-EOPNOTSUPP, "%s needs DAMON_OPS_VADDR or _FVADDR, on this process",
                        (flags & DAMON_RANGE_TRACKED) != 0 ? "DAMON_RANGE_TRACKED" : "DAMON_RANGE_STABLE");
}

Status promised(damon_ctx& ctx, AddressRange range) {
    const int error = ctx.vaddr_ops.passes().promise(range);
    if (error == 0) return {};
    if (error == -ENOMEM) return Status::fail(error, "no memory for another range");
    return Status::fail(-EINVAL, "DAMON_RANGE_STABLE: the range at 0x%llx overlaps a stable one",
                        static_cast<unsigned long long>(range.start));
}

void withdraw_flags(damon_ctx& ctx, AddressRange range, uint32_t flags) {
    if ((flags & DAMON_RANGE_TRACKED) != 0) (void)ctx.tracked.remove(range);
    if ((flags & DAMON_RANGE_STABLE) != 0) (void)ctx.vaddr_ops.passes().withdraw(range);
    if ((flags & DAMON_RANGE_SHARED) != 0) (void)damon::shared_withdraw(range);
}

// What the flags ask for. Failure: nothing changed.
Status apply_flags(damon_ctx& ctx, AddressRange range, uint32_t flags) {
    uint32_t done = 0;
    Status status;
    const auto apply = [&](uint32_t flag, auto what) {
        if (!status.ok() || (flags & flag) == 0) return;
        status = what();
        if (status.ok()) done |= flag;
    };
    apply(DAMON_RANGE_TRACKED, [&] { return ctx.tracked.add(range); });
    apply(DAMON_RANGE_STABLE, [&] { return promised(ctx, range); });
    apply(DAMON_RANGE_SHARED, [&] { return declared(range); });
    if (!status.ok()) withdraw_flags(ctx, range, done);
    return status;
}

}  // namespace

int damon_ctx_set_coverage(damon_ctx* ctx, uint32_t flags) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (ctx == nullptr) return status.error();
    if (status.ok()) status = check_coverage(flags);
    if (status.ok()) {
        status = damon::change_while_stopped(ctx, [&]() -> Status {
            ctx->params.coverage = flags;
            return {};
        });
    }
    return damon::report(ctx, status);
}

int damon_ctx_add_range(damon_ctx* ctx, const void* addr, size_t len, uint32_t flags) {
    const damon::NoCancel no_cancel;
    AddressRange range;
    Status status = damon::check_handle(ctx);
    if (status.ok()) status = check_range_flags(flags);
    if (status.ok()) status = whole_pages(addr, len, range);
    if (status.ok()) status = check_own_pages(*ctx, flags);
    bool follows = false;
    if (status.ok()) status = become_one_of_ranges(*ctx, follows);
    if (status.ok() && follows && flags == 0) {
        status = Status::fail(-EINVAL, "the context follows its targets, which a range without flags would not change");
    }
    if (status.ok()) status = apply_flags(*ctx, range, flags);
    if (!status.ok()) return damon::report(ctx, status);
    const int error = (follows ? ctx->annotated : ctx->kdamond.added()).add(range, flags);
    if (error == 0) return 0;
    withdraw_flags(*ctx, range, flags);
    return damon::report(
        ctx, error == -EEXIST ? Status::fail(-EINVAL, "addr %p, len %zu: overlaps a range that was added", addr, len)
                              : Status::fail(error, "no memory for another range"));
}

int damon_ctx_remove_range(damon_ctx* ctx, const void* addr, size_t len) {
    const damon::NoCancel no_cancel;
    AddressRange range;
    Status status = damon::check_handle(ctx);
    if (status.ok()) status = whole_pages(addr, len, range);
    if (!status.ok()) return damon::report(ctx, status);
    uint32_t flags = 0;
    damon::AddedRanges& added = ctx->kdamond.added();
    const int error = (added.only() ? added : ctx->annotated).remove(range, ctx->kdamond.on_worker(), flags);
    if (error == 0) {
        withdraw_flags(*ctx, range, flags);
        return 0;
    }
    return damon::report(ctx, Status::fail(error, "addr %p, len %zu: there is no such range", addr, len));
}

int damon_exclude(const void* addr, size_t len) {
    const damon::NoCancel no_cancel;
    return damon::exclude_range(range_of(addr, len));
}

int damon_include(const void* addr, size_t len) {
    const damon::NoCancel no_cancel;
    return damon::include_range(range_of(addr, len));
}
