#include "snapshot.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "fields.h"

namespace damon_python {

namespace {

// The members of damon_region_info, in their order.
struct Member {
    const char* name;
    const char* code;   // of the struct module
    const char* dtype;  // of NumPy
};
constexpr Member kMembers[] = {
    {"start", "Q", "u8"},          {"end", "Q", "u8"},         {"age_us", "Q", "u8"}, {"idle_us", "Q", "u8"},
    {"target_idx", "I", "u4"},     {"nr_accesses", "I", "u4"}, {"age", "I", "u4"},    {"flags", "I", "u4"},
    {"unknown_reason", "i", "i4"}, {"reserved", "I", "u4"},
};
constexpr uint64_t kNotKnown = UINT64_MAX;  // as idle_us

std::string format_of_regions() {
    std::string format = "T{";
    for (const Member& member : kMembers) format += std::string(member.code) + ":" + member.name + ":";
    return format + "}";
}

// numpy.frombuffer and the dtype of a region; None without NumPy. Looked up at the first use, not at import.
const py::tuple& numpy() {
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::tuple> storage;
    return storage
        .call_once_and_store_result([]() -> py::tuple {
            try {
                const py::module_ module = py::module_::import("numpy");
                py::list fields;
                for (const Member& member : kMembers) fields.append(py::make_tuple(member.name, member.dtype));
                return py::make_tuple(module.attr("frombuffer"), module.attr("dtype")(fields));
            } catch (const py::error_already_set& error) {
                if (!error.matches(PyExc_ImportError)) throw;
                return py::make_tuple(py::none(), py::none());
            }
        })
        .get_stored();
}

py::object regions_of(const py::object& self) {
    const py::tuple& found = numpy();
    if (!found[0].is_none()) return found[0](self, found[1]);
    return py::reinterpret_steal<py::object>(PyMemoryView_FromObject(self.ptr()));
}

py::list slice_of(const Snapshot& snapshot, const py::slice& slice) {
    py::ssize_t start = 0;
    py::ssize_t stop = 0;
    py::ssize_t step = 0;
    py::ssize_t length = 0;
    const auto count = static_cast<py::ssize_t>(snapshot.info.nr_regions);
    if (!slice.compute(count, &start, &stop, &step, &length)) throw py::error_already_set();
    py::list regions(length);
    for (py::ssize_t i = 0; i < length; ++i) regions[i] = snapshot.regions[start + i * step];
    return regions;
}

py::object item_of(const Snapshot& snapshot, py::handle index) {
    if (py::isinstance<py::slice>(index)) return slice_of(snapshot, py::reinterpret_borrow<py::slice>(index));
    if (PyIndex_Check(index.ptr()) == 0) {
        throw py::type_error(std::string("the index must be an integer or a slice, not ") +
                             Py_TYPE(index.ptr())->tp_name);
    }
    py::ssize_t at = PyNumber_AsSsize_t(index.ptr(), PyExc_IndexError);
    if (at == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    const auto count = static_cast<py::ssize_t>(snapshot.info.nr_regions);
    if (at < 0) at += count;
    if (at < 0 || at >= count) throw py::index_error("the snapshot has " + std::to_string(count) + " regions");
    return py::cast(snapshot.regions[at]);
}

py::object idle_of(const damon_region_info& region) {
    return region.idle_us == kNotKnown ? py::object(py::none()) : py::object(py::int_(region.idle_us));
}

py::tuple row_of(const damon_region_info& r) {
    return py::make_tuple(r.start, r.end, r.target_idx, r.nr_accesses, r.age, r.flags, r.age_us, idle_of(r),
                          r.unknown_reason);
}

py::list rows_of(const Snapshot& snapshot) {
    py::list rows(snapshot.info.nr_regions);
    for (size_t i = 0; i < snapshot.info.nr_regions; ++i) rows[i] = row_of(snapshot.regions[i]);
    return rows;
}

bool same(const damon_region_info& a, const damon_region_info& b) { return memcmp(&a, &b, sizeof a) == 0; }

bool is_unknown(const damon_region_info& region) { return (region.flags & DAMON_REGION_UNKNOWN) != 0; }

// Only an entry that is a region can be there.
size_t find_region(const Snapshot& snapshot, py::handle wanted, size_t from, size_t to) {
    if (!py::isinstance<damon_region_info>(wanted)) return to;
    const auto& region = py::cast<const damon_region_info&>(wanted);
    while (from < to && !same(snapshot.regions[from], region)) ++from;
    return from;
}

size_t count_of(const Snapshot& snapshot, py::handle wanted) {
    size_t found = 0;
    const size_t end = snapshot.info.nr_regions;
    for (size_t at = find_region(snapshot, wanted, 0, end); at < end; at = find_region(snapshot, wanted, at + 1, end)) {
        ++found;
    }
    return found;
}

size_t index_of(const Snapshot& snapshot, py::handle wanted, py::ssize_t start, py::ssize_t stop) {
    const auto count = static_cast<py::ssize_t>(snapshot.info.nr_regions);
    const auto clamp = [count](py::ssize_t at) { return std::clamp<py::ssize_t>(at < 0 ? at + count : at, 0, count); };
    const auto end = static_cast<size_t>(clamp(stop));
    const size_t at = find_region(snapshot, wanted, static_cast<size_t>(clamp(start)), end);
    if (at < end) return at;
    throw py::value_error(std::string(py::repr(wanted)) + " is not in the snapshot");
}

uint64_t working_set(const Snapshot& snapshot, py::handle least) {
    const uint32_t min_nr_accesses = to_u32(least, "min_nr_accesses");
    uint64_t bytes = 0;
    for (size_t i = 0; i < snapshot.info.nr_regions; ++i) {
        const damon_region_info& region = snapshot.regions[i];
        if (!is_unknown(region) && region.nr_accesses >= min_nr_accesses) bytes += region.end - region.start;
    }
    return bytes;
}

// How long the region is idle for certain: as of the last access that was seen, else as of what its age says.
uint64_t idle_time_us(const Snapshot& snapshot, const damon_region_info& region) {
    if (region.idle_us != kNotKnown) return region.idle_us;
    if (region.nr_accesses > 0) return 0;
    return region.age_us != 0 ? region.age_us : region.age * snapshot.info.aggr_us;
}

uint64_t idle_bytes(const Snapshot& snapshot, py::handle least_windows, py::handle least_us) {
    const uint32_t windows = to_u32(least_windows, "windows");
    const uint64_t us = least_us.is_none() ? 0 : to_u64(least_us, "idle_us");
    uint64_t bytes = 0;
    for (size_t i = 0; i < snapshot.info.nr_regions; ++i) {
        const damon_region_info& region = snapshot.regions[i];
        if (is_unknown(region) || region.nr_accesses > 0 || region.age < windows) continue;
        if (idle_time_us(snapshot, region) >= us) bytes += region.end - region.start;
    }
    return bytes;
}

uint64_t total_bytes(const Snapshot& snapshot) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < snapshot.info.nr_regions; ++i) bytes += snapshot.regions[i].end - snapshot.regions[i].start;
    return bytes;
}

uint64_t unknown_bytes(const Snapshot& snapshot) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < snapshot.info.nr_regions; ++i) {
        const damon_region_info& region = snapshot.regions[i];
        if (is_unknown(region)) bytes += region.end - region.start;
    }
    return bytes;
}

