#include "ops/offload/offload_ops.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "ops/offload/offload_text.h"
#include "os/metrics/cgroup.h"
#include "os/page_sizes.h"
#include "os/syscalls.h"
#include "os/text_parts.h"

namespace damon {
namespace {

// All of System RAM, in bytes; empty: not known.
AddressRange physical_memory() {
    char path[512];
    snprintf(path, sizeof path, "%s/proc/iomem", kernel_root());
    AddressRange range;
    char text[4096];
    size_t filled = 0;
    const int fd = sys::open_read(path);
    for (ssize_t length = fd < 0 ? 0 : 1; length > 0;) {
        length = sys::read(fd, text + filled, sizeof text - filled);
        if (length > 0) filled += static_cast<size_t>(length);
        std::string_view rest(text, filled);
        while (rest.find('\n') != std::string_view::npos) add_system_ram(take_line(rest), range);
        filled = rest.size() == sizeof text ? 0 : rest.size();  // no line of this file is that long
        memmove(text, rest.data(), filled);
    }
    sys::close(fd);
    return range;
}

bool memcg_path(uint64_t memcg_id, char* path, size_t bytes) {
    constexpr const char* kRoot = "/sys/fs/cgroup";
    const int folder = open_cgroup(kRoot, memcg_id);
    if (folder < 0) return false;
    const ssize_t length = sys::path_of(folder, path, bytes);
    sys::close(folder);
    if (length < 0 || strncmp(path, kRoot, strlen(kRoot)) != 0) return false;
    const size_t below = strlen(kRoot);
    memmove(path, path + below, static_cast<size_t>(length) - below + 1);
    if (path[0] == '\0') snprintf(path, bytes, "/");
    return true;
}

// Says which setting could not be made. Folders of the tree are named as the context's fields are.
Status refused(const WritePlan::Write& write, int error) {
    const char* name = write.path + strlen(kContextFolder);
    if (error == -ENOENT) {
        return Status::fail(-EOPNOTSUPP, "%s: this kernel's DAMON has no such setting; \"%s\" cannot be set", name,
                            write.text);
    }
    return Status::fail(error, "%s: the kernel's DAMON refuses \"%s\" (errno %d)", name, write.text, -error);
}

Status cannot_pause() {
    return Status::fail(-EOPNOTSUPP, "the kernel's DAMON has no file %spause: it cannot be paused", kContextFolder);
}

Status check_processes(const Params& params) {
    if (params.ops_id == OpsId::kKernelPaddr) return {};
    for (size_t i = 0; i < params.targets.size(); ++i) {
        const TargetParams& target = params.targets[i];
        if (target.pid == 0 || target.obsolete || sys::kill(target.pid, 0) != -ESRCH) continue;
        return Status::fail(-ESRCH, "target %zu: there is no process %d", i, target.pid);
    }
    return {};
}

// The kernel's vaddr keeps no given ranges, and its fvaddr finds none by itself.
Status check_given(const Params& params) {
    if (params.ops_id != OpsId::kKernelVaddr || !gives_ranges(params)) return {};
    for (size_t i = 0; i < params.targets.size(); ++i) {
        if (!params.targets[i].ranges.empty()) continue;
        return Status::fail(-EINVAL, "target %zu has no ranges and others have: give ranges to all targets or to none",
                            i);
    }
    return {};
}

}  // namespace

OpsTraits OffloadOps::traits() const {
    OpsTraits traits;
    traits.offloaded = true;
    traits.has_probes = true;
    traits.has_subject = false;  // or has one: validate() knows
    return traits;
}

Status OffloadOps::validate(const Params& params) const {
    if (!is_kernel_ops(params.ops_id)) {
        return Status::fail(-EINVAL, "ops id %d is not of the kernel's DAMON", static_cast<int>(params.ops_id));
    }
    return check_kernel_params(params, read_page_sizes().base_bytes);
}

Status OffloadOps::start(const Params& params) {
    Status status = check_processes(params);
    if (status.ok()) status = tree_.claim();
    if (!status.ok()) return status;
    status = set_up(params);
    if (status.ok()) status = turn_on();
    if (!status.ok()) stop();
    return status;
}

void OffloadOps::stop() {
    tree_.release();
    frozen_ = false;
}

Status OffloadOps::set_up(const Params& params) {
    // What this kernel has shows on a scheme, of which there is none yet.
    const int error = tree_.write("contexts/0/schemes/nr_schemes", "1");
    if (error != 0 || !tree_.exists("contexts/0/schemes/0/tried_regions")) {
        return Status::fail(-EOPNOTSUPP, "this kernel's DAMON does not report regions: it has no tried_regions");
    }
    can_pause_ = tree_.exists("contexts/0/pause");
    layered_filters_ = tree_.exists("contexts/0/schemes/0/core_filters");
    if (pause_next_ && !can_pause_) return cannot_pause();
    given_ = false;
    book_.clear();
    booked_.clear();
    if (Status status = check_given(params); !status.ok()) return status;
    Params next;
    Status status = make_room(params, next);
    if (!status.ok()) return status;
    keep(next);
    unsettled_ = false;
    status = plan_context(params_, facts(false, pause_next_), plan_);
    if (status.ok()) status = write_all();
    frozen_ = status.ok() && pause_next_;
    return status;
}

Status OffloadOps::turn_on() {
    const int error = tree_.turn_on();
    if (error == -EBUSY) return Status::fail(-EBUSY, "the kernel's DAMON is held exclusively by another user");
    if (error != 0) return Status::fail(error, "the kernel's DAMON refuses to start (errno %d)", -error);
    return {};
}

PlanFacts OffloadOps::facts(bool running, bool paused) const {
    PlanFacts facts;
    facts.own_pid = sys::getpid();
    facts.layered_filters = layered_filters_;
    facts.paused = paused;
    facts.running = running;
    facts.given = given_;
    if (params_.ops_id == OpsId::kKernelPaddr && !running) facts.physical = physical_memory();
    facts.memcg_path = memcg_path;
    return facts;
}

// Writes the plan, to its end or to the first refusal.
Status OffloadOps::write_all() {
    for (size_t i = 0; i < plan_.size(); ++i) {
        const WritePlan::Write write = plan_[i];
        const int error = tree_.write(write.path, write.text);
        if (error == 0 || (error == -ENOENT && write.may_lack)) continue;
        return refused(write, error);
    }
    return {};
}

// After a commit that was refused, or that took targets away: the files say what runs. Where that fails it is done
// before the next commit.
void OffloadOps::settle() {
    Status status = plan_context(params_, facts(true, frozen_), plan_);
    ages_for_us_ = params_.attrs.aggr_us;
    if (status.ok()) status = write_all();
    unsettled_ = !status.ok();
}

Status OffloadOps::check_settled() {
    if (unsettled_) settle();
    return unsettled_ ? Status::fail(-EAGAIN, "the files of the kernel's DAMON cannot be written now") : Status();
}

// What the files say once `params` are committed, and room for everything that comes with it.
Status OffloadOps::make_room(const Params& params, Params& next) {
    bool fits = next.copy_from(params);
    for (size_t i = fits ? next.targets.size() : 0; i-- > 0;) {
        if (next.targets[i].obsolete) next.targets.erase(i, i + 1);
    }
    fits = fits && book_.reserve(next.schemes.size() + nr_own_schemes(next)) && booked_.reserve(next.schemes.size());
    return fits ? Status() : Status::fail(-ENOMEM, "no memory for the parameters");
}

void OffloadOps::keep(Params& next) {
    params_ = std::move(next);
    given_ = given_ || gives_ranges(params_);
    ages_for_us_ = params_.attrs.aggr_us;
    const size_t nr_schemes = params_.schemes.size();
    [[maybe_unused]] const bool resized =
        book_.resize(nr_schemes + nr_own_schemes(params_)) && booked_.resize(nr_schemes);
    DAMON_CHECK(resized);
}

bool OffloadOps::target_valid(uint32_t) { return tree_.runs(); }

Status OffloadOps::ended() const { return Status::fail(-ESRCH, "the kernel's kdamond has ended"); }

Status OffloadOps::commit_tree() {
    const int error = tree_.command("commit");
    if (error == 0) return {};
    if (!tree_.runs()) return ended();
    return Status::fail(error, "the kernel's DAMON refuses the commit (errno %d)", -error);
}

Status OffloadOps::change(const Params& params) {
    if (!book_progress()) return ended();
    Params next;
    Status status = check_processes(params);
    if (status.ok()) status = make_room(params, next);
    if (!status.ok()) return status;
    status = plan_context(params, facts(true, pause_next_), plan_);
    if (status.ok()) status = write_all();
    if (status.ok()) status = commit_tree();
    if (status.ok()) keep(next);
    if (status.ok()) frozen_ = pause_next_;
    unsettled_ = false;
    // Obsolete targets would go by position, once more with every commit.
    const bool moved = nr_lasting_targets(params) != params.targets.size();
    if (!status.ok() || moved) settle();
    return status;
}

Status OffloadOps::pause(bool pause) {
    if (pause == frozen_) return {};
    if (!can_pause_) return cannot_pause();
    if (Status status = check_settled(); !status.ok()) return status;
    // A commit takes the intervals from the files, which tuning does not write (K-4).
    if (params_.attrs.intervals_goal.aggrs != 0) (void)tree_.command("update_tuned_intervals");
    plan_pause(params_, pause, plan_);
    if (!plan_.is_whole()) return Status::fail(-ENOMEM, "no memory for the texts to write");
    Status status = write_all();
    if (status.ok()) status = commit_tree();
    if (status.ok()) frozen_ = pause;
    if (!status.ok()) (void)tree_.write("contexts/0/pause", frozen_ ? "Y" : "N");
    return status;
}

Status OffloadOps::observe(const Params& params, bool tried, Observation& seen) {
    Status status = frozen_ ? pause(false) : Status();  // where resuming had failed
    if (status.ok()) status = bring_goal_values(params);
    if (!status.ok()) return status;
    const int error = tree_.command("update_schemes_tried_regions");
    // Asleep because of its schemes' watermarks, or ended.
    if (error == -ECANCELED) return Status::fail(-EAGAIN, "the kernel's DAMON monitors nothing now");
    if (error != 0) return Status::fail(error, "the kernel's DAMON does not report its regions (errno %d)", -error);
    status = read_regions(seen);
    if (status.ok() && tried) status = read_tried(seen);
    if (status.ok()) status = read_progress(seen);
    if (!status.ok()) return status;
    read_intervals(seen);
    return adapt_ages(seen.aggr_us);
}

// The program's own measurements are handed on at once, and alone.
Status OffloadOps::bring_goal_values(const Params& params) {
    if (unsettled_) return check_settled();
    bool any = false;
    for (size_t i = 0; i < params_.schemes.size() && i < params.schemes.size(); ++i) {
        Vector<QuotaGoal>& goals = params_.schemes[i].goals;
        for (size_t j = 0; j < goals.size() && j < params.schemes[i].goals.size(); ++j) {
            const uint64_t value = params.schemes[i].goals[j].current_value;
            if (goals[j].current_value == value) continue;
            char folder[kFolderBytes];
            scheme_folder(i, folder);
            char goal[kFolderBytes * 2];
            snprintf(goal, sizeof goal, "%squotas/goals/%zu/", folder, j);
            plan_.clear();
            plan_.number(goal, "current_value", value);
            if (Status status = write_all(); !status.ok()) return status;
            goals[j].current_value = value;
            any = true;
        }
    }
    const int error = any ? tree_.command("commit_schemes_quota_goals") : 0;
    return error == 0 || !tree_.runs()
               ? Status()
               : Status::fail(error, "the kernel's DAMON refuses the goals' values (errno %d)", -error);
}

Status OffloadOps::read_regions(Observation& seen) {
    seen.regions.clear();
    seen.hits.clear();
    const ReadOf what{.filter_passed = false, .nr_probes = params_.probes.size()};
    const size_t first = params_.schemes.size();
    for (size_t target_idx = 0; target_idx < params_.targets.size(); ++target_idx) {
        scratch_.clear();
        const int error = read_tried_regions(tree_, first + target_idx, what, scratch_);
        if (error != 0) return Status::fail(error, "the kernel's regions cannot be read (errno %d)", -error);
        for (TriedRegion& tried : scratch_) {
            tried.region.target_idx = static_cast<uint32_t>(target_idx);
            const bool fits =
                seen.regions.push_back(tried.region) && (what.nr_probes == 0 || seen.hits.push_back(tried.hits));
            if (!fits) return Status::fail(-ENOMEM, "no memory for the regions");
        }
    }
    return {};
}

Status OffloadOps::read_tried(Observation& seen) {
    seen.tried.clear();
    for (size_t i = 0; i < params_.schemes.size(); ++i) {
        const size_t begin = seen.tried.size();
        const int error = read_tried_regions(tree_, i, {.filter_passed = true}, seen.tried);
        if (error != 0) return Status::fail(error, "the kernel's tried regions cannot be read (errno %d)", -error);
        TargetFinder finder(seen.regions.span());
        for (size_t j = begin; j < seen.tried.size(); ++j) {
            RegionInfo& region = seen.tried[j].region;
            region.target_idx = finder.target_of(region.start, region.end);
        }
    }
    return {};
}

// Adds to booked_ what the statistics have grown by. False: the kernel's worker has ended.
bool OffloadOps::book_progress() {
    if (tree_.command("update_schemes_stats") != 0) return tree_.runs();
    for (size_t i = 0; i < booked_.size(); ++i) booked_[i] += book_.grown(i, read_scheme_stats(tree_, i));
    for (size_t i = 0; i < nr_own_schemes(params_); ++i) {
        const size_t position = booked_.size() + i;
        (void)book_.grown(position, read_scheme_stats(tree_, position));
    }
    return true;
}

Status OffloadOps::read_progress(Observation& seen) {
    const size_t nr = params_.schemes.size();
    if (!seen.schemes.resize(nr)) return Status::fail(-ENOMEM, "no memory for the statistics");
    if (nr == 0) return {};
    (void)book_progress();  // where the worker has ended, what was booked before is all
    bool limited = false;
    for (const SchemeParams& scheme : params_.schemes) {
        limited = limited || scheme.quota.ms != 0 || scheme.quota.sz != 0 || !scheme.goals.empty();
    }
    limited = limited && tree_.command("update_schemes_effective_quotas") == 0;
    for (size_t i = 0; i < nr; ++i) {
        seen.schemes[i] = {};
        seen.schemes[i].more = booked_[i];
        booked_[i] = {};
        char path[kFolderBytes];
        snprintf(path, sizeof path, "%sschemes/%zu/quotas/effective_bytes", kContextFolder, i);
        if (!limited || tree_.read_number(path, seen.schemes[i].esz) != 0) seen.schemes[i].esz = 0;
    }
    return {};
}

void OffloadOps::read_intervals(Observation& seen) {
    seen.sample_us = params_.attrs.sample_us;
    seen.aggr_us = params_.attrs.aggr_us;
    if (params_.attrs.intervals_goal.aggrs == 0 || tree_.command("update_tuned_intervals") != 0) return;
    uint64_t sample_us = 0;
    uint64_t aggr_us = 0;
    if (tree_.read_number("contexts/0/monitoring_attrs/intervals/sample_us", sample_us) != 0 ||
        tree_.read_number("contexts/0/monitoring_attrs/intervals/aggr_us", aggr_us) != 0) {
        return;
    }
    seen.sample_us = sample_us;
    seen.aggr_us = aggr_us;
}

// Ages that are meant as time follow the windows, which the kernel tunes.
Status OffloadOps::adapt_ages(uint64_t aggr_us) {
    if (aggr_us == ages_for_us_) return {};
    if (Status status = check_settled(); !status.ok()) return status;
    plan_pause(params_, frozen_, plan_);
    if (plan_ages(params_, aggr_us, plan_)) {
        if (!plan_.is_whole()) return Status::fail(-ENOMEM, "no memory for the texts to write");
        Status status = write_all();
        if (status.ok()) status = commit_tree();
        if (!status.ok()) return status;
    }
    ages_for_us_ = aggr_us;
    return {};
}

}  // namespace damon
