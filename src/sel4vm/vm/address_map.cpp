// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/address_map.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace sel4vm {

namespace {

// Builds that check the lock order need to see the locks of a VM with one executor, too.
#if defined(SEL4VM_CHECK_LOCK_ORDER)
constexpr bool kLocksAreSeen = true;
#else
constexpr bool kLocksAreSeen = false;
#endif

} // namespace

AddressMap::~AddressMap() {
    while (blocks_) { // one by one, since there may be hundreds
        auto next = std::move(blocks_->next);
        blocks_ = std::move(next);
    }
}

// ---------------------------------------------------------------- searching

MapSlot *AddressMap::search(Gpa at) const {
    for (;;) {
        const u64 version = version_.load(std::memory_order_acquire);
        Node *last = nullptr; // that does not begin behind it
        for (Node *node = root_.load(std::memory_order_acquire); node != nullptr;) {
            const bool right = at.value() >= node->range.base().value();
            last = right ? node : last;
            node = node->below[right ? kRight : kLeft].load(std::memory_order_acquire);
        }
        // Loads before this one were acquires: none of them can have come after it.
        if (version_.load(std::memory_order_relaxed) == version && version % 2 == 0) [[likely]]
            return last != nullptr && last->range.contains(at) ? last : nullptr;
    }
}

/// The last one that does not begin behind `at`.
AddressMap::Node *AddressMap::last_from(Gpa at) const {
    Node *last = nullptr;
    for (Node *node = root_.load(std::memory_order_relaxed); node != nullptr;) {
        const bool right = !(at < node->range.base());
        last = right ? node : last;
        node = below(*node, right ? kRight : kLeft);
    }
    return last;
}

/// The next one; of nullptr the first.
AddressMap::Node *AddressMap::behind(const Node *node) const { return node != nullptr ? node->following : first_; }

AddressMap::Node *AddressMap::starts_at(Gpa base) const {
    Node *node = last_from(base);
    return node != nullptr && node->range.base() == base ? node : nullptr;
}

/// The lowest one, leaving out `but`.
AddressMap::Node *AddressMap::first_overlapping(GpaRange range, const Node *but) const {
    Node *node = last_from(range.base());
    if (node == nullptr || node == but || !node->range.overlaps(range))
        node = behind(node);
    if (node != nullptr && node == but)
        node = node->following;
    return node != nullptr && node->range.overlaps(range) ? node : nullptr;
}

std::optional<GpaRange> AddressMap::first_overlap(GpaRange range) const {
    LockGuard guard(changing_);
    const Node *node = first_overlapping(range);
    return node != nullptr ? std::optional(node->range) : std::nullopt;
}

// ---------------------------------------------------------------- changing

Status<AttachError> AddressMap::attach(GpaRange range, MmioDevice &device) { return insert(range, &device, nullptr); }

Status<AttachError> AddressMap::reserve(GpaRange range, ReservationHandler &handler) {
    return insert(range, nullptr, &handler);
}

Status<AttachError> AddressMap::insert(GpaRange range, MmioDevice *device, ReservationHandler *handler) {
    LockGuard guard(changing_);
    if (first_overlapping(range) != nullptr)
        return Err{AttachError::overlap};
    if (size_ == kMaxRanges || (device != nullptr && removed_ >= kMaxRemoved))
        return Err{AttachError::too_many};
    DeviceRecord *record = nullptr;
    if (device != nullptr) {
        record = record_of(*device);
        if (record == nullptr)
            return Err{records_.full() ? AttachError::too_many : AttachError::out_of_memory};
    }
    Node *node = vacant_node(range);
    if (node == nullptr) {
        if (record != nullptr && record->ranges == 0)
            record->device = nullptr;
        return Err{has_most_nodes() ? AttachError::too_many : AttachError::out_of_memory};
    }
    node->device = device;
    node->reservation = handler;
    node->record = record;
    if (record != nullptr) {
        ++record->ranges;
        if (device->locked_by() != LockedBy::device && (mode_ == LockMode::spin || kLocksAreSeen))
            node->lock = &record->mutex;
    }
    begin_change();
    link(*node);
    end_change();
    return Ok{};
}

bool AddressMap::remove(Gpa base) {
    LockGuard guard(changing_);
    Node *node = starts_at(base);
    if (node == nullptr)
        return false;
    begin_change();
    unlink(*node);
    end_change();
    note_removed(*node);
    return true;
}

Status<AttachError> AddressMap::move(Gpa base, GpaRange to) {
    LockGuard guard(changing_);
    Node *old = starts_at(base);
    if (old == nullptr)
        return Err{AttachError::nothing};
    if (first_overlapping(to, old) != nullptr) // its own old place may be part of the new one
        return Err{AttachError::overlap};
    if (removed_ >= kMaxRemoved)
        return Err{AttachError::too_many};
    Node *node = vacant_node(to);
    if (node == nullptr)
        return Err{has_most_nodes() ? AttachError::too_many : AttachError::out_of_memory};
    node->device = old->device;
    node->reservation = old->reservation;
    node->lock = old->lock;
    node->record = old->record;
    if (node->record != nullptr)
        ++node->record->ranges;
    begin_change();
    unlink(*old);
    link(*node);
    end_change();
    note_removed(*old);
    return Ok{};
}

void AddressMap::link(Node &node) {
    node.previous = last_from(node.range.base());
    node.following = behind(node.previous);
    (node.previous != nullptr ? node.previous->following : first_) = &node;
    if (node.following != nullptr)
        node.following->previous = &node;
    root_.store(with(root_.load(std::memory_order_relaxed), node), std::memory_order_release);
    ++size_;
}

