#include "ops/linux/vaddr.h"

#include <algorithm>
#include <cerrno>

#include "ops/linux/access/access_check_table.h"
#include "os/library_copies.h"
#include "os/own_file.h"
#include "os/proc_maps.h"
#include "os/syscalls.h"

namespace damon {
namespace {

constexpr uint64_t kMaxSettleUs = 1'000'000;

int32_t normalized(int32_t pid) { return pid == sys::getpid() ? 0 : pid; }

// Coverage may exceed the limit of regions by a few until the next merge.
size_t most_samples(const Params& params) {
    size_t samples = params.attrs.max_nr_regions;
    for (const TargetParams& target : params.targets) samples += target.ranges.size() + 3;
    // The marks of a span are lifted together.
    return params.attrs.survey_share_bp(true) != 0 ? samples + Span::kMaxPages : samples;
}

// Memory that is new stands for an update, or for a second, before it is registered: a heap that grows has grown by
// then. A little less, since updates are not on time to the microsecond.
uint64_t settle_us(const Params& params) {
    return std::min<uint64_t>(params.attrs.ops_update_us, kMaxSettleUs) / 8 * 7;
}

// As damon_start says it: what may pass, and what will not work here.
Status as_documented(const Status& status) {
    switch (status.error()) {
        case 0:
        case -ENOMEM:
            return status;
        case -EMFILE:
        case -ENFILE:
        case -EUSERS:
            return Status::fail(-EAGAIN, "%s", status.text());
        default:
            return Status::fail(-EOPNOTSUPP, "%s", status.text());
    }
}

bool may_clear_accessed_bits(DamosAction action) { return presumes_cold(action) || action == DamosAction::kMigrateHot; }

constexpr size_t kMinReports = 4096;
// A page fault, and the TLB entry that arming took away: measured on the development machine, 2 to 4 us.
constexpr uint32_t kAccessCostNs = 3000;

}  // namespace

OpsTraits VaddrOps::traits() const {
    OpsTraits traits;
    traits.has_apply = true;
    traits.has_probes = true;
    traits.has_passes = true;
    traits.obeys_unseen_rule = true;
    traits.access_cost_ns = kAccessCostNs;
    traits.score = ScoreSource::kBuiltin;
    traits.span_page_bytes = static_cast<uint32_t>(read_page_sizes().base_bytes);
    return traits;
}

Status VaddrOps::validate(const Params& params) const {
    if (params.ops_id == OpsId::kPaddr) {
        return Status::fail(-EOPNOTSUPP,
                            "ops paddr: a process cannot see physical memory's accesses; use vaddr or fvaddr");
    }
    if (params.ops_id != OpsId::kVaddr && params.ops_id != OpsId::kFvaddr) {
        return Status::fail(-EINVAL, "ops id %d is not of virtual addresses: vaddr is 0, fvaddr 1",
                            static_cast<int>(params.ops_id));
    }
    const AccessCheckRow* check = access_check_row(params.access_check);
    if (check == nullptr) return Status::fail(-EINVAL, "%d is no access check", params.access_check);
    if (Status status = ActionExecutor::validate(params); !status.ok()) return status;
    SystemMetrics metrics;
    if (Status status = metrics.validate(params); !status.ok()) return status;
    if (check->source == AnswerSource::kNone) {
        return Status::fail(-EOPNOTSUPP, "access check %s is not in this release", check->constant);
    }
    if (params.attrs.survey_share_bp(false) != 0 && !can_survey(params)) {
        return Status::fail(
            -EOPNOTSUPP,
            "survey_bp is %llu but access check %s cannot serve surveys; 0 or DAMON_SURVEY_DEFAULT would "
            "be right",
            static_cast<unsigned long long>(params.attrs.survey_bp), check->constant);
    }
    if (check->source == AnswerSource::kPasses && params.attrs.referenced_us == 0) {
        return Status::fail(-EINVAL, "access check %s sees what passes see: referenced_us 0 must be above 0",
                            check->constant);
    }
    if (check->source == AnswerSource::kReports && params.attrs.referenced_us != 0) {
        return Status::fail(-EOPNOTSUPP, "referenced_us must be 0 with access check %s, which looks at no memory",
                            check->constant);
    }
    if (check->source == AnswerSource::kReports) return {};  // whose memory it is does not matter then
    for (size_t i = 0; i < params.targets.size(); ++i) {
        if (normalized(params.targets[i].pid) == 0) continue;
        return Status::fail(
            -EOPNOTSUPP,
            "target %zu is process %d: only this process's own accesses (pid 0) can be seen, or reported "
            "ones (%s)",
            i, params.targets[i].pid, access_check_row(static_cast<int32_t>(AccessCheck::kReport))->constant);
    }
    return {};
}

bool VaddrOps::can_survey(const Params& params) const {
    const AccessCheckRow* check = access_check_row(params.access_check);
    return check != nullptr && (check->source == AnswerSource::kBest || check->spans.serves != nullptr);
}

// Room for what surveys ask. Without it, their questions have no answer.
void VaddrOps::prepare_survey(const Params& params) {
    if (params.attrs.survey_share_bp(true) != 0 && can_survey(params)) (void)checker_.reserve_spans(Span::kMaxArmed);
}

Status VaddrOps::start(const Params& params) {
    ops_id_ = params.ops_id;
    max_nr_regions_ = params.attrs.max_nr_regions;
    min_region_sz_ = params.min_region_sz;
    coverage_flags_ = params.coverage;
    access_check_ = access_check_row(params.access_check);
    // Without it targets cover three areas, as other processes' do.
    (void)plan_.open(read_page_sizes().base_bytes);
    nr_gone_refreshed_ = 0;
    told_obstacle_ = 0;
    told_copies_ = false;
    nr_reopened_files_ = nr_reopened_files();
    actions_.start();
    if (!prober_.prepare(params.probes)) return Status::fail(-ENOMEM, "no memory for the probes");
    prober_.take_prepared();
    if (!pids_.resize(params.targets.size())) return Status::fail(-ENOMEM, "no memory for the targets");
    for (size_t i = 0; i < pids_.size(); ++i) pids_[i] = normalized(params.targets[i].pid);
    if (takes_samples()) {
        prepare_survey(params);
        checker_.settle_after_us(settle_us(params));
        return as_documented(checker_.start(access_check_->id, most_samples(params), RegisterWhen::kSettled));
    }
    report_statistics_ = {};
    if (is_source(AnswerSource::kPasses)) {
        const AccessCheckProbe probe = probe_row(*access_check_);
        if (!probe.available) return Status::fail(-EOPNOTSUPP, "%s", probe.reason);
    }
    if (!checker_.exclusion().join_group()) return Status::fail(-EAGAIN, "too many contexts of this process run");
    if (!takes_reports()) return {};
    if (!reports_.reserve(std::max(kMinReports, most_samples(params)))) {
        return Status::fail(-ENOMEM, "no memory for access reports");
    }
    return {};
}

Status VaddrOps::change(const Params& params) {
    if (!pids_.reserve(params.targets.size())) return Status::fail(-ENOMEM, "no memory for the targets");
    if (!prober_.prepare(params.probes)) return Status::fail(-ENOMEM, "no memory for the probes");
    return {};
}

void VaddrOps::commit(const Params& params) {
    // There is room since change; without it, the targets beyond would count as gone until the next commit.
    const size_t nr = pids_.resize(params.targets.size()) ? params.targets.size() : pids_.size();
    for (size_t i = 0; i < nr; ++i) pids_[i] = normalized(params.targets[i].pid);
    max_nr_regions_ = params.attrs.max_nr_regions;
    min_region_sz_ = params.min_region_sz;
    coverage_flags_ = params.coverage;
    (void)checker_.grow(most_samples(params));
    checker_.settle_after_us(settle_us(params));
    prepare_survey(params);
    prober_.take_prepared();
}

void VaddrOps::stop() {
    reports_.disarm();
    if (!takes_samples()) checker_.exclusion().leave_group();
    passes_.end();
    checker_.end();
    actions_.stop();
    prober_.close();
    metrics_.close();
    plan_.close();
    pids_.clear();
}

void VaddrOps::refresh(uint32_t target_idx, RefreshReason reason, TargetCoverage& coverage) {
    coverage.changed = false;
    if (target_idx >= pids_.size()) return;
    nr_gone_refreshed_ = nr_gone();
    if (ops_id_ == OpsId::kFvaddr && reads_for_checker(reason)) checker_.refresh(nullptr, nullptr);
    // Reports may name addresses that are mapped by the time that they are read, or not any more.
    if (ops_id_ == OpsId::kFvaddr || (takes_reports() && !coverage.given.empty())) return;
    CoverageRequest request;
    request.rule = rule_of(target_idx, coverage.given);
    request.given = coverage.given;
    request.max_areas = max_areas();
    request.granularity = min_region_sz_;
    request.files = (coverage_flags_ & kCoverFiles) != 0;
    request.may_stay = reason == RefreshReason::kUpdate;
    plan_.begin(request);
    if (!read_mappings(target_idx, reason)) return;
    coverage.ranges.clear();
    coverage.changed = plan_.finish(coverage.ranges);
}

CoverageRule VaddrOps::rule_of(uint32_t target_idx, std::span<const AddressRange> given) const {
    if (!given.empty()) return CoverageRule::kGiven;
    const bool memory = pids_[target_idx] == 0 && plan_.sees_memory() && (coverage_flags_ & kCoverThreeAreas) == 0;
    return memory ? CoverageRule::kMemory : CoverageRule::kThreeAreas;
}

// One reading serves the access checks too.
bool VaddrOps::read_mappings(uint32_t target_idx, RefreshReason reason) {
    const auto visit = [](void* context, const Mapping& mapping) { static_cast<CoveragePlan*>(context)->add(mapping); };
    const auto visit_own = [](void* context, const Mapping& mapping) {
        auto* ops = static_cast<VaddrOps*>(context);
        if (!ops->plan_.follows_memory() || !ops->checker_.is_foreign(mapping)) ops->plan_.add(mapping);
    };
    if (pids_[target_idx] == 0 && reads_for_checker(reason)) return checker_.refresh(visit_own, this);
    if (reads_for_checker(reason)) checker_.refresh(nullptr, nullptr);
    ProcMaps maps;
    uint64_t bad_lines = 0;
    return maps.open(pids_[target_idx]) == 0 && maps.read_all(visit, &plan_, bad_lines) == 0;
}

uint64_t VaddrOps::nr_gone() const {
    const AccessStatistics& statistics = checker_.statistics();
    uint64_t nr = statistics.unknown[static_cast<unsigned>(UnknownReason::kGone)];
    // Three areas have holes; elsewhere the mapping was there at the last refresh.
    if (plan_.sees_memory() && (coverage_flags_ & kCoverThreeAreas) == 0) {
        nr += statistics.unknown[static_cast<unsigned>(UnknownReason::kUnmapped)];
    }
    return nr;
}

// Half of the regions at least stay for splits.
size_t VaddrOps::max_areas() const {
    return std::max<uint64_t>(1, max_nr_regions_ / 2 / std::max<size_t>(1, pids_.size()));
}

void VaddrOps::arm(std::span<Sample> samples) {
    armed_ = samples;
    if (takes_reports()) {
        reports_.arm();
    } else if (takes_samples()) {
        checker_.arm(samples);
    }
}

void VaddrOps::look(std::span<Sample> samples) {
    armed_ = {};
    if (takes_reports()) {
        reports_.look(samples, report_statistics_);
    } else if (takes_samples()) {
        checker_.look(samples);
    } else {
        for (Sample& sample : samples) sample.unknown = Unknown::kNoAccessCheck;  // as arm left it: not seen
    }
}

void VaddrOps::arm_spans(std::span<Span> spans) {
    if (takes_samples()) checker_.arm_spans(spans);
}

void VaddrOps::look_spans(std::span<Span> spans) {
    if (takes_samples()) checker_.look_spans(spans);
}

bool VaddrOps::begin_pass(bool wanted) {
    const PassRequest request{
        .wanted = wanted, .all = (coverage_flags_ & kCoverStable) != 0, .sampled = takes_samples()};
    return passes_.begin(request, checker_.exclusion());
}

uint64_t VaddrOps::pass_step(uint64_t now_ns) {
    const PassStep step = passes_.step(now_ns, checker_.exclusion());
    if (step.grown != 0 && takes_samples()) checker_.give_up(armed_, step.disturbed, step.grown);
    return step.rest_ns;
}

void VaddrOps::disarm() {
    reports_.disarm();
    armed_ = {};
    passes_.rest();
    checker_.disarm();
}

// Windows first: what they leave registered goes with the rest.
uint64_t VaddrOps::release_some() {
    if (const uint64_t rest_ns = passes_.release_some()) return rest_ns;
    if (const uint64_t rest_ns = checker_.release_some()) return rest_ns;
    return tracked_ != nullptr ? tracked_->release_some() : 0;
}

void VaddrOps::set_paused(bool paused) {
    if (tracked_ == nullptr) return;
    tracked_->set_paused(paused);
    checker_.set_paused_tracker(paused ? &tracked_->ledger() : nullptr);
}

AccessStatistics VaddrOps::statistics() const {
    AccessStatistics statistics = !takes_samples() ? report_statistics_ : checker_.statistics();
    statistics.reports_dropped += reports_.dropped();
    return statistics;
}

Status VaddrOps::notice() {
    if (const Status obstacle = passes_.obstacle(); obstacle.error() != told_obstacle_) {
        told_obstacle_ = obstacle.error();
        if (!obstacle.ok()) return obstacle;
    }
    if (!told_copies_ && nr_copies_at_work() > 1) {
        told_copies_ = true;
        return Status::fail(-EBUSY,
                            "another copy of the library is at work in this process: what it watches is unknown here "
                            "(DAMON_UNKNOWN_OTHER_USERFAULTFD), and the other way round; link one copy only");
    }
    const uint64_t reopened = nr_reopened_files();
    if (reopened == nr_reopened_files_) return {};
    nr_reopened_files_ = reopened;
    return Status::fail(-EBADF,
                        "the program closed file descriptors of the library: opened again, %llu so far; what was armed "
                        "before is unknown",
                        static_cast<unsigned long long>(reopened));
}

bool VaddrOps::target_valid(uint32_t target_idx) {
    if (target_idx >= pids_.size()) return false;
    // EPERM: it is there, and belongs to somebody else.
    return pids_[target_idx] == 0 || sys::kill(pids_[target_idx], 0) != -ESRCH;
}

Outcome VaddrOps::apply(const ActionRequest& request) {
    checker_.forget();
    if (request.target_idx >= pids_.size()) return {};
    const int32_t pid = pids_[request.target_idx];
    AccessChecker* const checker = takes_samples() ? &checker_ : nullptr;
    if (pid != 0) return actions_.apply(request, pid, checker);
    // In pieces, so that who excludes a range does not wait for long.
    Outcome sum;
    ActionRequest part = request;
    AddressRange left = request.range;
    while (!left.empty()) {
        const ExclusionScope scope(checker_.exclusion());
        const AddressRange allowed = checker_.exclusion().allowed(left);
        if (allowed.empty()) break;
        part.range = {allowed.start, checker_.end_of_action(allowed)};
        const Outcome outcome = actions_.apply(part, pid, checker);
        if (outcome.filter_passed != 0 && may_clear_accessed_bits(request.scheme->action)) passes_.disturb(part.range);
        sum.applied += outcome.applied;
        sum.filter_passed += outcome.filter_passed;
        sum.spared += outcome.spared;
        sum.unseen += outcome.unseen;
        left.start = part.range.end;
    }
    return sum;
}

void VaddrOps::probe(std::span<const Sample> samples, std::span<uint8_t> hits) {
    prober_.probe(samples, pids_.span(), hits);
}

void VaddrOps::measure(std::span<MetricQuery> queries) { metrics_.measure(queries); }
int32_t VaddrOps::free_memory_permil() { return metrics_.free_memory_permil(); }
int32_t VaddrOps::own_memcg_permil() { return metrics_.own_memcg_permil(); }
void VaddrOps::set_now(uint64_t now_us) {
    actions_.new_interval(now_us);
    checker_.set_now(now_us);
}

bool VaddrOps::targets_can_die() const {
    for (const int32_t pid : pids_) {
        if (pid != 0) return true;
    }
    return false;
}

}  // namespace damon
