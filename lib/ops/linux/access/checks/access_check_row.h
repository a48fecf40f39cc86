// One access check, as a row of the table: what it needs, what it sees, and how it does it. A check fills in a row in a
// file pair of its own; access_checker.h walks the rows and knows no check by name.
#pragma once

#include <cstdint>
#include <span>

#include "ops/access_check.h"
#include "ops/linux/access/checks/check_tools.h"
#include "ops/linux/access/checks/probe_answer.h"
#include "ops/linux/access/checks/span_check.h"

namespace damon {

// Where a check takes its answers from.
enum class AnswerSource : uint8_t {
    kNone,     // this release does not have the check
    kBest,     // the best check of pages for each mapping
    kPages,    // the page tables: AccessChecker
    kReports,  // the program: ReportRing
    kPasses,   // accessed bits, by AccessedPasses alone: no sample is answered
};

// How much one call that lifts marks may cover, so that the address space is held no longer than 100 us for reading;
// about half of what was measured to take as long.
inline constexpr uint64_t kMostLiftedBytes = 2u << 20;

// What became of a page without a look at it.
enum class Unseen : uint8_t { kLookFirst, kArmed, kAbsent };

// What became of a page that is present.
struct Armed {
    UnknownReason unknown = UnknownReason::kNone;
    bool dropped_entry = false;  // arming left the page without a mark and without an entry: watched by its absence
};

struct AccessCheckRow {
    AccessCheck id;
    const char* name;      // as users write it, "uffd_wp"
    const char* constant;  // as damon_c.h has it
    AnswerSource source = AnswerSource::kNone;
    AccessCheckProbe (*probe)() = nullptr;  // tries it out on memory of its own; nullptr: not in this release

    // The rest is of checks of pages.
    bool sees_reads = false;
    bool needs_scan = false;         // PAGEMAP_SCAN
    bool reads_marks = false;        // PAGEMAP_SCAN does not report its marks: PageScan::look_marked does
    bool keeps_page_states = false;  // arms by what the last look saw
    uint64_t register_mode = 0;      // of the process's userfaultfd; 0: it needs none

    // Whether it can see accesses of this mapping, from what is known without trying; `inapplicable` is why not.
    bool (*applies)(const CachedMapping& mapping) = nullptr;
    UnknownReason inapplicable = UnknownReason::kNone;
    // Arms without looking at the page before. May be nullptr: look first, always.
    Unseen (*arm_unseen)(CheckTools& tools, uint64_t page) = nullptr;
    // Looks at pages that are to be armed. May be nullptr: a plain look.
    void (*look_before)(CheckTools& tools, std::span<const uint64_t> pages, std::span<uint32_t> states) = nullptr;
    // Arms a page that was just seen to be present, in a mapping that `applies` holds for.
    Armed (*arm)(CheckTools& tools, CachedMapping& mapping, Page page) = nullptr;
    // Looks at pages that were armed. May be nullptr: a plain look.
    void (*look)(CheckTools& tools, std::span<const uint64_t> pages, std::span<uint32_t> states) = nullptr;
    // What the state of a page that was armed means. kNone: `accessed` is the answer.
    UnknownReason (*judge)(uint32_t state, bool& accessed) = nullptr;
    // Lifts the marks of pages, in address order, so that none outlives its look. nullptr: the check leaves its marks,
    // because pages that are armed already cost less, and what is left is swept when nothing is sampled; or it has
    // none.
    void (*lift)(CheckTools& tools, std::span<const uint64_t> pages) = nullptr;
    SpanCheck spans{};
};

}  // namespace damon