void AddressMap::unlink(Node &node) {
    (node.previous != nullptr ? node.previous->following : first_) = node.following;
    if (node.following != nullptr)
        node.following->previous = node.previous;
    root_.store(without(root_.load(std::memory_order_relaxed), node), std::memory_order_release);
    --size_;
}

void AddressMap::begin_change() {
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void AddressMap::end_change() {
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

// ---------------------------------------------------------------- the tree

// Each returns the tree's root after the change. Recursion is as deep as the tree is high: 20 for the most ranges that there are.

/// What is below `node` on this side takes its place.
AddressMap::Node *AddressMap::lift(Node &node, Side side) {
    const Side other = side == kLeft ? kRight : kLeft;
    Node &top = *below(node, side);
    put_below(node, side, below(top, other));
    put_below(top, other, &node);
    node.height = std::max(height_of(below(node, kLeft)), height_of(below(node, kRight))) + 1;
    top.height = std::max(height_of(below(top, kLeft)), height_of(below(top, kRight))) + 1;
    return &top;
}

/// Below `node` there are balanced trees, whose heights differ by two at most.
AddressMap::Node *AddressMap::balanced(Node &node) {
    node.height = std::max(height_of(below(node, kLeft)), height_of(below(node, kRight))) + 1;
    for (const Side side : {kLeft, kRight}) {
        const Side other = side == kLeft ? kRight : kLeft;
        if (!leans(node, side, 2))
            continue;
        if (leans(*below(node, side), other, 1))
            put_below(node, side, lift(*below(node, side), other));
        return lift(node, side);
    }
    return &node;
}

AddressMap::Node *AddressMap::with(Node *tree, Node &node) {
    if (tree == nullptr)
        return &node;
    const Side side = node.range.base() < tree->range.base() ? kLeft : kRight;
    put_below(*tree, side, with(below(*tree, side), node));
    return balanced(*tree);
}

AddressMap::Node *AddressMap::without(Node *tree, const Node &node) {
    if (tree != &node) {
        const Side side = node.range.base() < tree->range.base() ? kLeft : kRight;
        put_below(*tree, side, without(below(*tree, side), node));
        return balanced(*tree);
    }
    Node *left = below(node, kLeft);
    Node *right = below(node, kRight);
    if (left == nullptr || right == nullptr)
        return left != nullptr ? left : right;
    Node *heir = nullptr;
    right = without_first(*right, heir);
    put_below(*heir, kLeft, left);
    put_below(*heir, kRight, right);
    return balanced(*heir);
}

AddressMap::Node *AddressMap::without_first(Node &tree, Node *&first) {
    Node *left = below(tree, kLeft);
    if (left == nullptr) {
        first = &tree;
        return below(tree, kRight);
    }
    put_below(tree, kLeft, without_first(*left, first));
    return balanced(tree);
}

// ---------------------------------------------------------------- places

void AddressMap::note_removed(Node &node) {
    ++removed_;
    node.removed_in = removals_.load(std::memory_order_relaxed) + 1;
    node.next_idle = nullptr;
    (removed_first_ != nullptr ? removed_last_->next_idle : removed_first_) = &node;
    removed_last_ = &node;
    removals_.store(node.removed_in, std::memory_order_release);
}

bool AddressMap::recycle(u64 removal) {
    LockGuard guard(changing_);
    if (removed_ != 0 && resetting_)
        return false;
    while (removed_first_ != nullptr && removed_first_->removed_in <= removal) {
        Node &node = *removed_first_;
        removed_first_ = node.next_idle;
        --removed_;
        vacate(node);
    }
    return removed_ == 0;
}

void AddressMap::vacate(Node &node) {
    if (node.record != nullptr && --node.record->ranges == 0)
        node.record->device = nullptr;
    node.next_idle = vacant_;
    vacant_ = &node;
}

/// A fresh one, in no list.
AddressMap::Node *AddressMap::vacant_node(GpaRange range) {
    if (vacant_ == nullptr) {
        auto block = has_most_nodes() ? Owned<Block>() : Owned<Block>::make(allocator_);
        if (!block)
            return nullptr;
        for (Node &node : block->nodes)
            vacate(node);
        nodes_ += kBlockNodes;
        block->next = std::move(blocks_);
        blocks_ = std::move(block);
    }
    Node *node = vacant_;
    vacant_ = node->next_idle;
    std::destroy_at(node);
    return std::construct_at(node, range);
}

AddressMap::DeviceRecord *AddressMap::record_of(const MmioDevice &device) {
    DeviceRecord *vacant = nullptr;
    for (DeviceRecord &record : records_) {
        if (record.device == &device)
            return &record;
        if (record.device == nullptr)
            vacant = &record;
    }
    if (vacant == nullptr)
        return records_.emplace_back(device, mode_);
    std::destroy_at(vacant);
    return std::construct_at(vacant, device, mode_);
}

// ---------------------------------------------------------------- resetting

void AddressMap::reset_devices() {
    {
        LockGuard guard(changing_);
        ++resets_;
    }
    Gpa from{0};
    while (MapSlot *slot = next_to_reset(from)) {
        slot->enter();
        slot->device->reset();
        slot->leave();
    }
}

/// The first device at or behind `from` that this reset has not come to; moves `from` behind it. Until there is none, a reset goes on.
MapSlot *AddressMap::next_to_reset(Gpa &from) {
    LockGuard guard(changing_);
    Node *node = from.value() == 0 ? first_ : behind(last_from(Gpa{from.value() - 1}));
    for (; node != nullptr; node = node->following) {
        if (node->record == nullptr || node->record->reset_in == resets_)
            continue;
        node->record->reset_in = resets_;
        from = Gpa{node->range.base().value() + 1};
        resetting_ = true;
        return node;
    }
    resetting_ = false;
    return nullptr;
}

} // namespace sel4vm
