// damon_commit_ctx: the parameters of one context become those of another, all or none.
#include <cerrno>

#include "base/heap.h"
#include "capi/handles.h"
#include "capi/structs.h"
#include "engine/schemes/effect_validation.h"
#include "ops/linux/access/access_check_table.h"

namespace {

using damon::Status;

// A commit with what the destination's parameters and handles become; all memory is taken before anything changes.
struct HandleCommit {
    damon::Commit commit;  // first: the worker hands it back
    damon_ctx* dst = nullptr;
    damon::Params next;  // what the destination says afterwards
    bool attrs_only = false;
    // What the source says of a whole run; not chosen: nothing.
    bool ops_chosen = false;
    bool access_check_chosen = false;
    bool worker_chosen = false;
    damon::ThreadOptions worker;
    damon::Vector<uint64_t> worker_cpus;
    damon::Vector<damon_target*> fresh_targets;  // handles of what is appended
    damon::Vector<damos*> fresh_schemes;
    damon::Vector<damon_probe*> fresh_probes;
};

template <typename Handle>
void delete_all(damon::Vector<Handle*>& handles) {
    for (Handle* handle : handles) damon::heap_delete(handle);
    handles.clear();
}

void delete_fresh(HandleCommit& handles) {
    delete_all(handles.fresh_targets);
    delete_all(handles.fresh_schemes);
    delete_all(handles.fresh_probes);
}

void dispose(damon::Commit& commit) {
    auto& handles = reinterpret_cast<HandleCommit&>(commit);
    delete_fresh(handles);
    damon::heap_delete(&handles);
}

// Handles for the entries of a list of `nr` that is not there yet, and room for all in the destination's.
template <typename Handle>
bool make_fresh(damon::Vector<Handle*>& handles, size_t nr, damon::Vector<Handle*>& fresh) {
    for (size_t i = handles.size(); i < nr; ++i) {
        Handle* handle = damon::heap_new<Handle>();
        if (handle == nullptr) return false;
        if (!fresh.push_back(static_cast<Handle* const&>(handle))) {
            damon::heap_delete(handle);
            return false;
        }
    }
    return handles.reserve(nr);
}

// A source without ranges keeps the destination's, also for its next start; obsolete targets go.
bool complete_targets(const damon::Params& before, damon::Vector<damon::TargetParams>& targets) {
    for (size_t i = targets.size(); i-- > 0;) {
        if (targets[i].obsolete) {
            targets.erase(i, i + 1);
        } else if (targets[i].ranges.empty() && i < before.targets.size() &&
                   !targets[i].ranges.copy_from(before.targets[i].ranges)) {
            return false;
        }
    }
    return true;
}

// What the destination will say, from what it says now: several commits may be on their way. May be asked again.
Status complete_params(damon::Commit& commit) {
    auto& handles = reinterpret_cast<HandleCommit&>(commit);
    damon_ctx& dst = *handles.dst;
    delete_fresh(handles);
    const Status status = damon::check_obsolete_targets(commit.params, dst.targets.size());
    if (!status.ok()) return status;
    const bool fits = handles.next.copy_from(commit.params) && complete_targets(dst.params, handles.next.targets) &&
                      make_fresh(dst.targets, commit.params.targets.size(), handles.fresh_targets) &&
                      make_fresh(dst.schemes, commit.params.schemes.size(), handles.fresh_schemes) &&
                      make_fresh(dst.probes, commit.params.probes.size(), handles.fresh_probes);
    return fits ? status : Status::fail(-ENOMEM, "no memory for the commit");
}

// All parameters as they are now but the attributes. Without ranges, targets keep the regions that they have.
Status complete_attrs(damon::Commit& commit) {
    const auto& handles = reinterpret_cast<const HandleCommit&>(commit);
    if (!commit.params.copy_from(handles.dst->kdamond.engine().params())) {
        return Status::fail(-ENOMEM, "no memory for the new attributes");
    }
    for (damon::TargetParams& target : commit.params.targets) target.ranges.clear();
    commit.params.attrs = handles.next.attrs;
    return {};
}

// Entries are matched by position: surplus ones go, new ones come behind.
template <typename Handle>
void match_handles(damon_ctx& dst, damon::Vector<Handle*>& handles, size_t nr_wanted, damon::Vector<Handle*>& fresh) {
    for (size_t i = handles.size(); i-- > nr_wanted;) {
        damon::heap_delete(handles[i]);
        handles.erase(i, i + 1);
    }
    for (Handle* handle : fresh) {
        handle->owner = &dst;
        [[maybe_unused]] const bool pushed = handles.push_back(static_cast<Handle* const&>(handle));
    }
    fresh.clear();
    damon::number_parts(handles, 0);
}

// The destination says now what its engine does. The mutex of the destination's sync is held.
void take_locked(HandleCommit& handles) {
    damon_ctx& dst = *handles.dst;
    dst.kdamond.forget_tuned_locked();
    if (handles.attrs_only) {
        dst.params.attrs = handles.next.attrs;
        return;
    }
    if (handles.worker_chosen) {
        dst.worker_chosen = true;
        dst.worker = handles.worker;
        dst.worker_cpus.swap(handles.worker_cpus);
    }
    const damon::Vector<damon::TargetParams>& wanted = handles.commit.params.targets;
    match_handles(dst, dst.targets, wanted.size(), handles.fresh_targets);
    for (size_t i = wanted.size(); i-- > 0;) {
        if (!wanted[i].obsolete) continue;
        damon::heap_delete(dst.targets[i]);
        dst.targets.erase(i, i + 1);
    }
    damon::number_parts(dst.targets, 0);
    match_handles(dst, dst.schemes, handles.next.schemes.size(), handles.fresh_schemes);
    match_handles(dst, dst.probes, handles.next.probes.size(), handles.fresh_probes);
    dst.params = std::move(handles.next);
    dst.publish_access_check();
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
    handles->commit.complete = complete_params;
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
    if (!handles.ops_chosen) params.ops_id = dst.params.ops_id;
    if (!handles.access_check_chosen) params.access_check = dst.params.access_check;
    if (params.ops_id != dst.params.ops_id && running) {
        return Status::fail(-EINVAL,
                            "ops_id of the source is %s and of the running destination %s: stop it to change that",
                            ops_name(params.ops_id), ops_name(dst.params.ops_id));
    }
    if (params.ops_id != dst.params.ops_id &&
        (params.ops_id == damon::OpsId::kCustom || params.ops_id == damon::OpsId::kSim)) {
        return Status::fail(-EINVAL,
                            "ops_id of the source is %s, which a commit cannot hand over: use %s on the destination",
                            ops_name(params.ops_id),
                            params.ops_id == damon::OpsId::kSim ? "damon_ctx_set_sim()" : "damon_ctx_set_custom_ops()");
    }
    if (params.access_check != dst.params.access_check && running) {
        return Status::fail(
            -EINVAL, "the access check of the source is %s and of the running destination %s: stop it to change that",
            damon::access_check_name(params.access_check), damon::access_check_name(dst.params.access_check));
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
    status = complete_params(handles.commit);
    if (status.ok()) status = ops.validate(params);
    damon::OpsTraits traits = ops.traits();
    if (!ops.can_survey(params)) traits.span_page_bytes = 0;
    if (status.ok()) status = damon::Engine::validate(params, traits);
    if (status.ok()) status = damon::validate_effect(params);
    if (!status.ok()) return true;
    const size_t nr_before = dst.schemes.size();
    take_locked(handles);
    for (size_t i = nr_before; i > dst.schemes.size(); --i) dst.kdamond.forget_scheme_locked(i - 1);
    dst.kdamond.set_pause_locked(handles.commit.pause);
    return true;
}

Status collect_source(const damon_ctx& src, HandleCommit& handles) {
    Status status = damon::collect_params(src, handles.commit.params);
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
    handles->next.attrs = attrs;
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
