// The simulator: making one, filling it, handing it to a context.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/heap.h"
#include "capi/handles.h"
#include "capi/sim/sim_handle.h"
#include "capi/structs.h"

namespace {

static_assert(sizeof(damon_sim_params::action_ns) == sizeof(damon::SimMachine::action_ns));

damon_sim_params params_to_c(const damon::SimMachine& machine, uint64_t seed) {
    damon_sim_params params{};
    params.size = sizeof params;
    params.nr_nodes = machine.nr_nodes;
    params.seed = seed;
    params.page_size = machine.page_size;
    params.huge_page_size = machine.huge_page_size;
    std::copy(std::begin(machine.node_bytes), std::end(machine.node_bytes), params.node_bytes);
    params.swap_bytes = machine.swap_bytes;
    params.fault_ns = machine.fault_ns;
    params.refault_ns = machine.refault_ns;
    params.young_us = machine.young_us;
    params.sample_ns = machine.sample_ns;
    params.batch_ns = machine.batch_ns;
    std::copy(std::begin(machine.action_ns), std::end(machine.action_ns), params.action_ns);
    return params;
}

damon::SimMachine machine_from_c(const damon_sim_params& params) {
    damon::SimMachine machine;
    machine.nr_nodes = params.nr_nodes;
    machine.page_size = params.page_size;
    machine.huge_page_size = params.huge_page_size;
    std::copy(std::begin(params.node_bytes), std::end(params.node_bytes), machine.node_bytes);
    machine.swap_bytes = params.swap_bytes;
    machine.fault_ns = params.fault_ns;
    machine.refault_ns = params.refault_ns;
    machine.young_us = params.young_us;
    machine.sample_ns = params.sample_ns;
    machine.batch_ns = params.batch_ns;
    std::copy(std::begin(params.action_ns), std::end(params.action_ns), machine.action_ns);
    return machine;
}

damon_sim_params default_params() { return params_to_c(damon::SimMachine(), 1); }

damon_sim_range default_range() {
    const damon::SimRange defaults;
    damon_sim_range range{};
    range.size = sizeof range;
    range.resident_bp = defaults.resident_bp;
    return range;
}

damon_sim_pattern default_pattern() {
    const damon::SimPattern defaults;
    damon_sim_pattern pattern{};
    pattern.size = sizeof pattern;
    pattern.rate_millihz = 1'000'000;
    pattern.writes_bp = defaults.writes_bp;
    pattern.end_us = defaults.end_us;
    return pattern;
}

damon::SimRange range_from_c(const damon_sim_range& given) {
    damon::SimRange range;
    range.range = {given.start, given.end};
    range.target_idx = given.target_idx;
    range.flags = given.flags;
    range.nid = given.nid;
    range.resident_bp = given.resident_bp;
    range.memcg_id = given.memcg_id;
    return range;
}

damon::SimPattern pattern_from_c(const damon_sim_pattern& given) {
    damon::SimPattern pattern;
    pattern.kind = static_cast<damon::SimPatternKind>(given.kind);
    pattern.target_idx = given.target_idx;
    pattern.range = {given.start, given.end};
    pattern.rate_millihz = given.rate_millihz;
    pattern.writes_bp = given.writes_bp;
    pattern.nr_regions = given.nr_regions;
    pattern.begin_us = given.begin_us;
    pattern.end_us = given.end_us;
    pattern.step_us = given.step_us;
    pattern.period_us = given.period_us;
    pattern.phase_us = given.phase_us;
    pattern.hot_us = given.hot_us;
    pattern.window_bytes = given.window_bytes;
    return pattern;
}

}  // namespace

namespace damon {

int report_sim(const damon_sim* sim, const Status& status) {
    if (sim != nullptr && !status.ok()) memcpy(sim->errmsg, status.text(), sizeof sim->errmsg);
    return status.error();
}

Status check_sim(const damon_sim* sim) {
    return sim == nullptr ? Status::fail(-EINVAL, "the simulator is NULL") : Status();
}

}  // namespace damon

void damon_sim_params_init(struct damon_sim_params* p) {
    if (p != nullptr) *p = default_params();
}

void damon_sim_range_init(struct damon_sim_range* r) {
    if (r != nullptr) *r = default_range();
}

void damon_sim_pattern_init(struct damon_sim_pattern* p) {
    if (p != nullptr) *p = default_pattern();
}

damon_sim* damon_sim_new(const struct damon_sim_params* p) {
    const damon::NoCancel no_cancel;
    damon_sim_params known = default_params();
    if (p != nullptr && !damon::read_struct("damon_sim_params", p, known).ok()) return nullptr;
    const damon::SimMachine machine = machine_from_c(known);
    if (!damon::validate_machine(machine).ok()) return nullptr;
    auto* sim = damon::heap_new<damon_sim>(known.seed, known.page_size);
    if (sim != nullptr && !sim->ops.set_machine(machine).ok()) {
        damon::heap_delete(sim);
        return nullptr;
    }
    return sim;
}

void damon_sim_free(damon_sim* sim) {
    const damon::NoCancel no_cancel;
    damon::heap_delete(sim);
}

int damon_sim_errmsg(const damon_sim* sim, char* buf, size_t len) {
    const damon::NoCancel no_cancel;
    if (sim == nullptr || (buf == nullptr && len > 0)) return -EINVAL;
    const size_t length = strlen(sim->errmsg);
    if (len > 0) {
        const size_t copied = std::min(length, len - 1);
        memcpy(buf, sim->errmsg, copied);
        buf[copied] = '\0';
    }
    return static_cast<int>(length);
}

int damon_sim_add_range(damon_sim* sim, const struct damon_sim_range* r) {
    const damon::NoCancel no_cancel;
    damon_sim_range known = default_range();
    damon::Status status = damon::check_sim(sim);
    if (status.ok()) status = damon::read_struct("damon_sim_range", r, known);
    if (status.ok()) status = sim->ops.add_range(range_from_c(known));
    return damon::report_sim(sim, status);
}

int damon_sim_add_pattern(damon_sim* sim, const struct damon_sim_pattern* p) {
    const damon::NoCancel no_cancel;
    damon_sim_pattern known = default_pattern();
    damon::Status status = damon::check_sim(sim);
    if (status.ok()) status = damon::read_struct("damon_sim_pattern", p, known);
    if (status.ok()) status = sim->ops.add_pattern(pattern_from_c(known));
    return damon::report_sim(sim, status);
}

int damon_sim_set_target_end(damon_sim* sim, uint32_t target_idx, uint64_t at_us) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_sim(sim);
    if (status.ok()) status = sim->ops.set_target_end(target_idx, at_us);
    return damon::report_sim(sim, status);
}

int damon_ctx_set_sim(damon_ctx* ctx, damon_sim* sim) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_setter(ctx, damon::OnWorker::kRefused);
    if (status.ok()) status = damon::check_sim(sim);
    if (!status.ok()) return damon::report(ctx, status);
    const damon::Lock lock(ctx->sync.mutex);
    ctx->external_ops = &sim->ops;
    ctx->params.ops_id = damon::OpsId::kSim;
    ctx->ops_chosen = true;
    return 0;
}
