#include "ops/ops.h"

#include <cerrno>

namespace damon {

OpsTraits Ops::traits() const { return {}; }
Status Ops::validate(const Params&) const { return {}; }
bool Ops::can_survey(const Params&) const { return true; }
Status Ops::start(const Params&) { return {}; }
void Ops::commit(const Params&) {}
void Ops::stop() {}
void Ops::refresh(uint32_t, RefreshReason, TargetCoverage&) {}
bool Ops::wants_refresh() const { return false; }
void Ops::arm(std::span<Sample>) {}
void Ops::look(std::span<Sample>) {}
void Ops::arm_spans(std::span<Span>) {}
void Ops::look_spans(std::span<Span>) {}
void Ops::disarm() {}
uint64_t Ops::release_some() { return 0; }
void Ops::set_paused(bool) {}
Status Ops::notice() { return {}; }
bool Ops::begin_pass(bool) { return false; }
uint64_t Ops::pass_step(uint64_t) { return 0; }
uint64_t Ops::pass_generation() const { return 0; }
bool Ops::pass_answers(Vector<PassWindow>& out) {
    out.clear();
    return true;
}
uint64_t Ops::pass_access_cost_ns() const { return 0; }
bool Ops::target_valid(uint32_t) { return true; }
bool Ops::targets_can_die() const { return false; }
Outcome Ops::apply(const ActionRequest&) { return {}; }
uint32_t Ops::score(const ActionRequest&) { return 0; }
void Ops::probe(std::span<const Sample>, std::span<uint8_t>) {}
void Ops::measure(std::span<MetricQuery>) {}
int32_t Ops::free_memory_permil() { return -1; }
uint64_t Ops::take_model_cost_ns() { return 0; }
int32_t Ops::own_memcg_permil() { return -1; }
void Ops::set_now(uint64_t) {}
Status Ops::change(const Params&) { return {}; }

Status refuse_own_memcg(const Params& params, const char* why) {
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        const SchemeParams& scheme = params.schemes[i];
        if (scheme.wmarks.metric == WatermarkMetric::kOwnMemcgFreeRate) {
            return Status::fail(-EOPNOTSUPP, "schemes[%zu].wmarks.metric is DAMOS_WMARK_OWN_MEMCG_FREE_RATE: %s", i,
                                why);
        }
        for (size_t j = 0; j < scheme.goals.size(); ++j) {
            if (scheme.goals[j].metric != QuotaMetric::kOwnMemcgFreeBp) continue;
            return Status::fail(-EOPNOTSUPP, "schemes[%zu].goals[%zu].metric is DAMOS_QUOTA_OWN_MEMCG_FREE_BP: %s", i,
                                j, why);
        }
    }
    return {};
}

}  // namespace damon
