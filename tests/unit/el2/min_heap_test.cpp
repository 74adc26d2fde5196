// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/min_heap.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace sel4vm::el2 {
namespace {

using Place = MinHeap::Place;

TEST(MinHeap, TheLeastIsFirstWhateverIsAddedChangedAndRemoved) {
    std::mt19937_64 random(1);
    std::deque<HeapNode> nodes(64);
    MinHeap heap;
    std::vector<HeapNode *> queued;
    const u64 origin = ~u64{0} - 500; // keys wrap on the way
    for (int round = 0; round < 20'000; ++round) {
        HeapNode &node = nodes[random() % nodes.size()];
        const Place place = random() % 2 == 0 ? Place::before_equals : Place::behind_the_first;
        const u64 key = origin + random() % 1000;
        if (node.is_queued() && random() % 2 == 0) {
            heap.change(node, key, place);
            ASSERT_EQ(node.key(), key);
        } else if (node.is_queued()) {
            heap.remove(node);
            std::erase(queued, &node);
        } else {
            heap.add(node, key, place);
            queued.push_back(&node);
        }
        ASSERT_EQ(heap.empty(), queued.empty());
        if (queued.empty())
            continue;
        const auto least =
            std::min_element(queued.begin(), queued.end(), [](const HeapNode *left, const HeapNode *right) {
                return is_before(left->key(), right->key());
            });
        ASSERT_EQ(heap.least()->key(), (*least)->key());
    }
}

TEST(MinHeap, AmongEqualsOneMayGoFirst) {
    MinHeap heap;
    HeapNode first;
    HeapNode behind;
    HeapNode before;
    heap.add(first, 5, Place::before_equals);
    heap.add(behind, 5, Place::behind_the_first);
    EXPECT_EQ(heap.least(), &first);
    heap.add(before, 5, Place::before_equals);
    EXPECT_EQ(heap.least(), &before);
}

} // namespace
} // namespace sel4vm::el2
