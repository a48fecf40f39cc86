#include "ops/sim/machine.h"

#include <bit>
#include <cerrno>
#include <cinttypes>

namespace damon {

Status validate_machine(const SimMachine& machine) {
    if (!std::has_single_bit(machine.page_size) || machine.page_size > (uint64_t{1} << 30)) {
        return Status::fail(-EINVAL, "machine page_size is %" PRIu64 "; a power of two up to 2^30 would be right",
                            machine.page_size);
    }
    if (!std::has_single_bit(machine.huge_page_size) || machine.huge_page_size < machine.page_size) {
        return Status::fail(-EINVAL,
                            "machine huge_page_size is %" PRIu64 "; a power of two, page_size %" PRIu64
                            " or more, would be right",
                            machine.huge_page_size, machine.page_size);
    }
    if (machine.nr_nodes == 0 || machine.nr_nodes > kMaxSimNodes) {
        return Status::fail(-EINVAL, "machine nr_nodes is %u; 1 to %u would be right", machine.nr_nodes, kMaxSimNodes);
    }
    for (uint32_t nid = 0; nid < machine.nr_nodes; ++nid) {
        if (machine.node_bytes[nid] != 0 && machine.node_bytes[nid] <= (uint64_t{1} << 60)) continue;
        return Status::fail(-EINVAL, "machine node_bytes[%u] is %" PRIu64 "; 1 to 2^60 would be right", nid,
                            machine.node_bytes[nid]);
    }
    return {};
}

}  // namespace damon
