// SPDX-License-Identifier: BSD-2-Clause
//
// Virtio MMIO transports with nothing behind them (Virtio 1.2, 4.2.2): the `virt` board has 32 of them whatever devices it is
// given, and software built for that board looks for its devices there. Each says that it is a transport and that its device
// number is 0, "nothing here"; all else reads as zero and ignores writes. A transport with a device replaces its slot.
//
// Threads: the object has no state.
#pragma once

#include <sel4vm/vm/device.hpp>

namespace sel4vm::dev {

class VirtioSlots final : public MmioDevice {
public:
    static constexpr u64 kSlotBytes = 0x200;
    static constexpr u32 kSlots = 32;
    static constexpr u64 kRangeBytes = kSlots * kSlotBytes;

    [[nodiscard]] const char *name() const override { return "empty virtio slots"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override {}
};

} // namespace sel4vm::dev
