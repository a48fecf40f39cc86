// Calls, pause, refresh and walks of a context at work.
#include <cerrno>

#include "capi/handles.h"
#include "capi/structs.h"

namespace {

using damon::Status;

}  // namespace

void damon_call_control_init(struct damon_call_control* c) {
    if (c == nullptr) return;
    *c = {};
    c->size = sizeof *c;
}

int damon_call(damon_ctx* ctx, struct damon_call_control* control) {
    const damon::NoCancel no_cancel;
    damon_call_control known{};
    Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::check_whole_struct("damon_call_control", control);
    if (status.ok()) status = damon::read_struct("damon_call_control", control, known);
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
    control->id = 0;
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
    const damon::NoCancel no_cancel;
    const Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    const int error = ctx->kdamond.cancel_call(id);
    if (error == 0) return 0;
    return damon::report(ctx,
                         Status::fail(error, "there is no call %llu (any more)", static_cast<unsigned long long>(id)));
}

int damon_set_pause(damon_ctx* ctx, int pause) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    if (status.ok() && pause != 0 && pause != 1)
        status = Status::fail(-EINVAL, "pause is %d; it must be 0 or 1", pause);
    if (!status.ok()) return damon::report(ctx, status);
    return damon::report(ctx, ctx->kdamond.set_pause(pause == 1));
}

int damon_ctx_refresh(damon_ctx* ctx) {
    const damon::NoCancel no_cancel;
    const Status status = damon::check_handle(ctx);
    return damon::report(ctx, status.ok() ? ctx->kdamond.refresh() : status);
}

int damon_is_paused(const damon_ctx* ctx) {
    const damon::NoCancel no_cancel;
    const Status status = damon::check_handle(ctx);
    return status.ok() ? ctx->kdamond.paused() : status.error();
}

void damos_walk_control_init(struct damos_walk_control* c) {
    if (c == nullptr) return;
    *c = {};
    c->size = sizeof *c;
}

int damos_walk(damon_ctx* ctx, struct damos_walk_control* control) {
    const damon::NoCancel no_cancel;
    damos_walk_control known{};
    Status status = damon::check_handle(ctx);
    if (status.ok()) status = damon::check_whole_struct("damos_walk_control", control);
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
