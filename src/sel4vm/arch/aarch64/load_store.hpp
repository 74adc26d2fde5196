// SPDX-License-Identifier: BSD-2-Clause
//
// A decoder for the A64 loads and stores that can trap without a valid syndrome: one instruction word in, one plain
// description out (Arm ARM DDI 0487, "Loads and Stores" encoding group, and the DC and IC instructions by address).
// SVE, SME, LD64B, memory tagging and memory copy instructions are refused: a guest does not see those features.
// Access to memory is access.hpp's; the decoder reads no register.
#pragma once

#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

enum class LoadStoreKind : u8 {
    plain,            ///< one or two registers, general or SIMD&FP
    exclusive,        ///< LDXR, STXR, LDXP, STXP and their acquire/release forms
    atomic,           ///< LDADD and friends, SWP
    compare_and_swap, ///< CAS, CASP
    structure,        ///< LD1-LD4, ST1-ST4, whole registers
    single_structure, ///< LD1-LD4, ST1-ST4, one lane of each register; LD1R-LD4R
    zero_block,       ///< DC ZVA
    no_access,        ///< PRFM, cache maintenance by address: nothing to do on a device
};

/// Atomics are `load`: they also return what was there.
enum class LoadStoreDirection : u8 { load, store };

enum class RegisterBank : u8 { general, simd };

enum class AtomicOperation : u8 {
    add,
    clear,
    exclusive_or,
    set,
    signed_max,
    signed_min,
    unsigned_max,
    unsigned_min,
    swap
};

enum class AddressMode : u8 {
    offset,     ///< base + offset
    pre_index,  ///< base + offset, which becomes the base
    post_index, ///< base; base + offset becomes the base
    literal,    ///< PC + offset
};

/// How Rm becomes the offset where it does: option<1:0> of the encoding is the size, option<2> the sign.
enum class Extend : u8 { none, uxtw = 2, lsl = 3, sxtw = 6, sxtx = 7 };

enum class SignExtend : u8 { no, to32, to64 };

struct LoadStore {
    LoadStoreKind kind = LoadStoreKind::no_access;
    LoadStoreDirection direction = LoadStoreDirection::load;
    RegisterBank bank = RegisterBank::general;
    AddressMode mode = AddressMode::offset;
    SignExtend sign_extend = SignExtend::no;
    AtomicOperation operation = AtomicOperation::add;
    Extend extend = Extend::none; ///< not none: the offset is Rm extended and shifted
    u8 shift = 0;
    u8 element_bytes = 0; ///< 1 to 16; one element is one single access of the architecture (two for 16)
    u8 element_count = 0; ///< in memory order; element_bytes * element_count <= 64
    u8 rt = 0;            ///< 31 is zr in the general bank; zero_block: the register with the address
    u8 rt2 = 0;           ///< second register of a pair
    u8 rn = 0;            ///< base, 31 is SP; unused for literal and zero_block
    u8 rm = 0;            ///< offset register, when extend is set (31 is xzr)
    u8 rs = 0;            ///< status of a store-exclusive, operand of an atomic, expected value of compare and swap
    u8 structure_registers = 0; ///< registers of one structure, 1 to 4 (consecutive, modulo 32)
    u8 structure_repeats = 0;   ///< LD1/ST1 of several registers: how many
    u8 lane = 0;                ///< single_structure
    bool replicate = false;     ///< LD1R-LD4R: to every lane
    bool full_vector = false;   ///< structures: 128-bit registers (Q)
    bool ordered = false;       ///< acquire and/or release
    i64 offset = 0;             ///< bytes, when extend is none

    friend constexpr bool operator==(const LoadStore &, const LoadStore &) = default;
    [[nodiscard]] constexpr unsigned total_bytes() const { return unsigned{element_bytes} * element_count; }
    [[nodiscard]] constexpr bool writes_back() const {
        return mode == AddressMode::pre_index || mode == AddressMode::post_index;
    }
};

enum class DecodeError : u8 {
    not_load_store, ///< another group of instructions
    unallocated,
    unpredictable, ///< CONSTRAINED UNPREDICTABLE register choice
    unsupported,   ///< an extension that guests do not have
};

[[nodiscard]] Result<LoadStore, DecodeError> decode_load_store(u32 instruction);

} // namespace sel4vm::aarch64
