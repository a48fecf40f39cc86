// What a context found, as immutable Python objects.
#pragma once

#include <damon_c.h>
#include <pybind11/pybind11.h>

#include <memory>

namespace damon_python {

namespace py = pybind11;

// A copy of one snapshot, made straight into memory that NumPy and memoryview can look at.
struct Snapshot {
    std::unique_ptr<damon_region_info[]> regions;
    damon_snapshot_info info{};
};

void bind_snapshot(py::module_& module);

}  // namespace damon_python
