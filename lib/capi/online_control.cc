#include <cerrno>

#include "base/heap.h"
#include "capi/handles.h"
#include "capi/structs.h"

namespace {

using damon::Status;

// A commit with what becomes of the destination's handles; all memory is taken before anything changes.
struct HandleCommit {
    damon::Commit commit;  // first: the worker hands it back
    damon_ctx* dst = nullptr;
    damon::Attrs attrs;
    bool attrs_only = false;
    damon::Vector<damon_target*> targets;  // the new list; entries of the old one are reused by position
    damon::Vector<damos*> schemes;
    damon::Vector<damon::TargetParams> target_params;  // parallel to `targets`
    damon::Vector<damon::SchemeParams> scheme_params;  // parallel to `schemes`
    damon::Vector<damon_target*> fresh_targets;        // of `targets`, those that are new
    damon::Vector<damos*> fresh_schemes;
};

void dispose(damon::Commit& commit) {
    auto& handles = reinterpret_cast<HandleCommit&>(commit);
    for (damon_target* target : handles.fresh_targets) damon::heap_delete(target);
    for (damos* scheme : handles.fresh_schemes) damon::heap_delete(scheme);
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

bool prepare_targets(const damon_ctx& dst, const damon_ctx& src, HandleCommit& commit) {
    for (size_t i = 0; i < src.targets.size(); ++i) {
        const damon::TargetParams& params = src.targets[i]->params;
        if (params.obsolete) continue;
        damon::TargetParams copy;
        if (!add_handle(dst.targets, i, commit.targets, commit.fresh_targets) || !copy.copy_from(params)) return false;
        // A source without ranges keeps the destination's, also for its next start.
        if (params.ranges.empty() && i < dst.targets.size() && !copy.ranges.copy_from(dst.targets[i]->params.ranges)) {
            return false;
        }
        if (!commit.target_params.push_back(std::move(copy))) return false;
    }
    return true;
}

bool prepare_schemes(const damon_ctx& dst, const damon_ctx& src, HandleCommit& commit) {
    for (size_t i = 0; i < src.schemes.size(); ++i) {
        damon::SchemeParams copy;
        if (!add_handle(dst.schemes, i, commit.schemes, commit.fresh_schemes) ||
            !copy.copy_from(src.schemes[i]->params) || !commit.scheme_params.push_back(std::move(copy))) {
            return false;
        }
    }
    return true;
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

// The destination's handles now say what its engine does.
void taken(damon::Commit& commit) {
    auto& handles = reinterpret_cast<HandleCommit&>(commit);
    damon_ctx& dst = *handles.dst;
    const damon::Lock lock(dst.meeting.mutex);
    dst.attrs = handles.attrs;
    if (handles.attrs_only) return;
    dst.min_region_sz = commit.params.min_region_sz;
    dst.addr_unit = commit.params.addr_unit;
    take_handles(dst, dst.targets, handles.targets, handles.target_params, handles.fresh_targets);
    take_handles(dst, dst.schemes, handles.schemes, handles.scheme_params, handles.fresh_schemes);
}

HandleCommit* new_commit(damon_ctx& dst) {
    auto* handles = damon::heap_new<HandleCommit>();
    if (handles == nullptr) return nullptr;
    handles->dst = &dst;
    handles->commit.taken = taken;
    handles->commit.dispose = dispose;
    return handles;
}

// A stopped destination: check, then change the handles.
Status commit_stopped(damon_ctx& dst, HandleCommit& handles) {
    damon::Ops& ops = damon::ops_of(dst);
    Status status = ops.validate(handles.commit.params);
    if (status.ok()) status = damon::Engine::validate(handles.commit.params, ops.traits());
    if (status.ok()) taken(handles.commit);
    return status;
}

Status run_commit(damon_ctx& dst, HandleCommit* handles) {
    bool deferred = false;
    const Status status =
        dst.kdamond.running() ? dst.kdamond.commit(handles->commit, &deferred) : commit_stopped(dst, *handles);
    if (!deferred) dispose(handles->commit);
    return status;
}

Status check_obsolete(const damon_ctx& dst, const damon_ctx& src) {
    for (size_t i = dst.targets.size(); i < src.targets.size(); ++i) {
        if (src.targets[i]->params.obsolete) {
            return Status::fail(
                -EINVAL, "target %llu of the source is obsolete, and the destination has only %llu targets",
                static_cast<unsigned long long>(i), static_cast<unsigned long long>(dst.targets.size()));
        }
    }
    return {};
}

Status commit(damon_ctx& dst, const damon_ctx& src) {
    Status status = check_obsolete(dst, src);
    if (!status.ok()) return status;
    HandleCommit* handles = new_commit(dst);
    if (handles == nullptr) return Status::fail(-ENOMEM, "no memory for the commit");
    status = damon::collect_params(src, handles->commit.params);
    handles->attrs = handles->commit.params.attrs;
    handles->commit.params.ops_id = dst.ops_id;
    handles->commit.params.access_check = dst.access_check;
    if (status.ok() && (!prepare_targets(dst, src, *handles) || !prepare_schemes(dst, src, *handles))) {
        status = Status::fail(-ENOMEM, "no memory for the commit");
    }
    if (!status.ok()) {
        dispose(handles->commit);
        return status;
    }
    return run_commit(dst, handles);
}

// On the worker of a running destination, so that commits from several threads come one after the other; else here.
Status commit_where_it_belongs(damon_ctx& dst, const damon_ctx& src) {
    if (dst.kdamond.on_worker()) return commit(dst, src);
    if (dst.kdamond.running()) {
        struct Job {
            damon_ctx* dst;
            const damon_ctx* src;
            Status status;
        } job = {&dst, &src, {}};
        damon::Call call;
        call.data = &job;
        call.fn = [](void* data) {
            Job& given = *static_cast<Job*>(data);
            given.status = commit(*given.dst, *given.src);
            return 0;
        };
        const int error = dst.kdamond.call(call, nullptr);
        return error == 0 ? job.status : Status::fail(error, "the context stopped before the commit was done");
    }
    {
        const damon::Lock lock(dst.meeting.mutex);
        if (dst.starting) return Status::fail(-EBUSY, "the context is being started or changed by another thread");
        dst.starting = true;
    }
    const Status status = commit(dst, src);
    const damon::Lock lock(dst.meeting.mutex);
    dst.starting = false;
    return status;
}

}  // namespace

namespace damon {

int commit_attrs_on_worker(damon_ctx& ctx, const Attrs& attrs) {
    HandleCommit* handles = new_commit(ctx);
    if (handles == nullptr || !handles->commit.params.copy_from(ctx.kdamond.engine().params())) {
        if (handles != nullptr) dispose(handles->commit);
        return report(&ctx, Status::fail(-ENOMEM, "no memory for the new attributes"));
    }
    // Without ranges, targets keep the regions that they have.
    for (TargetParams& target : handles->commit.params.targets) target.ranges.clear();
    handles->commit.params.attrs = attrs;
    handles->attrs = attrs;
    handles->attrs_only = true;
    return report(&ctx, run_commit(ctx, handles));
}

}  // namespace damon

int damon_commit_ctx(damon_ctx* dst, const damon_ctx* src) {
    Status status = damon::check_handle(dst);
    if (status.ok()) status = damon::check_handle(src);
    if (status.ok() && dst == src) status = Status::fail(-EINVAL, "the source of the commit is its destination");
    if (status.ok() && src->kdamond.running()) {
        status = Status::fail(-EBUSY, "the source of the commit runs; it must be a stopped context");
    }
    if (status.ok()) status = commit_where_it_belongs(*dst, *src);
    damon::report(src, status);
    return damon::report(dst, status);
}

void damon_call_control_init(struct damon_call_control* c) {
    if (c == nullptr) return;
    *c = {};
    c->size = sizeof *c;
}

int damon_call(damon_ctx* ctx, struct damon_call_control* control) {
    damon_call_control known{};
    Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::read_struct("damon_call_control", control, known);
    if (status.ok() && control->size < sizeof known) {
        status = Status::fail(-EINVAL, "struct damon_call_control has size %u; it must be at least %u", control->size,
                              static_cast<unsigned>(sizeof known));
    }
    if (status.ok() && known.fn == nullptr) status = Status::fail(-EINVAL, "damon_call_control.fn is NULL");
    if (status.ok() && (known.flags & ~static_cast<uint32_t>(DAMON_CALL_REPEAT)) != 0) {
        status =
            Status::fail(-EINVAL, "damon_call_control.flags is 0x%x; only DAMON_CALL_REPEAT (1) is known", known.flags);
    }
    if (!status.ok()) return damon::report(ctx, status);
    damon::Call call;
    call.fn = known.fn;
    call.data = known.data;
    call.release = known.release;
    call.repeat = (known.flags & DAMON_CALL_REPEAT) != 0;
    control->canceled = 0;
    const bool repeat = call.repeat;
    const int error = ctx->kdamond.call(call, &control->id);
    // The control of a repeat call may be gone already: its fn may have run and ended it.
    if (!repeat) {
        control->return_code = call.result;
        control->canceled = error == -ECANCELED ? 1 : 0;
    }
    if (error == 0) return 0;
    return damon::report(
        ctx, error == -EDEADLK  ? Status::fail(error, "a one-shot call from a callback would wait for itself")
             : error == -ENOMEM ? Status::fail(error, "no memory for another call")
                                : Status::fail(error, "the call was cancelled: the context does not run"));
}

int damon_call_cancel(damon_ctx* ctx, uint64_t id) {
    const Status status = damon::check_handle(ctx);
    return status.ok() ? ctx->kdamond.cancel_call(id) : status.error();
}

int damon_set_pause(damon_ctx* ctx, int pause) {
    Status status = damon::check_handle(ctx);
    if (status.ok() && pause != 0 && pause != 1)
        status = Status::fail(-EINVAL, "pause is %d; it must be 0 or 1", pause);
    if (!status.ok()) return damon::report(ctx, status);
    const int error = ctx->kdamond.set_pause(pause == 1);
    return error == 0 ? 0
                      : damon::report(ctx, Status::fail(error, "the context ended before it was %s",
                                                        pause == 1 ? "paused" : "resumed"));
}

int damon_is_paused(const damon_ctx* ctx) {
    const Status status = damon::check_handle(ctx);
    return status.ok() ? ctx->kdamond.paused() : status.error();
}

void damos_walk_control_init(struct damos_walk_control* c) {
    if (c == nullptr) return;
    *c = {};
    c->size = sizeof *c;
}

int damos_walk(damon_ctx* ctx, struct damos_walk_control* control) {
    damos_walk_control known{};
    Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::read_struct("damos_walk_control", control, known);
    if (status.ok() && known.walk_fn == nullptr) status = Status::fail(-EINVAL, "damos_walk_control.walk_fn is NULL");
    if (!status.ok()) return damon::report(ctx, status);
    struct Job {
        damon_ctx* ctx;
        const damos_walk_control* control;
    } job = {ctx, &known};
    damon::Walk walk;
    walk.data = &job;
    walk.fn = [](void* data, const damon::ActionRequest& request, const damon::Outcome& outcome) {
        const Job& given = *static_cast<Job*>(data);
        const damon_region_info region = damon::region_info_of(request);
        given.control->walk_fn(given.control->data, given.ctx, &region, request.scheme_idx, outcome.filter_passed);
    };
    const int error = ctx->kdamond.walk(walk);
    control->canceled = error == -ECANCELED ? 1 : 0;
    if (error == 0) return 0;
    return damon::report(ctx, error == -EBUSY     ? Status::fail(error, "another walk is pending")
                              : error == -EDEADLK ? Status::fail(error, "a walk from a callback would wait for itself")
                                                  : Status::fail(error,
                                                                 "the walk was cancelled: not running, paused, "
                                                                 "no schemes, or all wait for watermarks"));
}
