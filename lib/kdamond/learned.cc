// What a run has learned, kept at its end, and brought to the next one.
#include <cerrno>
#include <utility>

#include "kdamond/kdamond.h"

namespace damon {
namespace {

bool is_nothing(const SavedContext& saved) { return saved.aggr_us == 0; }

Status no_memory() { return Status::fail(-ENOMEM, "no memory for a copy of the regions"); }

}  // namespace

Status Kdamond::save(SavedContext& out) const { return engine_.save(now_us(), out) ? Status{} : no_memory(); }

Status Kdamond::save_locked(SavedContext& out) const {
    if (is_nothing(learned_)) {
        return Status::fail(-EINVAL, "nothing was learned yet: the context has not run, or its end found no memory");
    }
    return out.copy_from(learned_) ? Status{} : no_memory();
}

Status Kdamond::restore(const SavedContext& saved) {
    bool starting = false;
    {
        const Lock lock(sync_.mutex);
        starting = phase_ != Phase::kRunning;
    }
    if (in_step_ || ending_ || starting) {
        return Status::fail(-EBUSY, "nothing is restored in %s",
                            ending_    ? "the callbacks at a run's end"
                            : starting ? "the callbacks at a run's start"
                                       : "the callbacks of access checks, target_valid and schemes: they use the "
                                         "regions");
    }
    if (monitor_ != nullptr) {
        return Status::fail(-EOPNOTSUPP, "ops_id is of the kernel's DAMON: it keeps its own regions");
    }
    const Status status = engine_.restore(saved, now_us());
    if (!status.ok()) return status;
    reserve_published();
    publisher_.publish_schemes(engine_);
    return status;
}

void Kdamond::restore_locked(SavedContext&& saved) {
    learned_ = std::move(saved);
    restoring_ = true;
}

// Without memory for it nothing is kept, and a save says so.
void Kdamond::keep_learned() {
    learned_ = {};
    (void)engine_.save(now_us(), learned_);
}

void Kdamond::bring_learned() {
    const bool wanted = std::exchange(restoring_, false);
    const SavedContext learned = std::exchange(learned_, {});
    if (!wanted || monitor_ != nullptr) return;
    const Status status = engine_.restore(learned, now_us());
    if (!status.ok()) callbacks_.failed(callbacks_.owner, status);
    reserve_published();
}

}  // namespace damon
