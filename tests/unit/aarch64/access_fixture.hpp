// SPDX-License-Identifier: BSD-2-Clause
//
// Runs one load or store of a guest with registers, memory and a translator of the test's own, and notes each access.
#pragma once

#include <sel4vm/arch/aarch64/access.hpp>
#include <sel4vm/base/bits.hpp>

#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <vector>

namespace sel4vm::aarch64 {

inline constexpr u64 kVa = 0xffff'8000'0a00'0100; ///< where the guest's registers point
inline constexpr u64 kGpa = 0x0900'0100;          ///< the same byte

class TestRegisters final : public RegisterFile {
public:
    u64 general[31] = {};
    u64 stack = 0;
    u64 counter = 0;
    u64 vector[32][2] = {};
    unsigned reads = 0; ///< of general and vector registers: each may be a request to the host

    u64 x(unsigned n) override {
        ++reads;
        return general[index(n)];
    }
    void set_x(unsigned n, u64 value) override { general[index(n)] = value; }
    u64 sp() override { return stack; }
    void set_sp(u64 value) override { stack = value; }
    u64 pc() override { return counter; }
    u64 v(unsigned n, unsigned half) override {
        ++reads;
        return vector[n][half];
    }
    void set_v(unsigned n, unsigned half, u64 value) override { vector[n][half] = value; }

private:
    static unsigned index(unsigned n) {
        EXPECT_LT(n, 31U);
        return n;
    }
};

/// Maps the page after that of kVa elsewhere and nothing else.
class TestTranslator final : public AddressTranslator {
public:
    std::optional<Gpa> translate(GuestVirt at, MemoryAccess) override {
        ++calls;
        if ((at.value() | 0xfff) == (kVa | 0xfff) + 0x1000)
            return Gpa{0x0b00'0000 + (at.value() & 0xfff)};
        return std::nullopt;
    }
    unsigned calls = 0;
};

/// One exit as a test writes it down.
struct Seen {
    u64 gpa;
    unsigned bytes;
    bool write;
    u64 data; ///< written or answered
    friend bool operator==(const Seen &, const Seen &) = default;
    friend void PrintTo(const Seen &seen, std::ostream *out) {
        *out << (seen.write ? "write" : "read") << seen.bytes << " 0x" << std::hex << seen.gpa << " 0x" << seen.data;
    }
};

class AccessSequenceTest : public testing::Test {
protected:
    TestRegisters registers;
    TestTranslator translator;
    AccessSequence sequence;
    AccessRequest request{
        .fault_address = GuestVirt{kVa}, .fault_gpa = Gpa{kGpa}, .exclusives = ExclusivePolicy::emulate};
    std::map<u64, u8> memory;
    std::vector<Seen> seen;

    AccessSequenceTest() {
        for (unsigned n = 0; n < 31; ++n)
            registers.general[n] = 0x1111'1111'1111'1111 * u64{n % 15 + 1};
        for (unsigned n = 0; n < 32; ++n) {
            registers.vector[n][0] = 0x0706'0504'0302'0100 + u64{n} * 0x1000'0000'0000'0010;
            registers.vector[n][1] = 0x0f0e'0d0c'0b0a'0908 + u64{n} * 0x1000'0000'0000'0010;
        }
        registers.general[2] = kVa;
    }
    /// Memory holds these bytes from kGpa.
    void remember(std::vector<u8> bytes, u64 gpa = kGpa) {
        for (const u8 byte : bytes)
            memory[gpa++] = byte;
    }
    /// 0x80, 0x81 and so on.
    void remember_pattern(unsigned count) {
        for (unsigned i = 0; i < count; ++i)
            memory[kGpa + i] = static_cast<u8>(0x80 + i);
    }
    AccessStep run(u32 instruction) {
        request.instruction = instruction;
        seen.clear();
        AccessStep step = sequence.start(request, registers, translator);
        while (step == AccessStep::access) {
            const MemoryExit exit = sequence.exit();
            EXPECT_TRUE(exit.emulatable);
            const unsigned bytes = bytes_of(exit.width);
            u64 data = exit.data;
            if (exit.access == MemoryAccess::read) {
                EXPECT_EQ(exit.data, 0U);
                data = 0;
                for (unsigned i = 0; i < bytes; ++i)
                    data |= u64{memory[exit.gpa.value() + i]} << 8 * i;
            } else {
                EXPECT_EQ(exit.data & ~mask_of(exit.width), 0U);
                for (unsigned i = 0; i < bytes; ++i)
                    memory[exit.gpa.value() + i] = static_cast<u8>(exit.data >> 8 * i);
            }
            seen.push_back({exit.gpa.value(), bytes, exit.access == MemoryAccess::write, data});
            // What the device puts above the width must not matter.
            step = sequence.next(exit.access == MemoryAccess::read ? data | ~mask_of(exit.width) : ~u64{0}, translator);
        }
        if (step == AccessStep::done)
            sequence.commit(registers);
        return step;
    }
};

} // namespace sel4vm::aarch64
