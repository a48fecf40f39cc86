// What is to be written to which file of the kernel's DAMON, in order: a list of texts, so that it can be made and
// tested without a kernel.
#pragma once

#include <cstdint>

#include "base/vector.h"

namespace damon {

class WritePlan {
public:
    struct Write {
        const char* path;  // relative to the kdamond's folder
        const char* text;
        bool may_lack;  // the text is what holds on kernels that do not have the file
    };

    void clear();

    // Paths are made of a folder, "" or ending in '/', and a name.
    void text(const char* folder, const char* name, const char* text, bool may_lack = false);
    void number(const char* folder, const char* name, uint64_t number);
    // A setting that older kernels do not know; without it they behave as with `lacking`.
    void number_or(const char* folder, const char* name, uint64_t number, uint64_t lacking = 0);
    void flag(const char* folder, const char* name, bool on);

    size_t size() const { return entries_.size(); }
    Write operator[](size_t index) const;
    // False: memory ran out on the way, the plan is not whole.
    bool is_whole() const { return whole_; }

private:
    struct Entry {
        uint32_t path = 0;  // offsets in texts_
        uint32_t text = 0;
        bool may_lack = false;
    };

    [[nodiscard]] bool append(const char* text);

    Vector<char> texts_;  // terminated, one behind the other
    Vector<Entry> entries_;
    bool whole_ = true;
};

}  // namespace damon
