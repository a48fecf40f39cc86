// What the agent is told by others: the text of its environment, and commands of other processes. No bytes may crash it
// or make it call a function of theirs; a command is taken whole or not at all. An input is taken as it is, and, so
// that what is behind the first checks is reached, with the sizes that structures must have.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "fuzz/fuzz_target.h"

extern "C" {
#include "monitor.h"
#include "options.h"
#include "warm.h"
}

namespace {

void expect(bool condition, const char* what) {
    if (condition) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

bool ends_within(const char* text, size_t room) { return memchr(text, '\0', room) != nullptr; }

void try_options(const std::string& text) {
    agent_options options;
    options_read(&options, text.c_str());
    expect(ends_within(options.error, sizeof options.error), "an error without end");
    const uint64_t ring = options.ring_bytes;
    expect(ring >= 65536 && ring <= 1u << 28 && (ring & (ring - 1)) == 0, "a ring of no power of two");
    const char* end = text.c_str() + text.size();
    expect(options.exclude == nullptr ||
               (options.exclude >= text.c_str() && options.exclude + options.exclude_length <= end),
           "names outside of the text");
    options_exclude(&options, "name");
    expect(options_exclude(&options, "sudo") == 1, "sudo is not left alone");
    struct warm warm = {};
    warm_name(&warm, text.c_str());
    expect(ends_within(warm.path, sizeof warm.path), "a path without end");
    std::vector<unsigned char> bytes(64);
    const long nr = options_bytes(text.c_str(), bytes.data(), bytes.size());
    expect(nr <= static_cast<long>(bytes.size()), "more bytes than there is room for");
    if (nr >= 0) expect(text.size() == static_cast<size_t>(nr) * 2, "digits were left out");
}

// A monitor whose context does not run: commands change it all the same.
int try_command(uint32_t kind, const std::vector<unsigned char>& request) {
    static struct monitor monitor;
    struct page page = {};
    page.region_cap = 1000;
    monitor = {};
    monitor.statm = -1;
    damon_attrs_init(&monitor.attrs);
    monitor.ctx = damon_ctx_new();
    expect(monitor.ctx != nullptr && damon_ctx_add_target(monitor.ctx, damon_target_new()) == 0, "no memory");
    damon_attrs before, after;
    damon_attrs_init(&before);
    damon_attrs_init(&after);
    damon_ctx_get_attrs(monitor.ctx, &before);
    char answer[160];
    memset(answer, 'x', sizeof answer);
    const size_t bytes = std::min(request.size(), sizeof monitor.schemes);
    const int result = monitor_obey(&monitor, &page, kind, request.data(), bytes, answer, sizeof answer);
    expect(ends_within(answer, sizeof answer), "an answer without end");
    if (monitor.ctx != nullptr) {
        damon_ctx_get_attrs(monitor.ctx, &after);
        expect(result == 0 || memcmp(&before, &after, sizeof before) == 0, "refused, and changed all the same");
        expect(result == 0 || monitor.scheme_bytes == 0, "refused, and kept");
    }
    monitor_stop(&monitor);
    return result;
}

bool names_a_function(const std::vector<unsigned char>& request) {
    damon_agent_scheme_head head;
    if (request.size() < sizeof head) return false;
    memcpy(&head, request.data(), sizeof head);
    return head.params.action_fn != nullptr || head.params.action_data != nullptr;
}

// The sizes of the first schemes, and no function in them.
void repair(std::vector<unsigned char>& request) {
    for (size_t at = 0; at + sizeof(damon_agent_scheme_head) <= request.size();) {
        damon_agent_scheme_head head;
        memcpy(&head, request.data() + at, sizeof head);
        head.nr_filters %= 4;
        head.nr_goals %= 4;
        head.params.size = sizeof head.params;
        head.params.action_fn = nullptr;
        head.params.action_data = nullptr;
        memcpy(request.data() + at, &head, sizeof head);
        at += sizeof head + head.nr_filters * sizeof(damos_filter) + head.nr_goals * sizeof(damos_quota_goal);
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    std::vector<unsigned char> rest(data + 1, data + size);
    const uint32_t kind = data[0] & 7;
    if (kind == 0) {
        try_options(std::string(rest.begin(), std::find(rest.begin(), rest.end(), 0)));
        return 0;
    }
    const int result = try_command(kind, rest);
    expect(kind != DAMON_AGENT_SCHEMES || result != 0 || !names_a_function(rest), "a function from outside was taken");
    if (kind == DAMON_AGENT_TUNE && rest.size() >= sizeof(damon_attrs)) {
        rest.resize(sizeof(damon_attrs));
        const uint32_t attrs_size = sizeof(damon_attrs);
        memcpy(rest.data() + offsetof(damon_attrs, size), &attrs_size, sizeof attrs_size);
    } else if (kind == DAMON_AGENT_SCHEMES) {
        repair(rest);
    }
    try_command(kind, rest);
    return 0;
}
