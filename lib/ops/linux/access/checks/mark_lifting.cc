#include "ops/linux/access/checks/mark_lifting.h"

#include "ops/linux/registration/uffd.h"

namespace damon {
namespace {

// A call of its own costs as much as lifting about ten pages together, marked or not.
constexpr uint64_t kMaxGapPages = 8;

// How many pages from the front are close together in one mapping.
size_t group_size(CheckTools& tools, std::span<const uint64_t> pages, uint64_t max_call_bytes) {
    const CachedMapping* mapping = tools.mappings.find(pages[0]);
    size_t size = 1;
    if (tools.exclusion.allowed({pages[0], pages[0] + max_call_bytes}) !=
        AddressRange{pages[0], pages[0] + max_call_bytes}) {
        return 1;  // the gaps may be excluded
    }
    if (tools.spans.overlaps({pages[0], pages[0] + max_call_bytes})) return 1;  // or armed for a survey
    while (size < pages.size() && mapping != nullptr && mapping->range.contains(pages[size]) &&
           pages[size] >= pages[size - 1] &&
           pages[size] - pages[size - 1] <= (kMaxGapPages + 1) * tools.sizes.base_bytes &&
           pages[size] - pages[0] < max_call_bytes) {
        ++size;
    }
    return size;
}

void lift_all(CheckTools& tools, std::span<const uint64_t> pages, uint64_t mode, uint64_t max_call_bytes) {
    if (pages.empty()) return;
    if (tools.ledger.begin_lifting()) {
        for (const uint64_t page : pages) {
            if (tools.exclusion.contains(page) || !tools.ledger.begin_lift(page)) continue;
            (void)uffd_lift_own(tools.page_at(page), mode);  // gone: so is the mark
            tools.ledger.end_lift(page);
        }
        return;
    }
    while (!pages.empty()) {
        const size_t size = group_size(tools, pages, max_call_bytes);
        const AddressRange range{pages[0], pages[size - 1] + tools.sizes.base_bytes};
        const bool excluded = size == 1 && tools.exclusion.contains(pages[0]);
        if (!excluded && uffd_lift_own(range, mode) != 0 && size > 1) {  // the mapping has changed
            for (const uint64_t page : pages.first(size)) (void)uffd_lift_own(tools.page_at(page), mode);
        }
        pages = pages.subspan(size);
    }
    tools.ledger.end_lifting();
}

// What is not registered must not become so by the proof whose the mark is.
bool is_own_mark(CheckTools& tools, uint64_t page, uint64_t mode) {
    return !tools.exclusion.contains(page) && tools.scan.registered(tools.page_at(page), mode) == 1 &&
           uffd_register(tools.page_at(page), mode) == 0;
}

}  // namespace

void lift_pages(CheckTools& tools, std::span<const uint64_t> pages, uint64_t mode, uint64_t max_call_bytes) {
    if (!tools.proves_marks) return lift_all(tools, pages, mode, max_call_bytes);
    for (size_t i = 0; i < pages.size(); ++i) {
        if (is_own_mark(tools, pages[i], mode)) lift_all(tools, pages.subspan(i, 1), mode, max_call_bytes);
    }
}

}  // namespace damon
