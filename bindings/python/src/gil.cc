#include "gil.h"

#include <unistd.h>

#include <atomic>
#include <thread>

#include "callbacks.h"

namespace damon_python {

namespace {

std::atomic<bool> ended{false};
std::atomic<unsigned long> last_thread{0};  // the one that ends Python

std::atomic<unsigned> nr_leaving{0};  // threads that are giving their thread state back

void give_thread_state_back() {
    pybind11::gil_scoped_acquire gil;
    gil.dec_ref();
}

// At the end of a worker, which may come after its context's stop has returned, its thread state goes as well.
struct KeptThreadState {
    bool kept = false;
    ~KeptThreadState() {
        if (!kept) return;
        ++nr_leaving;
        if (!python_ended()) give_thread_state_back();
        --nr_leaving;
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
    // Who has not seen that gets the GIL now: later it would unwind a destructor, which ends the process.
    const pybind11::gil_scoped_release others_run;
    while (nr_leaving != 0) std::this_thread::yield();
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
