// What the access checks of one context share: the open files, what is known of mappings and pages, the counters. Only
// the context's worker uses it.
#pragma once

#include <cstdint>
#include <span>

#include "ops/access_check.h"
#include "ops/linux/access/checks/page_state_cache.h"
#include "ops/linux/registration/armed_page_ledger.h"
#include "ops/linux/registration/exclusion.h"
#include "ops/linux/registration/mapping_cache.h"
#include "ops/linux/registration/shared_memory_guard.h"
#include "os/page_scan.h"
#include "os/page_sizes.h"

namespace damon {

// A page to be armed, and what is known of it.
struct Page {
    uint64_t address;
    uint32_t state;
    bool huge() const { return (state & uapi::kPageHuge) != 0; }
};

struct CheckTools {
    PageSizes sizes;
    PageScan scan;
    PageStateCache page_states;
    MappingCache mappings;
    ArmedPageLedger ledger;
    SharedMemoryGuard guard;
    Exclusion exclusion;
    SpanPages spans;  // of surveys, armed now; listed in the ledger
    AccessStatistics statistics;
    bool reads_marks = false;  // a check is at work whose marks PAGEMAP_SCAN does not report

    static constexpr uint64_t kNoBlock = ~uint64_t{0};
    uint64_t base_block = kNoBlock;  // of this arming: a block that is mapped by base pages
    uint64_t nr_scans = 0;
    bool proves_marks = false;  // registrations were dropped since they were set: they may be of the program's own
    uint64_t own_epochs = 0;    // of this arming: how much uffd_epoch grew by what cannot disturb this context
    uint32_t armed_share = 0;   // of the present pages to be armed: armed already, in 1/1,024; a moving mean

    void note_armed(bool already) { armed_share = (armed_share * 255 + (already ? 1024 : 0)) / 256; }
    AddressRange page_at(uint64_t address) const { return {address, address + sizes.base_bytes}; }

    // The state of pages, whichever checks have marked them.
    void look(std::span<const uint64_t> pages, std::span<uint32_t> states);

    // Makes sure that `page` of the mapping is registered with our userfaultfd, in this mode. kNone: it is.
    UnknownReason own(CachedMapping& mapping, uint64_t mode, uint64_t page);
    void own_reservations_beside(const CachedMapping& mapping, uint64_t mode);

    // Around the system call that arms a page. True: another context has the page armed; its state has then been read
    // once more.
    bool begin_marking(Page& page, AccessCheck check);
    // `wiped`: there was a mark that told of an access, and it was set anew.
    void end_marking(Page page, UnknownReason unknown, bool wiped);
    void tell_spans(Page page);
};

}  // namespace damon
