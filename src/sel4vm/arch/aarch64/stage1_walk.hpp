// SPDX-License-Identifier: BSD-2-Clause
//
// The guest's own address translation (stage 1) performed in software, for hosts that cannot ask the hardware (AT) on a
// vCPU's behalf. VMSAv8-64 of EL1&0 with 4, 16 and 64 KiB granules and up to 48 bits; access permissions of data
// accesses and EL0 are checked, execute permissions are not. Deliberately absent: 52-bit addresses, FEAT_S1PIE, and
// writing access flags back. Every table word is fetched once through the caller, who decides what is memory.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/host/exit.hpp>

#include <optional>

namespace sel4vm::aarch64 {

struct Stage1Registers {
    u64 sctlr = 0;
    u64 tcr = 0;
    u64 ttbr0 = 0;
    u64 ttbr1 = 0;
};

/// Reads guest memory on behalf of a table walk.
class TableReader {
public:
    /// The eight bytes at `at` (aligned) as a little-endian number, an entry of a table of that level; no value when that is not RAM that the guest can reach.
    [[nodiscard]] virtual std::optional<u64> read(Gpa at, unsigned level) = 0;

protected:
    ~TableReader() = default;
};

enum class Stage1Result : u8 {
    translated,  ///< `gpa` is the byte's guest-physical address
    refused,     ///< the tables do not allow the access
    table_fault, ///< the walk needs the table entry at `gpa`, which cannot be read
};

struct Stage1 {
    Stage1Result result = Stage1Result::refused;
    Gpa gpa;
    friend constexpr bool operator==(const Stage1 &, const Stage1 &) = default;
};

enum class Privilege : u8 { el0, el1 };

[[nodiscard]] Stage1 walk_stage1(const Stage1Registers &registers, GuestVirt at, MemoryAccess access,
                                 Privilege privilege, TableReader &reader);

} // namespace sel4vm::aarch64
