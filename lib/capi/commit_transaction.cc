// damon_commit_ctx: the parameters of one context become those of another, all or none.
#include <cerrno>

#include "base/heap.h"
#include "capi/handles.h"
#include "capi/structs.h"
#include "ops/linux/access/access_check_table.h"

namespace {

using damon::Status;

// A commit with what becomes of the destination's handles; all memory is taken before anything changes.
struct HandleCommit {
    damon::Commit commit;  // first: the worker hands it back
    damon_ctx* dst = nullptr;
    damon::Attrs attrs;
    bool attrs_only = false;
    // What the source says of a whole run; not chosen: nothing.
    bool ops_chosen = false;
    bool access_check_chosen = false;
    bool worker_chosen = false;
    damon::ThreadOptions worker;
    damon::Vector<uint64_t> worker_cpus;
    damon::Vector<damon_target*> targets;  // the new list; entries of the old one are reused by position
    damon::Vector<damos*> schemes;
    damon::Vector<damon_probe*> probes;
    damon::Vector<damon::TargetParams> target_params;  // parallel to `targets`
    damon::Vector<damon::SchemeParams> scheme_params;  // parallel to `schemes`
    damon::Vector<damon::ProbeParams> probe_params;    // parallel to `probes`
    damon::Vector<damon_target*> fresh_targets;        // of `targets`, those that are new
    damon::Vector<damos*> fresh_schemes;
    damon::Vector<damon_probe*> fresh_probes;
};

template <typename Handle>
void delete_all(damon::Vector<Handle*>& handles) {
    for (Handle* handle : handles) damon::heap_delete(handle);
    handles.clear();
}

void dispose(damon::Commit& commit) {
    auto& handles = reinterpret_cast<HandleCommit&>(commit);
    delete_all(handles.fresh_targets);
    delete_all(handles.fresh_schemes);
    delete_all(handles.fresh_probes);
    damon::heap_delete(&handles);
}

// The handle for position `idx` of the new list: the old one where there is one, else a new one.
template <typename Handle>
bool add_handle(const damon::Vector<Handle*>& old, size_t idx, damon::Vector<Handle*>& list,
                damon::Vector<Handle*>& fresh) {
    if (idx < old.size()) return list.push_back(static_cast<Handle* const&>(old[idx]));
    Handle* handle = damon::heap_new<Handle>();
    if (handle == nullptr) return false;
    if (!fresh.push_back(static_cast<Handle* const&>(handle))) {
        damon::heap_delete(handle);
        return false;
    }
    return list.push_back(static_cast<Handle* const&>(handle));
}

bool list_targets(HandleCommit& commit) {
    const damon_ctx& dst = *commit.dst;
    const damon::Vector<damon::TargetParams>& wanted = commit.commit.params.targets;
    for (size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i].obsolete) continue;
        damon::TargetParams copy;
        if (!add_handle(dst.targets, i, commit.targets, commit.fresh_targets) || !copy.copy_from(wanted[i])) {
            return false;
        }
        // A source without ranges keeps the destination's, also for its next start.
        if (wanted[i].ranges.empty() && i < dst.targets.size() &&
            !copy.ranges.copy_from(dst.targets[i]->params.ranges)) {
            return false;
        }
        if (!commit.target_params.push_back(std::move(copy))) return false;
    }
    return true;
}

// Schemes and probes: as many as wanted, by position.
template <typename Handle, typename Params>
bool list_by_position(const damon::Vector<Params>& wanted, const damon::Vector<Handle*>& old,
                      damon::Vector<Handle*>& list, damon::Vector<Params>& params, damon::Vector<Handle*>& fresh) {
    for (size_t i = 0; i < wanted.size(); ++i) {
        Params copy;
        if (!add_handle(old, i, list, fresh) || !copy.copy_from(wanted[i]) || !params.push_back(std::move(copy))) {
            return false;
        }
    }
    return true;
}

bool list_schemes_and_probes(HandleCommit& commit) {
    const damon::Params& wanted = commit.commit.params;
    return list_by_position(wanted.schemes, commit.dst->schemes, commit.schemes, commit.scheme_params,
                            commit.fresh_schemes) &&
           list_by_position(wanted.probes, commit.dst->probes, commit.probes, commit.probe_params, commit.fresh_probes);
}

// What the destination's lists will be, from what they are now: several commits may be on their way. May be asked
// again.
Status complete_lists(damon::Commit& commit) {
    auto& handles = reinterpret_cast<HandleCommit&>(commit);
    delete_all(handles.fresh_targets);
    delete_all(handles.fresh_schemes);
    delete_all(handles.fresh_probes);
    handles.targets.clear();
    handles.schemes.clear();
    handles.probes.clear();
    handles.target_params.clear();
    handles.scheme_params.clear();
    handles.probe_params.clear();
    const Status status = damon::check_obsolete_targets(commit.params, handles.dst->targets.size());
    if (!status.ok()) return status;
    return list_targets(handles) && list_schemes_and_probes(handles)
               ? status
               : Status::fail(-ENOMEM, "no memory for the commit");
}

