// SPDX-License-Identifier: BSD-2-Clause
//
// A priority queue of objects that carry their own place in it (a pairing heap): nothing is allocated, looking at the least
// and adding take a fixed time, taking one out a logarithmic one on average. Keys may wrap: one is before another when the way to
// it is shorter than half of all numbers, so all keys of a queue lie within that distance. Not thread-safe.
#pragma once

#include <hosts/el2/portable/sched/ticks.hpp>

#include <sel4vm/base/assert.hpp>

namespace sel4vm::el2 {

/// What an object carries; a base class of it.
class HeapNode {
public:
    HeapNode() = default;
    HeapNode(const HeapNode &) = delete;
    HeapNode &operator=(const HeapNode &) = delete;

    [[nodiscard]] u64 key() const { return key_; }
    [[nodiscard]] bool is_queued() const { return queued_; }

private:
    friend class MinHeap;
    u64 key_ = 0;
    HeapNode *first_child_ = nullptr;
    HeapNode *next_ = nullptr;     ///< the next child of the same parent
    HeapNode *previous_ = nullptr; ///< the one before, or the parent of a first child
    bool queued_ = false;
};

class MinHeap {
public:
    /// Among equal keys.
    enum class Place : u8 { before_equals, behind_the_first };

    [[nodiscard]] bool empty() const { return root_ == nullptr; }
    /// The one with the least key, or nullptr.
    [[nodiscard]] HeapNode *least() const { return root_; }

    void add(HeapNode &node, u64 key, Place place);
    /// `node` is in this queue.
    void remove(HeapNode &node);
    /// The same one with another key.
    void change(HeapNode &node, u64 key, Place place) {
        // Nothing is below it: where it is, it may have a larger one.
        if (node.first_child_ == nullptr && node.queued_ && !is_before(key, node.key_)) [[likely]] {
            node.key_ = key;
            return;
        }
        remove(node);
        add(node, key, place);
    }

private:
    static HeapNode *put_below(HeapNode &parent, HeapNode &child);
    static HeapNode *join(HeapNode *left, HeapNode *right);
    static HeapNode *join_all(HeapNode *first);

    HeapNode *root_ = nullptr;
};

} // namespace sel4vm::el2
