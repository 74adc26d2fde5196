// SPDX-License-Identifier: BSD-2-Clause
//
// Slots of the VMM's capability space with an owner: what a function obtained is given back on every way out of it.
#pragma once

#include <hosts/sel4/kernel.hpp>

#include <utility>

namespace sel4vm::sel4 {

/// One slot, and the capability in it if any. Deleted and freed with its owner.
class CapSlot {
public:
    CapSlot() = default;
    CapSlot(CapSlot &&other) noexcept : vka_(std::exchange(other.vka_, nullptr)), cap_(std::exchange(other.cap_, 0)) {}
    CapSlot &operator=(CapSlot &&other) noexcept {
        if (this != &other) {
            reset();
            vka_ = std::exchange(other.vka_, nullptr);
            cap_ = std::exchange(other.cap_, 0);
        }
        return *this;
    }
    CapSlot(const CapSlot &) = delete;
    CapSlot &operator=(const CapSlot &) = delete;
    ~CapSlot() { reset(); }

    /// An empty slot; false when the allocator has none.
    [[nodiscard]] bool allocate(vka_t &vka);
    /// A slot with a copy of `source`.
    [[nodiscard]] Status<HostError> copy_of(vka_t &vka, seL4_CPtr source, seL4_CapRights_t rights);
    /// A new object of `type` from `untyped` in this slot, which must be allocated.
    [[nodiscard]] Status<HostError> retype(const vka_object_t &untyped, seL4_Word type, unsigned size_bits);

    [[nodiscard]] seL4_CPtr cap() const { return cap_; }
    explicit operator bool() const { return vka_ != nullptr; }
    [[nodiscard]] cspacepath_t path() const;
    /// Deletes the capability and keeps the slot.
    void clear();
    void reset();
    /// Slot and capability are somebody else's from now on.
    void release() { vka_ = nullptr; }

private:
    vka_t *vka_ = nullptr;
    seL4_CPtr cap_ = 0;
};

/// A kernel object of the client's allocator.
class OwnedObject {
public:
    OwnedObject() = default;
    OwnedObject(OwnedObject &&other) noexcept
        : vka_(std::exchange(other.vka_, nullptr)), object_(std::exchange(other.object_, vka_object_t{})) {}
    OwnedObject &operator=(OwnedObject &&other) noexcept {
        if (this != &other) {
            reset();
            vka_ = std::exchange(other.vka_, nullptr);
            object_ = std::exchange(other.object_, vka_object_t{});
        }
        return *this;
    }
    OwnedObject(const OwnedObject &) = delete;
    OwnedObject &operator=(const OwnedObject &) = delete;
    ~OwnedObject() { reset(); }

    [[nodiscard]] Status<HostError> allocate(vka_t &vka, seL4_Word type, unsigned size_bits);
    /// Also from RAM that the kernel does not manage, which the client's allocator then has as device memory. That is not cleared.
    [[nodiscard]] Status<HostError> allocate_anywhere(vka_t &vka, seL4_Word type, unsigned size_bits);
    /// At a physical address; `device`: memory that is no RAM will do.
    enum class Kind : u8 { ram, device };
    [[nodiscard]] Status<HostError> allocate_at(vka_t &vka, seL4_Word type, unsigned size_bits, HostPhys phys,
                                                Kind kind);

    [[nodiscard]] const vka_object_t &object() const { return object_; }
    [[nodiscard]] seL4_CPtr cap() const { return object_.cptr; }
    explicit operator bool() const { return vka_ != nullptr; }
    void reset();

private:
    vka_t *vka_ = nullptr;
    vka_object_t object_{};
};

/// The frame object of this size: 4 KiB, 2 MiB or 1 GiB.
[[nodiscard]] seL4_Word frame_type(unsigned size_bits);

} // namespace sel4vm::sel4
