#include "support/fake_kernel_damon.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

namespace damon::test {
namespace {

namespace fs = std::filesystem;

FakeKernelDamon* instance = nullptr;

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

void write_text(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
}

const std::vector<std::string> kStats = {"nr_tried",   "sz_tried",     "nr_applied",          "sz_applied",
                                         "qt_exceeds", "nr_snapshots", "sz_ops_filter_passed"};

}  // namespace

FakeKernelDamon::FakeKernelDamon(std::vector<std::string> missing) : elder_(instance), missing_(std::move(missing)) {
    // Thousands of small files: in memory where that is to be had.
    const fs::path memory = "/dev/shm";
    std::string name = ((fs::exists(memory) ? memory : fs::temp_directory_path()) / "fake_kernel_XXXXXX").string();
    root_ = mkdtemp(name.data());
    root_text_ = root_.string();
    kdamonds_ = root_ / kKdamonds;
    write_text(kdamonds_ / "nr_kdamonds", "0");
    for (const char* module : {"stat", "reclaim", "lru_sort"}) {
        put(std::string("sys/module/damon_") + module + "/parameters/enabled", "N");
    }
    put("proc/iomem",
        "00000000-00000fff : Reserved\n00001000-0009fbff : System RAM\n"
        "00100000-3fffffff : System RAM\n  01000000-01e0ffff : Kernel code\n40000000-feffffff : PCI Bus 0000:00");
    hook_.root = root_text_.c_str();
    hook_.written = written;
    instance = this;
    set_fake_kernel(&hook_);
}

FakeKernelDamon::~FakeKernelDamon() {
    // Not the real kernel: whoever outlives the fake one finds nothing.
    static const FakeKernel nothing = {"/nonexistent", [](const char*, const char*) { return -ENOENT; }};
    set_fake_kernel(elder_ == nullptr ? &nothing : &elder_->hook_);
    instance = elder_;
    fs::remove_all(root_);
}

void FakeKernelDamon::set_regions(std::vector<RegionInfo> regions) {
    const std::lock_guard lock(mutex_);
    regions_ = std::move(regions);
}

void FakeKernelDamon::tune(uint64_t sample_us, uint64_t aggr_us) {
    const std::lock_guard lock(mutex_);
    tuned_sample_us_ = sample_us;
    tuned_aggr_us_ = aggr_us;
}

void FakeKernelDamon::kill_worker() {
    const std::lock_guard lock(mutex_);
    if (runs_) set_worker(false);
}

void FakeKernelDamon::refuse(const std::string& what, int negative_errno) {
    const std::lock_guard lock(mutex_);
    refusals_[what] = negative_errno;
}

void FakeKernelDamon::be_busy(int nr_writes) {
    const std::lock_guard lock(mutex_);
    busy_writes_ = nr_writes;
}

void FakeKernelDamon::put(const std::string& path, const std::string& text) {
    const std::lock_guard lock(mutex_);
    write_text(root_ / path, text);
}

std::string FakeKernelDamon::content(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    return text_of(kdamonds_ / path);
}

bool FakeKernelDamon::exists(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    return fs::exists(kdamonds_ / path);
}

std::string FakeKernelDamon::committed(const std::string& path) const { return committed_or(path, "not there"); }

std::string FakeKernelDamon::committed_or(const std::string& path, const std::string& otherwise) const {
    const std::lock_guard lock(mutex_);
    const auto found = committed_.find(path);
    return found == committed_.end() ? otherwise : found->second;
}

std::vector<std::string> FakeKernelDamon::commands() const {
    const std::lock_guard lock(mutex_);
    return commands_;
}

int FakeKernelDamon::nr_writes() const {
    const std::lock_guard lock(mutex_);
    return nr_writes_;
}

int FakeKernelDamon::written(const char* path, const char* text) {
    const std::lock_guard lock(instance->mutex_);
    ++instance->nr_writes_;
    if (instance->busy_writes_ > 0) {
        --instance->busy_writes_;
        return -EBUSY;
    }
    auto refusal = instance->refusals_.find(path);
    if (refusal == instance->refusals_.end()) refusal = instance->refusals_.find(std::string(path) + "=" + text);
    if (refusal != instance->refusals_.end()) {
        const int error = refusal->second;
        instance->refusals_.erase(refusal);
        return error;
    }
    // A file keeps what was longer; the kernel's do not.
    const std::string name = path;
    write_text(instance->kdamonds_ / (name == "nr_kdamonds" ? name : "0/" + name), text);
    return instance->react(name, text);
}

int FakeKernelDamon::react(const std::string& path, const std::string& text) {
    const std::string name = fs::path(path).filename();
    if (name == "state") {
        const int error = obey(text);
        write_text(kdamonds_ / "0/state", runs_ ? "on" : "off");
        return error;
    }
    if (name.substr(0, 3) == "nr_" && name != "nr_accesses_permil") return react_to_number(path, std::stoul(text));
    return 0;
}

int FakeKernelDamon::react_to_number(const std::string& path, size_t nr) {
    const std::string name = fs::path(path).filename();
    if (name == "nr_kdamonds") {
        if (runs_) {
            write_text(kdamonds_ / "nr_kdamonds", "1");
            return -EBUSY;
        }
        make_kdamonds(nr);
        return 0;
    }
    const fs::path folder = (kdamonds_ / "0" / path).parent_path();
    for (size_t i = 0; fs::exists(folder / std::to_string(i)); ++i) fs::remove_all(folder / std::to_string(i));
    for (size_t i = 0; i < nr; ++i) {
        const fs::path made = folder / std::to_string(i);
        if (name == "nr_contexts") fill_context(made);
        if (name == "nr_targets") fill(made, {"pid_target=0", "obsolete_target=N", "regions/nr_regions=0"});
        if (name == "nr_regions") fill(made, {"start=0", "end=0"});
        if (name == "nr_schemes") fill_scheme(made);
        if (name == "nr_goals") {
            fill(made, {"target_metric=user_input", "target_value=0", "current_value=0", "nid=0", "path="});
        }
        if (name == "nr_filters") {
            fill(made, {"type=anon", "matching=N", "allow=N", "memcg_path=", "addr_start=0", "addr_end=0",
                        "damon_target_idx=0", "min=0", "max=0"});
        }
        if (name == "nr_dests") fill(made, {"id=0", "weight=0"});
    }
    return 0;
}

void FakeKernelDamon::make_kdamonds(size_t nr) {
    for (const fs::directory_entry& entry : fs::directory_iterator(kdamonds_)) {
        if (entry.is_directory()) fs::remove_all(entry.path());
    }
    for (size_t i = 0; i < nr; ++i) {
        fill(kdamonds_ / std::to_string(i), {"state=off", "pid=-1", "refresh_ms=0", "contexts/nr_contexts=0"});
    }
}

// "path=content" each, but for what this kernel does not have.
void FakeKernelDamon::fill(const Folder& folder, const std::vector<std::string>& files) {
    for (const std::string& file : files) {
        const size_t equals = file.find('=');
        const fs::path path = file.substr(0, equals);
        const bool missing = std::any_of(missing_.begin(), missing_.end(), [&](const std::string& name) {
            return std::find(path.begin(), path.end(), fs::path(name)) != path.end();
        });
        if (!missing) write_text(folder / path, file.substr(equals + 1));
    }
}

void FakeKernelDamon::fill_context(const Folder& folder) {
    const std::string intervals = "monitoring_attrs/intervals/";
    fill(folder, {"operations=vaddr", "avail_operations=vaddr\nfvaddr\npaddr", "addr_unit=1", "pause=N",
                  intervals + "sample_us=5000", intervals + "aggr_us=100000", intervals + "update_us=60000000",
                  intervals + "intervals_goal/access_bp=0", intervals + "intervals_goal/aggrs=0",
                  intervals + "intervals_goal/min_sample_us=0", intervals + "intervals_goal/max_sample_us=0",
                  "monitoring_attrs/nr_regions/min=10", "monitoring_attrs/nr_regions/max=1000", "targets/nr_targets=0",
                  "schemes/nr_schemes=0"});
}

void FakeKernelDamon::fill_scheme(const Folder& folder) {
    fill(folder, {"action=stat",
                  "apply_interval_us=0",
                  "target_nid=-1",
                  "access_pattern/sz/min=0",
                  "access_pattern/sz/max=0",
                  "access_pattern/nr_accesses/min=0",
                  "access_pattern/nr_accesses/max=0",
                  "access_pattern/age/min=0",
                  "access_pattern/age/max=0",
                  "quotas/ms=0",
                  "quotas/bytes=0",
                  "quotas/reset_interval_ms=0",
                  "quotas/effective_bytes=0",
                  "quotas/goal_tuner=consist",
                  "quotas/fail_charge_num=0",
                  "quotas/fail_charge_denom=0",
                  "quotas/weights/sz_permil=0",
                  "quotas/weights/nr_accesses_permil=0",
                  "quotas/weights/age_permil=0",
                  "quotas/goals/nr_goals=0",
                  "watermarks/metric=none",
                  "watermarks/interval_us=0",
                  "watermarks/high=0",
                  "watermarks/mid=0",
                  "watermarks/low=0",
                  "core_filters/nr_filters=0",
                  "ops_filters/nr_filters=0",
                  "filters/nr_filters=0",
                  "dests/nr_dests=0",
                  "tried_regions/total_bytes=0",
                  "stats/max_nr_snapshots=0"});
    for (const std::string& stat : kStats) fill(folder, {"stats/" + stat + "=0"});
}

int FakeKernelDamon::obey(const std::string& command) {
    commands_.push_back(command);
    if (command == "on") {
        if (runs_) return -EBUSY;
        stats_.clear();
        commit();
        set_worker(true);
        return 0;
    }
    if (command == "off") {
        set_worker(false);
        return 0;
    }
    if (!runs_) return -ECANCELED;
    if (command == "commit") {
        commit();
    } else if (command == "update_schemes_tried_regions") {
        if (committed("pause") == "Y") return -ECANCELED;
        try_schemes();
    } else if (command == "update_schemes_stats") {
        write_stats();
    } else if (command == "update_schemes_effective_quotas") {
        for (size_t i = 0; i < stats_.size(); ++i) {
            const std::string quotas = "schemes/" + std::to_string(i) + "/quotas/";
            write_text(kdamonds_ / "0/contexts/0" / (quotas + "effective_bytes"), committed(quotas + "bytes"));
        }
    } else if (command == "update_tuned_intervals") {
        if (tuned_sample_us_ == 0) return 0;
        const fs::path intervals = kdamonds_ / "0/contexts/0/monitoring_attrs/intervals";
        write_text(intervals / "sample_us", std::to_string(tuned_sample_us_));
        write_text(intervals / "aggr_us", std::to_string(tuned_aggr_us_));
    } else if (command != "commit_schemes_quota_goals") {
        return -EINVAL;
    } else {
        commit();
    }
    return 0;
}

void FakeKernelDamon::commit() {
    committed_.clear();
    const fs::path context = kdamonds_ / "0/contexts/0";
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(context)) {
        if (entry.is_regular_file()) committed_[fs::relative(entry.path(), context)] = text_of(entry.path());
    }
    stats_.resize(std::stoul(committed("schemes/nr_schemes")));
}

