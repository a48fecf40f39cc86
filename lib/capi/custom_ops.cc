#include "capi/custom_ops.h"

#include <algorithm>
#include <cerrno>

#include "capi/handles.h"

namespace damon {

OpsTraits CustomOps::traits() const {
    OpsTraits traits;
    traits.has_apply = true;  // DAMOS_CALLBACK needs no apply_scheme
    traits.has_subject = false;
    traits.has_target_valid = table_.target_valid != nullptr;
    traits.score = table_.get_scheme_score != nullptr ? ScoreSource::kAsk : ScoreSource::kNone;
    return traits;
}

Status CustomOps::validate(const Params& params) const {
    return refuse_own_memcg(params, "custom operations measure nothing of the system");
}

Status CustomOps::start(const Params&) {
    if (table_.init == nullptr) return {};
    const int error = table_.init(priv_, ctx_);
    if (error == 0) return {};
    return Status::fail(error < 0 ? error : -EINVAL, "init of the custom operations returned %d", error);
}

void CustomOps::stop() {
    if (table_.cleanup != nullptr) table_.cleanup(priv_);
}

// The program's update covers all targets at once, through damon_target_set_regions.
void CustomOps::refresh(uint32_t target_idx, RefreshReason reason, TargetCoverage&) {
    if (reason == RefreshReason::kUpdate && target_idx == 0 && table_.update != nullptr) table_.update(priv_, ctx_);
}

bool CustomOps::copy_samples(std::span<const Sample> samples) {
    if (!samples_.resize(samples.size())) return false;
    for (size_t i = 0; i < samples.size(); ++i) {
        const Sample& sample = samples[i];
        samples_[i] = {.addr = sample.addr,
                       .region_start = sample.region.start,
                       .region_end = sample.region.end,
                       .target_idx = sample.target_idx,
                       .seen = DAMON_SEEN_UNKNOWN,
                       .unknown_reason = DAMON_UNKNOWN_OTHER,
                       .reserved = 0};
    }
    return true;
}

void CustomOps::arm(std::span<Sample> samples) {
    if (table_.prepare_access_checks == nullptr || !copy_samples(samples)) return;
    table_.prepare_access_checks(priv_, samples_.data(), samples_.size());
}

void CustomOps::look(std::span<Sample> samples) {
    if (table_.check_accesses == nullptr || !copy_samples(samples)) {
        for (Sample& sample : samples) sample.seen = Seen::kUnknown;
        return;
    }
    table_.check_accesses(priv_, samples_.data(), samples_.size());
    const bool writes_only = (table_.flags & DAMON_OPERATIONS_WRITES_ONLY) != 0;
    for (size_t i = 0; i < samples.size(); ++i) {
        const int32_t answer = samples_[i].seen;
        samples[i].seen = answer == DAMON_SEEN_YES ? Seen::kYes : answer == DAMON_SEEN_NO ? Seen::kNo : Seen::kUnknown;
        samples[i].writes_only = writes_only;
        const int32_t reason = samples_[i].unknown_reason;
        const bool known = reason > DAMON_UNKNOWN_NONE && reason <= DAMON_UNKNOWN_OTHER;
        samples[i].unknown = known ? static_cast<Unknown>(reason) : Unknown::kOther;
    }
}

void CustomOps::disarm() {
    if (table_.disarm != nullptr) table_.disarm(priv_);
}

bool CustomOps::target_valid(uint32_t target_idx) {
    return table_.target_valid == nullptr || table_.target_valid(priv_, target_idx) != 0;
}

bool CustomOps::targets_can_die() const { return table_.target_valid != nullptr; }

Outcome CustomOps::apply(const ActionRequest& request) {
    Outcome outcome;
    if (table_.apply_scheme == nullptr) return outcome;
    const damon_region_info region = region_info_of(request);
    outcome.applied = table_.apply_scheme(priv_, ctx_, &region, request.scheme_idx, &outcome.filter_passed);
    return outcome;
}

uint32_t CustomOps::score(const ActionRequest& request) {
    const damon_region_info region = region_info_of(request);
    const int score = table_.get_scheme_score(priv_, ctx_, &region, request.scheme_idx);
    return static_cast<uint32_t>(std::clamp(score, 0, 99));
}

}  // namespace damon
