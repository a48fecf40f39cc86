// Failures of the library as Python exceptions, and exceptions of callbacks on their way to somebody who can see them.
#pragma once

#include <damon_c.h>
#include <pybind11/pybind11.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace damon_python {

namespace py = pybind11;

// Throws the member of the DamonError family that stands for a negative errno, with this text. Needs the GIL.
[[noreturn]] void raise_error(int error, const std::string& text);
// The same with the context's own words (damon_ctx_errmsg) where the library keeps some for this error.
[[noreturn]] void raise_error_of(const damon_ctx* ctx, int error);
// The result, if it is not a failure.
int check(const damon_ctx* ctx, int result);

// The exception, with its traceback.
py::object exception_of(py::error_already_set& error);

class Faults;

// Who waits for something that may run callbacks: an exception of one of them is raised there.
class Collector {
public:
    enum class From { kThisThread, kAnyThread };

    Collector(Faults& faults, From from) : Collector(std::vector<Faults*>{&faults}, from) {}
    Collector(std::vector<Faults*> faults, From from);
    ~Collector();
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    // The first exception; null: none.
    const py::object& first() const { return first_; }

private:
    friend class Faults;
    bool wants() const;

    const std::vector<Faults*> faults_;
    const From from_;
    const unsigned long thread_;
    py::object first_;
};

// Lets a few through at once and then one every ten seconds: a callback that fails every time fails hundreds of times a
// second.
class RateLimit {
public:
    bool admits();
    // How many were held back since the last one that was let through; forgets them.
    uint64_t take_held_back();

private:
    static constexpr int kBurst = 5;
    static constexpr std::chrono::seconds kInterval{10};

    int left_ = kBurst;
    uint64_t held_back_ = 0;
    std::chrono::steady_clock::time_point last_{};
};

// The exceptions of one context's callbacks: collected by who waits, else told through sys.unraisablehook, at a limited
// rate. `last` and `count` know all.
class Faults {
public:
    // Takes the exception of a callback over. `where`: the function that raised. Needs the GIL.
    void take(py::error_already_set& error, py::handle where);

    py::object last = py::none();  // the last exception of a callback
    uint64_t count = 0;            // how many there were

private:
    friend class Collector;
    std::vector<Collector*> collectors_;
    RateLimit limit_;
};

// Raises the exception, which keeps its traceback.
[[noreturn]] void rethrow(const py::object& exception);
// Tells the exception through sys.unraisablehook.
void tell_unraisable(const py::object& exception, py::handle where);

}  // namespace damon_python
