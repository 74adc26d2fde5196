// SPDX-License-Identifier: BSD-2-Clause
//
// The DmaPort of a VM: its memory as it is, without translation. Devices that its bus puts behind an IOMMU would get another one.
//
// Threads: any, as GuestMemory.
#pragma once

#include <sel4vm/host/dma_port.hpp>
#include <sel4vm/vm/guest_memory.hpp>

namespace sel4vm {

class GuestDma final : public DmaPort {
public:
    /// The memory outlives it.
    explicit GuestDma(GuestMemory &memory) : memory_(memory) {}

    [[nodiscard]] Status<DmaError> read(Gpa at, std::span<u8> out) override { return result_of(memory_.read(at, out)); }
    [[nodiscard]] Status<DmaError> write(Gpa at, std::span<const u8> bytes) override {
        return result_of(memory_.write(at, bytes));
    }

private:
    [[nodiscard]] static Status<DmaError> result_of(const Status<MemoryError> &status) {
        if (status)
            return Ok{};
        return Err{status.error() == MemoryError::read_only ? DmaError::read_only : DmaError::unmapped};
    }
    GuestMemory &memory_;
};

} // namespace sel4vm
