// SPDX-License-Identifier: BSD-2-Clause
//
// From a trapped guest load or store to the exits that the core emulates. Two ways: with a valid syndrome (ISV), a few
// inline instructions; without one, AccessSequence decodes the instruction and delivers it as single accesses of at
// most 8 bytes, in the order of the architecture, and commits registers only when all succeeded. It does not fetch the
// instruction, move PC or raise exceptions: those are the host's. See docs/aarch64.md.
#pragma once

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/arch/aarch64/load_store.hpp>
#include <sel4vm/arch/aarch64/next_instruction.hpp>
#include <sel4vm/base/types.hpp>
#include <sel4vm/host/exit.hpp>

#include <array>
#include <optional>

namespace sel4vm::aarch64 {

// ---------------------------------------------------------------- With a valid syndrome

[[nodiscard]] constexpr Width width_of(IssDataAbort iss) {
    return static_cast<Width>(1U << static_cast<unsigned>(iss.get<IssDataAbort::Sas>()));
}

/// The low bytes of a value, as many as the width says, in the other order.
[[nodiscard]] constexpr u64 swapped(u64 value, Width width) {
    return __builtin_bswap64(value) >> (64 - 8 * static_cast<unsigned>(width));
}

/// What an AArch32 store of a register with that value writes.
[[nodiscard]] constexpr u64 stored_by_aarch32(u64 value, Width width, u64 pstate) {
    return is_big_endian_aarch32(pstate) ? swapped(value, width) : value;
}

/// The exit for a data abort with iss.Isv. `register_value` is register Srt (0 for 31); not looked at for a load.
[[nodiscard]] constexpr MemoryExit exit_from_syndrome(IssDataAbort iss, Gpa gpa, u64 register_value) {
    const unsigned size = static_cast<unsigned>(iss.get<IssDataAbort::Sas>());
    const bool write = iss.get<IssDataAbort::Wnr>();
    const unsigned unused_bits = 64 - (8U << size);
    return {.gpa = gpa,
            .data = write ? register_value << unused_bits >> unused_bits : 0,
            .access = write ? MemoryAccess::write : MemoryAccess::read,
            .width = static_cast<Width>(1U << size),
            .emulatable = true};
}

/// What register Srt becomes when the device answered `data`; bits above the access width are ignored. Not for Srt 31.
[[nodiscard]] constexpr u64 load_result(IssDataAbort iss, u64 data) {
    const unsigned unused_bits = 64 - (8U << static_cast<unsigned>(iss.get<IssDataAbort::Sas>()));
    const u64 top = data << unused_bits;
    const u64 extended =
        iss.get<IssDataAbort::Sse>() ? static_cast<u64>(static_cast<i64>(top) >> unused_bits) : top >> unused_bits;
    return iss.get<IssDataAbort::Sf>() ? extended : static_cast<u32>(extended);
}

// ---------------------------------------------------------------- Without

/// The registers of one stopped vCPU.
class RegisterFile {
public:
    /// x0 to x30.
    [[nodiscard]] virtual u64 x(unsigned n) = 0;
    virtual void set_x(unsigned n, u64 value) = 0;
    /// The stack pointer in use: SP_EL0 or SP_EL1 by PSTATE.
    [[nodiscard]] virtual u64 sp() = 0;
    virtual void set_sp(u64 value) = 0;
    [[nodiscard]] virtual u64 pc() = 0;
    /// V0 to V31, low (0) and high (1) 64 bits.
    [[nodiscard]] virtual u64 v(unsigned n, unsigned half) = 0;
    virtual void set_v(unsigned n, unsigned half, u64 value) = 0;

protected:
    ~RegisterFile() = default;
};

/// Where the guest's stage 1 maps an address, for parts of an access on another page than the one that faulted.
class AddressTranslator {
public:
    /// The guest-physical address of `at`. No value when stage 1 does not allow the access, and when stage 2 maps it
    /// to RAM: an access that is half RAM and half device is CONSTRAINED UNPREDICTABLE and is refused.
    [[nodiscard]] virtual std::optional<Gpa> translate(GuestVirt at, MemoryAccess access) = 0;

protected:
    ~AddressTranslator() = default;
};

enum class Endianness : u8 { little, big };

/// Load-exclusive and store-exclusive on emulated memory.
enum class ExclusivePolicy : u8 {
    emulate, ///< a software monitor; needs a CPU that reports the abort of a store-exclusive before it looks at its monitor
    refuse, ///< GuestException::unsupported_access, as memory without exclusive support answers
};

/// Whether the host can read and write SIMD registers; where it cannot, instructions that use them are refused.
enum class SimdRegisters : u8 { reachable, out_of_reach };

/// What the host knows about the access.
struct AccessRequest {
    u32 instruction = 0;                    ///< the A64 instruction at PC
    std::optional<GuestVirt> fault_address; ///< FAR_EL2; without it, the instruction and the guest's tables tell
    Gpa fault_gpa;                          ///< of the same byte
    u32 zva_bytes = 64;                     ///< DCZID_EL0 block size
    Endianness endianness = Endianness::little;
    ExclusivePolicy exclusives = ExclusivePolicy::refuse;
    SimdRegisters simd = SimdRegisters::reachable;
};

enum class AccessStep : u8 {
    access,  ///< deliver exit(), then call next() with the answer's data
    done,    ///< call commit(), then advance PC by 4
    refused, ///< not to be emulated: deliver exit(), which says emulatable = false
    fault,   ///< the architecture has a fault for it: raise fault() in the guest
};

/// One instruction in flight; one object per vCPU, reused. Abandon it at any time by not calling it again.
class AccessSequence {
public:
    /// Begins an instruction. The registers are read here and in commit() only.
    [[nodiscard]] AccessStep start(const AccessRequest &request, RegisterFile &registers,
                                   AddressTranslator &translator);
    /// The last access succeeded; `data` is what it read (anything for a write).
    [[nodiscard]] AccessStep next(u64 data, AddressTranslator &translator);
    /// After done: writes what was loaded, the status and the base register.
    void commit(RegisterFile &registers);

