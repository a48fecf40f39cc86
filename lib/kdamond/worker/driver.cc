#include "kdamond/worker/driver.h"

#include <cerrno>

#include "kdamond/worker/worker.h"

namespace damon {

void Driver::prepare(const StartOptions& /*options*/) {}
Status Driver::launch() { return Status::fail(-EOPNOTSUPP, "there is no driver for this run"); }
bool Driver::busy_locked() const { return false; }
void Driver::stop(Lock& /*lock*/) {}
void Driver::reap(Lock& /*lock*/) {}
uint64_t Driver::cpu_ns_locked() const { return 0; }
uint64_t Driver::own_cpu_ns() const { return 0; }

int Driver::call(Call& /*call*/, uint64_t /*run_number*/, uint64_t* /*id_out*/) { return -ECANCELED; }

Status Driver::set_pause(bool pause) {
    const Lock lock(worker_.run.sync.mutex);
    worker_.run.set_pause_locked(pause);
    return {};
}

bool Driver::paused_locked() const { return worker_.run.state.pause_wanted; }
int Driver::install(Walk& walk) { return worker_.walks.install(walk); }
int Driver::step(uint64_t /*now_us*/) { return -EINVAL; }
bool Driver::enter() { return false; }
void Driver::leave() {}

Status Driver::check(Ability /*ability*/) const { return {}; }
void Driver::announce_pause(bool /*pause*/) {}
void Driver::take_back_change() {}
const char* Driver::other_end() const { return ""; }

}  // namespace damon
