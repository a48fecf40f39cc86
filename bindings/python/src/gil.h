// Waiting without the GIL.
#pragma once

#include <pybind11/pybind11.h>

namespace damon_python {

// From now on no callback enters Python: the interpreter is about to go. Irrevocable.
void end_python();
bool python_ended();

// Takes the GIL back after PyEval_SaveThread(). A thread that comes back when Python has ended stays here for ever:
// until 3.13 Python would unwind its stack instead, which no C++ code on the way survives.
void back_to_python(PyThreadState* state);

// What `function` returns, run without the GIL. It may not touch Python.
template <typename Function>
auto without_gil(Function function) {
    PyThreadState* state = PyEval_SaveThread();
    try {
        auto result = function();
        back_to_python(state);
        return result;
    } catch (...) {
        back_to_python(state);
        throw;
    }
}

}  // namespace damon_python
