//! The linked library and the bindings agree: version, and the size of every structure that says its own.

use std::mem::{size_of, MaybeUninit};

use damon_sys as sys;

#[test]
fn the_library_has_the_version_of_the_header() {
    let header = sys::DAMON_VERSION_MAJOR << 16 | sys::DAMON_VERSION_MINOR << 8 | sys::DAMON_VERSION_PATCH;
    assert_eq!(unsafe { sys::damon_version() }, header);
}

macro_rules! sizes_agree {
    ($($init:ident $structure:ident),* $(,)?) => {$(
        let mut value = MaybeUninit::<sys::$structure>::zeroed();
        let value = unsafe {
            sys::$init(value.as_mut_ptr());
            value.assume_init()
        };
        assert_eq!(value.size as usize, size_of::<sys::$structure>(), stringify!($structure));
    )*};
}

#[test]
fn the_library_sets_the_sizes_that_the_bindings_have() {
    sizes_agree!(
        damon_attrs_init damon_attrs,
        damon_snapshot_info_init damon_snapshot_info,
        damon_ctx_stats_init damon_ctx_stats,
        damos_params_init damos_params,
        damos_filter_init damos_filter,
        damos_quota_goal_init damos_quota_goal,
        damos_stat_init damos_stat,
        damon_call_control_init damon_call_control,
        damos_walk_control_init damos_walk_control,
        damon_access_check_info_init damon_access_check_info,
        damon_access_report_init damon_access_report,
        damon_operations_init damon_operations,
        damon_state_info_init damon_state_info,
        damon_worker_attr_init damon_worker_attr,
        damon_range_query_init damon_range_query,
        damon_wss_result_init damon_wss_result,
        damon_action_stats_init damon_action_stats,
        damon_probe_filter_init damon_probe_filter,
        damon_reclaim_params_init damon_reclaim_params,
        damon_lru_sort_params_init damon_lru_sort_params,
        damon_stat_result_init damon_stat_result,
        damon_sim_params_init damon_sim_params,
        damon_sim_range_init damon_sim_range,
        damon_sim_pattern_init damon_sim_pattern,
        damon_sim_stat_init damon_sim_stat,
        damon_sim_query_init damon_sim_query,
        damon_sim_accuracy_init damon_sim_accuracy,
    );
}
