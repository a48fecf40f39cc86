#include "kdamond/worker/learned.h"

#include <cerrno>
#include <utility>

namespace damon {
namespace {

bool is_nothing(const SavedContext& saved) { return saved.aggr_us == 0; }

Status no_memory() { return Status::fail(-ENOMEM, "no memory for a copy of the regions"); }

}  // namespace

Status Learned::save(SavedContext& out) const {
    return run_.engine.save(run_.clock.now_us(), out) ? Status{} : no_memory();
}

Status Learned::restore(const SavedContext& saved) { return run_.engine.restore(saved, run_.clock.now_us()); }

Status Learned::save_locked(SavedContext& out) const {
    if (is_nothing(saved_)) {
        return Status::fail(-EINVAL, "nothing was learned yet: the context has not run, or its end found no memory");
    }
    return out.copy_from(saved_) ? Status{} : no_memory();
}

void Learned::restore_locked(SavedContext&& saved) {
    saved_ = std::move(saved);
    restoring_ = true;
}

void Learned::forget_scheme_locked(size_t scheme_idx) {
    if (scheme_idx < saved_.schemes.size()) saved_.schemes.erase(scheme_idx, scheme_idx + 1);
}

void Learned::keep() {
    saved_ = {};
    (void)run_.engine.save(run_.clock.now_us(), saved_);
}

Status Learned::bring(bool can_restore) {
    const bool wanted = std::exchange(restoring_, false);
    const SavedContext saved = std::exchange(saved_, {});
    return wanted && can_restore ? restore(saved) : Status();
}

}  // namespace damon
