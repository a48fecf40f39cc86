// A descriptor that becomes readable with each new snapshot, for event loops: no thread waits for it.
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>

#include "context.h"
#include "errors.h"

namespace damon_python {

namespace {

// Shared by the worker, which writes, and by the object that Python reads; the last one closes it.
class Bell {
public:
    Bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (fd_ < 0) raise_error(-errno, "no descriptor for following the context");
    }
    ~Bell() { close(fd_); }
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    int fd() const { return fd_; }
    // It fails only where it is readable already.
    void ring() { static_cast<void>(eventfd_write(fd_, 1)); }
    void drain() {
        eventfd_t count = 0;
        static_cast<void>(eventfd_read(fd_, &count));
    }

    std::atomic<bool> is_abandoned{false};  // nobody waits any more
    std::atomic<bool> is_over{false};       // nobody rings any more

private:
    const int fd_;
};

// The worker's end: a repeated call that compares numbers, without Python.
struct Watch {
    damon_ctx* ctx;  // outlives its calls
    std::shared_ptr<Bell> bell;
    uint64_t seq;
};

int look(void* data) {
    Watch& watch = *static_cast<Watch*>(data);
    if (watch.bell->is_abandoned) return 1;
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    const int nr = damon_snapshot_read(watch.ctx, nullptr, 0, &info);
    if ((nr >= 0 || nr == -ENOSPC) && info.seq > watch.seq) {
        watch.seq = info.seq;
        watch.bell->ring();
    }
    return 0;
}

void release(void* data) {
    const std::unique_ptr<Watch> watch(static_cast<Watch*>(data));
    watch->bell->is_over = true;
    watch->bell->ring();  // the context ends: who waits has to look
}

// Python's end.
class Follower {
public:
    explicit Follower(std::shared_ptr<Bell> bell) : bell_(std::move(bell)) {}
    ~Follower() { close(); }
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    int fileno() const { return bell_ == nullptr ? -1 : bell_->fd(); }
    // Whether it will ring again.
    bool drain() {
        if (bell_ == nullptr || bell_->is_over) return false;
        bell_->drain();
        return true;
    }
    // The worker's end notices at its next turn.
    void close() {
        if (bell_ == nullptr) return;
        bell_->is_abandoned = true;
        bell_.reset();
    }

private:
    std::shared_ptr<Bell> bell_;
};

std::unique_ptr<Follower> follow(Ctx& self, uint64_t after_seq) {
    const auto ctx = self.open();
    auto bell = std::make_shared<Bell>();
    auto watch = std::make_unique<Watch>(Watch{ctx.get(), bell, after_seq});
    damon_call_control control;
    damon_call_control_init(&control);
    control.flags = DAMON_CALL_REPEAT;
    control.fn = look;
    control.release = release;
    control.data = watch.get();
    check(ctx.get(), without_gil([&] { return damon_call(ctx.get(), &control); }));
    static_cast<void>(watch.release());
    return std::make_unique<Follower>(std::move(bell));
}

}  // namespace

void bind_following(py::module_& module, py::class_<Ctx>& type) {
    py::class_<Follower>(module, "Follower")
        .def("fileno", &Follower::fileno)
        .def("drain", &Follower::drain)
        .def("close", &Follower::close);
    type.def("follow", &follow);
}

}  // namespace damon_python
