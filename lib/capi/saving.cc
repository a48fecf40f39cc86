// What a context has learned as bytes, and back.
#include <cerrno>
#include <span>
#include <utility>

#include "capi/handles.h"
#include "engine/monitor/restoring.h"
#include "model/saved_context.h"
#include "model/saved_mappings.h"
#include "ops/offload/offload_text.h"
#include "os/proc_maps.h"

namespace {

using damon::AddressRange;
using damon::NamedRange;
using damon::SavedContext;
using damon::SavedPlace;
using damon::SavedTarget;
using damon::Status;

// A target whose ranges are the program's: given, or added one by one.
bool has_ranges(const damon_ctx& ctx, size_t target_idx) {
    const bool added = target_idx == 0 && ctx.kdamond.added().only();
    return added || !ctx.params.targets[target_idx].ranges.empty();
}

// As the program gave them: those that touch by chance are two.
bool read_ranges(const damon_ctx& ctx, size_t target_idx, damon::Vector<AddressRange>& ranges) {
    ranges.clear();
    if (target_idx == 0 && ctx.kdamond.added().only()) return ctx.kdamond.added().read(ranges, false);
    return ranges.copy_from(ctx.params.targets[target_idx].ranges);
}

SavedPlace place_of(const damon_ctx& ctx, size_t target_idx) {
    if (has_ranges(ctx, target_idx)) return SavedPlace::kByPosition;
    switch (ctx.params.ops_id) {
        case damon::OpsId::kVaddr:
            return ctx.params.targets[target_idx].pid == 0 ? SavedPlace::kByMapping : SavedPlace::kNotSaved;
        case damon::OpsId::kKernelVaddr:
            return SavedPlace::kNotSaved;
        default:
            return SavedPlace::kByAddress;
    }
}

// The mappings that the program can use.
Status read_mappings(damon::Vector<NamedRange>& mappings) {
    struct Reading {
        damon::Vector<NamedRange>& mappings;
        bool complete = true;
    } reading{mappings};
    const auto visit = [](void* context, const damon::Mapping& mapping) {
        auto& to = *static_cast<Reading*>(context);
        if (!mapping.usable() || mapping.vsyscall) return;
        if (!to.mappings.push_back(NamedRange{mapping.range, mapping.name})) to.complete = false;
    };
    damon::ProcMaps maps;
    uint64_t bad_lines = 0;
    int error = maps.open(0);
    if (error == 0) error = maps.read_all(visit, &reading, bad_lines);
    if (error != 0) return Status::fail(error, "/proc/self/maps cannot be read (errno %d)", -error);
    if (!reading.complete) return Status::fail(-ENOMEM, "no memory for the names of mappings");
    return {};
}

// The mappings in which its regions lie.
Status name_mappings(SavedTarget& target) {
    damon::Vector<NamedRange> mappings;
    if (Status status = read_mappings(mappings); !status.ok()) return status;
    size_t at = 0;
    for (const NamedRange& one : mappings) {
        while (at < target.regions.size() && target.regions[at].range.end <= one.range.start) ++at;
        if (at == target.regions.size()) break;
        if (target.regions[at].range.start >= one.range.end) continue;
        if (!target.ranges.push_back(one.range) || !target.names.push_back(one.name)) {
            return Status::fail(-ENOMEM, "no memory for the names of mappings");
        }
    }
    return {};
}

// The other way: its regions get the addresses of now.
Status find_mappings(SavedTarget& target, size_t target_idx) {
    damon::Vector<NamedRange> mappings;
    if (Status status = read_mappings(mappings); !status.ok()) return status;
    uint64_t found = 0;
    uint64_t saved = 0;
    if (!damon::move_to_mappings(target, mappings.span(), found, saved)) {
        return Status::fail(-ENOMEM, "no memory for the regions of target %zu", target_idx);
    }
    if (found >= saved - saved / 2 && found != 0) return {};
    return Status::fail(
        -ENOENT,
        "target %zu: of %llu KiB in mappings that were saved, mappings of %llu KiB are here again; half "
        "of them must be",
        target_idx, static_cast<unsigned long long>(saved >> 10), static_cast<unsigned long long>(found >> 10));
}

Status check_count(const char* what, size_t saved, size_t now) {
    if (saved == now) return {};
    return Status::fail(-EINVAL, "%zu %s were saved; the context has %zu, and must have as many", saved, what, now);
}

Status check_place(const damon_ctx& ctx, size_t target_idx) {
    if (place_of(ctx, target_idx) != SavedPlace::kNotSaved) return {};
    return Status::fail(-EOPNOTSUPP,
                        "target %zu is another process, of which nothing is saved: targets with ranges are, and the "
                        "mappings of this process",
                        target_idx);
}

// The rest of these functions up to the next mark hold the sync's mutex.

Status name_ranges(const damon_ctx& ctx, SavedContext& saved) {
    Status status = check_count("targets", saved.targets.size(), ctx.params.targets.size());
    for (size_t i = 0; status.ok() && i < saved.targets.size(); ++i) {
        status = check_place(ctx, i);
        if (!status.ok()) break;
        saved.targets[i].place = place_of(ctx, i);
        if (saved.targets[i].place == SavedPlace::kByMapping) {
            status = name_mappings(saved.targets[i]);
            continue;
        }
        if (!read_ranges(ctx, i, saved.targets[i].ranges)) {
            status = Status::fail(-ENOMEM, "no memory for a copy of the ranges of target %zu", i);
        }
    }
    return status;
}

Status check_schemes(const damon_ctx& ctx, const SavedContext& saved) {
    if (Status status = check_count("schemes", saved.schemes.size(), ctx.params.schemes.size()); !status.ok()) {
        return status;
    }
    for (size_t i = 0; i < saved.schemes.size(); ++i) {
        const auto then = static_cast<int>(saved.schemes[i].action);
        const auto now = static_cast<int>(ctx.params.schemes[i].action);
        if (then != now) {
            return Status::fail(-EINVAL, "scheme %zu: action %d was saved; it must be the scheme's, %d", i, then, now);
        }
    }
    return {};
}

Status check_target(const damon_ctx& ctx, const SavedTarget& saved, size_t target_idx,
                    std::span<const AddressRange> now) {
    if (Status status = check_place(ctx, target_idx); !status.ok()) return status;
    if (saved.place != place_of(ctx, target_idx)) {
        static constexpr const char* kWords[] = {"with ranges", "without ranges", "as the mappings of a process"};
        return Status::fail(-EINVAL, "target %zu: was saved %s, and must be restored so; it is now one %s", target_idx,
                            kWords[static_cast<size_t>(saved.place)],
                            kWords[static_cast<size_t>(place_of(ctx, target_idx))]);
    }
    if (saved.place != SavedPlace::kByPosition || saved.ranges.size() == now.size()) return {};
    return Status::fail(-EINVAL,
                        "target %zu has %zu ranges, and %zu were saved: it must have as many, in the same order",
                        target_idx, now.size(), saved.ranges.size());
}

// Where a scheme of a limited quota goes on.
void move_resume_points(SavedContext& saved, size_t target_idx, std::span<const AddressRange> now) {
    for (damon::SavedScheme& scheme : saved.schemes) {
        if (!scheme.resumes || scheme.resume_target != target_idx) continue;
        scheme.resumes = damon::moved_address(saved.targets[target_idx], now, scheme.resume_addr);
    }
}

void drop_resume_points(SavedContext& saved, size_t target_idx) {
    for (damon::SavedScheme& scheme : saved.schemes) {
        if (scheme.resume_target == target_idx) scheme.resumes = false;
    }
}

// Everything that was saved gets the addresses of now.
Status move_to_ranges(const damon_ctx& ctx, SavedContext& saved) {
    Status status = check_count("targets", saved.targets.size(), ctx.params.targets.size());
    if (status.ok()) status = check_schemes(ctx, saved);
    if (status.ok() && saved.addr_unit != ctx.params.addr_unit) {
        status = Status::fail(-EINVAL, "addr_unit %llu was saved; the context has %llu, and must have the same",
                              static_cast<unsigned long long>(saved.addr_unit),
                              static_cast<unsigned long long>(ctx.params.addr_unit));
    }
    damon::Vector<AddressRange> now;
    for (size_t i = 0; status.ok() && i < saved.targets.size(); ++i) {
        SavedTarget& target = saved.targets[i];
        const bool read = read_ranges(ctx, i, now);
        if (read) status = check_target(ctx, target, i, now.span());
        if (status.ok() && target.place == SavedPlace::kByMapping) status = find_mappings(target, i);
        if (!status.ok()) break;
        if (target.place == SavedPlace::kByMapping) drop_resume_points(saved, i);
        if (target.place == SavedPlace::kByPosition) move_resume_points(saved, i, now.span());
        if (!read || (target.place == SavedPlace::kByPosition && !damon::move_to(target, now.span()))) {
            status = Status::fail(-ENOMEM, "no memory for the regions of target %zu", i);
        }
    }
    return status;
}

Status save_stopped(damon_ctx& ctx, SavedContext& saved) {
    Status status = ctx.kdamond.save_locked(saved);
    return status.ok() ? name_ranges(ctx, saved) : status;
}

Status restore_stopped(damon_ctx& ctx, SavedContext& saved) {
    if (damon::is_kernel_ops(ctx.params.ops_id)) {
        return Status::fail(-EOPNOTSUPP, "ops_id is of the kernel's DAMON: it keeps its own regions");
    }
    Status status = move_to_ranges(ctx, saved);
    if (status.ok()) ctx.kdamond.restore_locked(std::move(saved));
    return status;
}

// On the worker of a run; no lock held.

Status save_running(damon_ctx& ctx, SavedContext& saved) {
    Status status = ctx.kdamond.save(saved);
    if (!status.ok()) return status;
    const damon::Lock lock(ctx.sync.mutex);
    return name_ranges(ctx, saved);
}

Status restore_running(damon_ctx& ctx, SavedContext& saved) {
    {
        const damon::Lock lock(ctx.sync.mutex);
        if (Status status = move_to_ranges(ctx, saved); !status.ok()) return status;
    }
    return ctx.kdamond.restore(saved);
}

// Any thread.

struct Job {
    using Step = Status (*)(damon_ctx& ctx, SavedContext& saved);
    damon_ctx& ctx;
    SavedContext& saved;
    Step running;
    Step stopped;
    Status status = {};
};

int run_on_worker(void* data) {
    auto& job = *static_cast<Job*>(data);
    job.status = job.running(job.ctx, job.saved);
    return 0;
}

// Between two intervals of a run, or while there is none.
Status run(Job& job) {
    damon_ctx& ctx = job.ctx;
    if (ctx.kdamond.on_worker()) return job.running(ctx, job.saved);
    for (;;) {
        {
            const damon::Lock lock(ctx.sync.mutex);
            while (ctx.starting) ctx.sync.callers.wait(ctx.sync.mutex);
            if (!ctx.kdamond.running_locked()) return job.stopped(ctx, job.saved);
        }
        damon::Call call;
        call.fn = run_on_worker;
        call.data = &job;
        const int error = ctx.kdamond.call(call, nullptr);
        if (error == 0) return job.status;
        if (error != -ECANCELED) return Status::fail(error, "the worker does not answer (errno %d)", -error);
        // The run has ended meanwhile.
    }
}

}  // namespace

