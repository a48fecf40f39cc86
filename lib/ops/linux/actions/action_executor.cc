#include "ops/linux/actions/action_executor.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "ops/linux/actions/advise.h"
#include "ops/linux/actions/huge_advice.h"
#include "ops/linux/actions/migrate.h"
#include "ops/linux/actions/page_filter.h"
#include "os/metrics/cgroup.h"

namespace damon {
namespace {

bool is_migration(DamosAction action) {
    return action == DamosAction::kMigrateHot || action == DamosAction::kMigrateCold;
}

bool asks_for_huge_pages(const Params& params) {
    for (const SchemeParams& scheme : params.schemes) {
        for (const DamosFilter& filter : scheme.ops_filters) {
            if (filter.type == FilterType::kHugepageSize) return true;
        }
    }
    for (const ProbeParams& probe : params.probes) {
        for (const ProbeFilter& filter : probe.filters) {
            if (filter.type == ProbeFilterType::kHugepageSize) return true;
        }
    }
    return false;
}

void count_passing(ActionPass& pass) {
    MappingWalk mappings(pass, pass.range());
    Mapping mapping;
    AddressRange part;
    while (mappings.next(mapping, part)) {
        ChunkWalk chunks(pass, mapping, part);
        Chunk chunk;
        while (chunks.next(chunk)) pass.outcome.filter_passed += chunk.passing_bytes();
    }
}

// What serves each action. Those without a function are refused at validation, or the shell's own.
struct ActionRow {
    DamosAction action;
    void (*run)(ActionPass& pass);
    int advice;  // of the madvise family
};
constexpr ActionRow kRows[] = {
    {DamosAction::kWillneed, advise_range, uapi::kAdviseWillneed},
    {DamosAction::kCold, advise_range, uapi::kAdviseCold},
    {DamosAction::kPageout, advise_range, uapi::kAdvisePageout},
    {DamosAction::kHugepage, advise_huge_range, uapi::kAdviseHugepage},
    {DamosAction::kNohugepage, advise_huge_range, uapi::kAdviseNohugepage},
    {DamosAction::kCollapse, advise_huge_range, uapi::kAdviseCollapse},
    {DamosAction::kLruPrio, nullptr, 0},
    {DamosAction::kLruDeprio, advise_range, uapi::kAdviseCold},
    {DamosAction::kMigrateHot, migrate_range, 0},
    {DamosAction::kMigrateCold, migrate_range, 0},
    {DamosAction::kStat, count_passing, 0},
    {DamosAction::kCallback, nullptr, 0},
};
constexpr bool rows_are_in_order() {
    for (size_t i = 0; i < std::size(kRows); ++i) {
        if (static_cast<size_t>(kRows[i].action) != i) return false;
    }
    return std::size(kRows) == kNrDamosActions;
}
static_assert(rows_are_in_order());

}  // namespace

Status ActionExecutor::validate(const Params& params) {
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        const SchemeParams& scheme = params.schemes[i];
        if (scheme.action == DamosAction::kLruPrio) {
            return Status::fail(
                -EOPNOTSUPP,
                "schemes[%zu].action is DAMOS_LRU_PRIO: user space cannot move memory to the active list; "
                "what is accessed goes there by itself",
                i);
        }
        if (is_migration(scheme.action) && scheme.target_nid < 0 && scheme.migrate_dests.empty()) {
            return Status::fail(-EINVAL,
                                "schemes[%zu].target_nid is %d: to migrate it must name a node, or destinations be set",
                                i, scheme.target_nid);
        }
    }
    bool sees_huge = true;
    if (asks_for_huge_pages(params)) {
        RangeScan scan;
        sees_huge = scan.open(0, read_page_sizes().base_bytes) == 0 && scan.sees_huge();
    }
    return validate_page_filters(params, sees_huge);
}

void ActionExecutor::start() {
    sizes_ = read_page_sizes();
    backoff_.clear();
    advised_.clear();
}

void ActionExecutor::stop() { subject_.close(); }

void ActionExecutor::new_interval(uint64_t now_us) {
    subject_.forget_mappings();
    backoff_.set_now(now_us);
    advised_.set_now(now_us);
}

bool ActionExecutor::reach(int32_t pid) {
    if (subject_.is_open() && subject_.pid() == pid) return true;
    if (subject_.open(pid, sizes_) != 0) return false;
    memcg_id_ = memcg_id_of(pid);
    return true;
}

Outcome ActionExecutor::apply(const ActionRequest& request, int32_t pid, AccessChecker* checker) {
    const DamosAction action = request.scheme->action;
    if (action == DamosAction::kStat && request.scheme->ops_filters.empty()) return {};
    if (!reach(pid)) {
        statistics_.skip(Skip::kForbidden, request.range.size());
        return {};
    }
    const ActionRow& row = kRows[static_cast<size_t>(action)];
    if (row.run == nullptr) return {};
    ActionPass pass{subject_, request, sizes_, statistics_, memcg_id_, checker};
    pass.advice = row.advice;
    if (subject_.own()) {
        pass.backoff = &backoff_;
        pass.advised = &advised_;
    }
    row.run(pass);
    statistics_.applied_bytes[static_cast<int32_t>(action)] += pass.outcome.applied;
    return pass.finish();
}

}  // namespace damon