void FakeKernelDamon::try_schemes() {
    for (size_t i = 0; i < stats_.size(); ++i) try_scheme(i);
}

void FakeKernelDamon::try_scheme(size_t scheme_idx) {
    const std::string name = "schemes/" + std::to_string(scheme_idx);
    const fs::path folder = kdamonds_ / "0/contexts/0" / name / "tried_regions";
    for (size_t i = 0; fs::exists(folder / std::to_string(i)); ++i) fs::remove_all(folder / std::to_string(i));
    // The one filter that is known: rejects all targets but one.
    std::string filter = name + "/core_filters/";
    if (committed_or(filter + "nr_filters", "") == "") filter = name + "/filters/";
    const bool filtered = committed_or(filter + "0/type", "") == "target";
    const size_t only = filtered ? std::stoul(committed(filter + "0/damon_target_idx")) : 0;
    const uint64_t most = std::stoull(committed(name + "/access_pattern/nr_accesses/max"));
    size_t nr = 0;
    for (const RegionInfo& region : regions_) {
        if ((filtered && region.target_idx != only) || region.nr_accesses > most) continue;
        fill(folder / std::to_string(nr++),
             {"start=" + std::to_string(region.start), "end=" + std::to_string(region.end),
              "nr_accesses=" + std::to_string(region.nr_accesses), "age=" + std::to_string(region.age),
              "sz_filter_passed=" + std::to_string(region.end - region.start)});
        ++stats_[scheme_idx]["nr_tried"];
        stats_[scheme_idx]["sz_tried"] += region.end - region.start;
    }
    ++stats_[scheme_idx]["nr_snapshots"];
}

void FakeKernelDamon::write_stats() const {
    for (size_t i = 0; i < stats_.size(); ++i) {
        const fs::path folder = kdamonds_ / "0/contexts/0/schemes" / std::to_string(i) / "stats";
        for (const auto& [name, value] : stats_[i]) {
            if (fs::exists(folder / name)) write_text(folder / name, std::to_string(value));
        }
    }
}

void FakeKernelDamon::set_worker(bool runs) {
    if (runs && !runs_) ++next_pid_;
    runs_ = runs;
    write_text(kdamonds_ / "0/pid", runs ? std::to_string(next_pid_) : "-1");
    write_text(kdamonds_ / "0/state", runs ? "on" : "off");
}

}  // namespace damon::test
