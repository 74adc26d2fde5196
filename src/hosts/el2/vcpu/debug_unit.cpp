// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/vcpu/debug_unit.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>

#include <utility>

namespace sel4vm::el2 {

namespace {

constexpr u64 kEnable = 1;

// DBGBCR: LBN, SSC, HMC, BAS, PMC and E; BT is kept to address and context matches of a single translation regime. DBGWCR: WT and
// MASK as well. Bits beyond belong to later extensions, which the ID registers do not show.
constexpr u64 kBreakpointBits = 0x00ff'e1e7;
constexpr u64 kWatchpointBits = 0x1f1f'ffff;
// The type of a breakpoint that compares the VMID, which the guest must not learn.
constexpr u64 kVmidType = u64{8} << 20;

unsigned breakpoints() { return 1 + (SEL4VM_READ_SYSREG(id_aa64dfr0_el1) >> 12 & 0xf); }
unsigned watchpoints() { return 1 + (SEL4VM_READ_SYSREG(id_aa64dfr0_el1) >> 20 & 0xf); }

// A register's number is part of the instruction, so each has one of its own.
#define SEL4VM_EL2_WRITER(function, prefix)                                                    \
    template <unsigned... Numbers>                                                             \
    void function(unsigned n, u64 value, std::integer_sequence<unsigned, Numbers...>) {        \
        const auto write = [&]<unsigned Number>() {                                            \
            asm volatile("msr " #prefix "%c1_el1, %x0" ::"rZ"(value), "i"(Number) : "memory"); \
        };                                                                                     \
        ((n == Numbers ? write.template operator()<Numbers>() : void()), ...);                 \
    }
SEL4VM_EL2_WRITER(write_bvr, dbgbvr)
SEL4VM_EL2_WRITER(write_bcr, dbgbcr)
SEL4VM_EL2_WRITER(write_wvr, dbgwvr)
SEL4VM_EL2_WRITER(write_wcr, dbgwcr)
#undef SEL4VM_EL2_WRITER

constexpr std::make_integer_sequence<unsigned, 16> kNumbers{};

} // namespace

std::optional<DebugUnit::Place> DebugUnit::place_of(u32 id) {
    // op0 2, op1 0, CRn 0, CRm n, op2 4 to 7
    const u32 first = aarch64::sysreg_id(2, 0, 0, 0, 4);
    const u32 number = aarch64::sysreg_crm(id);
    if (id < first || id - first != (number << 3 | (id & 3)))
        return std::nullopt;
    const Place place{static_cast<Kind>(id & 3), number};
    const bool is_breakpoint = place.kind == breakpoint_value || place.kind == breakpoint_control;
    if (number >= (is_breakpoint ? breakpoints() : watchpoints()))
        return std::nullopt;
    return place;
}

Result<u64, HostError> DebugUnit::get(u32 id) const {
    const auto place = place_of(id);
    if (!place)
        return Err{HostError{HostErrorKind::not_available, 0}};
    return values_[place->kind][place->number];
}

Status<HostError> DebugUnit::set(u32 id, u64 value) {
    const auto place = place_of(id);
    if (!place)
        return Err{HostError{HostErrorKind::not_available, 0}};
    if (place->kind == breakpoint_control)
        value &= kBreakpointBits & ~kVmidType;
    else if (place->kind == watchpoint_control)
        value &= kWatchpointBits;
    values_[place->kind][place->number] = value;
    u64 controls = 0;
    for (usize n = 0; n < kMax; ++n)
        controls |= values_[breakpoint_control][n] | values_[watchpoint_control][n];
    in_use_ = (controls & kEnable) != 0;
    return Ok{};
}

void DebugUnit::load() const {
    for (unsigned n = 0; n < breakpoints(); ++n) {
        write_bvr(n, values_[breakpoint_value][n], kNumbers);
        write_bcr(n, values_[breakpoint_control][n], kNumbers);
    }
    for (unsigned n = 0; n < watchpoints(); ++n) {
        write_wvr(n, values_[watchpoint_value][n], kNumbers);
        write_wcr(n, values_[watchpoint_control][n], kNumbers);
    }
}

void DebugUnit::disable_all() {
    for (unsigned n = 0; n < breakpoints(); ++n)
        write_bcr(n, 0, kNumbers);
    for (unsigned n = 0; n < watchpoints(); ++n)
        write_wcr(n, 0, kNumbers);
}

} // namespace sel4vm::el2
