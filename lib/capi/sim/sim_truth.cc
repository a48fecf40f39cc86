// The simulator: reading its state and its truth.
#include <algorithm>
#include <cerrno>
#include <iterator>

#include "capi/sim/sim_handle.h"
#include "capi/structs.h"
#include "ops/sim/truth.h"
#include "os/thread.h"

namespace {

template <typename T>
void init_zeroed(T* out) {
    if (out == nullptr) return;
    *out = {};
    out->size = sizeof *out;
}

damon::Status read_query(const damon_sim* sim, const damon_sim_query* given, damon_sim_query& known) {
    damon::Status status = damon::check_sim(sim);
    if (status.ok()) status = damon::read_struct("damon_sim_query", given, known);
    return status;
}

damon::Status find_hot_ranges(const damon_sim* sim, const damon_sim_query& query,
                              damon::Vector<damon::AddressRange>& hot) {
    return sim->ops.world().hot_ranges(query.target_idx, query.at_us, query.min_rate_millihz, hot);
}

damon_sim_stat stat_to_c(const damon::SimStat& stat, uint64_t now_us) {
    damon_sim_stat out{};
    out.size = sizeof out;
    out.now_us = now_us;
    out.resident_bytes = stat.resident_bytes;
    out.active_bytes = stat.active_bytes;
    out.swapped_bytes = stat.swapped_bytes;
    out.evicted_bytes = stat.evicted_bytes;
    out.untouched_bytes = stat.untouched_bytes;
    out.huge_bytes = stat.huge_bytes;
    out.fault_bytes = stat.fault_bytes;
    out.refault_bytes = stat.refault_bytes;
    out.paged_out_bytes = stat.paged_out_bytes;
    out.migrated_bytes = stat.migrated_bytes;
    out.stall_ns = stat.stall_ns;
    out.action_ns = stat.action_ns;
    out.nr_actions = stat.nr_actions;
    out.nr_failed_actions = stat.out_of_memory;
    std::copy(std::begin(stat.node_used_bytes), std::end(stat.node_used_bytes), out.node_used_bytes);
    return out;
}

}  // namespace

void damon_sim_stat_init(struct damon_sim_stat* s) { init_zeroed(s); }
void damon_sim_query_init(struct damon_sim_query* q) { init_zeroed(q); }
void damon_sim_accuracy_init(struct damon_sim_accuracy* a) { init_zeroed(a); }

int damon_sim_get_stat(const damon_sim* sim, struct damon_sim_stat* out) {
    const damon::NoCancel no_cancel;
    damon::Status status = damon::check_sim(sim);
    if (status.ok()) status = damon::check_struct("damon_sim_stat", out);
    if (!status.ok()) return damon::report_sim(sim, status);
    damon::write_struct(stat_to_c(sim->ops.stat(), sim->ops.now_us()), out);
    return 0;
}

int damon_sim_rate(const damon_sim* sim, const struct damon_sim_query* q, uint64_t addr, uint64_t* rate_millihz_out) {
    const damon::NoCancel no_cancel;
    damon_sim_query query{};
    damon::Status status = read_query(sim, q, query);
    if (status.ok() && rate_millihz_out == nullptr) {
        status = damon::Status::fail(-EINVAL, "rate_millihz_out is NULL");
    }
    if (!status.ok()) return damon::report_sim(sim, status);
    const damon::SimWorld& world = sim->ops.world();
    const size_t piece = world.find_piece(query.target_idx, addr);
    if (piece == damon::SimWorld::kNoPiece) {
        return damon::report_sim(sim, damon::Status::fail(-ENOENT, "nothing is mapped at %llu of target %u",
                                                          static_cast<unsigned long long>(addr), query.target_idx));
    }
    *rate_millihz_out = world.rate_millihz(world.pieces()[piece], addr, query.at_us);
    return 0;
}

int damon_sim_hot_ranges(const damon_sim* sim, const struct damon_sim_query* q, struct damon_addr_range* ranges,
                         size_t cap, size_t* nr_out) {
    const damon::NoCancel no_cancel;
    damon_sim_query query{};
    damon::Vector<damon::AddressRange> hot;
    damon::Status status = read_query(sim, q, query);
    if (status.ok() && ranges == nullptr && cap > 0) status = damon::Status::fail(-EINVAL, "ranges is NULL");
    if (status.ok()) status = find_hot_ranges(sim, query, hot);
    if (!status.ok()) return damon::report_sim(sim, status);
    if (nr_out != nullptr) *nr_out = hot.size();
    if (hot.size() > cap) {
        return damon::report_sim(sim,
                                 damon::Status::fail(-ENOSPC, "room for %zu ranges; there are %zu", cap, hot.size()));
    }
    for (size_t i = 0; i < hot.size(); ++i) ranges[i] = {hot[i].start, hot[i].end};
    return static_cast<int>(hot.size());
}

int damon_sim_compare(const damon_sim* sim, const struct damon_sim_query* q, const struct damon_region_info* regions,
                      size_t nr_regions, uint32_t min_nr_accesses, struct damon_sim_accuracy* out) {
    const damon::NoCancel no_cancel;
    damon_sim_query query{};
    damon::Vector<damon::AddressRange> hot;
    damon::Status status = read_query(sim, q, query);
    if (status.ok()) status = damon::check_struct("damon_sim_accuracy", out);
    if (status.ok() && regions == nullptr && nr_regions > 0) status = damon::Status::fail(-EINVAL, "regions is NULL");
    if (status.ok()) status = find_hot_ranges(sim, query, hot);
    if (!status.ok()) return damon::report_sim(sim, status);
    const damon::SimAccuracy accuracy = damon::compare_with_truth(
        hot.span(), std::span(reinterpret_cast<const damon::RegionInfo*>(regions), nr_regions),
        {query.target_idx, min_nr_accesses});
    damon_sim_accuracy answer{};
    answer.size = sizeof answer;
    answer.precision_bp = static_cast<uint32_t>(accuracy.precision_bp());
    answer.recall_bp = static_cast<uint32_t>(accuracy.recall_bp());
    answer.f1_bp = static_cast<uint32_t>(accuracy.f1_bp());
    answer.hot_bytes = accuracy.hot_bytes;
    answer.found_bytes = accuracy.found_bytes;
    answer.both_bytes = accuracy.both_bytes;
    damon::write_struct(answer, out);
    return 0;
}
