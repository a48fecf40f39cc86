// Parameter structures of damon_c.h to and from Python objects, by tables: what is not in a table is not reachable.
#pragma once

#include <damon_c.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace damon_python {

namespace py = pybind11;

enum class Kind : uint8_t { kU64, kU32, kI32 };

// One member of a structure. On the Python side it is the attribute `name` of the object, or of the object's attribute
// `group` where there is one; with count > 1, a sequence of so many.
struct Field {
    const char* group;
    const char* name;
    size_t offset;
    Kind kind;
    size_t count = 1;
};
using Fields = std::span<const Field>;

// The value as a number of that kind. TypeError, or InvalidParameterError that names `what`, the value and the range.
uint64_t to_u64(py::handle value, const char* what);
uint32_t to_u32(py::handle value, const char* what);
int32_t to_i32(py::handle value, const char* what);

// Reads each field from the object's attributes; members that are in no table stay as they are.
void read_fields(py::handle object, Fields fields, void* out);
// The structure as a dictionary; groups are dictionaries in it.
py::dict write_fields(const void* in, Fields fields);

Fields fields_of(const damon_attrs&);
Fields fields_of(const damon_ctx_stats&);
Fields fields_of(const damos_params&);
Fields fields_of(const damos_filter&);
Fields fields_of(const damos_quota_goal&);
Fields fields_of(const damos_stat&);
Fields fields_of(const damon_action_stats&);
Fields fields_of(const damon_probe_filter&);
Fields fields_of(const damon_reclaim_params&);
Fields fields_of(const damon_lru_sort_params&);
Fields fields_of(const damon_stat_result&);  // without its percentiles
Fields fields_of(const damon_state_info&);   // without its reason
Fields fields_of(const damon_worker_attr&);  // without its processors and name
Fields fields_of(const damon_range_query&);  // without its arrays
Fields fields_of(const damon_wss_result&);   // without its questions
Fields fields_of(const damon_sim_params&);
Fields fields_of(const damon_sim_range&);
Fields fields_of(const damon_sim_pattern&);
Fields fields_of(const damon_sim_stat&);
Fields fields_of(const damon_sim_query&);
Fields fields_of(const damon_sim_accuracy&);

template <typename Struct>
void read_struct(py::handle object, Struct& out) {
    read_fields(object, fields_of(out), &out);
}

template <typename Struct>
py::dict write_struct(const Struct& in) {
    return write_fields(&in, fields_of(in));
}

}  // namespace damon_python