// All parameters as they are now but the attributes. Without ranges, targets keep the regions that they have.
Status complete_attrs(damon::Commit& commit) {
    const auto& handles = reinterpret_cast<const HandleCommit&>(commit);
    if (!commit.params.copy_from(handles.dst->kdamond.engine().params())) {
        return Status::fail(-ENOMEM, "no memory for the new attributes");
    }
    for (damon::TargetParams& target : commit.params.targets) target.ranges.clear();
    commit.params.attrs = handles.attrs;
    return {};
}

template <typename Handle, typename Params>
void take_handles(damon_ctx& dst, damon::Vector<Handle*>& list, damon::Vector<Handle*>& wanted,
                  damon::Vector<Params>& params, damon::Vector<Handle*>& fresh) {
    for (Handle* old : list) {
        bool kept = false;
        for (Handle* handle : wanted) kept = kept || handle == old;
        if (!kept) damon::heap_delete(old);
    }
    list.swap(wanted);
    for (size_t i = 0; i < list.size(); ++i) {
        list[i]->owner = &dst;
        list[i]->params = std::move(params[i]);
    }
    fresh.clear();
}

// The destination's handles now say what its engine does. The mutex of the destination's sync is held.
void take_locked(HandleCommit& handles) {
    damon_ctx& dst = *handles.dst;
    dst.attrs = handles.attrs;
    if (handles.attrs_only) return;
    dst.ops_id = handles.commit.params.ops_id;
    dst.access_check = handles.commit.params.access_check;
    if (handles.worker_chosen) {
        dst.worker_chosen = true;
        dst.worker = handles.worker;
        dst.worker_cpus.swap(handles.worker_cpus);
    }
    dst.min_region_sz = handles.commit.params.min_region_sz;
    dst.addr_unit = handles.commit.params.addr_unit;
    dst.coverage = handles.commit.params.coverage;
    take_handles(dst, dst.targets, handles.targets, handles.target_params, handles.fresh_targets);
    take_handles(dst, dst.schemes, handles.schemes, handles.scheme_params, handles.fresh_schemes);
    take_handles(dst, dst.probes, handles.probes, handles.probe_params, handles.fresh_probes);
}

void on_committed(damon::Commit& commit) {
    auto& handles = reinterpret_cast<HandleCommit&>(commit);
    const damon::Lock lock(handles.dst->sync.mutex);
    take_locked(handles);
}

HandleCommit* new_commit(damon_ctx& dst) {
    auto* handles = damon::heap_new<HandleCommit>();
    if (handles == nullptr) return nullptr;
    handles->dst = &dst;
    handles->commit.complete = complete_lists;
    handles->commit.on_committed = on_committed;
    handles->commit.dispose = dispose;
    return handles;
}

const char* ops_name(damon::OpsId id) {
    switch (id) {
        case damon::OpsId::kVaddr:
            return "DAMON_OPS_VADDR";
        case damon::OpsId::kFvaddr:
            return "DAMON_OPS_FVADDR";
        case damon::OpsId::kPaddr:
            return "DAMON_OPS_PADDR";
        case damon::OpsId::kCustom:
            return "DAMON_OPS_CUSTOM";
        case damon::OpsId::kSim:
            return "DAMON_OPS_SIM";
        case damon::OpsId::kKernelVaddr:
            return "DAMON_OPS_KERNEL_VADDR";
        case damon::OpsId::kKernelFvaddr:
            return "DAMON_OPS_KERNEL_FVADDR";
        case damon::OpsId::kKernelPaddr:
            return "DAMON_OPS_KERNEL_PADDR";
    }
    return "unknown";
}

