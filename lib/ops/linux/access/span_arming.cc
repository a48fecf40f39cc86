// How the spans of surveys are armed and looked at: short stretches that stay armed for several intervals, beside the
// samples, by the same marks. A sample that sets a mark anew in a span notifies the span first
// (CheckTools::end_marking), and lifts none in it.
#include <algorithm>

#include "base/arithmetic.h"
#include "ops/linux/access/access_checker.h"
#include "ops/linux/access/checks/mark_lifting.h"
#include "ops/linux/registration/uffd.h"

namespace damon {
namespace {

unsigned index_of(const Span& span, uint64_t page) {
    return static_cast<unsigned>((page - span.start) / span.page_bytes);
}

// visit(mapping, part) for what of the span is mapped, as far as is known.
template <typename Visit>
void for_parts(CheckTools& tools, const Span& span, Visit visit) {
    for (AddressRange rest = span.range(); !rest.empty();) {
        const CachedMapping* mapping = tools.mappings.find(rest.start);
        if (mapping == nullptr) {
            rest.start += span.page_bytes;
            continue;
        }
        const AddressRange part = mapping->range.intersection(rest);
        visit(*mapping, part);
        rest.start = part.end;
    }
}

void widen(const Span& span, uint64_t unit_bytes, AddressRange part, SpanAnswer& answer) {
    for (uint64_t unit = align_down(part.start, unit_bytes); unit < part.end; unit += unit_bytes) {
        const AddressRange pages = AddressRange{unit, unit + unit_bytes}.intersection(part);
        bool hit = false;
        for (uint64_t page = pages.start; page < pages.end; page += span.page_bytes) {
            hit = hit || answer.hit.test(index_of(span, page));
        }
        for (uint64_t page = pages.start; hit && page < pages.end; page += span.page_bytes) {
            answer.hit.set(index_of(span, page));
        }
    }
}

}  // namespace

void tell_wiped(CheckTools& tools, AddressRange part, const PageMap& pages) {
    if (!tools.ledger.crowded() && !tools.spans.overlaps(part)) return;
    AddressRange runs[Span::kMaxPages];
    size_t nr_runs = 0;
    const uint64_t page_bytes = tools.sizes.base_bytes;
    for (uint64_t page = part.start; page < part.end; page += page_bytes) {
        if (!pages.test(static_cast<unsigned>((page - part.start) / page_bytes))) continue;
        if (nr_runs != 0 && runs[nr_runs - 1].end == page) {
            runs[nr_runs - 1].end += page_bytes;
        } else {
            runs[nr_runs++] = tools.page_at(page);
        }
    }
    tools.ledger.wiped({runs, nr_runs});
}

bool AccessChecker::reserve_spans(size_t max_spans) {
    bool reserved = false;
    ArmedPageLedger::change_tracked([&] { reserved = tools_.spans.reserve(max_spans); });
    return reserved;
}

bool AccessChecker::serves_spans() const {
    return std::any_of(enabled().begin(), enabled().end(),
                       [](const AccessCheckRow* row) { return row->spans.serves != nullptr; });
}

const AccessCheckRow* AccessChecker::row_for(const CachedMapping& mapping, AddressRange part) {
    for (const AccessCheckRow* row : enabled()) {
        if (mapping.failed(row->register_mode) || !row->applies(mapping) || row->spans.serves == nullptr) continue;
        if (row->spans.serves(tools_, mapping, part)) return row;
    }
    return nullptr;
}

void AccessChecker::arm_spans(std::span<Span> spans) {
    if (forked() || !tools_.scan.is_open()) return;
    const ExclusionScope scope(tools_.exclusion);
    tools_.mappings.doubt_registrations(tools_.exclusion.take_included());
    tools_.ledger.notice_joins();
    for (const Span& span : spans) {
        const AddressRange range = span.range();
        if (range.empty() || tools_.exclusion.allowed(range) != range) continue;
        bool armed = false;
        for_parts(tools_, span, [&](const CachedMapping& mapping, AddressRange part) {
            const AccessCheckRow* row = row_for(mapping, part);
            if (row == nullptr) return;
            if (tools_.ledger.crowded()) tools_.ledger.begin_range(part);
            const bool done = row->spans.arm(tools_, part);
            if (tools_.ledger.crowded()) tools_.ledger.end_range(part);
            armed = armed || done;
            const bool looked_at_and_lifted = done && row->lift != nullptr;
            if (row->register_mode != 0 && !looked_at_and_lifted) swept_ = false;
        });
        if (!armed) continue;
        bool listed = false;
        ArmedPageLedger::change_tracked([&] { listed = tools_.spans.add(range, span.page_bytes, uffd_epoch()); });
        if (!listed) swept_ = false;
    }
    tools_.guard.release();
}

void AccessChecker::look_spans(std::span<Span> spans) {
    for (Span& span : spans) span.hit = span.known = {};
    if (forked() || !tools_.scan.is_open()) return;
    const ExclusionScope scope(tools_.exclusion);
    for (Span& span : spans) look_at(span);
    tools_.guard.release();
}

void AccessChecker::look_at(Span& span) {
    SpanPages::Armed armed;
    bool found = false;
    const AddressRange range = span.range();
    ArmedPageLedger::change_tracked([&] { found = tools_.spans.take(range, armed); });
    if (!found || span.withdrawn || tools_.exclusion.allowed(range) != range) return;
    SpanAnswer answer;
    tools_.proves_marks = uffd_epoch() != armed.epoch;
    for_parts(tools_, span, [&](const CachedMapping& mapping, AddressRange part) {
        const AccessCheckRow* row = row_for(mapping, part);
        if (row == nullptr) return;
        const unsigned first = index_of(span, part.start);
        row->spans.look(tools_, part, first, answer);
        for (unsigned word = 0; word < 2; ++word) answer.hit.words[word] |= armed.hit.words[word];
        if (row->spans.unit_bytes != 0) widen(span, row->spans.unit_bytes, part, answer);
        if (row->lift != nullptr) lift_span(*row, part, first, answer.marked);
    });
    // Where registrations were dropped meanwhile, what looks accessed may be that.
    const bool disturbed = has_uffd_ && uffd_epoch() != armed.epoch;
    if (armed.lost || disturbed) return;
    span.hit = answer.hit;
    span.known = answer.known;
}

// Of what was armed and will not be looked at. A sweep of all registered memory would find the marks too, at 14 ms a
// GiB.
void AccessChecker::lift_left_span() {
    SpanPages::Armed left;
    ArmedPageLedger::change_tracked([&] { spans_left_ = tools_.spans.take_last(left); });
    if (!spans_left_) return;
    const ExclusionScope scope(tools_.exclusion);
    tools_.proves_marks = uffd_epoch() != left.epoch;
    Span span;
    span.start = left.range.start;
    span.page_bytes = static_cast<uint32_t>(tools_.sizes.base_bytes);
    span.nr_pages = static_cast<uint16_t>(left.range.size() / span.page_bytes);
    PageMap all;
    for (unsigned page = 0; page < span.nr_pages; ++page) all.set(page);
    for_parts(tools_, span, [&](const CachedMapping& mapping, AddressRange part) {
        const AccessCheckRow* row = row_for(mapping, part);
        if (row == nullptr) swept_ = false;  // it is not known by which check it was armed
        if (row != nullptr && row->lift != nullptr) lift_span(*row, part, index_of(span, part.start), all);
    });
    tools_.guard.release();
}

// The marks of other spans stay, and those of samples that are armed are theirs to lift.
void AccessChecker::lift_span(const AccessCheckRow& row, AddressRange part, unsigned first, const PageMap& marked) {
    uint64_t pages[Span::kMaxPages];
    size_t nr_pages = 0;
    for (uint64_t page = part.start; page < part.end; page += tools_.sizes.base_bytes) {
        const auto index = first + static_cast<unsigned>((page - part.start) / tools_.sizes.base_bytes);
        if (marked.test(index) && !tools_.spans.contains(page)) pages[nr_pages++] = page;
    }
    row.lift(tools_, {pages, nr_pages});
    tools_.ledger.end_interval();  // the samples are done: room for the next span's pages
}

}  // namespace damon
