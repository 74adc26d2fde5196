// SPDX-License-Identifier: BSD-2-Clause
//
// A bank of NOR flash: two 16-bit chips side by side on a 32-bit bus, with Intel's command set (JEDEC JESD68.01, CFI; JEP137, command set 0001;
// commands and status bits as in Intel's StrataFlash data sheet 290667), as QEMU's `virt` board has two. Firmware keeps its variables there.
//
// Modelled: array, identifier, query and status reads; programming by words and through the write buffer, which clears bits and sets none;
// erasing blocks; the status with its errors.
// Simplified on purpose:
// - Both chips always get the same command, the one in the lowest byte of a write. A word of two different commands is two of the first.
// - Everything is done when its last write is: nothing is ever busy, and there is nothing to suspend.
// - Blocks are locked all, when the bank is read-only, or not at all; commands that lock and unlock are taken and change nothing.
// - No one-time-programmable registers.
// While the bank is in its array mode, the guest reads the memory itself, without an exit. What it holds outlives a reset of the VM.
//
// Threads: accesses one at a time, under the bus's lock.
#pragma once

#include <sel4vm/vm/device.hpp>
#include <sel4vm/vm/rom_port.hpp>

#include <array>

namespace sel4vm::dev {

class CfiFlash final : public MmioDevice {
public:
    /// Of the bank, both chips together.
    static constexpr u64 kBlockBytes = 256 * kKiB;
    static constexpr u32 kBufferBytes = 1024;
    static constexpr u32 kBankWidth = 4; ///< bytes

    enum class Writes : u8 { allowed, locked };

    /// What a read sees, or the next write is.
    enum class Mode : u8 {
        array,
        identifier,
        query,
        status,
        program,        ///< the next write is data
        erase,          ///< ... a confirmation
        lock,           ///< ... what to do with a lock
        buffer_count,   ///< ... a number of words minus one
        buffer_data,    ///< ... one of them
        buffer_confirm, ///< ... a confirmation
    };
    static constexpr Mode kLastMode = Mode::buffer_confirm;

    /// Everything a guest can see but the contents.
    struct State {
        Mode mode = Mode::array;
        u8 status = 0x80;    ///< of each chip; 0x80: ready
        u32 words_left = 0;  ///< writes of data that are still to come
        u32 buffer_from = 0; ///< where the first of them went, in words of the bank
        u32 buffer_words = 0;
        std::array<u8, kBufferBytes> buffer{};
        friend bool operator==(const State &, const State &) = default;
    };

    /// The memory outlives it, is shown, and has 2^n bytes: at least a block, at most 2 GiB.
    CfiFlash(RomPort &memory, Writes writes) : memory_(memory), writes_(writes) {}
    CfiFlash(const CfiFlash &) = delete;
    CfiFlash &operator=(const CfiFlash &) = delete;

    [[nodiscard]] const char *name() const override { return "cfi-flash"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override;

    [[nodiscard]] const State &state() const { return state_; }
    void restore(const State &state);

private:
    /// What a chip answers to a read of one of its words; the same from both.
    [[nodiscard]] u16 answer(u64 word) const;
    [[nodiscard]] u16 identifier(u64 word) const;
    [[nodiscard]] u8 query(u64 word) const;
    void write_word(u64 offset, Width width, u32 value);
    void command(u64 offset, u8 code);
    void count(u32 value);
    void buffer(u64 offset, Width width, u32 value);
    [[nodiscard]] u64 buffer_bytes() const;
    void program_buffer();
    void program(u64 offset, std::span<const u8> data);
    void erase(u64 offset);
    void finish(u8 error);
    void enter(Mode mode);

    RomPort &memory_;
    Writes writes_;
    State state_;
};

} // namespace sel4vm::dev
