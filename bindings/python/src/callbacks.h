// From the library's worker into Python: the GIL is taken, exceptions stop here, nothing is done in a dying
// interpreter.
#pragma once

#include <cxxabi.h>
#include <pybind11/pybind11.h>

#include <exception>

#include "context.h"
#include "gil.h"

namespace damon_python {

// Marks that this thread runs a callback of the context; nests. With the GIL.
class CallbackScope {
public:
    explicit CallbackScope(Ctx& ctx) : ctx_(ctx), outer_(top_), outer_thread_(ctx.callback_thread) {
        top_ = this;
        ctx.callback_thread = PyThread_get_thread_ident();
    }
    ~CallbackScope() {
        top_ = outer_;
        ctx_.callback_thread = outer_thread_;
    }
    CallbackScope(const CallbackScope&) = delete;
    CallbackScope& operator=(const CallbackScope&) = delete;

    static bool inside(const Ctx& ctx) {
        const CallbackScope* scope = top_;
        while (scope != nullptr && &scope->ctx_ != &ctx) scope = scope->outer_;
        return scope != nullptr;
    }

private:
    Ctx& ctx_;
    const CallbackScope* const outer_;
    const unsigned long outer_thread_;
    static thread_local const CallbackScope* top_;
};

// Marks a callback of a step that uses regions or schemes: a commit in it is put off until the step is done.
class PassScope {
public:
    explicit PassScope(Ctx& ctx) : ctx_(ctx) { ++ctx.pass_depth; }
    ~PassScope() { --ctx_.pass_depth; }
    PassScope(const PassScope&) = delete;
    PassScope& operator=(const PassScope&) = delete;

private:
    Ctx& ctx_;
};

// Python's idea of this thread lives as long as the thread, not only as long as one callback: making one takes longer
// than many a callback. To be called with the GIL; `known`: Python knew the thread before it was taken.
void keep_thread_state(bool known);

// The thread comes back to a Python that has ended, which would unwind its stack: it stays here for ever instead.
[[noreturn]] void park_thread();

template <typename Body, typename OnError>
void in_living_python(Ctx& ctx, Body body, OnError on_error) {
    const bool known = PyGILState_GetThisThreadState() != nullptr;
    const py::gil_scoped_acquire gil;
    keep_thread_state(known);
    const CallbackScope scope(ctx);
    try {
        body();
    } catch (py::error_already_set& error) {
        on_error(error);
    } catch (py::builtin_exception& failure) {
        failure.set_error();
        py::error_already_set error;
        on_error(error);
    } catch (const std::exception& failure) {
        PyErr_SetString(PyExc_RuntimeError, failure.what());
        py::error_already_set error;
        on_error(error);
    }
}

// Runs `body` with the GIL; what it throws goes to `on_error`, a function of a Python error, also with the GIL.
template <typename Body, typename OnError>
void in_python(Ctx& ctx, Body body, OnError on_error) noexcept {
    if (python_ended()) return;
    try {
        in_living_python(ctx, body, on_error);
    } catch (const abi::__forced_unwind&) {
        park_thread();
    }
}

// The same; exceptions go to the context's Faults. `where`: the function that is called.
template <typename Body>
void in_python(Ctx& ctx, py::handle where, Body body) noexcept {
    in_python(ctx, body, [&](py::error_already_set& error) { ctx.faults.take(error, where); });
}

}  // namespace damon_python