// The operations and the access check are chosen for a whole run: a running destination keeps its own, and a source
// that wants others is refused; a stopped one takes them over. A source that never chose says nothing. The mutex of the
// destination's sync is held.
Status settle_run_members_locked(const damon_ctx& dst, bool running, HandleCommit& handles) {
    damon::Params& params = handles.commit.params;
    if (!handles.ops_chosen) params.ops_id = dst.ops_id;
    if (!handles.access_check_chosen) params.access_check = dst.access_check;
    if (params.ops_id != dst.ops_id && running) {
        return Status::fail(-EINVAL,
                            "ops_id of the source is %s and of the running destination %s: stop it to change that",
                            ops_name(params.ops_id), ops_name(dst.ops_id));
    }
    if (params.ops_id != dst.ops_id &&
        (params.ops_id == damon::OpsId::kCustom || params.ops_id == damon::OpsId::kSim)) {
        return Status::fail(-EINVAL,
                            "ops_id of the source is %s, which a commit cannot hand over: use %s on the destination",
                            ops_name(params.ops_id),
                            params.ops_id == damon::OpsId::kSim ? "damon_ctx_set_sim()" : "damon_ctx_set_custom_ops()");
    }
    if (params.access_check != dst.access_check && running) {
        return Status::fail(
            -EINVAL, "the access check of the source is %s and of the running destination %s: stop it to change that",
            damon::access_check_name(params.access_check), damon::access_check_name(dst.access_check));
    }
    return {};
}

// A stopped destination: check, then change the handles. False: it runs (by now).
bool commit_stopped(damon_ctx& dst, HandleCommit& handles, Status& status) {
    const damon::Lock lock(dst.sync.mutex);
    while (dst.starting && !dst.kdamond.running_locked()) dst.sync.callers.wait(dst.sync.mutex);
    const bool running = dst.kdamond.running_locked();
    status = settle_run_members_locked(dst, running, handles);
    if (!status.ok()) return true;
    if (running) return false;
    damon::Params& params = handles.commit.params;
    damon::Ops& ops = damon::ops_of(dst, params.ops_id);
    status = complete_lists(handles.commit);
    if (status.ok()) status = ops.validate(params);
    if (status.ok()) status = damon::Engine::validate(params, ops.traits());
    if (!status.ok()) return true;
    const size_t nr_before = dst.schemes.size();
    take_locked(handles);
    for (size_t i = nr_before; i > dst.schemes.size(); --i) dst.kdamond.forget_scheme_locked(i - 1);
    dst.kdamond.set_pause_locked(handles.commit.pause);
    return true;
}

Status collect_source(const damon_ctx& src, HandleCommit& handles) {
    Status status = damon::collect_params(src, handles.commit.params);
    handles.attrs = handles.commit.params.attrs;
    handles.commit.carries_pause = true;
    handles.commit.pause = src.kdamond.paused();
    const damon::Lock lock(src.sync.mutex);
    handles.ops_chosen = src.ops_chosen;
    handles.access_check_chosen = src.access_check_chosen;
    handles.worker_chosen = src.worker_chosen;
    handles.worker = src.worker;
    if (status.ok() && !handles.worker_cpus.copy_from(src.worker_cpus)) {
        status = Status::fail(-ENOMEM, "no memory for a copy of the worker's attributes");
    }
    return status;
}

// Added ranges are no parameters: the target that they make stays, and gets no others.
Status keep_target_of_ranges(damon::Params& params) {
    if (params.targets.empty() && !params.targets.push_back(damon::TargetParams())) {
        return Status::fail(-ENOMEM, "no memory for the commit");
    }
    params.targets[0].ranges.clear();
    params.targets[0].obsolete = false;
    return {};
}

Status commit(damon_ctx& dst, const damon_ctx& src) {
    HandleCommit* handles = new_commit(dst);
    if (handles == nullptr) return Status::fail(-ENOMEM, "no memory for the commit");
    Status status = collect_source(src, *handles);
    if (status.ok() && dst.kdamond.added().only()) status = keep_target_of_ranges(handles->commit.params);
    bool deferred = false;
    if (status.ok() && !commit_stopped(dst, *handles, status)) status = dst.kdamond.commit(handles->commit, &deferred);
    if (!deferred) dispose(handles->commit);
    return status;
}

}  // namespace

namespace damon {

int commit_attrs_on_worker(damon_ctx& ctx, const Attrs& attrs) {
    HandleCommit* handles = new_commit(ctx);
    if (handles == nullptr) return report(&ctx, Status::fail(-ENOMEM, "no memory for the new attributes"));
    handles->commit.complete = complete_attrs;
    handles->attrs = attrs;
    handles->attrs_only = true;
    bool deferred = false;
    const Status status = ctx.kdamond.commit(handles->commit, &deferred);
    if (!deferred) dispose(handles->commit);
    return report(&ctx, status);
}

}  // namespace damon

int damon_commit_ctx(damon_ctx* dst, const damon_ctx* src) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(dst);
    if (status.ok()) status = damon::check_handle(src);
    if (status.ok() && dst == src) status = Status::fail(-EINVAL, "the source of the commit is its destination");
    if (status.ok() && src->kdamond.running()) {
        status = Status::fail(-EBUSY, "the source of the commit runs; it must be a stopped context");
    }
    if (status.ok()) status = commit(*dst, *src);
    damon::report(src, status);
    return damon::report(dst, status);
}
