// SPDX-License-Identifier: BSD-2-Clause
//
// Who owns which range of an address space: devices and reservations, in order and disjoint. The whole access must lie inside one range. A VM has one
// such map for guest-physical addresses outside RAM, and one for I/O ports. It is a balanced tree (AVL): searching, adding and taking away take
// steps in the logarithm of their number.
//
// Threads: search() from any thread, without a lock. Changes from any thread, one at a time under a lock, while searches go on: a search that a
// change disturbs begins again. What is taken away stays readable for whoever found it before; recycle() says when nobody can have it any more.
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/object_vector.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/vm/device.hpp>

#include <array>
#include <atomic>
#include <optional>

namespace sel4vm {

/// A client's callback on a reserved range: it may map memory, emulate, or pass.
class ReservationHandler {
public:
    /// kind none: not handled, the policy decides.
    [[nodiscard]] virtual Answer fault(Vcpu &vcpu, const MemoryExit &exit) = 0;

protected:
    ~ReservationHandler() = default;
};

enum class AttachError : u8 {
    overlap,     ///< with a device, reservation or RAM region
    too_many,    ///< ranges or devices (AddressMap), or so many were taken away and may still be in use
    nothing,     ///< to be moved: nothing starts there
    wrong_state, ///< I/O ports: the VM was started
    out_of_memory,
};

/// What lives in a range: a device or a reservation. Does not change as long as anybody may have found it.
struct MapSlot {
    explicit MapSlot(GpaRange r) : range(r) {}
    /// Around each access of the device: its lock (LockRank::device), when it has one.
    void enter() const SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
        if (lock != nullptr)
            lock->lock();
    }
    void leave() const SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
        if (lock != nullptr)
            lock->unlock();
    }

    GpaRange range;
    MmioDevice *device = nullptr;
    ReservationHandler *reservation = nullptr;
    Mutex *lock =
        nullptr; ///< of the device, the same in all its ranges; nullptr: one executor, or the device locks itself
    u64 removed_in = 0; ///< the change that took it away; 0: it is in the map, or vacant
};

class AddressMap {
public:
    static constexpr usize kMaxRanges = 16'384;
    static constexpr usize kMaxDevices = 256; ///< each with as many ranges as there are

    /// The allocator outlives it.
    AddressMap(Allocator &allocator, LockMode mode)
        : allocator_(allocator), changing_(LockRank::address_map, mode), mode_(mode), records_(allocator) {}
    ~AddressMap();
    AddressMap(const AddressMap &) = delete;
    AddressMap &operator=(const AddressMap &) = delete;

    [[nodiscard]] Status<AttachError> attach(GpaRange range, MmioDevice &device);
    [[nodiscard]] Status<AttachError> reserve(GpaRange range, ReservationHandler &handler);
    /// Takes away the device or reservation that starts at `base`; false when there is none.
    [[nodiscard]] bool remove(Gpa base);
    /// The device or reservation that starts at `base` answers at `to` instead, from one moment to the next: it is found at one of the two by
    /// every search.
    [[nodiscard]] Status<AttachError> move(Gpa base, GpaRange to);

    /// What owns `at`; nullptr: nothing.
    [[nodiscard]] MapSlot *search(Gpa at) const;
    /// The lowest range that shares a byte with `range`.
    [[nodiscard]] std::optional<GpaRange> first_overlap(GpaRange range) const;
    [[nodiscard]] bool overlaps(GpaRange range) const { return first_overlap(range).has_value(); }
    /// Every device once, in address order of its first range. It may change the map meanwhile.
    void reset_devices();
    [[nodiscard]] usize size() const {
        LockGuard guard(changing_);
        return size_;
    }

    /// Counts what was taken away: whoever searches after he has seen a number finds nothing that was taken away up to it.
    [[nodiscard]] u64 removals() const { return removals_.load(std::memory_order_acquire); }
    /// Places of what was taken away up to `removal`, which no search can have found any more, may be taken again. False when something stays: what was
    /// taken away later, or everything while devices are reset.
    bool recycle(u64 removal);
    /// Orders what the calling thread does next after every change so far.
    void synchronize() { LockGuard guard(changing_); }

private:
    /// How many may be taken away, and perhaps in use, before devices can no longer come or move: it is guests that make them.
    static constexpr usize kMaxRemoved = 320;
    static constexpr usize kBlockNodes = 32;

    struct DeviceRecord {
        DeviceRecord(const MmioDevice &its_device, LockMode mode)
            : device(&its_device), mutex(LockRank::device, mode) {}
        const MmioDevice *device; ///< nullptr: vacant
        Mutex mutex;
        usize ranges = 0;
        u64 reset_in = 0; ///< the reset that has come to it
    };

