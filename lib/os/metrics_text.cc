#include "os/metrics_text.h"

#include "base/arithmetic.h"
#include "os/text_parts.h"

namespace damon {
namespace {

bool leading_number(std::string_view text, uint64_t& value) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    size_t digits = 0;
    value = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
        if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return false;
        if (__builtin_add_overflow(value, static_cast<uint64_t>(text[digits] - '0'), &value)) return false;
    }
    return digits != 0;
}

std::string_view take_word(std::string_view& line) {
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    const std::string_view word = text_front(line, line.find(' '));
    line.remove_prefix(word.size());
    return word;
}

// The number of " N<nid>=number" in a line; 0 where the node is not named.
uint64_t node_value(std::string_view line, int32_t nid) {
    while (!line.empty()) {
        const std::string_view word = take_word(line);
        uint64_t node = 0;
        uint64_t value = 0;
        const size_t equals = word.find('=');
        if (word.size() < 4 || word.front() != 'N' || equals == word.npos) continue;
        if (!leading_number(text_after(word, 1), node) || !leading_number(text_after(word, equals + 1), value))
            continue;
        if (node == static_cast<uint64_t>(nid)) return value;
    }
    return 0;
}

bool is_list(std::string_view name) {
    return name == "inactive_anon" || name == "active_anon" || name == "inactive_file" || name == "active_file" ||
           name == "unevictable";
}

}  // namespace

bool meminfo_value(std::string_view text, std::string_view name, uint64_t& value) {
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        const size_t colon = line.find(':');
        if (colon == line.npos || colon < name.size()) continue;
        const size_t start = colon - name.size();
        if (text_front(text_after(line, start), name.size()) != name) continue;
        if (start != 0 && line[start - 1] != ' ') continue;
        return leading_number(text_after(line, colon + 1), value);
    }
    return false;
}

bool limit_value(std::string_view text, uint64_t& value) {
    if (!text_begins(text, "max")) return leading_number(text, value);
    value = UINT64_MAX;
    return true;
}

bool some_pressure_total(std::string_view text, uint64_t& total_us) {
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (take_word(line) != "some") continue;
        while (!line.empty()) {
            const std::string_view word = take_word(line);
            if (text_begins(word, "total=")) return leading_number(text_after(word, 6), total_us);
        }
    }
    return false;
}

bool cgroup_node_bytes(std::string_view text, int32_t nid, uint64_t page_bytes, uint64_t& bytes) {
    bool any = false;
    uint64_t total_pages = 0;
    bytes = 0;
    while (!text.empty()) {
        std::string_view line = take_line(text);
        const std::string_view first = take_word(line);
        const std::string_view name = text_front(first, first.find('='));
        if (name == "hierarchical_total") {
            bytes = saturating_mul(node_value(line, nid), page_bytes);
            return true;
        }
        if (name == "total") {
            any = true;
            total_pages = node_value(line, nid);
        } else if (name == first && is_list(name)) {
            any = true;
            bytes = saturating_add(bytes, node_value(line, nid));
        }
    }
    if (bytes == 0) bytes = saturating_mul(total_pages, page_bytes);
    return any;
}

uint64_t reclaim_scanned_pages(std::string_view text) {
    uint64_t pages = 0;
    while (!text.empty()) {
        std::string_view line = take_line(text);
        // pgscan_anon and pgscan_file count the same pages once more.
        const std::string_view name = take_word(line);
        if (!text_begins(name, "pgscan_") || name == "pgscan_anon" || name == "pgscan_file") continue;
        uint64_t value = 0;
        if (leading_number(line, value)) pages += value;
    }
    return pages;
}

}  // namespace damon
