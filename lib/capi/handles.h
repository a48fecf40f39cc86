// What the opaque handles of damon_c.h are, and what all of the C interface's files share.
#pragma once

#include <sys/types.h>

#include <atomic>

#include "base/status.h"
#include "base/vector.h"
#include "capi/custom_ops.h"
#include "damon_c.h"
#include "kdamond/kdamond.h"
#include "model/params.h"
#include "ops/linux/vaddr.h"
#include "ops/offload/offload_ops.h"

struct damon_target {
    damon_ctx* owner = nullptr;
    damon::TargetParams params;
};

struct damos {
    damon_ctx* owner = nullptr;
    damon::SchemeParams params;
};

struct damon_probe {
    damon_ctx* owner = nullptr;
    damon::ProbeParams params;
};

struct damon_ctx {
    damon_ctx();
    ~damon_ctx();
    damon_ctx(const damon_ctx&) = delete;
    damon_ctx& operator=(const damon_ctx&) = delete;

    // Guards everything below up to `kdamond`, which shares it.
    mutable damon::WorkerSync sync;
    pid_t pid;  // of the process that made it: a child may only free it
    damon::Attrs attrs;
    uint64_t min_region_sz;
    uint64_t addr_unit = 1;
    damon::OpsId ops_id = damon::OpsId::kVaddr;
    uint32_t coverage = 0;                 // damon::CoverageFlags
    std::atomic<int32_t> access_check{0};  // also read by threads that report accesses
    // What a context that never chose says nothing about, where it is the source of a commit.
    bool ops_chosen = false;
    bool access_check_chosen = false;
    bool worker_chosen = false;
    damon::ThreadOptions worker;          // of the next start; its cpu_mask is not set
    damon::Vector<uint64_t> worker_cpus;  // empty: those of the process
    uint64_t seed = 0;
    bool manual = false;
    bool starting = false;  // a damon_start is under way
    damon::Vector<damon_target*> targets;
    damon::Vector<damos*> schemes;
    damon::Vector<damon_probe*> probes;
    mutable char errmsg[damon::Status::kTextBytes] = {};

    std::atomic<uint32_t> goal_values_changed{0};  // a word: riscv64 exchanges no byte

    damon::CustomOps custom_ops;
    damon::VaddrOps vaddr_ops;
    damon::OffloadOps kernel_ops;
    damon::Ops* external_ops = nullptr;  // the simulator's; owned by its handle
    damon::Kdamond kdamond;
};

namespace damon {

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

// The context's parameters as one value, from its handles. The sync's mutex must not be held.
Status collect_params(const damon_ctx& ctx, Params& params);
Ops& ops_of(damon_ctx& ctx, OpsId id);
inline Ops& ops_of(damon_ctx& ctx) { return ops_of(ctx, ctx.ops_id); }

// New attributes for a running context, on its worker.
int commit_attrs_on_worker(damon_ctx& ctx, const Attrs& attrs);

// What DAMOS_CALLBACK calls.
uint64_t run_action_callback(void* owner, const ActionRequest& request);

damon_region_info region_info_of(const ActionRequest& request);

}  // namespace damon