size_t bytes_of(const Snapshot& snapshot) { return snapshot.info.nr_regions * sizeof(damon_region_info); }

static_assert(std::has_unique_object_representations_v<damon_snapshot_info>);
static_assert(std::has_unique_object_representations_v<damon_region_info>);

bool same_snapshot(const Snapshot& a, const Snapshot& b) {
    return memcmp(&a.info, &b.info, sizeof a.info) == 0 && memcmp(a.regions.get(), b.regions.get(), bytes_of(a)) == 0;
}

// Pickled as what it is made of.
py::tuple reduced_snapshot(const Snapshot& snapshot) {
    const damon_snapshot_info& info = snapshot.info;
    const py::bytes regions(reinterpret_cast<const char*>(snapshot.regions.get()), bytes_of(snapshot));
    return py::make_tuple(
        py::module_::import("damon._core").attr("restored_snapshot"),
        py::make_tuple(info.seq, info.time_ns, info.sample_us, info.aggr_us, info.passed_sample_intervals,
                       info.max_nr_accesses, info.nr_targets, info.flags, info.window_us, regions));
}

Snapshot restored_snapshot(uint64_t seq, uint64_t time_ns, uint64_t sample_us, uint64_t aggr_us, uint64_t passed,
                           uint32_t max_nr_accesses, uint32_t nr_targets, uint32_t flags, uint64_t window_us,
                           const py::bytes& regions) {
    const std::string_view given = regions;
    if (given.size() % sizeof(damon_region_info) != 0) {
        throw py::value_error("the data of " + std::to_string(given.size()) + " bytes is not that of a snapshot");
    }
    Snapshot snapshot;
    damon_snapshot_info_init(&snapshot.info);
    snapshot.info.seq = seq;
    snapshot.info.time_ns = time_ns;
    snapshot.info.sample_us = sample_us;
    snapshot.info.aggr_us = aggr_us;
    snapshot.info.passed_sample_intervals = passed;
    snapshot.info.max_nr_accesses = max_nr_accesses;
    snapshot.info.nr_targets = nr_targets;
    snapshot.info.flags = flags;
    snapshot.info.window_us = window_us;
    snapshot.info.nr_regions = given.size() / sizeof(damon_region_info);
    snapshot.regions = std::make_unique_for_overwrite<damon_region_info[]>(snapshot.info.nr_regions);
    memcpy(snapshot.regions.get(), given.data(), given.size());
    return snapshot;
}

