// SPDX-License-Identifier: BSD-2-Clause
//
// KVM's memory slots of one VM as the process knows them: which guest-physical range is which window. Every change gives the requests that
// make the kernel's table the same, and makes none itself. The kernel changes only whole slots, and neither their size nor whether they
// are read-only: what is cut or protected is removed and made again.
//
// Threads: the owner's lock.
#pragma once

#include <sel4vm/base/range.hpp>
#include <sel4vm/host/guest_space_port.hpp>

#include <linux/kvm.h>
#include <optional>
#include <vector>

namespace sel4vm::kvm {

/// A request for KVM_SET_USER_MEMORY_REGION; memory_size 0 removes the slot.
using SlotRequest = kvm_userspace_memory_region;

class SlotTable {
public:
    /// `capacity`: how many slots the kernel has for a VM.
    explicit SlotTable(u32 capacity) : capacity_(capacity) {}

    /// `window`: where the process sees the first byte. invalid: a part is mapped; out_of_memory: there is no slot left.
    [[nodiscard]] Result<SlotRequest, HostError> add(GpaRange at, u64 window, Protection protection);
    /// Takes back what add() gave last, when the kernel refused it.
    void forget(const SlotRequest &request);
    /// Parts that are not mapped are skipped. out_of_memory: a hole would need a slot more than there is; nothing is changed then.
    [[nodiscard]] Result<std::vector<SlotRequest>, HostError> remove(GpaRange at);
    /// invalid: a part is not mapped; out_of_memory as remove(). Nothing is changed then.
    [[nodiscard]] Result<std::vector<SlotRequest>, HostError> protect(GpaRange at, Protection protection);

    /// Where the process sees [at, at + size), when it is mapped and one piece there; else no value.
    [[nodiscard]] std::optional<u64> window_of(Gpa at, u64 size_bytes) const;

    [[nodiscard]] usize size() const { return slots_.size(); }

private:
    struct Slot {
        GpaRange at;
        u64 window;
        bool read_only;
        u32 number;
    };
    enum class Middle : u8 { removed, protected_ };

    [[nodiscard]] u32 free_number() const;
    [[nodiscard]] bool is_mapped(GpaRange at) const;
    [[nodiscard]] Result<std::vector<SlotRequest>, HostError> rewrite(GpaRange at, Middle middle, bool read_only);
    static SlotRequest request_for(const Slot &slot);

    u32 capacity_;
    std::vector<Slot> slots_; // by address
};

} // namespace sel4vm::kvm