    struct Node final : MapSlot {
        Node() : Node(*GpaRange::make(Gpa{0}, 1)) {}
        explicit Node(GpaRange its_range) : MapSlot(its_range) {}
        // What is below it stays when it is taken away, for those who are here.
        std::array<std::atomic<Node *>, 2> below{}; ///< what begins before it, and behind it
        unsigned height = 1;
        Node *previous = nullptr; ///< by address
        Node *following = nullptr;
        DeviceRecord *record = nullptr; ///< of its device
        Node *next_idle = nullptr;      ///< the next one that was taken away, or is vacant
    };
    enum Side : usize { kLeft, kRight };
    struct Block {
        std::array<Node, kBlockNodes> nodes;
        Owned<Block> next;
    };

    [[nodiscard]] Status<AttachError> insert(GpaRange range, MmioDevice *device, ReservationHandler *handler);
    [[nodiscard]] Node *vacant_node(GpaRange range) SEL4VM_REQUIRES(changing_);
    [[nodiscard]] bool has_most_nodes() const SEL4VM_REQUIRES(changing_) { return nodes_ >= kMaxRanges + kMaxRemoved; }
    void vacate(Node &node) SEL4VM_REQUIRES(changing_);
    [[nodiscard]] DeviceRecord *record_of(const MmioDevice &device) SEL4VM_REQUIRES(changing_);
    [[nodiscard]] Node *last_from(Gpa at) const SEL4VM_REQUIRES(changing_);
    [[nodiscard]] Node *behind(const Node *node) const SEL4VM_REQUIRES(changing_);
    [[nodiscard]] Node *starts_at(Gpa base) const SEL4VM_REQUIRES(changing_);
    [[nodiscard]] Node *first_overlapping(GpaRange range, const Node *but = nullptr) const SEL4VM_REQUIRES(changing_);
    [[nodiscard]] MapSlot *next_to_reset(Gpa &from);
    void link(Node &node) SEL4VM_REQUIRES(changing_);
    void unlink(Node &node) SEL4VM_REQUIRES(changing_);
    static Node *below(const Node &node, Side side) { return node.below[side].load(std::memory_order_relaxed); }
    static void put_below(Node &node, Side side, Node *child) {
        node.below[side].store(child, std::memory_order_release);
    }
    [[nodiscard]] static unsigned height_of(const Node *node) { return node != nullptr ? node->height : 0; }
    [[nodiscard]] static bool leans(const Node &node, Side side, unsigned by) {
        return height_of(below(node, side)) >= height_of(below(node, side == kLeft ? kRight : kLeft)) + by;
    }
    [[nodiscard]] static Node *lift(Node &node, Side side);
    [[nodiscard]] static Node *balanced(Node &node);
    [[nodiscard]] static Node *with(Node *tree, Node &node);
    [[nodiscard]] static Node *without(Node *tree, const Node &node);
    [[nodiscard]] static Node *without_first(Node &tree, Node *&first);
    void begin_change() SEL4VM_REQUIRES(changing_);
    void note_removed(Node &node) SEL4VM_REQUIRES(changing_);
    void end_change() SEL4VM_REQUIRES(changing_);

    // Those in use, by address. A search follows them between two looks at `version_`, which is odd while they change.
    std::atomic<Node *> root_{nullptr};
    Allocator &allocator_;
    std::atomic<u64> version_{0};
    std::atomic<u64> removals_{0};
    mutable Mutex changing_;
    LockMode mode_;
    usize size_ SEL4VM_GUARDED_BY(changing_) = 0;
    Node *first_ SEL4VM_GUARDED_BY(changing_) = nullptr; ///< the lowest
    u64 resets_ SEL4VM_GUARDED_BY(changing_) = 0;
    bool resetting_ SEL4VM_GUARDED_BY(changing_) = false; ///< somebody is inside a device's reset
    Node *removed_first_ SEL4VM_GUARDED_BY(changing_) = nullptr;
    Node *removed_last_ SEL4VM_GUARDED_BY(changing_) = nullptr;
    usize removed_ SEL4VM_GUARDED_BY(changing_) = 0; ///< were taken away and not recycled: mostly none
    Node *vacant_ SEL4VM_GUARDED_BY(changing_) = nullptr;
    Owned<Block> blocks_ SEL4VM_GUARDED_BY(changing_);
    usize nodes_ SEL4VM_GUARDED_BY(changing_) = 0; ///< in all blocks
    ObjectVector<DeviceRecord, kMaxDevices> records_ SEL4VM_GUARDED_BY(changing_);
};

} // namespace sel4vm
