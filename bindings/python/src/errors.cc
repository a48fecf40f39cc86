#include "errors.h"

#include <utility>

namespace damon_python {

void raise_error(int error, const std::string& text) {
    rethrow(py::module_::import("damon.errors").attr("error_for")(error < 0 ? -error : error, text));
}

void raise_error_of(const damon_ctx* ctx, int error) {
    // These leave no words of their own: those of the context would tell of an older failure.
    const bool silent = error == -ETIMEDOUT || error == -ECHILD || error == -EAGAIN;
    const int length = silent ? 0 : damon_ctx_errmsg(ctx, nullptr, 0);
    if (length <= 0) raise_error(error, damon_strerror(error));
    std::string text(static_cast<size_t>(length) + 1, '\0');
    damon_ctx_errmsg(ctx, text.data(), text.size());
    raise_error(error, text.c_str());
}

int check(const damon_ctx* ctx, int result) {
    if (result < 0) raise_error_of(ctx, result);
    return result;
}

py::object exception_of(py::error_already_set& error) {
    py::object exception = error.value();
    if (error.trace()) PyException_SetTraceback(exception.ptr(), error.trace().ptr());
    return exception;
}

namespace {

// Seen in the traceback from Python 3.11 on.
void add_note_on(const py::object& exception, uint64_t held_back) {
    if (held_back == 0 || !py::hasattr(exception, "add_note")) return;
    exception.attr("add_note")(std::to_string(held_back) +
                               " more exceptions of this context's callbacks were not shown since the last one; "
                               "Context.nr_exceptions counts all");
}

}  // namespace

bool RateLimit::admits() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ >= kInterval) {
        // After a quiet time the next few are news again.
        left_ = held_back_ == 0 ? kBurst : 1;
    }
    if (left_ == 0) {
        ++held_back_;
        return false;
    }
    --left_;
    last_ = now;
    return true;
}

uint64_t RateLimit::take_held_back() { return std::exchange(held_back_, 0); }

Collector::Collector(std::vector<Faults*> faults, From from)
    : faults_(std::move(faults)), from_(from), thread_(PyThread_get_thread_ident()) {
    for (Faults* each : faults_) each->collectors_.push_back(this);
}

Collector::~Collector() {
    for (Faults* each : faults_) std::erase(each->collectors_, this);
}

bool Collector::wants() const {
    return !first_ && (from_ == From::kAnyThread || PyThread_get_thread_ident() == thread_);
}

void Faults::take(py::error_already_set& error, py::handle where) {
    last = exception_of(error);
    ++count;
    for (Collector* collector : collectors_) {
        if (!collector->wants()) continue;
        collector->first_ = last;
        return;
    }
    if (!limit_.admits()) return;
    add_note_on(last, limit_.take_held_back());
    tell_unraisable(last, where);
}

void rethrow(const py::object& exception) {
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    throw py::error_already_set();
}

void tell_unraisable(const py::object& exception, py::handle where) {
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    PyErr_WriteUnraisable(where.ptr());
}

}  // namespace damon_python
