// SPDX-License-Identifier: BSD-2-Clause
//
// The RomPort of a region of a VM's memory: one that Vm::add_rom_device() made.
//
// Threads: as RomPort.
#pragma once

#include <sel4vm/vm/guest_memory.hpp>
#include <sel4vm/vm/rom_port.hpp>

namespace sel4vm {

class GuestRom final : public RomPort {
public:
    /// The memory outlives it. The range is the region's, once there is one.
    GuestRom(GuestMemory &memory, GpaRange range) : memory_(memory), range_(range) {}

    [[nodiscard]] u64 size_bytes() const override { return range_.size(); }
    void hide() override { static_cast<void>(memory_.hide(range_.base())); }
    void show() override { static_cast<void>(memory_.show(range_.base())); }
    void read(u64 offset, std::span<u8> out) const override {
        if (has(offset, out.size()))
            static_cast<void>(memory_.read(at(offset), out));
    }
    void write(u64 offset, std::span<const u8> bytes) override {
        if (has(offset, bytes.size()))
            static_cast<void>(memory_.load_image(at(offset), bytes));
    }

private:
    [[nodiscard]] bool has(u64 offset, u64 count) const {
        return offset <= range_.size() && count <= range_.size() - offset;
    }
    [[nodiscard]] Gpa at(u64 offset) const { return Gpa{range_.base().value() + offset}; }

    GuestMemory &memory_;
    GpaRange range_;
};

} // namespace sel4vm
