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
    [[nodiscard]] Result<bool, DmaError> lend(Gpa at, u64 size_bytes, DmaTaker &taker) override {
        Lender lender(taker);
        const auto whole = memory_.visit(at, size_bytes, lender);
        if (!whole)
            return Err{error_of(whole.error())};
        return *whole;
    }
    [[nodiscard]] Result<u16, DmaError> load_index(Gpa at) override {
        const auto value = memory_.load<u16>(at, std::memory_order_acquire);
        if (!value)
            return Err{error_of(value.error())};
        return *value;
    }
    [[nodiscard]] Status<DmaError> store_index(Gpa at, u16 value) override {
        return result_of(memory_.store(at, value, std::memory_order_release));
    }
    [[nodiscard]] bool bring_in(Gpa at, u64 size_bytes) override { return memory_.bring_in(at, size_bytes); }

private:
    class Lender final : public GuestMemory::Visitor {
    public:
        explicit Lender(DmaTaker &taker) : taker_(taker) {}
        [[nodiscard]] bool part(Gpa, volatile u8 *window, u64, u64 count) override {
            // SAFETY: the taker copies; which of two values it gets of a byte that a guest changes is all the same.
            return taker_.take({const_cast<const u8 *>(window), static_cast<usize>(count)});
        }

    private:
        DmaTaker &taker_;
    };
    [[nodiscard]] static DmaError error_of(MemoryError error) {
        switch (error) {
        case MemoryError::read_only: return DmaError::read_only;
        case MemoryError::misaligned: return DmaError::misaligned;
        case MemoryError::unmapped: break;
        }
        return DmaError::unmapped;
    }
    [[nodiscard]] static Status<DmaError> result_of(const Status<MemoryError> &status) {
        if (status)
            return Ok{};
        return Err{error_of(status.error())};
    }
    GuestMemory &memory_;
};

} // namespace sel4vm
