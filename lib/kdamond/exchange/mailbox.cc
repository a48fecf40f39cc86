#include "kdamond/exchange/mailbox.h"

#include <cerrno>

#include "base/check.h"
#include "base/heap.h"

namespace damon {

void Mailbox::open() {
    const Lock lock(sync_.mutex);
    open_ = true;
}

void Mailbox::close() {
    Lock lock(sync_.mutex);
    open_ = false;
    for (Call* call = next_to_close(); call != nullptr; call = next_to_close()) {
        if (call->repeat) {
            drop_repeat(*call, lock);
        } else {
            unlink(*call);
            call->state = Call::State::kCanceled;
        }
    }
    sync_.callers.notify_all();
}

// What another thread is dropping is that thread's to end: its release may wait for this context to stop.
Call* Mailbox::next_to_close() const {
    Call* call = first_;
    while (call != nullptr && call->state != Call::State::kPending) call = call->next;
    return call;
}

int Mailbox::run_once(Call& call, uint64_t* id_out) {
    const Lock lock(sync_.mutex);
    if (!open_) return -ECANCELED;
    call.id = next_id_++;
    if (id_out != nullptr) *id_out = call.id;
    append(call);
    sync_.worker.notify_all();
    while (call.state == Call::State::kPending || call.state == Call::State::kRunning) {
        sync_.callers.wait(sync_.mutex);
    }
    return call.state == Call::State::kDone ? 0 : -ECANCELED;
}

int Mailbox::add_repeat(const Call& call, uint64_t* id_out) {
    Call* copy = heap_new<Call>(call);
    if (copy == nullptr) return -ENOMEM;
    copy->repeat = true;
    Lock lock(sync_.mutex);
    if (!open_) {
        lock.unlock();
        heap_delete(copy);
        return -ECANCELED;
    }
    copy->id = next_id_++;
    if (id_out != nullptr) *id_out = copy->id;
    append(*copy);
    sync_.worker.notify_all();
    return 0;
}

int Mailbox::cancel(uint64_t id, bool on_worker) {
    Lock lock(sync_.mutex);
    Call* call = find(id);
    if (call == nullptr) return -ENOENT;
    if (call->state == Call::State::kPending) {
        call->cancel_requested = true;
        if (call->repeat) {
            drop_repeat(*call, lock);
        } else {
            unlink(*call);
            call->state = Call::State::kCanceled;
            sync_.callers.notify_all();
        }
        return 0;
    }
    // A one-shot call that runs already can no longer be dropped.
    if (!call->repeat) return -ENOENT;
    const bool by_another = call->state == Call::State::kDropping || call->cancel_requested;
    call->cancel_requested = true;
    const bool from_its_release = call->state == Call::State::kDropping && call->dropper == thread_token();
    while (!on_worker && !from_its_release && find(id) != nullptr) sync_.callers.wait(sync_.mutex);
    return by_another ? -ENOENT : 0;
}

Call* Mailbox::find(uint64_t id) const {
    if (running_ != nullptr && running_->id == id) return running_;
    Call* call = first_;
    while (call != nullptr && call->id != id) call = call->next;
    return call;
}

void Mailbox::run(bool with_repeats) {
    Lock lock(sync_.mutex);
    if (first_ == nullptr) return;
    // What arrives from here on carries this round's number and waits for the next one.
    ++round_;
    for (Call* call = next_of_round(with_repeats); call != nullptr; call = next_of_round(with_repeats)) {
        run_one(*call, lock);
    }
}

Call* Mailbox::next_of_round(bool with_repeats) {
    Call* call = first_;
    while (call != nullptr &&
           (call->state != Call::State::kPending || call->round == round_ || (call->has_run && !with_repeats))) {
        call = call->next;
    }
    return call;
}

void Mailbox::run_one(Call& call, Lock& lock) {
    unlink(call);
    call.state = Call::State::kRunning;
    call.has_run = true;
    running_ = &call;
    lock.unlock();
    const int result = call.fn(call.data);
    lock.relock();
    if (!call.repeat) {
        running_ = nullptr;
        call.result = result;
        call.state = Call::State::kDone;  // its owner may go on from here: do not touch it again
        sync_.callers.notify_all();
        return;
    }
    running_ = nullptr;
    append(call);
    if (result != 0 || call.cancel_requested || !open_) drop_repeat(call, lock);
}

// Stays listed while it is released, so that a concurrent cancel waits for that too.
void Mailbox::drop_repeat(Call& call, Lock& lock) {
    call.state = Call::State::kDropping;
    call.dropper = thread_token();
    lock.unlock();
    if (call.release != nullptr) call.release(call.data);
    lock.relock();
    unlink(call);
    sync_.callers.notify_all();
    heap_delete(&call);
}

void Mailbox::append(Call& call) {
    call.state = Call::State::kPending;
    call.round = round_;
    call.previous = last_;
    call.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &call;
    last_ = &call;
}

void Mailbox::unlink(Call& call) {
    (call.previous == nullptr ? first_ : call.previous->next) = call.next;
    (call.next == nullptr ? last_ : call.next->previous) = call.previous;
    call.previous = call.next = nullptr;
}

bool Mailbox::has_new_locked() const {
    for (const Call* call = first_; call != nullptr; call = call->next) {
        if (!call->has_run && call->state == Call::State::kPending) return true;
    }
    return false;
}

bool Mailbox::has_repeat_locked() const {
    for (const Call* call = first_; call != nullptr; call = call->next) {
        if (call->repeat && call->state == Call::State::kPending) return true;
    }
    return false;
}

}  // namespace damon
