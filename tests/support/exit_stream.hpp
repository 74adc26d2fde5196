// SPDX-License-Identifier: BSD-2-Clause
//
// Exits of a hostile guest, made of any bytes: MMIO, system registers, hypercalls, waits and what else a host reports.
#pragma once

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/host/exit.hpp>

#include <span>

namespace sel4vm::test {

/// Numbers from a stream of bytes; zeros behind its end.
class Input {
public:
    explicit Input(std::span<const u8> bytes) : bytes_(bytes) {}
    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    u64 number(usize count) {
        u64 value = 0;
        for (usize i = 0; i < count && !bytes_.empty(); ++i) {
            value = value << 8 | bytes_.front();
            bytes_ = bytes_.subspan(1);
        }
        return value;
    }

private:
    std::span<const u8> bytes_;
};

inline Width width_of(u64 n) { return static_cast<Width>(1u << (n & 3)); }

/// Mostly addresses where something is; sometimes any.
inline Gpa address(Input &input) {
    constexpr u64 kBases[] = {0x0800'0000, 0x080a'0000, 0x080b'0000, 0x0900'0000, 0x0901'0000, 0x4000'0000, 0, 0};
    const u64 choice = input.number(1);
    const u64 base = kBases[choice & 7];
    return Gpa{base != 0 ? base + (input.number(2) & 0xffff) : input.number(6)};
}

/// Any exit that a guest can cause.
inline Exit make_exit(Input &input) {
    switch (input.number(1) & 7) {
    case 0:
    case 1: {
        const Gpa at = address(input);
        return Exit{MemoryExit{at, 0, MemoryAccess::read, width_of(input.number(1)), true}};
    }
    case 2:
    case 3: {
        const Gpa at = address(input);
        const Width width = width_of(input.number(1));
        return Exit{MemoryExit{at, input.number(bytes_of(width)), MemoryAccess::write, width, true}};
    }
    case 4: {
        constexpr u32 kFamilies[] = {0x8400'0000, 0xc400'0000, 0x8000'0000, 0x8400'0050, 0xc400'0050, 0};
        const u64 choice = input.number(1);
        const u32 family = kFamilies[choice % 6];
        const u64 function = family != 0 ? family | (input.number(1) & 0x3f) : input.number(4);
        return Exit{aarch64::hypercall(function, static_cast<u16>(choice >> 6),
                                       (choice & 8) != 0 ? aarch64::Conduit::smc : aarch64::Conduit::hvc)};
    }
    case 5: {
        const u64 shape = input.number(3);
        const u32 op0 = (shape & 1) != 0 ? 3 : 2;
        const u32 id = aarch64::sysreg_id(op0, static_cast<u32>(shape >> 1 & 7), static_cast<u32>(shape >> 4 & 15),
                                          static_cast<u32>(shape >> 8 & 15), static_cast<u32>(shape >> 12 & 7));
        return Exit{SystemRegisterExit{id, (shape >> 15 & 1) != 0, input.number(8)}};
    }
    case 6: {
        const u64 choice = input.number(1);
        if ((choice & 0x80) == 0)
            return Exit{WaitExit{(choice & 1) != 0}};
        // Fetches, instructions that nobody can tell, and walks of the guest's own tables.
        const Gpa at = address(input);
        const MemoryAccess access = (choice & 1) != 0 ? MemoryAccess::write : MemoryAccess::read;
        switch (choice >> 1 & 3) {
        case 0: return Exit{MemoryExit{at, 0, MemoryAccess::fetch, Width::b4, true}};
        case 1: return Exit{MemoryExit{at, 0, access, Width::b1, false}};
        default: return Exit{MemoryExit{at, 0, access, Width::b8, false, true}};
        }
    }
    default: {
        const u64 choice = input.number(1);
        if (choice & 4)
            return Exit{aarch64::irq_service(aarch64::IrqService::virtual_timer)};
        if ((choice & 3) == 1)
            return Exit{aarch64::irq_service(aarch64::IrqService::maintenance)};
        constexpr ExitKind kPlain[] = {ExitKind::kicked, ExitKind::kicked, ExitKind::undefined, ExitKind::debug};
        return Exit{kPlain[choice & 3]};
    }
    }
}

} // namespace sel4vm::test
