// The tables: every member of the parameter structures but sizes, reserved ones and pointers.
#include "fields.h"

namespace damon_python {

#define DAMON_U64(type, member) \
    Field { nullptr, #member, offsetof(type, member), Kind::kU64 }
#define DAMON_U32(type, member) \
    Field { nullptr, #member, offsetof(type, member), Kind::kU32 }
#define DAMON_I32(type, member) \
    Field { nullptr, #member, offsetof(type, member), Kind::kI32 }
#define DAMON_IN(type, group, member, kind) \
    Field { #group, #member, offsetof(type, group.member), kind }

Fields fields_of(const damon_attrs&) {
    static constexpr Field kFields[] = {
        DAMON_U64(damon_attrs, sample_us),
        DAMON_U64(damon_attrs, aggr_us),
        DAMON_U64(damon_attrs, ops_update_us),
        DAMON_U64(damon_attrs, min_nr_regions),
        DAMON_U64(damon_attrs, max_nr_regions),
        DAMON_IN(damon_attrs, intervals_goal, access_bp, Kind::kU64),
        DAMON_IN(damon_attrs, intervals_goal, aggrs, Kind::kU64),
        DAMON_IN(damon_attrs, intervals_goal, min_sample_us, Kind::kU64),
        DAMON_IN(damon_attrs, intervals_goal, max_sample_us, Kind::kU64),
        DAMON_U64(damon_attrs, max_overhead_permil),
        DAMON_U64(damon_attrs, referenced_us),
        DAMON_U64(damon_attrs, survey_bp),
    };
    return kFields;
}

Fields fields_of(const damon_ctx_stats&) {
    static constexpr Field kFields[] = {
        DAMON_U64(damon_ctx_stats, nr_intervals),
        DAMON_U64(damon_ctx_stats, nr_skipped_intervals),
        DAMON_U64(damon_ctx_stats, nr_wakeups),
        DAMON_U64(damon_ctx_stats, nr_samples),
        DAMON_U64(damon_ctx_stats, nr_unknown_samples),
        DAMON_U64(damon_ctx_stats, nr_writes_only_samples),
        DAMON_U64(damon_ctx_stats, cpu_ns),
        DAMON_U64(damon_ctx_stats, nr_lost_reports),
        Field{nullptr, "nr_unknown_by_reason", offsetof(damon_ctx_stats, nr_unknown_by_reason), Kind::kU64, 16},
        DAMON_U64(damon_ctx_stats, sampling_cpu_ns),
        DAMON_U64(damon_ctx_stats, update_cpu_ns),
        DAMON_U64(damon_ctx_stats, action_cpu_ns),
        DAMON_U64(damon_ctx_stats, survey_cpu_ns),
        DAMON_U64(damon_ctx_stats, referenced_cpu_ns),
    };
    return kFields;
}

Fields fields_of(const damos_params&) {
    static constexpr Field kFields[] = {
        DAMON_I32(damos_params, action),
        DAMON_IN(damos_params, pattern, min_sz, Kind::kU64),
        DAMON_IN(damos_params, pattern, max_sz, Kind::kU64),
        DAMON_IN(damos_params, pattern, min_nr_accesses, Kind::kU32),
        DAMON_IN(damos_params, pattern, max_nr_accesses, Kind::kU32),
        DAMON_IN(damos_params, pattern, min_age, Kind::kU32),
        DAMON_IN(damos_params, pattern, max_age, Kind::kU32),
        DAMON_U64(damos_params, apply_interval_us),
        DAMON_IN(damos_params, quota, reset_interval_ms, Kind::kU64),
        DAMON_IN(damos_params, quota, ms, Kind::kU64),
        DAMON_IN(damos_params, quota, sz, Kind::kU64),
        DAMON_IN(damos_params, quota, weight_sz, Kind::kU32),
        DAMON_IN(damos_params, quota, weight_nr_accesses, Kind::kU32),
        DAMON_IN(damos_params, quota, weight_age, Kind::kU32),
        DAMON_IN(damos_params, quota, goal_tuner, Kind::kI32),
        DAMON_IN(damos_params, quota, fail_charge_num, Kind::kU32),
        DAMON_IN(damos_params, quota, fail_charge_denom, Kind::kU32),
        DAMON_IN(damos_params, wmarks, metric, Kind::kI32),
        DAMON_IN(damos_params, wmarks, high, Kind::kU32),
        DAMON_IN(damos_params, wmarks, mid, Kind::kU32),
        DAMON_IN(damos_params, wmarks, low, Kind::kU32),
        DAMON_IN(damos_params, wmarks, interval_us, Kind::kU64),
        DAMON_I32(damos_params, target_nid),
        DAMON_U32(damos_params, flags),
        DAMON_U64(damos_params, max_nr_snapshots),
        DAMON_U64(damos_params, min_age_us),
    };
    return kFields;
}

Fields fields_of(const damos_filter&) {
    static constexpr Field kFields[] = {
        DAMON_I32(damos_filter, type),      DAMON_U32(damos_filter, matching),   DAMON_U32(damos_filter, allow),
        DAMON_U64(damos_filter, memcg_id),  DAMON_U64(damos_filter, addr_start), DAMON_U64(damos_filter, addr_end),
        DAMON_U64(damos_filter, min_bytes), DAMON_U64(damos_filter, max_bytes),  DAMON_U32(damos_filter, target_idx),
    };
    return kFields;
}

Fields fields_of(const damos_quota_goal&) {
    static constexpr Field kFields[] = {
        DAMON_I32(damos_quota_goal, metric),       DAMON_I32(damos_quota_goal, nid),
        DAMON_U64(damos_quota_goal, target_value), DAMON_U64(damos_quota_goal, current_value),
        DAMON_U64(damos_quota_goal, memcg_id),
    };
    return kFields;
}

Fields fields_of(const damos_stat&) {
    static constexpr Field kFields[] = {
        DAMON_U32(damos_stat, active),     DAMON_U64(damos_stat, nr_tried),
        DAMON_U64(damos_stat, sz_tried),   DAMON_U64(damos_stat, nr_applied),
        DAMON_U64(damos_stat, sz_applied), DAMON_U64(damos_stat, sz_ops_filter_passed),
        DAMON_U64(damos_stat, qt_exceeds), DAMON_U64(damos_stat, nr_snapshots),
        DAMON_U64(damos_stat, esz),
    };
    return kFields;
}

Fields fields_of(const damon_action_stats&) {
    static constexpr Field kFields[] = {
        DAMON_U64(damon_action_stats, nr_calls),
        DAMON_U64(damon_action_stats, nr_failed_calls),
        Field{nullptr, "applied_bytes", offsetof(damon_action_stats, applied_bytes), Kind::kU64, 16},
        Field{nullptr, "skipped_bytes", offsetof(damon_action_stats, skipped_bytes), Kind::kU64, 24},
    };
    return kFields;
}

Fields fields_of(const damon_probe_filter&) {
    static constexpr Field kFields[] = {
        DAMON_I32(damon_probe_filter, type),      DAMON_U32(damon_probe_filter, matching),
        DAMON_U32(damon_probe_filter, allow),     DAMON_U64(damon_probe_filter, memcg_id),
        DAMON_U64(damon_probe_filter, min_bytes), DAMON_U64(damon_probe_filter, max_bytes),
    };
    return kFields;
}

Fields fields_of(const damon_reclaim_params&) {
    static constexpr Field kFields[] = {
        DAMON_U32(damon_reclaim_params, skip_anon),
        DAMON_U64(damon_reclaim_params, min_age_us),
        DAMON_U64(damon_reclaim_params, quota_ms),
        DAMON_U64(damon_reclaim_params, quota_sz),
        DAMON_U64(damon_reclaim_params, quota_reset_interval_ms),
        DAMON_U64(damon_reclaim_params, quota_mem_pressure_us),
        DAMON_U64(damon_reclaim_params, quota_autotune_feedback),
        DAMON_U64(damon_reclaim_params, wmarks_interval_us),
        DAMON_U32(damon_reclaim_params, wmarks_high),
        DAMON_U32(damon_reclaim_params, wmarks_mid),
        DAMON_U32(damon_reclaim_params, wmarks_low),
        DAMON_U32(damon_reclaim_params, autotune_monitoring_intervals),
        DAMON_U64(damon_reclaim_params, sample_us),
        DAMON_U64(damon_reclaim_params, aggr_us),
        DAMON_U64(damon_reclaim_params, min_nr_regions),
        DAMON_U64(damon_reclaim_params, max_nr_regions),
        DAMON_U32(damon_reclaim_params, allow_unseen_reads),
        DAMON_U32(damon_reclaim_params, own_memcg),
    };
    return kFields;
}

Fields fields_of(const damon_lru_sort_params&) {
    static constexpr Field kFields[] = {
        DAMON_U32(damon_lru_sort_params, hot_thres_access_freq),
        DAMON_U64(damon_lru_sort_params, cold_min_age_us),
        DAMON_U64(damon_lru_sort_params, active_mem_bp),
        DAMON_U64(damon_lru_sort_params, quota_ms),
        DAMON_U64(damon_lru_sort_params, quota_reset_interval_ms),
        DAMON_U64(damon_lru_sort_params, wmarks_interval_us),
        DAMON_U32(damon_lru_sort_params, wmarks_high),
        DAMON_U32(damon_lru_sort_params, wmarks_mid),
        DAMON_U32(damon_lru_sort_params, wmarks_low),
        DAMON_U32(damon_lru_sort_params, filter_young_pages),
        DAMON_U32(damon_lru_sort_params, autotune_monitoring_intervals),
        DAMON_U64(damon_lru_sort_params, sample_us),
        DAMON_U64(damon_lru_sort_params, aggr_us),
        DAMON_U64(damon_lru_sort_params, min_nr_regions),
        DAMON_U64(damon_lru_sort_params, max_nr_regions),
        DAMON_U32(damon_lru_sort_params, allow_unseen_reads),
        DAMON_U32(damon_lru_sort_params, own_memcg),
    };
    return kFields;
}

Fields fields_of(const damon_stat_result&) {
    static constexpr Field kFields[] = {
        DAMON_U64(damon_stat_result, seq),           DAMON_U64(damon_stat_result, aggr_us),
        DAMON_U64(damon_stat_result, bandwidth),     DAMON_U64(damon_stat_result, known_bytes),
        DAMON_U64(damon_stat_result, unknown_bytes),
    };
    return kFields;
}

Fields fields_of(const damon_state_info&) {
    static constexpr Field kFields[] = {
        DAMON_I32(damon_state_info, state),
        DAMON_U64(damon_state_info, since_ns),
        DAMON_U64(damon_state_info, window_us),
        DAMON_U64(damon_state_info, cost_permil),
    };
    return kFields;
}

Fields fields_of(const damon_worker_attr&) {
    static constexpr Field kFields[] = {
        DAMON_I32(damon_worker_attr, nice),
        DAMON_U64(damon_worker_attr, stack_bytes),
    };
    return kFields;
}

Fields fields_of(const damon_range_query&) {
    static constexpr Field kFields[] = {
        DAMON_U64(damon_range_query, unit_bytes),    DAMON_U64(damon_range_query, touched_bytes),
        DAMON_U64(damon_range_query, present_bytes), DAMON_U64(damon_range_query, unseen_bytes),
        DAMON_U64(damon_range_query, since_ns),      DAMON_I32(damon_range_query, unseen_reason),
        DAMON_U32(damon_range_query, sees),
    };
    return kFields;
}

Fields fields_of(const damon_wss_result&) {
    static constexpr Field kFields[] = {
        DAMON_U64(damon_wss_result, touched_bytes),
        DAMON_U64(damon_wss_result, present_bytes),
        DAMON_U64(damon_wss_result, unseen_bytes),
        DAMON_U32(damon_wss_result, sees),
    };
    return kFields;
}

Fields fields_of(const damon_sim_params&) {
    static constexpr Field kFields[] = {
        DAMON_U32(damon_sim_params, nr_nodes),
        DAMON_U64(damon_sim_params, seed),
        DAMON_U64(damon_sim_params, page_size),
        DAMON_U64(damon_sim_params, huge_page_size),
        Field{nullptr, "node_bytes", offsetof(damon_sim_params, node_bytes), Kind::kU64, 8},
        DAMON_U64(damon_sim_params, swap_bytes),
        DAMON_U64(damon_sim_params, fault_ns),
        DAMON_U64(damon_sim_params, refault_ns),
        DAMON_U64(damon_sim_params, young_us),
        Field{nullptr, "action_ns", offsetof(damon_sim_params, action_ns), Kind::kU64, 12},
        DAMON_U64(damon_sim_params, sample_ns),
        DAMON_U64(damon_sim_params, batch_ns),
    };
    return kFields;
}

Fields fields_of(const damon_sim_range&) {
    static constexpr Field kFields[] = {
        DAMON_U32(damon_sim_range, flags),    DAMON_U64(damon_sim_range, start),
        DAMON_U64(damon_sim_range, end),      DAMON_U32(damon_sim_range, target_idx),
        DAMON_U32(damon_sim_range, nid),      DAMON_U32(damon_sim_range, resident_bp),
        DAMON_U64(damon_sim_range, memcg_id),
    };
    return kFields;
}

Fields fields_of(const damon_sim_pattern&) {
    static constexpr Field kFields[] = {
        DAMON_I32(damon_sim_pattern, kind),         DAMON_U64(damon_sim_pattern, start),
        DAMON_U64(damon_sim_pattern, end),          DAMON_U64(damon_sim_pattern, rate_millihz),
        DAMON_U64(damon_sim_pattern, begin_us),     DAMON_U64(damon_sim_pattern, end_us),
        DAMON_U64(damon_sim_pattern, step_us),      DAMON_U64(damon_sim_pattern, period_us),
        DAMON_U64(damon_sim_pattern, phase_us),     DAMON_U64(damon_sim_pattern, hot_us),
        DAMON_U64(damon_sim_pattern, window_bytes), DAMON_U32(damon_sim_pattern, target_idx),
        DAMON_U32(damon_sim_pattern, writes_bp),    DAMON_U32(damon_sim_pattern, nr_regions),
    };
    return kFields;
}

Fields fields_of(const damon_sim_stat&) {
    static constexpr Field kFields[] = {
        DAMON_U64(damon_sim_stat, now_us),
        DAMON_U64(damon_sim_stat, resident_bytes),
        DAMON_U64(damon_sim_stat, active_bytes),
        DAMON_U64(damon_sim_stat, swapped_bytes),
        DAMON_U64(damon_sim_stat, evicted_bytes),
        DAMON_U64(damon_sim_stat, untouched_bytes),
        DAMON_U64(damon_sim_stat, huge_bytes),
        DAMON_U64(damon_sim_stat, fault_bytes),
        DAMON_U64(damon_sim_stat, refault_bytes),
        DAMON_U64(damon_sim_stat, paged_out_bytes),
        DAMON_U64(damon_sim_stat, migrated_bytes),
        DAMON_U64(damon_sim_stat, stall_ns),
        DAMON_U64(damon_sim_stat, action_ns),
        DAMON_U64(damon_sim_stat, nr_actions),
        DAMON_U64(damon_sim_stat, nr_failed_actions),
        Field{nullptr, "node_used_bytes", offsetof(damon_sim_stat, node_used_bytes), Kind::kU64, 8},
    };
    return kFields;
}

Fields fields_of(const damon_sim_query&) {
    static constexpr Field kFields[] = {
        DAMON_U32(damon_sim_query, target_idx),
        DAMON_U64(damon_sim_query, at_us),
        DAMON_U64(damon_sim_query, min_rate_millihz),
    };
    return kFields;
}

Fields fields_of(const damon_sim_accuracy&) {
    static constexpr Field kFields[] = {
        DAMON_U32(damon_sim_accuracy, precision_bp), DAMON_U32(damon_sim_accuracy, recall_bp),
        DAMON_U32(damon_sim_accuracy, f1_bp),        DAMON_U64(damon_sim_accuracy, hot_bytes),
        DAMON_U64(damon_sim_accuracy, found_bytes),  DAMON_U64(damon_sim_accuracy, both_bytes),
    };
    return kFields;
}

}  // namespace damon_python
