#include "waiting.h"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "gil.h"

namespace damon_python {

namespace {

namespace py = pybind11;

constexpr std::chrono::milliseconds kSlice{50};

// Handlers run on the main thread only: elsewhere nothing can end a wait early.
bool runs_signal_handlers() { return gettid() == getpid(); }

struct Errand {
    std::function<int()> function;
    int result = 0;
    Completion completion;
};

}  // namespace

void check_signals() {
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void Completion::tell() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        is_told_ = true;
    }
    told_.notify_all();  // not with the lock, which who wakes needs at once
}

bool Completion::wait_slice() {
    std::unique_lock<std::mutex> lock(mutex_);
    return told_.wait_for(lock, kSlice, [this] { return is_told_; });
}

void Completion::wait() {
    for (;;) {
        if (without_gil([this] { return wait_slice(); })) return;
        check_signals();
    }
}

int Completion::wait_after(const std::function<int()>& begin) {
    int error = 0;
    const bool done = without_gil([&] {
        error = begin();
        return error < 0 || wait_slice();
    });
    if (!done) {
        check_signals();
        wait();
    }
    return error;
}

int wait_apart(std::function<int()> function) {
    if (!runs_signal_handlers()) return without_gil(function);
    const auto errand = std::make_shared<Errand>();
    errand->function = std::move(function);
    try {
        std::thread([errand] {
            errand->result = errand->function();
            errand->function = nullptr;  // what it owns goes before the wait is over
            errand->completion.tell();
        }).detach();
    } catch (const std::system_error&) {  // no thread can be had
        return without_gil(errand->function);
    }
    errand->completion.wait();
    return errand->result;
}

}  // namespace damon_python
