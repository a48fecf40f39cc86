// What other threads ask of the worker: functions to run between two sampling intervals.
#pragma once

#include <cstdint>

#include "os/lock.h"
#include "os/thread.h"

namespace damon {

struct Call {
    // kDropping: cancelled by another thread, its release is running; still listed, so that others can wait for that.
    enum class State : uint8_t { kPending, kRunning, kDone, kCanceled, kDropping };

    int (*fn)(void* data) = nullptr;
    void* data = nullptr;
    void (*release)(void* data) = nullptr;  // repeat: when dropped
    bool repeat = false;
    bool cancel_requested = false;
    State state = State::kPending;
    int32_t result = 0;
    uint64_t id = 0;
    uint64_t round = 0;  // the last Mailbox::run that saw it
    bool has_run = false;
    uintptr_t dropper = 0;  // kDropping: token of the thread that calls release
    Call* previous = nullptr;
    Call* next = nullptr;
};

class Mailbox {
public:
    explicit Mailbox(WorkerSync& sync) : sync_(sync) {}

    // Accepts calls from here on. Until then, and after close, they are refused.
    void open();
    // Refuses new calls and cancels those that are pending; releases repeat calls. Worker, or nobody is running.
    void close();

    // Queues `call`, which lives on the caller's stack, and waits. 0: it ran; -ECANCELED. Not on the worker.
    // `id_out` may be null; it is written before the call can run.
    int run_once(Call& call, uint64_t* id_out);
    // Queues a copy that runs every round. 0, -ECANCELED or -ENOMEM.
    int add_repeat(const Call& call, uint64_t* id_out);
    // 0 or -ENOENT; either way its function is not running and its release was called when this returns. `on_worker`:
    // inside a callback, do not wait for the call that is running.
    int cancel(uint64_t id, bool on_worker);

    // Runs every call that was pending when this round began, once, in order; repeat calls go behind those that
    // arrived meanwhile. `with_repeats` false: only what has never run. Worker; holds no lock while a call runs.
    void run(bool with_repeats);

    // For the worker's waits; the sync's mutex is held. New: has never run, and does not wait for an interval's end.
    bool has_new_locked() const;
    bool has_repeat_locked() const;
    bool is_empty_locked() const { return first_ == nullptr; }

private:
    void append(Call& call);
    void unlink(Call& call);
    Call* find(uint64_t id) const;
    Call* next_of_round(bool with_repeats);
    Call* next_to_close() const;
    void run_one(Call& call, Lock& lock);
    void drop_repeat(Call& call, Lock& lock);

    WorkerSync& sync_;
    Call* first_ = nullptr;
    Call* last_ = nullptr;
    Call* running_ = nullptr;
    uint64_t round_ = 0;
    uint64_t next_id_ = 1;
    bool open_ = false;
};

}  // namespace damon
