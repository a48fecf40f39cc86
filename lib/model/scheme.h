// Parameters of one scheme (DAMOS): which regions, what to do with them, how much, when (rules 1.6 to 1.10).
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"

namespace damon {

// Values are part of the C ABI and follow O-11.
enum class DamosAction : int32_t {
    kWillneed = 0,
    kCold = 1,
    kPageout = 2,
    kHugepage = 3,
    kNohugepage = 4,
    kCollapse = 5,
    kLruPrio = 6,
    kLruDeprio = 7,
    kMigrateHot = 8,
    kMigrateCold = 9,
    kStat = 10,
    kCallback = 11,
};
inline constexpr int32_t kNrDamosActions = 12;

// Actions that are harmless only to memory that nobody uses: what was not seen must not pass for that.
inline bool presumes_cold(DamosAction action) {
    return action == DamosAction::kCold || action == DamosAction::kPageout || action == DamosAction::kLruDeprio ||
           action == DamosAction::kMigrateCold;
}

// All bounds inclusive; min > max matches nothing.
struct AccessPattern {
    uint64_t min_sz = 0, max_sz = UINT64_MAX;
    uint32_t min_nr_accesses = 0, max_nr_accesses = UINT32_MAX;
    uint32_t min_age = 0, max_age = UINT32_MAX;
    bool operator==(const AccessPattern&) const = default;
};

enum class QuotaMetric : int32_t {
    kUserInput = 0,
    kSomeMemPsiUs = 1,
    kNodeMemUsedBp = 2,
    kNodeMemFreeBp = 3,
    kNodeMemcgUsedBp = 4,
    kNodeMemcgFreeBp = 5,
    kActiveMemBp = 6,
    kInactiveMemBp = 7,
    kNodeEligibleMemBp = 8,
    kOwnMemcgFreeBp = 9,
};
inline constexpr int32_t kNrQuotaMetrics = 10;

struct QuotaGoal {
    QuotaMetric metric = QuotaMetric::kUserInput;
    int32_t nid = -1;
    uint64_t target_value = 0;   // 0 is refused at start and commit (O-8)
    uint64_t current_value = 0;  // user_input only
    uint64_t memcg_id = 0;
    bool operator==(const QuotaGoal&) const = default;
};

enum class GoalTuner : int32_t { kConsist = 0, kTemporal = 1 };
inline constexpr int32_t kNrGoalTuners = 2;

struct QuotaParams {
    uint64_t reset_interval_ms = 0;  // 0: a new window at every application
    uint64_t ms = 0;                 // 0: no time budget
    uint64_t sz = 0;                 // 0: no size budget; core units
    uint32_t weight_sz = 0, weight_nr_accesses = 0, weight_age = 0;
    GoalTuner goal_tuner = GoalTuner::kConsist;
    uint32_t fail_charge_num = 0, fail_charge_denom = 0;  // denom 0: a failed byte is charged like an applied one
    bool operator==(const QuotaParams&) const = default;
};

enum class WatermarkMetric : int32_t { kNone = 0, kFreeMemRate = 1, kOwnMemcgFreeRate = 2 };
inline constexpr int32_t kNrWatermarkMetrics = 3;

struct Watermarks {
    WatermarkMetric metric = WatermarkMetric::kNone;
    uint32_t high = 0, mid = 0, low = 0;  // permil
    uint64_t interval_us = 0;
    bool operator==(const Watermarks&) const = default;
};

enum class FilterType : int32_t {
    kAnon = 0,
    kActive = 1,
    kMemcg = 2,
    kYoung = 3,
    kHugepageSize = 4,
    kUnmapped = 5,
    kAddr = 6,
    kTarget = 7,
};
inline constexpr int32_t kNrFilterTypes = 8;

struct DamosFilter {
    FilterType type = FilterType::kAnon;
    bool matching = false;
    bool allow = false;
    uint64_t memcg_id = 0;    // kMemcg
    AddressRange range;       // kAddr: [start, end); kHugepageSize: bytes, min = start and max = end, both inclusive
    uint32_t target_idx = 0;  // kTarget
    bool core() const { return type == FilterType::kAddr || type == FilterType::kTarget; }
    bool operator==(const DamosFilter&) const = default;
};

struct MigrateDest {
    uint32_t nid = 0;
    uint32_t weight = 0;
    bool operator==(const MigrateDest&) const = default;
};

// Flags of SchemeParams; values are part of the C ABI.
inline constexpr uint32_t kAllowUnseenReads = 1u << 0;
inline constexpr uint32_t kSchemeFlags = kAllowUnseenReads;

struct SchemeParams {
    AccessPattern pattern;
    DamosAction action = DamosAction::kStat;
    int32_t target_nid = -1;
    uint64_t apply_interval_us = 0;  // 0: the aggregation interval
    QuotaParams quota;
    Watermarks wmarks;
    uint64_t max_nr_snapshots = 0;  // 0: no limit
    uint32_t flags = 0;             // kSchemeFlags
    uint64_t min_age_us = 0;        // not 0: takes the place of pattern.min_age
    void* callback_id = nullptr;    // kCallback: opaque to the engine, resolved by the ops
    void* callback_data = nullptr;
    Vector<QuotaGoal> goals;
    Vector<DamosFilter> core_filters;
    Vector<DamosFilter> ops_filters;
    Vector<MigrateDest> migrate_dests;

    // Deep copy; false when out of memory.
    [[nodiscard]] bool copy_from(const SchemeParams& other);
    // ages count in windows, whose length changes; what is meant is time. The least age in windows of `aggr_us`,
    // for readers, and for whoever knows no other ages.
    uint32_t min_age(uint64_t aggr_us) const;
    void derive_age(uint64_t aggr_us) { pattern.min_age = min_age(aggr_us); }
    bool operator==(const SchemeParams&) const = default;
};

// O-1.11; only ever grow during the life of a scheme.
struct SchemeStats {
    uint64_t nr_tried = 0, sz_tried = 0;
    uint64_t nr_applied = 0, sz_applied = 0;
    uint64_t sz_ops_filter_passed = 0;
    uint64_t qt_exceeds = 0;
    uint64_t nr_snapshots = 0;
    SchemeStats& operator+=(const SchemeStats& more);
    bool operator==(const SchemeStats&) const = default;
};

}  // namespace damon
