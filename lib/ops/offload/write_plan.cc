#include "ops/offload/write_plan.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace damon {

void WritePlan::clear() {
    texts_.clear();
    entries_.clear();
    whole_ = true;
}

void WritePlan::text(const char* folder, const char* name, const char* text, bool may_lack) {
    Entry entry;
    entry.may_lack = may_lack;
    entry.path = static_cast<uint32_t>(texts_.size());
    whole_ = whole_ && append(folder);
    if (whole_) texts_.truncate(texts_.size() - 1);  // the name goes on where the folder ends
    whole_ = whole_ && append(name);
    entry.text = static_cast<uint32_t>(texts_.size());
    whole_ = whole_ && append(text) && entries_.push_back(entry);
}

void WritePlan::number(const char* folder, const char* name, uint64_t number) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, number);
    text(folder, name, digits);
}

void WritePlan::number_or(const char* folder, const char* name, uint64_t number, uint64_t lacking) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, number);
    text(folder, name, digits, number == lacking);
}

void WritePlan::flag(const char* folder, const char* name, bool on) { text(folder, name, on ? "Y" : "N", !on); }

WritePlan::Write WritePlan::operator[](size_t index) const {
    const Entry& entry = entries_[index];
    return {texts_.data() + entry.path, texts_.data() + entry.text, entry.may_lack};
}

bool WritePlan::append(const char* text) {
    const size_t begin = texts_.size();
    const size_t bytes = strlen(text) + 1;
    if (texts_.capacity() < begin + bytes && !texts_.reserve((begin + bytes) * 2)) return false;
    if (!texts_.resize(begin + bytes)) return false;
    memcpy(texts_.data() + begin, text, bytes);
    return true;
}

}  // namespace damon
