// SPDX-License-Identifier: BSD-2-Clause
//
// The device by which QEMU's boards tell firmware about their machine (QEMU's documentation, "QEMU Firmware Configuration (fw_cfg) Device"), with its
// registers in memory: items of bytes by their number, and files by their name, read through a register or by DMA.
//
// Left out on purpose: items that the guest may write, which DMA refuses with its error bit; interfaces by I/O ports.
// DMA is work (vm/device_work.hpp): a guest that asks for gigabytes spends its own time. Its control word says when it is done, as it does in QEMU.
//
// Threads: its own lock, over guest memory's.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/host/dma_port.hpp>
#include <sel4vm/vm/device.hpp>
#include <sel4vm/vm/device_work.hpp>

#include <array>
#include <span>
#include <string_view>

namespace sel4vm::dev {

class FwCfg final : public MmioDevice, private DeviceWork {
public:
    static constexpr u64 kRangeBytes = 0x18;
    static constexpr usize kMostItems = 24;
    static constexpr usize kMostFiles = 8;
    /// Of a file's name.
    static constexpr usize kMostNameBytes = 55;

    /// What both the registers and DMA go by.
    struct State {
        u16 key = 0;
        u32 offset = 0;       ///< of the next byte of that item
        u32 address_high = 0; ///< of a descriptor, until its lower half is written
        u64 descriptor = 0;   ///< of the DMA that goes on
        u64 target = 0;       ///< where its next byte goes
        u32 left = 0;         ///< bytes of it
        bool busy = false;    ///< it was asked for
        bool begun = false;   ///< its descriptor has been read
        u32 moving = 0;       ///< what it does: a bit of its control word, or nothing
        friend bool operator==(const State &, const State &) = default;
    };

    FwCfg(DmaPort &dma, WorkTurns &turns, LockMode locks);
    FwCfg(const FwCfg &) = delete;
    FwCfg &operator=(const FwCfg &) = delete;
    ~FwCfg() { turns_.withdraw(*this); }

    // -- before the guest runs; false: there are too many
    /// The bytes outlive it.
    [[nodiscard]] bool add(u16 key, std::span<const u8> bytes);
    /// A number of 2 or 4 bytes, little endian.
    [[nodiscard]] bool add_number(u16 key, u32 value, u32 bytes);
    /// False also for a name that is too long. The name is copied.
    [[nodiscard]] bool add_file(std::string_view name, std::span<const u8> bytes);
    /// Tells whoever gives turns that it is there.
    [[nodiscard]] bool connect() { return turns_.add(*this); }

    [[nodiscard]] const char *name() const override { return "fw-cfg"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override;
    [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

    /// While no vCPU runs.
    [[nodiscard]] const State &state() const { return state_; }

private:
    struct Item {
        u16 key;
        std::span<const u8> bytes;
    };
    static constexpr usize kDirectoryEntry = 64;

    [[nodiscard]] std::span<const u8> selected() const;
    void select(u16 key);
    void ask_for_dma(VcpuId by, u64 descriptor);
    [[nodiscard]] bool work(u64 &left_bytes) override;
    [[nodiscard]] bool begin();
    void move(u64 &left_bytes);
    void finish(bool good);

    DmaPort &dma_;
    WorkTurns &turns_;
    Mutex lock_;
    FixedVector<Item, kMostItems> items_;
    FixedVector<std::array<u8, 4>, kMostItems> numbers_;
    u32 files_ = 0;
    std::array<u8, 4 + kMostFiles * kDirectoryEntry> directory_{};
    State state_;
};

} // namespace sel4vm::dev
