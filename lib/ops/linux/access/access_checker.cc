#include "ops/linux/access/access_checker.h"

#include <algorithm>
#include <cerrno>

#include "ops/linux/access/access_check_table.h"
#include "ops/linux/registration/uffd.h"
#include "ops/linux/registration/uffd_mapping.h"
#include "os/clock.h"
#include "os/process.h"

namespace damon {

int AccessChecker::open(size_t max_samples) {
    if (const int error = tools_.scan.open(tools_.sizes.base_bytes)) return error;
    if (const int error = tools_.mappings.open()) return error;
    tools_.page_states.clear();
    tools_.armed_share = 0;
    if (!tools_.exclusion.join_group()) return -EUSERS;
    tools_.ledger.set_spans(&tools_.spans);
    return tools_.ledger.join(max_samples, tools_.sizes.huge_bytes);
}

Status AccessChecker::start(AccessCheck choice, size_t max_samples, RegisterWhen when) {
    stop();
    tools_.mappings.set_register_when(when);
    tools_.statistics = {};
    tools_.sizes = read_page_sizes();
    if (const int error = open(max_samples)) {
        stop();
        if (error == -EUSERS) {
            return Status::fail(error, "%zu contexts of this process watch memory already, and no more can",
                                ArmedPageLedger::kMaxContexts);
        }
        const bool hides = error == -EACCES && !process_is_dumpable();
        return Status::fail(
            error, "cannot open this process's pagemap and maps, or no memory: errno %d%s", -error,
            hides ? "; after a change of credentials without exec it takes prctl(PR_SET_DUMPABLE, 1)" : "");
    }
    if (Status status = choose(choice); !status.ok()) {
        stop();
        return status;
    }
    for (const AccessCheckRow* row : enabled()) {
        tools_.reads_marks |= row->reads_marks;
        keeps_page_states_ |= row->keeps_page_states;
        by_id_[static_cast<size_t>(row->id)] = row;
        if (look_before_ == nullptr) look_before_ = row->look_before;
    }
    if (tools_.reads_marks) tools_.scan.ask_for_accessed();
    (void)grow(max_samples);  // without room for page states arming takes more calls
    owner_ = process_id();
    generation_ = uffd_generation();
    settled_ns_ = 0;
    refresh();
    return {};
}

void AccessChecker::give_up(bool (*given_up)(const AccessCheckRow& row)) {
    size_t nr_left = 0;
    for (const AccessCheckRow* row : enabled()) {
        if (!given_up(*row)) enabled_[nr_left++] = row;
    }
    nr_enabled_ = nr_left;
}

// Which checks work here, of those that were chosen.
Status AccessChecker::choose(AccessCheck choice) {
    const auto is_chosen = [choice](const AccessCheckRow& row) {
        return (choice == AccessCheck::kAuto || choice == row.id) && row.source == AnswerSource::kPages;
    };
    bool may_need_uffd = false;
    for (const AccessCheckRow* row : access_check_rows()) may_need_uffd |= is_chosen(*row) && row->register_mode != 0;
    // Before the probes, so that they do not each open and close a descriptor: closing one walks all mappings.
    UffdFeatures features;
    has_uffd_ = may_need_uffd && uffd_acquire(features) == 0;
    AccessCheckProbe last;
    for (const AccessCheckRow* row : access_check_rows()) {
        if (!is_chosen(*row)) continue;
        last = probe_row(*row);
        if (last.available) enabled_[nr_enabled_++] = row;
    }
    if (!tools_.scan.can_scan()) give_up([](const AccessCheckRow& row) { return row.needs_scan; });
    bool needs_uffd = false;
    for (const AccessCheckRow* row : enabled()) needs_uffd |= row->register_mode != 0;
    if (has_uffd_ && !needs_uffd) {
        uffd_release();
        has_uffd_ = false;
    }
    if (!has_uffd_) give_up([](const AccessCheckRow& row) { return row.register_mode != 0; });
    if (nr_enabled_ != 0) return {};
    return Status::fail(last.error == 0 ? -EIO : -last.error, "no access check works here; the last one: %s",
                        last.reason);
}

void AccessChecker::end() {
    if (owner_ == 0) return close();  // never came to run
    disarm();
    ending_ = true;
}

void AccessChecker::close() {
    if (has_uffd_) uffd_release();
    has_uffd_ = false;
    nr_enabled_ = 0;
    keeps_page_states_ = false;
    look_before_ = nullptr;
    owner_ = 0;
    ending_ = unregistering_ = false;
    swept_ = true;
    armed_.clear();
    tools_.reads_marks = false;
    tools_.ledger.leave();
    tools_.spans.clear();
    spans_left_ = false;
    tools_.exclusion.leave_group();
    tools_.mappings.close();
    tools_.scan.close();
}

bool AccessChecker::grow(size_t max_samples) {
    return tools_.ledger.grow(max_samples) && armed_.reserve(max_samples) &&
           (!keeps_page_states_ || tools_.page_states.reserve(max_samples));
}

// The open files describe the process that opened them, so a child would look at, and act on, its parent (fact 9).
bool AccessChecker::forked() const { return process_id() != owner_; }

// Opens again what the program closed. What cannot be opened is tried again in the next interval.
void AccessChecker::keep_files() {
    if (!tools_.scan.is_open() && tools_.scan.open(tools_.sizes.base_bytes) == 0 && tools_.reads_marks) {
        tools_.scan.ask_for_accessed();
    }
    tools_.mappings.keep_file();
    if (!has_uffd_) return;
    (void)uffd_verify();
    if (uffd_generation() == generation_) return;
    generation_ = uffd_generation();
    tools_.mappings.forget_registrations();
}

bool AccessChecker::refresh(ProcMaps::Visit visit, void* context) {
    foreign_reading_.clear();
    if (forked()) return false;
    const uint64_t now_ns = Clock().now_ns();
    const bool settles = now_ns - settled_ns_ >= settle_ns_;
    const auto settle = settles ? MappingCache::Settle::kNow : MappingCache::Settle::kLater;
    if (!tools_.mappings.reload(tools_.statistics, settle, visit, context)) return false;
    if (settles) settled_ns_ = now_ns;
    if (visit != nullptr) foreign_.swap(foreign_reading_);
    return true;
}

bool AccessChecker::is_foreign(const Mapping& mapping) {
    const auto by_start = [](const AddressRange& a, const AddressRange& b) { return a.start < b.start; };
    bool foreign = std::binary_search(foreign_.begin(), foreign_.end(), mapping.range, by_start);
    if (!foreign) {
        const CachedMapping* last = tools_.mappings.find(mapping.range.start);
        foreign = last != nullptr && last->range == mapping.range && last->failed_modes != 0 &&
                  last->unknown == UnknownReason::kForeign;
    }
    const ExclusionScope scope(tools_.exclusion);
    if (!foreign || tools_.exclusion.allowed(mapping.range) != mapping.range) return foreign;
    for (const AccessCheckRow* row : enabled()) {
        if (row->register_mode == 0) continue;
        // It is to be watched where this succeeds.
        if (uffd_register(mapping.range, row->register_mode) != -EBUSY) return false;
    }
    return foreign_reading_.push_back(mapping.range);
}

void AccessChecker::disarm() {
    forget();
    spans_left_ = !tools_.spans.empty();
    release_idx_ = 0;
    piece_ = {};
}

}  // namespace damon
