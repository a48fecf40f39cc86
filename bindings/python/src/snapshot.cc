#include "snapshot.h"

#include <pybind11/stl.h>

#include <string>

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

const damon_region_info& region_at(const Snapshot& snapshot, int64_t index) {
    const auto count = static_cast<int64_t>(snapshot.info.nr_regions);
    if (index < 0) index += count;
    if (index < 0 || index >= count) {
        throw py::index_error("the snapshot has " + std::to_string(count) + " regions");
    }
    return snapshot.regions[index];
}

py::tuple row_of(const damon_region_info& r) {
    return py::make_tuple(r.start, r.end, r.target_idx, r.nr_accesses, r.age, r.flags);
}

py::list rows_of(const Snapshot& snapshot) {
    py::list rows(snapshot.info.nr_regions);
    for (size_t i = 0; i < snapshot.info.nr_regions; ++i) rows[i] = row_of(snapshot.regions[i]);
    return rows;
}

uint64_t working_set(const Snapshot& snapshot, uint32_t min_nr_accesses) {
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

void bind_region(py::module_& module) {
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
        .def("__repr__", [](const damon_region_info& r) {
            return py::str("Region(start={:#x}, end={:#x}, target_idx={}, nr_accesses={}, age={}, flags={})")
                .format(r.start, r.end, r.target_idx, r.nr_accesses, r.age, r.flags);
        });
}

}  // namespace

void bind_snapshot(py::module_& module) {
    bind_region(module);
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
        .def("__getitem__", &region_at)
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
