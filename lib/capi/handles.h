// What the opaque handles of damon_c.h are, and what all of the C interface's files share.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <utility>

#include "base/heap.h"
#include "base/status.h"
#include "base/vector.h"
#include "capi/custom_ops.h"
#include "damon_c.h"
#include "kdamond/kdamond.h"
#include "model/params.h"
#include "ops/linux/access/tracked_ranges.h"
#include "ops/linux/vaddr.h"
#include "ops/offload/offload_ops.h"

namespace damon {

// A target, scheme or probe. What it says is its own until a context has it; then it stands in the context's Params.
template <typename P>
struct Part {
    damon_ctx* owner = nullptr;
    size_t idx = 0;  // with an owner: its position there
    P own;
};

}  // namespace damon

struct damon_target : damon::Part<damon::TargetParams> {
    damon::TargetParams& params();
};

struct damos : damon::Part<damon::SchemeParams> {
    damon::SchemeParams& params();
};

struct damon_probe : damon::Part<damon::ProbeParams> {
    damon::ProbeParams& params();
};

struct damon_ctx {
    damon_ctx();
    ~damon_ctx();
    damon_ctx(const damon_ctx&) = delete;
    damon_ctx& operator=(const damon_ctx&) = delete;

    // Guards everything below up to `kdamond`, which shares it.
    mutable damon::WorkerSync sync;
    pid_t pid;  // of the process that made it: a child may only free it
    // What the program set, by itself or by commits. Intervals as tuned: Kdamond::attrs_as_tuned_locked().
    damon::Params params;
    std::atomic<bool> takes_reports{false};  // of params.access_check, for threads that report accesses without a lock
    // What a context that never chose says nothing about, where it is the source of a commit.
    bool ops_chosen = false;
    bool access_check_chosen = false;
    bool worker_chosen = false;
    damon::ThreadOptions worker;          // of the next start; its cpu_mask is not set
    damon::Vector<uint64_t> worker_cpus;  // empty: those of the process
    uint64_t seed = 0;
    bool manual = false;
    bool starting = false;                 // a damon_start is under way
    damon::Vector<damon_target*> targets;  // the handles of params.targets
    damon::Vector<damos*> schemes;
    damon::Vector<damon_probe*> probes;
    mutable char errmsg[damon::Status::kTextBytes] = {};

    std::atomic<uint32_t> goal_values_changed{0};  // a word: riscv64 exchanges no byte

    damon::CustomOps custom_ops;
    damon::VaddrOps vaddr_ops;
    damon::OffloadOps kernel_ops;
    damon::TrackedRanges tracked;
    damon::AddedRanges annotated;        // ranges that only say something of memory which the targets watch anyway
    damon::Ops* external_ops = nullptr;  // the simulator's; owned by its handle
    damon::Kdamond kdamond;

    // After each change of params.access_check. The sync's mutex is held.
    void publish_access_check() { takes_reports = params.access_check == DAMON_ACCESS_CHECK_REPORT; }
};

inline damon::TargetParams& damon_target::params() { return owner == nullptr ? own : owner->params.targets[idx]; }
inline damon::SchemeParams& damos::params() { return owner == nullptr ? own : owner->params.schemes[idx]; }
inline damon::ProbeParams& damon_probe::params() { return owner == nullptr ? own : owner->params.probes[idx]; }

namespace damon {

// Gives a part to a context, as the last of `handles` and of `list`. False: out of memory, nothing changed. The sync's
// mutex is held.
template <typename Handle, typename P>
[[nodiscard]] bool append_part(damon_ctx& ctx, Vector<Handle*>& handles, Vector<P>& list, Handle* part) {
    if (!handles.reserve(handles.size() + 1) || !list.push_back(std::move(part->own))) return false;
    part->idx = handles.size();
    part->owner = &ctx;
    [[maybe_unused]] const bool pushed = handles.push_back(static_cast<Handle* const&>(part));
    return true;
}

// The handles from position `first` on say where they stand.
template <typename Handle>
void number_parts(Vector<Handle*>& handles, size_t first) {
    for (size_t i = first; i < handles.size(); ++i) handles[i]->idx = i;
}

template <typename Handle, typename P>
void remove_part(Vector<Handle*>& handles, Vector<P>& list, size_t idx) {
    heap_delete(handles[idx]);
    handles.erase(idx, idx + 1);
    list.erase(idx, idx + 1);
    number_parts(handles, idx);
}

// Keeps the text of a failure for damon_ctx_errmsg and gives the error. `ctx` may be null. Any thread, no lock held.
int report(const damon_ctx* ctx, const Status& status);

// Whether a setter may go on. `on_worker`: it may also be used on the worker of a running context.
enum class OnWorker : uint8_t { kRefused, kAllowed };
Status check_setter(const damon_ctx* ctx, OnWorker on_worker);
// The same with the sync's mutex held, so that the change can follow before a start comes between.
Status check_stopped_locked(const damon_ctx& ctx);

// Changes a part of a context while that is stopped, so that no thread's start sees half of it. `ctx` nullptr: the part
// belongs to none yet. `change` returns a Status.
template <typename Change>
Status change_while_stopped(damon_ctx* ctx, Change change) {
    if (ctx == nullptr) return change();
    const Lock lock(ctx->sync.mutex);
    const Status status = check_stopped_locked(*ctx);
    return status.ok() ? change() : status;
}

// Whether the context belongs to this process: 0, -EINVAL (null) or -ECHILD.
Status check_handle(const damon_ctx* ctx);

// A copy of the context's parameters, intervals as tuned. The sync's mutex must not be held.
Status collect_params(const damon_ctx& ctx, Params& params);
Ops& ops_of(damon_ctx& ctx, OpsId id);
inline Ops& ops_of(damon_ctx& ctx) { return ops_of(ctx, ctx.params.ops_id); }

// New attributes for a running context, on its worker.
int commit_attrs_on_worker(damon_ctx& ctx, const Attrs& attrs);

// What DAMOS_CALLBACK calls.
uint64_t run_action_callback(void* owner, const ActionRequest& request);

damon_region_info region_info_of(const ActionRequest& request);

}  // namespace damon
