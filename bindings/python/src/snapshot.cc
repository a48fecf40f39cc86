#include "snapshot.h"

#include <pybind11/stl.h>

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "fields.h"

namespace damon_python {

namespace {

constexpr const char* kFormat = "T{Q:start:Q:end:I:target_idx:I:nr_accesses:I:age:I:flags:}";

// numpy.frombuffer and the dtype of a region; None without NumPy. Looked up at the first use, not at import.
const py::tuple& numpy() {
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::tuple> storage;
    return storage
        .call_once_and_store_result([]() -> py::tuple {
            try {
                const py::module_ module = py::module_::import("numpy");
                py::list fields;
                for (const char* name : {"start", "end"}) fields.append(py::make_tuple(name, "u8"));
                for (const char* name : {"target_idx", "nr_accesses", "age", "flags"}) {
                    fields.append(py::make_tuple(name, "u4"));
                }
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

py::tuple row_of(const damon_region_info& r) {
    return py::make_tuple(r.start, r.end, r.target_idx, r.nr_accesses, r.age, r.flags);
}

py::list rows_of(const Snapshot& snapshot) {
    py::list rows(snapshot.info.nr_regions);
    for (size_t i = 0; i < snapshot.info.nr_regions; ++i) rows[i] = row_of(snapshot.regions[i]);
    return rows;
}

uint64_t working_set(const Snapshot& snapshot, py::handle least) {
    const uint32_t min_nr_accesses = to_u32(least, "min_nr_accesses");
    uint64_t bytes = 0;
    for (size_t i = 0; i < snapshot.info.nr_regions; ++i) {
        const damon_region_info& region = snapshot.regions[i];
        if (region.nr_accesses >= min_nr_accesses) bytes += region.end - region.start;
    }
    return bytes;
}

bool same(const damon_region_info& a, const damon_region_info& b) {
    return a.start == b.start && a.end == b.end && a.target_idx == b.target_idx && a.nr_accesses == b.nr_accesses &&
           a.age == b.age && a.flags == b.flags;
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
                       info.max_nr_accesses, info.nr_targets, info.flags, regions));
}

Snapshot restored_snapshot(uint64_t seq, uint64_t time_ns, uint64_t sample_us, uint64_t aggr_us, uint64_t passed,
                           uint32_t max_nr_accesses, uint32_t nr_targets, uint32_t flags, const py::bytes& regions) {
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
    snapshot.info.nr_regions = given.size() / sizeof(damon_region_info);
    snapshot.regions = std::make_unique_for_overwrite<damon_region_info[]>(snapshot.info.nr_regions);
    memcpy(snapshot.regions.get(), given.data(), given.size());
    return snapshot;
}

py::tuple reduced_region(const damon_region_info& region) {
    return py::make_tuple(py::module_::import("damon._core").attr("restored_region"), row_of(region));
}

damon_region_info restored_region(uint64_t start, uint64_t end, uint32_t target_idx, uint32_t nr_accesses, uint32_t age,
                                  uint32_t flags) {
    return {start, end, target_idx, nr_accesses, age, flags};
}

void bind_region(py::module_& module) {
    module.def("restored_region", &restored_region);
    py::class_<damon_region_info>(module, "Region")
        .def_readonly("start", &damon_region_info::start)
        .def_readonly("end", &damon_region_info::end)
        .def_readonly("target_idx", &damon_region_info::target_idx)
        .def_readonly("nr_accesses", &damon_region_info::nr_accesses)
        .def_readonly("age", &damon_region_info::age)
        .def_readonly("flags", &damon_region_info::flags)
        .def_property_readonly("size", [](const damon_region_info& r) { return r.end - r.start; })
        .def_property_readonly("unknown",
                               [](const damon_region_info& r) { return (r.flags & DAMON_REGION_UNKNOWN) != 0; })
        .def(
            "__eq__", [](const damon_region_info& a, const damon_region_info& b) { return same(a, b); },
            py::is_operator())
        .def("__hash__", [](const damon_region_info& r) { return py::hash(row_of(r)); })
        .def("__reduce__", &reduced_region)
        .def("__repr__", [](const damon_region_info& r) {
            return py::str("Region(start={:#x}, end={:#x}, target_idx={}, nr_accesses={}, age={}, flags={})")
                .format(r.start, r.end, r.target_idx, r.nr_accesses, r.age, r.flags);
        });
}

}  // namespace

void bind_snapshot(py::module_& module) {
    bind_region(module);
    module.def("restored_snapshot", &restored_snapshot);
    using Info = damon_snapshot_info;
    const auto number = [](auto member) { return [member](const Snapshot& s) { return s.info.*member; }; };
    py::class_<Snapshot>(module, "Snapshot", py::buffer_protocol())
        .def_property_readonly("seq", number(&Info::seq))
        .def_property_readonly("time_ns", number(&Info::time_ns))
        .def_property_readonly("sample_us", number(&Info::sample_us))
        .def_property_readonly("aggr_us", number(&Info::aggr_us))
        .def_property_readonly("nr_regions", number(&Info::nr_regions))
        .def_property_readonly("passed_sample_intervals", number(&Info::passed_sample_intervals))
        .def_property_readonly("max_nr_accesses", number(&Info::max_nr_accesses))
        .def_property_readonly("nr_targets", number(&Info::nr_targets))
        .def_property_readonly("flags", number(&Info::flags))
        .def_property_readonly("writes_only",
                               [](const Snapshot& s) { return (s.info.flags & DAMON_SNAPSHOT_WRITES_ONLY) != 0; })
        .def_property_readonly("regions", &regions_of)
        .def("rows", &rows_of)
        .def("working_set_bytes", &working_set, py::arg("min_nr_accesses") = 1)
        .def("__len__", [](const Snapshot& s) { return s.info.nr_regions; })
        .def("__getitem__", &item_of)
        .def("__eq__", &same_snapshot, py::is_operator())
        .def("__hash__",
             [](const Snapshot& s) { return py::hash(py::make_tuple(s.info.seq, s.info.time_ns, s.info.nr_regions)); })
        .def("__reduce__", &reduced_snapshot)
        .def("__repr__",
             [](const Snapshot& s) {
                 return py::str("<damon.Snapshot {} of {} regions>").format(s.info.seq, s.info.nr_regions);
             })
        .def_buffer([](Snapshot& s) {
            return py::buffer_info(s.regions.get(), sizeof(damon_region_info), kFormat, 1,
                                   {static_cast<py::ssize_t>(s.info.nr_regions)},
                                   {static_cast<py::ssize_t>(sizeof(damon_region_info))}, true);
        });
}

}  // namespace damon_python
