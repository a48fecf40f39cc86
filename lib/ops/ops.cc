#include "ops/ops.h"

namespace damon {

OpsTraits Ops::traits() const { return {}; }
Status Ops::validate(const Params&) const { return {}; }
Status Ops::start(const Params&) { return {}; }
void Ops::commit(const Params&) {}
void Ops::stop() {}
void Ops::refresh(uint32_t, RefreshReason, TargetCoverage&) {}
bool Ops::wants_refresh() const { return false; }
void Ops::arm(std::span<Sample>) {}
void Ops::look(std::span<Sample>) {}
void Ops::disarm() {}
Status Ops::notice() { return {}; }
bool Ops::target_valid(uint32_t) { return true; }
bool Ops::targets_can_die() const { return false; }
Outcome Ops::apply(const ActionRequest&) { return {}; }
uint32_t Ops::score(const ActionRequest&) { return 0; }
void Ops::probe(std::span<const Sample>, std::span<uint8_t>) {}
void Ops::measure(std::span<MetricQuery>) {}
int32_t Ops::free_memory_permil() { return -1; }
void Ops::set_now(uint64_t) {}
Status Ops::change(const Params&) { return {}; }
bool Ops::can_pause() const { return true; }
Status Ops::pause(bool) { return {}; }
void Ops::set_pause_of_next(bool) {}
Status Ops::observe(const Params&, bool, Observation&) { return {}; }

}  // namespace damon
