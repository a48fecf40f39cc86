#include "ops/linux/registration/left_registrations.h"

#include <atomic>

#include "base/fork_safe_lock.h"
#include "base/heap.h"
#include "os/process.h"

namespace damon {
namespace {

struct Node {
    Vector<LeftRegistration> left;
    pid_t owner = 0;
    Node* next = nullptr;
};

constinit ForkSafeLock lock;
constinit std::atomic<Node*> first{nullptr};  // changed under the lock

}  // namespace

void leave_registrations(Vector<LeftRegistration>& left) {
    Node* node = left.empty() ? nullptr : heap_new<Node>();
    if (node == nullptr) return;
    node->left.swap(left);
    node->owner = process_id();
    const LockGuard guard(lock, node->owner);
    node->next = first.load();
    first.store(node);
}

bool take_registrations(Vector<LeftRegistration>& left) {
    if (first.load() == nullptr) return false;
    Node* node = nullptr;
    {
        const LockGuard guard(lock, process_id());
        node = first.load();
        if (node != nullptr) first.store(node->next);
    }
    if (node == nullptr) return false;
    left.clear();
    if (node->owner == process_id()) left.swap(node->left);  // else of the parent of this process
    heap_delete(node);
    return true;
}

}  // namespace damon
