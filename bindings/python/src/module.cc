// damon._core: damon_c.h as Python classes. The package around it is what programs use.
#include <pybind11/stl.h>

#include "callbacks.h"
#include "context.h"
#include "snapshot.h"

#ifdef Py_GIL_DISABLED
#error \
    "libdamon needs the interpreter lock: free-threaded Python (3.13t, 3.14t) is not supported, use the ordinary build"
#endif

PYBIND11_MODULE(_bound, module) {
    using namespace damon_python;
    bind_snapshot(module);
    bind_samples(module);
    bind_context(module);
    bind_memory(module);
    bind_sim(module);
    module.def("start", &start_group);
    module.def("end_python", &end_python);
    module.def("version", &damon_version);
    module.def("version_string", &damon_version_string);
    module.def("strerror", [](py::handle number) { return damon_strerror(to_i32(number, "number")); });
    module.def("nr_running_ctxs", &damon_nr_running_ctxs);
}

// Workers enter Python through PyGILState, which knows the main interpreter only; pybind11 would wait for itself here.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
    if (PyInterpreterState_Get() == PyInterpreterState_Main()) return PyInit__bound();
    PyErr_SetString(PyExc_ImportError, "damon works in the main interpreter only, not in subinterpreters");
    return nullptr;
}
