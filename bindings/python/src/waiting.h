// Waits that Ctrl-C ends.
#pragma once

#include <pybind11/pybind11.h>

#include <condition_variable>
#include <functional>
#include <mutex>

namespace damon_python {

// Runs Python's signal handlers, if one is due and this is their thread; throws what they raise.
void check_signals();

// Told once, by any thread, with or without the GIL.
class Completion {
public:
    void tell();
    // Waits without the GIL, in slices between which signal handlers run; throws what they raise. Needs the GIL.
    void wait();
    // The same after `begin`, which also runs without the GIL: who tells may need it. Not if that returns a failure,
    // which is returned.
    int wait_after(const std::function<int()>& begin);

private:
    bool wait_slice();

    std::mutex mutex_;
    std::condition_variable told_;
    bool is_told_ = false;
};

// What `function` returns, which waits in the library and may not touch Python. Signal handlers run meanwhile; if one
// raises, that is thrown at once, and `function` goes on with what it owns on a thread of its own. Needs the GIL; not
// for what asks which thread it is on.
int wait_apart(std::function<int()> function);

}  // namespace damon_python
