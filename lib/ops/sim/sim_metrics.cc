// Measurements of the simulated machine: the part of SimOps that quota goals and watermarks ask.
#include <algorithm>

#include "ops/sim/sim_ops.h"

namespace damon {
namespace {

uint64_t free_bytes(uint64_t total, uint64_t used) { return total - std::min(total, used); }

}  // namespace

bool SimOps::measure_one(MetricQuery& query, const SimStat& stat) const {
    const SimMachine& machine = memory_.machine();
    const bool node_exists = query.nid >= 0 && static_cast<uint32_t>(query.nid) < machine.nr_nodes;
    const uint64_t node_total = node_exists ? machine.node_bytes[query.nid] : 0;
    const uint64_t lru_bytes = std::max<uint64_t>(stat.resident_bytes, 1);
    switch (query.metric) {
        case QuotaMetric::kSomeMemPsiUs:
            query.answer = stat.stall_ns / 1'000;
            return true;
        case QuotaMetric::kNodeMemUsedBp:
        case QuotaMetric::kNodeMemFreeBp: {
            const uint64_t free = node_exists ? free_bytes(node_total, stat.node_used_bytes[query.nid]) : 0;
            const uint64_t free_bp = node_exists ? mul_div(free, kBp, node_total) : kBp;
            const uint64_t used_bp = node_exists ? mul_div(node_total - free, kBp, node_total) : 0;
            query.answer = query.metric == QuotaMetric::kNodeMemUsedBp ? used_bp : free_bp;
            return true;
        }
        case QuotaMetric::kNodeMemcgUsedBp:
        case QuotaMetric::kNodeMemcgFreeBp: {
            uint64_t used_bp = 0;
            if (node_exists) {
                const uint64_t used = memory_.memcg_bytes(query.memcg_id, query.nid, now_us_);
                used_bp = mul_div(std::min(used, node_total), kBp, node_total);
            }
            query.answer = query.metric == QuotaMetric::kNodeMemcgUsedBp ? used_bp : kBp - used_bp;
            return true;
        }
        case QuotaMetric::kActiveMemBp:
            query.answer = mul_div(stat.active_bytes, kBp, lru_bytes);
            return true;
        case QuotaMetric::kInactiveMemBp:
            query.answer = mul_div(stat.resident_bytes - stat.active_bytes, kBp, lru_bytes);
            return true;
        case QuotaMetric::kUserInput:
        case QuotaMetric::kNodeEligibleMemBp:
        case QuotaMetric::kOwnMemcgFreeBp:
            break;  // not measured by ops, or refused
    }
    return false;
}

void SimOps::measure(std::span<MetricQuery> queries) {
    if (queries.empty()) return;
    const SimStat stat = memory_.stat(now_us_);
    for (MetricQuery& query : queries) query.answered = measure_one(query, stat);
}

int32_t SimOps::free_memory_permil() {
    const uint64_t total = memory_.machine().total_bytes();
    return static_cast<int32_t>(mul_div(free_bytes(total, stat().resident_bytes), 1'000, total));
}

}  // namespace damon