py::tuple reduced_region(const damon_region_info& region) {
    return py::make_tuple(py::module_::import("damon._core").attr("restored_region"), row_of(region));
}

damon_region_info restored_region(uint64_t start, uint64_t end, uint32_t target_idx, uint32_t nr_accesses, uint32_t age,
                                  uint32_t flags, uint64_t age_us, std::optional<uint64_t> idle_us,
                                  int32_t unknown_reason) {
    return {start, end, age_us, idle_us.value_or(kNotKnown), target_idx, nr_accesses, age, flags, unknown_reason, 0};
}

void bind_region(py::module_& module) {
    module.def("restored_region", &restored_region);
    py::class_<damon_region_info>(module, "Region", "A region as it was at the end of a window.")
        .def_readonly("start", &damon_region_info::start, "First address.")
        .def_readonly("end", &damon_region_info::end, "One past the last address.")
        .def_readonly("target_idx", &damon_region_info::target_idx, "Position of its target in the context.")
        .def_readonly("nr_accesses", &damon_region_info::nr_accesses,
                      "Samples of the window that found it accessed, of Snapshot.max_nr_accesses.")
        .def_readonly("age", &damon_region_info::age, "Windows for which nr_accesses stayed similar.")
        .def_readonly("age_us", &damon_region_info::age_us,
                      "For how long nr_accesses stayed similar, in microseconds of monitoring.")
        .def_property_readonly("idle_us", &idle_of,
                               "Microseconds since the last access of any kind that was seen; None: not known.")
        .def_readonly("flags", &damon_region_info::flags, "Of damon.RegionFlags.")
        .def_readonly("unknown_reason", &damon_region_info::unknown_reason,
                      "Of damon.UnknownReason: why (part of) the window's samples had no answer.")
        .def_property_readonly(
            "size", [](const damon_region_info& r) { return r.end - r.start; }, "Bytes.")
        .def_property_readonly("unknown", &is_unknown,
                               "No sample of the window could be looked at: nr_accesses 0 does not mean idle.")
        .def_property_readonly(
            "writes_only", [](const damon_region_info& r) { return (r.flags & DAMON_REGION_WRITES_ONLY) != 0; },
            "Only writes to (a part of) it can be seen.")
        .def_property_readonly(
            "referenced", [](const damon_region_info& r) { return (r.flags & DAMON_REGION_REFERENCED) != 0; },
            "Passes over accessed bits know all of it, reads too.")
        .def(
            "__eq__", [](const damon_region_info& a, const damon_region_info& b) { return same(a, b); },
            py::is_operator())
        .def("__hash__", [](const damon_region_info& r) { return py::hash(row_of(r)); })
        .def("__reduce__", &reduced_region)
        .def("__repr__", [](const damon_region_info& r) {
            return py::str(
                       "Region(start={:#x}, end={:#x}, target_idx={}, nr_accesses={}, age={}, age_us={}, idle_us={}, "
                       "flags={}, unknown_reason={})")
                .format(r.start, r.end, r.target_idx, r.nr_accesses, r.age, r.age_us, idle_of(r), r.flags,
                        r.unknown_reason);
        });
}

// What is text, or a table of another package, is made in Python.
auto in_module(const char* module, const char* function) {
    return [module, function](const py::object& self, const py::args& arguments) {
        return py::module_::import(module).attr(function)(self, *arguments);
    };
}

