#include "ops/offload/offload_text.h"

#include <algorithm>
#include <cstddef>

#include "os/text_parts.h"

namespace damon {
namespace {

template <typename Enum, size_t kCount>
const char* word_of(const char* const (&words)[kCount], Enum value) {
    const auto index = static_cast<int32_t>(value);
    return 0 <= index && static_cast<size_t>(index) < kCount ? words[index] : nullptr;
}

// Takes a number off the front; at least one digit, no overflow.
bool take_digits(std::string_view& text, unsigned base, uint64_t& value) {
    value = 0;
    size_t nr = 0;
    for (; nr < text.size(); ++nr) {
        const char character = text[nr];
        unsigned digit = base;
        if (character >= '0' && character <= '9') digit = static_cast<unsigned>(character - '0');
        if (character >= 'a' && character <= 'f') digit = static_cast<unsigned>(character - 'a') + 10;
        if (digit >= base) break;
        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value)) return false;
    }
    text = text_after(text, nr);
    return nr > 0;
}

// "00100000-7ffdffff : System RAM", both ends inclusive; what lies inside of another resource is indented.
bool parse_system_ram(std::string_view line, AddressRange& range) {
    uint64_t last = 0;
    if (!take_digits(line, 16, range.start) || !text_begins(line, "-")) return false;
    line = text_after(line, 1);
    if (!take_digits(line, 16, last) || line != " : System RAM") return false;
    range.end = last + 1;
    return range.start < range.end;
}

}  // namespace

bool parse_number(std::string_view text, uint64_t& value) { return take_digits(text, 10, value) && text.empty(); }

const char* kernel_word(OpsId id) {
    switch (id) {
        case OpsId::kKernelVaddr:
            return "vaddr";
        case OpsId::kKernelFvaddr:
            return "fvaddr";
        case OpsId::kKernelPaddr:
            return "paddr";
        default:
            return nullptr;
    }
}

const char* kernel_word(DamosAction action) {
    static constexpr const char* kWords[] = {"willneed",    "cold",         "pageout",  "hugepage",
                                             "nohugepage",  "collapse",     "lru_prio", "lru_deprio",
                                             "migrate_hot", "migrate_cold", "stat"};
    return word_of(kWords, action);
}

const char* kernel_word(QuotaMetric metric) {
    static constexpr const char* kWords[] = {"user_input",       "some_mem_psi_us",    "node_mem_used_bp",
                                             "node_mem_free_bp", "node_memcg_used_bp", "node_memcg_free_bp",
                                             "active_mem_bp",    "inactive_mem_bp",    "node_eligible_mem_bp"};
    return word_of(kWords, metric);
}

const char* kernel_word(GoalTuner tuner) {
    static constexpr const char* kWords[] = {"consist", "temporal"};
    return word_of(kWords, tuner);
}

const char* kernel_word(WatermarkMetric metric) {
    static constexpr const char* kWords[] = {"none", "free_mem_rate"};
    return word_of(kWords, metric);
}

const char* kernel_word(FilterType type) {
    static constexpr const char* kWords[] = {"anon",          "active",   "memcg", "young",
                                             "hugepage_size", "unmapped", "addr",  "target"};
    return word_of(kWords, type);
}

const char* kernel_word(ProbeFilterType type) {
    static constexpr const char* kWords[] = {"anon", "memcg"};
    return word_of(kWords, type);
}

void add_system_ram(std::string_view line, AddressRange& range) {
    AddressRange ram;
    // Addresses that are hidden, as they are from all but root, are all 0.
    if (!parse_system_ram(line, ram) || ram.end == 1) return;
    range = range.empty() ? ram : AddressRange{std::min(range.start, ram.start), std::max(range.end, ram.end)};
}

}  // namespace damon
