// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/min_heap.hpp>

namespace sel4vm::el2 {

// `child` becomes the first one of `parent`, which is returned.
HeapNode *MinHeap::put_below(HeapNode &parent, HeapNode &child) {
    child.next_ = parent.first_child_;
    if (child.next_ != nullptr)
        child.next_->previous_ = &child;
    child.previous_ = &parent;
    parent.first_child_ = &child;
    return &parent;
}

[[gnu::noinline]] void MinHeap::add(HeapNode &node, u64 key, Place place) {
    SEL4VM_ASSERT(!node.queued_);
    node.key_ = key;
    node.queued_ = true;
    if (root_ == nullptr)
        root_ = &node;
    else if (is_before(key, root_->key_) || (key == root_->key_ && place == Place::before_equals))
        root_ = put_below(node, *root_);
    else
        root_ = put_below(*root_, node);
}

// Either may be nullptr; both are roots.
HeapNode *MinHeap::join(HeapNode *left, HeapNode *right) {
    if (left == nullptr)
        return right;
    if (right == nullptr)
        return left;
    return is_before(right->key_, left->key_) ? put_below(*right, *left) : put_below(*left, *right);
}

// The children of a node that is gone become one heap: in pairs from the first to the last, then the pairs from the last to
// the first, which is what makes the next removals short.
HeapNode *MinHeap::join_all(HeapNode *first) {
    HeapNode *pairs = nullptr; // linked by next_, the last one first
    while (first != nullptr) {
        HeapNode *second = first->next_;
        HeapNode *rest = second != nullptr ? second->next_ : nullptr;
        first->next_ = nullptr;
        if (second != nullptr)
            second->next_ = nullptr;
        HeapNode *pair = join(first, second);
        pair->next_ = pairs;
        pairs = pair;
        first = rest;
    }
    HeapNode *heap = nullptr;
    while (pairs != nullptr) {
        HeapNode *rest = pairs->next_;
        pairs->next_ = nullptr;
        heap = join(heap, pairs);
        pairs = rest;
    }
    if (heap != nullptr)
        heap->previous_ = nullptr;
    return heap;
}

[[gnu::noinline]] void MinHeap::remove(HeapNode &node) {
    SEL4VM_ASSERT(node.queued_);
    HeapNode *children = join_all(node.first_child_);
    if (&node == root_) {
        root_ = children;
    } else {
        HeapNode *&link = node.previous_->first_child_ == &node ? node.previous_->first_child_ : node.previous_->next_;
        link = node.next_;
        if (node.next_ != nullptr)
            node.next_->previous_ = node.previous_;
        root_ = join(root_, children);
    }
    node.first_child_ = nullptr;
    node.next_ = nullptr;
    node.previous_ = nullptr;
    node.queued_ = false;
}

} // namespace sel4vm::el2