int64_t damon_ctx_save(const damon_ctx* ctx, void* buf, size_t len) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    if (status.ok() && buf == nullptr && len > 0) status = Status::fail(-EINVAL, "buf is NULL and len is %zu", len);
    if (!status.ok()) return damon::report(ctx, status);
    SavedContext saved;
    // Nothing of the context changes.
    Job job{const_cast<damon_ctx&>(*ctx), saved, save_running, save_stopped};
    status = run(job);
    if (!status.ok()) return damon::report(ctx, status);
    const size_t needed = damon::encoded_bytes(saved);
    if (len == 0) return static_cast<int64_t>(needed);
    if (len < needed) return damon::report(ctx, Status::fail(-ENOSPC, "len is %zu; %zu bytes are needed", len, needed));
    damon::encode(saved, {static_cast<uint8_t*>(buf), needed});
    return static_cast<int64_t>(needed);
}

int damon_ctx_restore(damon_ctx* ctx, const void* buf, size_t len) {
    const damon::NoCancel no_cancel;
    Status status = damon::check_handle(ctx);
    if (status.ok() && buf == nullptr) status = Status::fail(-EINVAL, "buf is NULL");
    SavedContext saved;
    if (status.ok()) status = damon::decode({static_cast<const uint8_t*>(buf), len}, saved);
    if (!status.ok()) return damon::report(ctx, status);
    Job job{*ctx, saved, restore_running, restore_stopped};
    status = run(job);
    return damon::report(ctx, status);
}
