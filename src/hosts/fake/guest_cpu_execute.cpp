// SPDX-License-Identifier: BSD-2-Clause
//
// The instructions (Arm ARM DDI 0487, "A64 Instruction Set Encoding").
#include <hosts/fake/guest_cpu.hpp>
#include <hosts/fake/process.hpp>

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/text.hpp>

#include <utility>

namespace sel4vm::fake {

namespace {

namespace sysreg = aarch64::sysreg;

constexpr unsigned field(u32 code, unsigned high, unsigned low) { return code >> low & low_mask<u32>(high - low + 1); }
constexpr i64 signed_field(u32 code, unsigned high, unsigned low) {
    return static_cast<i64>(static_cast<u64>(field(code, high, low)) << (63 - (high - low))) >> (63 - (high - low));
}
constexpr bool matches(u32 code, u32 mask, u32 value) { return (code & mask) == value; }

constexpr u64 kZero = u64{1} << 30; // PSTATE.Z
constexpr u32 kUndefinedSyndrome = 1U << 25;

/// ESR_EL2 of an exception that a 32-bit instruction took.
constexpr u32 trap_of(aarch64::Ec exception_class, u32 specific) {
    return static_cast<u32>(exception_class) << 26 | 1U << 25 | specific;
}

} // namespace

std::optional<Exit> GuestCpu::step() {
    u64 word = 0;
    if (auto exit = access(Gpa{pc_}, MemoryAccess::fetch, Width::b4, word)) {
        trap_ = trap_of(aarch64::Ec::instruction_abort_lower, fault_status_);
        return exit;
    }
    const u32 code = static_cast<u32>(word);
    if (branch(code))
        return std::nullopt;
    if (compute(code)) {
        pc_ += 4;
        return std::nullopt;
    }
    if (matches(code, 0x3f00'0000, 0x3900'0000))
        return load_store(code);
    if (matches(code, 0xffe0'001f, 0xd400'0002) || matches(code, 0xffe0'001f, 0xd400'0003)) {
        const auto conduit = field(code, 0, 0) == 0 ? aarch64::Conduit::hvc : aarch64::Conduit::smc;
        trap_ = trap_of(conduit == aarch64::Conduit::hvc ? aarch64::Ec::hvc64 : aarch64::Ec::smc64, field(code, 20, 5));
        return Exit{aarch64::hypercall(x_[0], static_cast<u16>(field(code, 20, 5)), conduit)};
    }
    if (code == 0xd503'207f) { // WFI
        if (!lists_.signalled()) {
            trap_ = trap_of(aarch64::Ec::wfx, 0x1eU << 20); // condition: always
            return Exit{WaitExit{false}};
        }
        pc_ += 4;
        return std::nullopt;
    }
    if (matches(code, 0xffe0'001f, 0xd420'0000)) { // BRK
        trap_ = trap_of(aarch64::Ec::brk64, field(code, 20, 5));
        return Exit{ExitKind::debug};
    }
    if (matches(code, 0xffc0'0000, 0xd500'0000))
        return move_system_register(code);
    if (field(code, 31, 16) != 0) // else it is UDF, which is meant to be undefined
        say_unknown(code);
    enter_exception(0x200, kUndefinedSyndrome, 0);
    return std::nullopt;
}

void GuestCpu::say_unknown(u32 code) {
    if (std::exchange(said_unknown_, true))
        return;
    Text<120> text;
    text << "the interpreter does not know the instruction " << Hex{code} << " at " << Hex{pc_}
         << ": it is undefined to the guest";
    Process::log("fake host", text.view());
}

bool GuestCpu::branch(u32 code) {
    const auto jump = [&](i64 words) { pc_ += static_cast<u64>(words * 4); };
    if (matches(code, 0x7c00'0000, 0x1400'0000)) { // B, BL
        if ((code >> 31) != 0)
            x_[30] = pc_ + 4;
        jump(signed_field(code, 25, 0));
    } else if (matches(code, 0x7e00'0000, 0x3400'0000)) { // CBZ, CBNZ
        const u64 value = general_register(field(code, 4, 0)) & ((code >> 31) != 0 ? ~u64{0} : 0xffff'ffff);
        jump((value == 0) == (field(code, 24, 24) == 0) ? signed_field(code, 23, 5) : 1);
    } else if (matches(code, 0xff00'0010, 0x5400'0000)) { // B.EQ, B.NE; other conditions are never written
        const bool equal = (pstate_ & kZero) != 0;
        jump(equal == (field(code, 3, 0) == 0) ? signed_field(code, 23, 5) : 1);
    } else if (matches(code, 0xff9f'fc1f, 0xd61f'0000)) { // BR, BLR, RET
        const u64 target = general_register(field(code, 9, 5));
        if (field(code, 22, 21) == 1)
            x_[30] = pc_ + 4;
        pc_ = target;
    } else if (code == 0xd69f'03e0) { // ERET
        pc_ = system_[sysreg::kElrEl1];
        pstate_ = system_[sysreg::kSpsrEl1];
    } else {
        return false;
    }
    return true;
}

bool GuestCpu::compute(u32 code) {
    const bool wide = (code >> 31) != 0;
    const unsigned rd = field(code, 4, 0);
    const unsigned rn = field(code, 9, 5);
    const auto note = [&](u64 value) {
        pstate_ = (wide ? value : value & 0xffff'ffff) == 0 ? pstate_ | kZero : pstate_ & ~kZero;
    };
    if (matches(code, 0x1f80'0000, 0x1280'0000)) { // MOVN, MOVZ, MOVK
        const unsigned shift = field(code, 22, 21) * 16;
        const u64 part = u64{field(code, 20, 5)} << shift;
        switch (field(code, 30, 29)) {
        case 0: set(rd, wide, ~part); return true;
        case 2: set(rd, wide, part); return true;
        case 3: set(rd, wide, (general_register(rd) & ~(u64{0xffff} << shift)) | part); return true;
        default: return false;
        }
    }
    if (matches(code, 0x1f00'0000, 0x1000'0000) && field(code, 31, 31) == 0) { // ADR
        set(rd, true, pc_ + static_cast<u64>(signed_field(code, 23, 5) * 4) + field(code, 30, 29));
        return true;
    }
    const bool immediate = matches(code, 0x1f80'0000, 0x1100'0000);
    if (immediate || matches(code, 0x1f20'0000, 0x0b00'0000)) { // ADD, ADDS, SUB, SUBS
        const u64 operand = immediate ? u64{field(code, 21, 10)} << (field(code, 22, 22) * 12)
                                      : general_register(field(code, 20, 16)) << field(code, 15, 10);
        const u64 value = field(code, 30, 30) != 0 ? general_register(rn) - operand : general_register(rn) + operand;
        if (field(code, 29, 29) != 0)
            note(value);
        set(rd, wide, value);
        return true;
    }
    if (matches(code, 0x1f20'0000, 0x0a00'0000)) { // AND, ORR, EOR, ANDS
        const u64 operand = general_register(field(code, 20, 16)) << field(code, 15, 10);
        const u64 first = general_register(rn);
        const unsigned which = field(code, 30, 29);
        const u64 value = which == 1 ? first | operand : which == 2 ? first ^ operand : first & operand;
        if (which == 3)
            note(value);
        set(rd, wide, value);
        return true;
    }
    // Hints other than WFI, barriers, cache and TLB maintenance.
    return (matches(code, 0xffff'f01f, 0xd503'201f) && code != 0xd503'207f) ||
           matches(code, 0xffff'f01f, 0xd503'301f) || matches(code, 0xfff8'0000, 0xd508'0000);
}

std::optional<Exit> GuestCpu::load_store(u32 code) {
    const unsigned size = field(code, 31, 30);
    const unsigned opc = field(code, 23, 22);
    const Width width = static_cast<Width>(1U << size);
    const unsigned rn = field(code, 9, 5);
    const Gpa at{general_register(rn) + (u64{field(code, 21, 10)} << size)};
    transfer_ = {field(code, 4, 0), width, opc >= 2, opc == 3 || (opc == 1 && size < 3)};
    u64 data = opc == 0 ? general_register(transfer_.rt) : 0;
    if (auto exit = access(at, opc == 0 ? MemoryAccess::write : MemoryAccess::read, width, data)) {
        const u32 sign = transfer_.sign ? 1U << 21 : 0;
        const u32 sixty_four = !transfer_.narrow && (opc >= 2 || size == 3) ? 1U << 15 : 0;
        trap_ = trap_of(aarch64::Ec::data_abort_lower, 1U << 24 | size << 22 | sign | transfer_.rt << 16 | sixty_four |
                                                           (opc == 0 ? 1U << 6 : 0) | fault_status_);
        return exit;
    }
    if (opc != 0)
        put(transfer_, data);
    pc_ += 4;
    return std::nullopt;
}

std::optional<Exit> GuestCpu::move_system_register(u32 code) {
    if (matches(code, 0xffff'f0ff, 0xd503'40df) || matches(code, 0xffff'f0ff, 0xd503'40ff)) { // DAIFSet, DAIFClr
        const u64 bits = u64{field(code, 11, 8)} << 6;
        pstate_ = (code & 0x20) == 0 ? pstate_ | bits : pstate_ & ~bits;
        pc_ += 4;
        return std::nullopt;
    }
    const u32 id = aarch64::sysreg_id_of_instruction(code);
    const bool write = field(code, 21, 21) == 0;
    const unsigned rt = field(code, 4, 0);
    if (move_gic_register(id, write, rt)) {
        pc_ += 4;
        return std::nullopt;
    }
    if (write && set_own_register(id, general_register(rt))) {
        pc_ += 4;
        return std::nullopt;
    }
    if (!write) {
        if (const auto value = own_register(id)) {
            set(rt, true, *value);
            pc_ += 4;
            return std::nullopt;
        }
    }
    transfer_ = {rt, Width::b8, false, false};
    trap_ = trap_of(aarch64::Ec::sysreg, u32{aarch64::sysreg_op0(id)} << 20 | u32{aarch64::sysreg_op2(id)} << 17 |
                                             u32{aarch64::sysreg_op1(id)} << 14 | u32{aarch64::sysreg_crn(id)} << 10 |
                                             rt << 5 | u32{aarch64::sysreg_crm(id)} << 1 | (write ? 0U : 1U));
    return Exit{SystemRegisterExit{id, write, write ? general_register(rt) : 0}};
}

} // namespace sel4vm::fake