void bind_info(py::class_<Snapshot>& type) {
    using Info = damon_snapshot_info;
    const auto number = [](auto member) { return [member](const Snapshot& s) { return s.info.*member; }; };
    type.def_property_readonly("seq", number(&Info::seq),
                               "Number of the snapshot in its context, from 1; 0: no window has ended yet.")
        .def_property_readonly("time_ns", number(&Info::time_ns),
                               "When the window ended: nanoseconds, as time.monotonic_ns(); virtual in manual drive.")
        .def_property_readonly("sample_us", number(&Info::sample_us), "Sampling interval, microseconds, as tuned.")
        .def_property_readonly("aggr_us", number(&Info::aggr_us),
                               "Aggregation interval, microseconds, as tuned; in real time it may be longer.")
        .def_property_readonly("window_us", number(&Info::window_us),
                               "How long the window really was, microseconds; 0: not known.")
        .def_property_readonly("nr_regions", number(&Info::nr_regions), "How many regions; len() as well.")
        .def_property_readonly("passed_sample_intervals", number(&Info::passed_sample_intervals),
                               "Sampling intervals since the start.")
        .def_property_readonly("max_nr_accesses", number(&Info::max_nr_accesses),
                               "Samples in one window: what nr_accesses is out of.")
        .def_property_readonly("nr_targets", number(&Info::nr_targets), "Targets of the context.")
        .def_property_readonly("flags", number(&Info::flags), "Of damon.SnapshotFlags.")
        .def_property_readonly(
            "writes_only", [](const Snapshot& s) { return (s.info.flags & DAMON_SNAPSHOT_WRITES_ONLY) != 0; },
            "Reads of some region cannot be seen: idle means not written.");
}

}  // namespace

void bind_snapshot(py::module_& module) {
    bind_region(module);
    module.def("restored_snapshot", &restored_snapshot);
    py::class_<Snapshot> type(module, "Snapshot", py::buffer_protocol(),
                              "All regions of all targets at the end of a window. An immutable sequence of Region.");
    bind_info(type);
    type.def_property_readonly(
            "regions", &regions_of,
            "A NumPy structured array that looks at the snapshot's memory; a memoryview without NumPy.")
        .def_property_readonly("total_bytes", &total_bytes, "Bytes in all regions.")
        .def_property_readonly("unknown_bytes", &unknown_bytes, "Bytes in regions that could not be looked at.")
        .def("rows", &rows_of, "The regions as tuples, members in the order of Region.")
        .def("working_set_bytes", &working_set, py::arg("min_nr_accesses") = 1,
             "Bytes in regions with at least so many accesses: a lower bound where unknown_bytes is not 0.")
        .def(
            "idle_bytes", &idle_bytes, py::arg("windows") = 0, py::kw_only(), py::arg("idle_us") = py::none(),
            "Bytes in regions that were looked at and not seen accessed for at least so many windows, or microseconds.")
        .def("slices", in_module("damon.arrays", "slices"), "Which region is which part of an array: see ArraySlice.")
        .def("to_pandas", in_module("damon.arrays", "to_pandas"), "A pandas DataFrame of the regions.")
        .def("to_polars", in_module("damon.arrays", "to_polars"), "A polars DataFrame of the regions.")
        .def("to_arrow", in_module("damon.arrays", "to_arrow"), "A pyarrow Table of the regions.")
        .def("__len__", [](const Snapshot& s) { return s.info.nr_regions; })
        .def("__getitem__", &item_of)
        .def("__contains__", [](const Snapshot& s, py::handle wanted) { return count_of(s, wanted) > 0; })
        .def("count", &count_of, py::arg("region"), "How many of the regions are equal to this one.")
        .def("index", &index_of, py::arg("region"), py::arg("start") = 0,
             py::arg("stop") = std::numeric_limits<py::ssize_t>::max(),
             "Position of the first region that is equal; ValueError if there is none.")
        .def("__eq__", &same_snapshot, py::is_operator())
        .def("__hash__",
             [](const Snapshot& s) { return py::hash(py::make_tuple(s.info.seq, s.info.time_ns, s.info.nr_regions)); })
        .def("__reduce__", &reduced_snapshot)
        .def("__repr__", in_module("damon.summaries", "snapshot_repr"))
        .def("_repr_html_", in_module("damon.summaries", "snapshot_html"))
        .def_buffer([](Snapshot& s) {
            return py::buffer_info(s.regions.get(), sizeof(damon_region_info), format_of_regions(), 1,
                                   {static_cast<py::ssize_t>(s.info.nr_regions)},
                                   {static_cast<py::ssize_t>(sizeof(damon_region_info))}, true);
        });
    py::module_::import("collections.abc").attr("Sequence").attr("register")(type);
}

}  // namespace damon_python
