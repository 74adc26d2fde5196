// SPDX-License-Identifier: BSD-2-Clause
//
// The doorbell beside memory that VMs share: a page of registers, of ours (docs/shared-memory.md), by which each VM rings the others, and sees who
// has rung. A ring is an edge on a shared interrupt's wire of the VM that is rung. Deliberately no data: that is what the memory is for; and no word
// about the others' state but whether they exist.
//
// Reset: nobody has rung. The rings that this VM has sent stay with those that got them.
// Threads: any. What VMs have in common is under one lock for each shared memory.
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/vm/device.hpp>
#include <sel4vm/vm/irq.hpp>

#include <array>

namespace sel4vm::dev {

class Doorbell;

/// Who can ring whom: the doorbells of one shared memory, by their sides.
class DoorbellGroup {
public:
    static constexpr u32 kMaxSides = 8;

    DoorbellGroup() = default;
    DoorbellGroup(const DoorbellGroup &) = delete;
    DoorbellGroup &operator=(const DoorbellGroup &) = delete;

    /// False: there is no such side, or it is somebody's. Whoever joins leaves.
    [[nodiscard]] bool join(Doorbell &doorbell);
    /// From its return on nobody is inside the doorbell, or rings it.
    void leave(Doorbell &doorbell);

private:
    friend class Doorbell;
    Mutex lock_{LockRank::doorbells};
    std::array<Doorbell *, kMaxSides> sides_ SEL4VM_GUARDED_BY(lock_){};
};

class Doorbell final : public MmioDevice {
public:
    static constexpr u64 kRangeBytes = 0x1000;

    /// Everything a guest can see that is its own.
    struct State {
        u32 rung = 0; ///< bit n: side n has, since the guest took note of it last
        friend bool operator==(const State &, const State &) = default;
    };

    Doorbell(DoorbellGroup &group, u32 side, IrqLine line) : group_(group), side_(side), line_(line) {}
    Doorbell(const Doorbell &) = delete;
    Doorbell &operator=(const Doorbell &) = delete;

    [[nodiscard]] u32 side() const { return side_; }
    [[nodiscard]] State state() const;

    [[nodiscard]] const char *name() const override { return "doorbell"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override;
    /// The group's lock is all it needs.
    [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

private:
    friend class DoorbellGroup;
    [[nodiscard]] u32 present();
    void ring(u32 sides);
    void take_note(u32 sides);

    DoorbellGroup &group_;
    u32 side_;
    IrqLine line_;
    State state_; // under the group's lock
};

/// Member of a group for as long as it lives.
class JoinedDoorbell {
public:
    JoinedDoorbell(DoorbellGroup &group, u32 side, IrqLine line) : group_(group), doorbell_(group, side, line) {
        joined_ = group_.join(doorbell_);
    }
    JoinedDoorbell(const JoinedDoorbell &) = delete;
    JoinedDoorbell &operator=(const JoinedDoorbell &) = delete;
    ~JoinedDoorbell() {
        if (joined_)
            group_.leave(doorbell_);
    }
    /// False: its side was somebody's.
    [[nodiscard]] bool joined() const { return joined_; }
    [[nodiscard]] Doorbell &device() { return doorbell_; }

private:
    DoorbellGroup &group_;
    Doorbell doorbell_;
    bool joined_;
};

} // namespace sel4vm::dev
