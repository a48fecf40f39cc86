// Functions that run on the worker: once, with an answer, or every sampling interval.
#include <functional>
#include <memory>
#include <utility>

#include "callbacks.h"
#include "context.h"
#include "waiting.h"

namespace damon_python {

namespace {

// One call, shared with the worker. Its Python objects belong to the GIL; whoever leaves last finds none.
struct Asked {
    Asked(Ctx& context, py::function wanted) : ctx(context), function(std::move(wanted)) {}

    Ctx& ctx;             // closing it ends the call
    py::object function;  // empty: the asking thread was interrupted and has left
    py::object result;
    py::object exception;
    bool has_run = false;
    Completion completion;
};
using Shared = std::shared_ptr<Asked>;

void run_asked_in_python(Asked& asked) {
    in_python(
        asked.ctx,
        [&] {
            const py::object function = asked.function;
            if (!function) return;
            py::object result = function();
            if (asked.function) asked.result = std::move(result);
        },
        [&](py::error_already_set& error) {
            if (asked.function) {
                asked.exception = exception_of(error);
            } else {
                asked.ctx.faults.take(error, py::none());
            }
        });
}

// Queued as a repeat call that ends with its first run: the library waits for others uninterruptibly.
int run_asked(void* data) {
    Asked& asked = **static_cast<Shared*>(data);
    run_asked_in_python(asked);
    asked.has_run = true;
    asked.completion.tell();
    return 1;
}

void release_asked(void* data) {
    const std::unique_ptr<Shared> asked(static_cast<Shared*>(data));
    (*asked)->completion.tell();
}

int run_here(void* data) {
    run_asked_in_python(*static_cast<Asked*>(data));
    return 0;
}

// Waits for the end of the run that cancelled a call; gives the context its words for it.
int wait_for_end(damon_ctx* ctx) {
    damon_call_control control;
    damon_call_control_init(&control);
    control.fn = [](void*) { return 0; };
    damon_call(ctx, &control);
    return -ECANCELED;
}

struct Repeat {
    Ctx* ctx;
    py::handle function;  // kept alive by Ctx::kept
    uint64_t number;
};

py::tuple key_of(const Repeat& repeat) { return py::make_tuple("call", repeat.number); }

// Ends with what is true in Python, and with an exception.
int run_repeat(void* data) {
    const Repeat& call = *static_cast<Repeat*>(data);
    bool ends = true;
    in_python(*call.ctx, call.function, [&] {
        const auto function = py::reinterpret_borrow<py::object>(call.function);
        ends = PyObject_IsTrue(function().ptr()) != 0;
    });
    return ends ? 1 : 0;
}

void release_repeat(void* data) {
    const std::unique_ptr<Repeat> call(static_cast<Repeat*>(data));
    if (python_ended()) return;
    const py::gil_scoped_acquire gil;
    py::object function = call->ctx->kept.attr("pop")(key_of(*call), py::none());
}

// Throws what ended the wait early; the function then does not run any more, unless it runs already.
int wait_for(Asked& asked, const std::function<int()>& begin) {
    try {
        return asked.completion.wait_after(begin);
    } catch (...) {
        asked.function = py::object();
        asked.result = py::object();
        asked.exception = py::object();
        throw;
    }
}

int ask(const std::shared_ptr<damon_ctx>& ctx, const Shared& asked) {
    auto queued = std::make_unique<Shared>(asked);
    damon_call_control control;
    damon_call_control_init(&control);
    control.flags = DAMON_CALL_REPEAT;
    control.fn = run_asked;
    control.release = release_asked;
    control.data = queued.get();
    const int error = wait_for(*asked, [&] {
        const int result = damon_call(ctx.get(), &control);
        if (result >= 0) static_cast<void>(queued.release());
        return result;
    });
    if (error < 0) return error;
    return asked->has_run ? 0 : without_gil([&] { return wait_for_end(ctx.get()); });
}

}  // namespace

py::object Ctx::call(py::function function) {
    const auto asked = std::make_shared<Asked>(*this, std::move(function));
    int error = 0;
    if (manual || on_worker()) {  // here, or refused
        damon_call_control control;
        damon_call_control_init(&control);
        control.fn = run_here;
        control.data = asked.get();
        error = wait(Collector::From::kThisThread, [&](damon_ctx* ctx) { return damon_call(ctx, &control); });
    } else {
        error = ask(open(), asked);
    }
    const py::object done = std::exchange(asked->function, py::object());
    const py::object exception = std::exchange(asked->exception, py::object());
    py::object result = std::exchange(asked->result, py::object());
    if (exception) rethrow(exception);
    check(open().get(), error);
    if (!result) raise_error(-ECANCELED, "the call was cancelled: Python is about to end");
    return result;
}

uint64_t Ctx::call_repeat(py::function function) {
    const auto ctx = open();
    auto repeat = std::make_unique<Repeat>(Repeat{this, function, nr_repeats_++});
    const py::tuple key = key_of(*repeat);
    damon_call_control control;
    damon_call_control_init(&control);
    control.flags = DAMON_CALL_REPEAT;
    control.fn = run_repeat;
    control.release = release_repeat;
    control.data = repeat.get();
    kept[key] = function;
    const int error = damon_call(ctx.get(), &control);
    if (error < 0) kept.attr("pop")(key);
    check(ctx.get(), error);
    static_cast<void>(repeat.release());
    return control.id;
}

bool Ctx::call_cancel(uint64_t id) {
    const auto cancel = [id](damon_ctx* ctx) { return damon_call_cancel(ctx, id); };
    const int error = manual || on_worker() ? wait(Collector::From::kThisThread, cancel)
                                            : wait_apart([cancel, ctx = open()] { return cancel(ctx.get()); });
    if (error == -ENOENT) return false;
    check(open().get(), error);
    return true;
}

}  // namespace damon_python
