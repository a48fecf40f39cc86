#include "gil.h"

#include <unistd.h>

#include <atomic>

#include "callbacks.h"

namespace damon_python {

namespace {

std::atomic<bool> ended{false};
std::atomic<unsigned long> last_thread{0};  // the one that ends Python

// At the end of a worker its thread state goes as well.
struct KeptThreadState {
    bool kept = false;
    ~KeptThreadState() {
        if (!kept || python_ended()) return;
        pybind11::gil_scoped_acquire gil;
        gil.dec_ref();
    }
};

thread_local KeptThreadState kept_thread_state;

}  // namespace

void keep_thread_state(bool known) {
    if (known || kept_thread_state.kept) return;
    pybind11::gil_scoped_acquire gil;
    gil.inc_ref();
    kept_thread_state.kept = true;
}

void end_python() {
    last_thread = PyThread_get_thread_ident();
    ended = true;
}

void park_thread() {
    for (;;) pause();
}

bool python_ended() { return ended; }

void back_to_python(PyThreadState* state) {
    if (ended && PyThread_get_thread_ident() != last_thread) park_thread();
    PyEval_RestoreThread(state);
}

}  // namespace damon_python
