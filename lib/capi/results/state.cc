// What a context is doing, and how its worker is made.
#include <cerrno>
#include <cstring>

#include "capi/handles.h"
#include "capi/structs.h"

using damon::Status;

namespace {

constexpr uint64_t kLargestStackBytes = uint64_t{1} << 30;

Status check_worker_attr(const damon_worker_attr& attr) {
    static_assert(sizeof attr.name == damon::ThreadOptions::kNameBytes);
    if (attr.nice < -20 || attr.nice > 19) {
        return Status::fail(-EINVAL, "damon_worker_attr.nice is %d; it must be -20 to 19", attr.nice);
    }
    const bool stack_fits =
        damon::Thread::kSmallestStackBytes <= attr.stack_bytes && attr.stack_bytes <= kLargestStackBytes;
    if (attr.stack_bytes != 0 && !stack_fits) {
        return Status::fail(-EINVAL, "damon_worker_attr.stack_bytes is %llu; it must be 0, or 65,536 to 1 GiB",
                            static_cast<unsigned long long>(attr.stack_bytes));
    }
    if ((attr.cpu_mask == nullptr) != (attr.nr_cpu_words == 0)) {
        return Status::fail(-EINVAL, "damon_worker_attr.cpu_mask is %s and nr_cpu_words is %zu",
                            attr.cpu_mask == nullptr ? "NULL" : "set", attr.nr_cpu_words);
    }
    if (attr.nr_cpu_words > 1024) {
        return Status::fail(-EINVAL, "damon_worker_attr.nr_cpu_words is %zu; it must be at most 1,024",
                            attr.nr_cpu_words);
    }
    bool any = attr.cpu_mask == nullptr;
    for (size_t i = 0; i < attr.nr_cpu_words; ++i) any = any || attr.cpu_mask[i] != 0;
    if (!any) return Status::fail(-EINVAL, "damon_worker_attr.cpu_mask names no CPU");
    if (memchr(attr.name, '\0', sizeof attr.name) == nullptr) {
        return Status::fail(-EINVAL, "damon_worker_attr.name is not terminated; at most 15 characters fit");
    }
    return {};
}

}  // namespace

void damon_state_info_init(struct damon_state_info* info) {
    if (info == nullptr) return;
    *info = {};
    info->size = sizeof *info;
}

void damon_worker_attr_init(struct damon_worker_attr* attr) {
    if (attr == nullptr) return;
    *attr = {};
    attr->size = sizeof *attr;
}

int damon_ctx_get_state(const damon_ctx* ctx, struct damon_state_info* out) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    if (!status.ok()) return status.error();
    status = damon::check_struct("damon_state_info", out);
    if (!status.ok()) return damon::report(ctx, status);
    const damon::Activity activity = ctx->kdamond.activity();
    damon_state_info info{};
    info.size = sizeof info;
    info.state = static_cast<int32_t>(activity.state);
    info.since_ns = activity.since_ns;
    info.window_us = activity.window_us;
    info.cost_permil = activity.cost_permil;
    static_assert(sizeof info.reason == sizeof activity.reason);
    memcpy(info.reason, activity.reason, sizeof info.reason);
    damon::write_struct(info, out);
    return 0;
}

int damon_ctx_set_worker_attr(damon_ctx* ctx, const struct damon_worker_attr* attr) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (ctx == nullptr) return status.error();
    damon_worker_attr known{};
    if (status.ok()) status = damon::read_struct("damon_worker_attr", attr, known);
    if (status.ok()) status = check_worker_attr(known);
    damon::Vector<uint64_t> cpus;
    if (status.ok() && !cpus.resize(known.nr_cpu_words)) {
        status = Status::fail(-ENOMEM, "no memory for damon_worker_attr.cpu_mask");
    }
    if (status.ok()) {
        if (!cpus.empty()) memcpy(cpus.data(), known.cpu_mask, cpus.size() * sizeof(uint64_t));
        status = damon::change_while_stopped(ctx, [&] {
            ctx->worker_chosen = true;
            ctx->worker.nice = known.nice;
            ctx->worker.stack_bytes = known.stack_bytes;
            memcpy(ctx->worker.name, known.name, sizeof known.name);
            ctx->worker_cpus.swap(cpus);
            return Status();
        });
    }
    return damon::report(ctx, status);
}
