// Starting one context or several, all or none.
#include <pybind11/stl.h>

#include <algorithm>

#include "callbacks.h"
#include "context.h"

namespace damon_python {

namespace {

// Keeps the simulators of a group, in an order that no two groups contradict.
std::vector<SimLock> lock_sims(std::vector<std::shared_ptr<Sim>> sims) {
    std::sort(sims.begin(), sims.end());
    std::vector<SimLock> locks;
    for (const auto& sim : sims) locks.push_back(lock_sim(sim));
    return locks;
}

std::vector<Faults*> faults_of(const std::vector<Ctx*>& group) {
    std::vector<Faults*> faults;
    for (Ctx* ctx : group) faults.push_back(&ctx->faults);
    return faults;
}

// The words of the context that the failure is about: the one whose words are new, or, where it is the same failure as
// before, the only one that has words.
[[noreturn]] void raise_start_error(const std::vector<Ctx*>& group, const std::vector<std::string>& before, int error) {
    for (size_t i = 0; i < group.size(); ++i) {
        if (group[i]->errmsg() != before[i]) raise_error_of(group[i]->open().get(), error);
    }
    const auto has_words = [](const Ctx* ctx) { return !ctx->errmsg().empty(); };
    const auto one = std::find_if(group.begin(), group.end(), has_words);
    const bool several = one != group.end() && std::any_of(one + 1, group.end(), has_words);
    if (one == group.end() || several) raise_error(error, damon_strerror(error));
    raise_error_of((*one)->open().get(), error);
}

// A callback raised although the contexts run. Of manually driven ones nobody has seen anything yet: they are stopped.
void raise_or_tell(std::vector<damon_ctx*>& ctxs, bool manual, const py::object& exception) {
    if (!manual) {
        tell_unraisable(exception, py::none());
        return;
    }
    without_gil([&ctxs] { return damon_stop(ctxs.data(), static_cast<int>(ctxs.size())); });
    rethrow(exception);
}

}  // namespace

void start_group(const std::vector<Ctx*>& group, bool exclusive) {
    if (python_ended()) raise_error(-ECANCELED, "Python is about to end: no context can be started any more");
    std::vector<std::shared_ptr<damon_ctx>> handles;
    std::vector<damon_ctx*> ctxs;
    std::vector<std::shared_ptr<Sim>> sims;
    std::vector<std::string> before;
    bool manual = false;
    for (Ctx* ctx : group) {
        handles.push_back(ctx->open());
        ctxs.push_back(handles.back().get());
        before.push_back(ctx->errmsg());
        manual = manual || ctx->manual;
        if (ctx->sim_ == nullptr) continue;
        if (!ctx->manual) raise_error(-EINVAL, "a context on a simulator has to be driven manually: use manual=True");
        sims.push_back(ctx->sim_);
    }
    const Collector collector(faults_of(group), Collector::From::kAnyThread);
    const int error = without_gil([&] {
        const std::vector<SimLock> locks = lock_sims(sims);
        return damon_start(ctxs.data(), static_cast<int>(ctxs.size()), exclusive ? 1 : 0);
    });
    if (error < 0 && collector.first()) rethrow(collector.first());
    if (error < 0 && !group.empty()) raise_start_error(group, before, error);
    if (error < 0) raise_error(error, damon_strerror(error));
    for (Ctx* ctx : group) ctx->now_us = 0;
    if (collector.first()) raise_or_tell(ctxs, manual, collector.first());
}

}  // namespace damon_python