    [[nodiscard]] const MemoryExit &exit() const { return exit_; }
    [[nodiscard]] GuestException fault() const { return fault_; }

    /// Forgets an open exclusive access. The host calls it when it lets the guest take an exception.
    void clear_monitor() { monitor_.armed = false; }

private:
    enum class Phase : u8 { read, write };
    struct Monitor {
        Gpa gpa;
        u8 size_bytes = 0;
        bool armed = false;
    };

    [[nodiscard]] AccessStep begin(const AccessRequest &request, RegisterFile &registers,
                                   AddressTranslator &translator);
    [[nodiscard]] AccessStep begin_store_exclusive(AddressTranslator &translator);
    void compute_address(RegisterFile &registers);
    [[nodiscard]] bool find_fault_address(AddressTranslator &translator);
    void read_operands(RegisterFile &registers);
    [[nodiscard]] AccessStep read_finished(AddressTranslator &translator);
    [[nodiscard]] AccessStep write_results(AddressTranslator &translator);
    [[nodiscard]] AccessStep issue(AddressTranslator &translator);
    [[nodiscard]] AccessStep refuse();
    [[nodiscard]] AccessStep raise(GuestException fault);
    [[nodiscard]] std::optional<Gpa> gpa_of(u64 address, MemoryAccess access, AddressTranslator &translator) const;
    [[nodiscard]] u64 element(unsigned index, unsigned half) const;
    void set_element(unsigned index, unsigned half, u64 value);
    [[nodiscard]] u64 loaded_value(unsigned index) const;
    void gather_structure(RegisterFile &registers);
    void scatter_structure(RegisterFile &registers) const;
    void scatter_single_structure(RegisterFile &registers) const;
    void commit_load(RegisterFile &registers) const;

    static constexpr unsigned kMaxBytes = 64;

    LoadStore op_{};
    MemoryExit exit_{};
    Monitor monitor_{};
    GuestException fault_ = GuestException::external_abort;
    Phase phase_ = Phase::read;
    Endianness endianness_ = Endianness::little;
    bool exclusive_stored_ = false;
    u32 total_bytes_ = 0;
    u32 offset_ = 0; ///< of the part in flight
    u64 address_ = 0;
    u64 new_base_ = 0;
    u64 fault_address_ = 0;
    Gpa fault_gpa_;
    u64 operand_[2] = {};               ///< atomics: Rs; compare and swap: the expected value
    u64 desired_[2] = {};               ///< compare and swap: the new value
    u64 old_[2] = {};                   ///< atomics: what memory held
    std::array<u8, kMaxBytes> bytes_{}; ///< in memory order
};

} // namespace sel4vm::aarch64
