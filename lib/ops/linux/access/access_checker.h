// The eyes of one context on its own process: picks a way of seeing for each sample's mapping, arms, looks, disarms.
// Only the worker calls it.
//
// It never touches target memory, never makes an access or system call of the program fail, never splits a huge page
// and never loses data. What it cannot see it calls unknown, with the reason counted.
//
//   page when armed    how it is watched                          answer
//   not mapped         nothing is done                            present later: accessed
//   hole or swapped    nothing is done (fact 8)                   present later: accessed
//   present            kUffdRwp, kZap or kUffdWp, as possible     by that way
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "model/sample.h"
#include "ops/linux/access/access_check.h"
#include "ops/linux/access/armed_page_ledger.h"
#include "ops/linux/access/mapping_cache.h"
#include "ops/linux/access/page_state_cache.h"
#include "ops/linux/access/visibility.h"
#include "ops/linux/access/zap.h"
#include "os/page_scan.h"
#include "os/page_sizes.h"

namespace damon {

inline constexpr AccessCheck kBestFirst[] = {AccessCheck::kUffdRwp, AccessCheck::kZap, AccessCheck::kUffdWp};

class AccessChecker {
public:
    AccessChecker() = default;
    ~AccessChecker() { stop(); }
    AccessChecker(const AccessChecker&) = delete;
    AccessChecker& operator=(const AccessChecker&) = delete;

    // `choice`: kAuto, kUffdRwp, kZap or kUffdWp. Takes room for `max_samples` at a time; more are served too, but less
    // well where several contexts run. Fails where no way works at all, with the reason.
    Status start(AccessCheck choice, size_t max_samples);
    // Gives everything back. In a forked child it only closes what was inherited.
    void stop();

    // More samples than start knew of. False: out of memory, everything is as before.
    bool grow(size_t max_samples) {
        return marks_.grow(max_samples) && (!enabled(AccessCheck::kUffdRwp) || page_states_.reserve(max_samples));
    }

    // The mappings may have changed: reads them anew. `visit` (may be null) is told of each, as by ProcMaps::read_all.
    // False: they could not be read.
    bool refresh(ProcMaps::Visit visit = nullptr, void* context = nullptr);

    // What time it is, before each arm and look.
    void set_now(uint64_t now_us) { now_us_ = now_us; }
    // Right after a look it builds on what that saw: accesses in between may count as if they came after.
    void arm(std::span<Sample> samples);
    // `samples` are those of the last arm.
    void look(std::span<Sample> samples);
    // Memory may have changed by this thread's own doing.
    void forget() { page_states_.clear(); }
    // Drops all marks and registrations; the next arm makes them again.
    void disarm();

    // How accesses to the memory at `address` are seen, and up to which address that holds. `mapping` covers it, and
    // was read just now.
    Visibility visibility(const Mapping& mapping, uint64_t address, uint64_t& until);

    const AccessStatistics& statistics() const { return statistics_; }

private:
    // A page to be armed, and what is known of it.
    struct Page {
        uint64_t address;
        uint32_t state;
        bool huge() const { return (state & uapi::kPageHuge) != 0; }
    };

    bool enabled(AccessCheck way) const { return (enabled_ >> static_cast<unsigned>(way) & 1) != 0; }
    bool forked() const;
    int open(size_t max_samples);

    void arm_batch(std::span<Sample> samples, Zapper& zapper);
    bool arm_unseen(Sample& sample, uint64_t page);
    bool arm_as_last_seen(Sample& sample, uint64_t page);
    bool use_page_states() const;
    void keep_files();
    bool is_base_block(uint64_t page);
    void note_armed(bool already) { armed_share_ = (armed_share_ * 255 + (already ? 1024 : 0)) / 256; }
    void look_before_arming(std::span<const uint64_t> pages, std::span<uint32_t> states);
    void arm_seen(Sample& sample, Page page, Zapper& zapper);
    UnknownReason arm_present(Sample& sample, CachedMapping& mapping, Page page, Zapper& zapper);
    UnknownReason own(CachedMapping& mapping, AccessCheck way);
    UnknownReason arm_rwp(CachedMapping& mapping, Page page);
    bool lost_its_entry(const CachedMapping& mapping, Page page);
    UnknownReason arm_zap(CachedMapping& mapping, Page page, Zapper& zapper);
    UnknownReason arm_wp(CachedMapping& mapping, uint64_t page, bool& nothing);
    bool begin_marking(Page& page, AccessCheck way);
    void end_marking(Page page, UnknownReason unknown, bool wiped);

    void look_at(std::span<const uint64_t> pages, std::span<uint32_t> states);
    void look_batch(std::span<Sample> samples);
    void look_protected(std::span<const uint64_t> pages, std::span<uint32_t> states);
    bool marks_hold(CachedMapping& mapping, uint64_t page);
    UnknownReason judge(const Sample& sample, uint32_t state, bool& accessed);
    void answer(Sample& sample, uint32_t state);

    PageSizes sizes_;
    PageScan scan_;
    PageStateCache page_states_;
    uint64_t generation_ = 0;  // of the userfaultfd that the registrations are with
    MappingCache mappings_;
    ArmedPageLedger marks_;
    uint32_t enabled_ = 0;  // bit AccessCheck
    static constexpr uint64_t kNoBlock = ~uint64_t{0};

    bool has_uffd_ = false;
    pid_t owner_ = 0;  // 0: not started
    uint64_t epoch_ = 0;
    uint64_t now_us_ = 0;
    uint64_t looked_us_ = 0;
    uint64_t base_block_ = kNoBlock;  // of this arming: a block that is mapped by base pages
    uint64_t nr_scans_ = 0;
    uint32_t armed_share_ = 0;  // of the present pages to be armed: armed already, in 1/1,024; a moving mean
    bool disturbed_ = false;    // marks were dropped by another context between arm and look
    AccessStatistics statistics_;
};

}  // namespace damon
