// SPDX-License-Identifier: BSD-2-Clause
//
// Registers, commands and encodings of the GICv3 Interrupt Translation Service, and what redistributors have for LPIs (IHI 0069,
// "The GICv3 Interrupt Translation Service", "ITS register descriptions", "ITS commands"). Facts; no behaviour.
#pragma once

#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

namespace gits {

inline constexpr u64 kBytes = 0x2'0000; ///< control frame and translation frame

inline constexpr u32 kCtlr = 0x0000;
inline constexpr u32 kIidr = 0x0004;
inline constexpr u32 kTyper = 0x0008;   // 64 bits
inline constexpr u32 kCbaser = 0x0080;  // 64 bits
inline constexpr u32 kCwriter = 0x0088; // 64 bits
inline constexpr u32 kCreadr = 0x0090;  // 64 bits
inline constexpr u32 kBaser = 0x0100;   // eight of 64 bits
inline constexpr u32 kPidr4 = 0xffd0;   // identification: PIDR4-7, PIDR0-3, CIDR0-3
inline constexpr u32 kTranslater = 0x1'0040;

/// Bits of GITS_CBASER, GITS_BASER, GICR_PROPBASER and GICR_PENDBASER that say how tables are cached and shared: stored only.
inline constexpr u64 kTableAttributes = u64{7} << 53 | u64{7} << 59 | u64{3} << 10;
inline constexpr u64 kRedistributorAttributes = u64{7} << 56 | u64{3} << 10 | u64{7} << 7;

} // namespace gits

struct GitsCtlr : RegValue<GitsCtlr, u32> {
    using RegValue::RegValue;
    using Quiescent = Field<31>;
    using Enabled = Field<0>;
};

struct GitsTyper : RegValue<GitsTyper, u64> {
    using RegValue::RegValue;
    using Cil = Field<36>;             ///< CIDbits is valid; else 16 bits of collection
    using Hcc = Field<31, 24, u8>;     ///< collections that need no table
    using Pta = Field<19>;             ///< commands name redistributors by address; else by number
    using Devbits = Field<17, 13, u8>; ///< of a DeviceID, minus one
    using IdBits = Field<12, 8, u8>;   ///< of an EventID, minus one
    using IttEntry = Field<7, 4, u8>;  ///< bytes of an entry of a translation table, minus one
    using Physical = Field<0>;
    static_assert(disjoint<Cil, Hcc, Pta, Devbits, IdBits, IttEntry, Physical>());
};

/// What a GITS_BASER<n> is for.
enum class GitsTable : u8 { none = 0, devices = 1, collections = 4 };

struct GitsBaser : RegValue<GitsBaser, u64> {
    using RegValue::RegValue;
    using Valid = Field<63>;
    using Indirect = Field<62>;          ///< a table of tables of one page each
    using Type = Field<58, 56, u8>;      ///< GitsTable; read only
    using EntrySize = Field<52, 48, u8>; ///< bytes, minus one; read only
    using PageSize = Field<9, 8, u8>;    ///< 4 KiB, 16 KiB, 64 KiB
    using Pages = Field<7, 0, u8>;       ///< minus one
    static_assert(disjoint<Valid, Indirect, Type, EntrySize, PageSize, Pages>());
};

struct GitsCbaser : RegValue<GitsCbaser, u64> {
    using RegValue::RegValue;
    using Valid = Field<63>;
    using Pages = Field<7, 0, u8>; ///< of 4 KiB, minus one
};

struct GicrPropbaser : RegValue<GicrPropbaser, u64> {
    using RegValue::RegValue;
    using IdBits = Field<4, 0, u8>; ///< of an INTID, minus one
};

struct GicrPendbaser : RegValue<GicrPendbaser, u64> {
    using RegValue::RegValue;
    using Ptz = Field<62>; ///< the table is all zero; reads as zero
};

/// An entry of the LPI configuration table.
struct LpiConfig : RegValue<LpiConfig, u8> {
    using RegValue::RegValue;
    using Enable = Field<0>;
    static constexpr u8 kPriority = 0xfc;
};

/// Bits 7 to 0 of a command's first doubleword.
enum class ItsCommand : u8 {
    movi = 0x01,
    int_ = 0x03,
    clear = 0x04,
    sync = 0x05,
    mapd = 0x08,
    mapc = 0x09,
    mapti = 0x0a,
    mapi = 0x0b,
    inv = 0x0c,
    invall = 0x0d,
    movall = 0x0e,
    discard = 0x0f,
};
inline constexpr u64 kItsCommandBytes = 32;

} // namespace sel4vm::aarch64
