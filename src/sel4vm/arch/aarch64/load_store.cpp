// SPDX-License-Identifier: BSD-2-Clause
//
// The A64 load and store decoder; see load_store.hpp. Each function below is one box of the manual's "Loads and Stores"
// decode table and says its bit pattern. Fields that should be one are required to be one.
#include <sel4vm/arch/aarch64/load_store.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/bits.hpp>

namespace sel4vm::aarch64 {

namespace {

using Decoded = Result<LoadStore, DecodeError>;
constexpr Err<DecodeError> kUnallocated{DecodeError::unallocated};
constexpr Err<DecodeError> kUnpredictable{DecodeError::unpredictable};
constexpr Err<DecodeError> kUnsupported{DecodeError::unsupported};
constexpr u8 kRegister31 = 31;

/// The instruction word, with the fields that most encodings share.
struct Word {
    u32 raw;
    [[nodiscard]] constexpr u8 field(unsigned hi, unsigned lo) const { return static_cast<u8>(bits_of(raw, hi, lo)); }
    [[nodiscard]] constexpr bool bit(unsigned n) const { return (raw >> n & 1) != 0; }
    [[nodiscard]] constexpr i64 signed_field(unsigned hi, unsigned lo) const {
        return static_cast<i64>(sign_extend(bits_of(raw, hi, lo), hi - lo + 1));
    }
    [[nodiscard]] constexpr u8 rt() const { return field(4, 0); }
    [[nodiscard]] constexpr u8 rn() const { return field(9, 5); }
    [[nodiscard]] constexpr u8 rt2() const { return field(14, 10); }
    [[nodiscard]] constexpr u8 rs() const { return field(20, 16); }
    [[nodiscard]] constexpr u8 size() const { return field(31, 30); }
    [[nodiscard]] constexpr bool simd() const { return bit(26); }
    [[nodiscard]] constexpr LoadStoreDirection direction() const {
        return bit(22) ? LoadStoreDirection::load : LoadStoreDirection::store;
    }
};

constexpr u8 power_of_two(unsigned exponent) { return static_cast<u8>(1U << exponent); }

/// A base register that the instruction also loads or stores while it updates it; SP is never both.
bool overlaps_base(const LoadStore &op, u8 reg) {
    return op.writes_back() && op.bank == RegisterBank::general && reg == op.rn && op.rn != kRegister31;
}

// size 001000 o2 L o1 Rs o0 Rt2 Rn Rt
Decoded exclusive_single(Word w, LoadStore op) {
    op.kind = LoadStoreKind::exclusive;
    op.element_count = 1;
    if (w.rt2() != kRegister31)
        return kUnpredictable;
    if (op.direction == LoadStoreDirection::load)
        return op.rs == kRegister31 ? Decoded{op} : kUnpredictable;
    if (op.rs == op.rt || (op.rs == op.rn && op.rn != kRegister31))
        return kUnpredictable;
    return op;
}

Decoded exclusive_pair(Word w, LoadStore op) {
    op.kind = LoadStoreKind::exclusive;
    op.element_count = 2;
    op.rt2 = w.rt2();
    if (op.direction == LoadStoreDirection::load)
        return op.rs == kRegister31 && op.rt != op.rt2 ? Decoded{op} : kUnpredictable;
    if (op.rs == op.rt || op.rs == op.rt2 || (op.rs == op.rn && op.rn != kRegister31))
        return kUnpredictable;
    return op;
}

Decoded compare_and_swap(Word w, LoadStore op) {
    op.kind = LoadStoreKind::compare_and_swap;
    op.direction = LoadStoreDirection::load;
    op.ordered = w.bit(22) || w.bit(15);
    if (w.rt2() != kRegister31)
        return kUnallocated;
    op.element_count = 1;
    if (!w.bit(23)) { // CASP
        if ((op.rs | op.rt) & 1)
            return kUnallocated;
        op.element_count = 2;
        op.element_bytes = power_of_two(2U + (w.size() & 1U));
    }
    return op;
}

Decoded exclusives_and_ordered(Word w) {
    LoadStore op;
    op.direction = w.direction();
    op.element_bytes = power_of_two(w.size());
    op.rt = w.rt();
    op.rn = w.rn();
    op.rs = w.rs();
    op.ordered = w.bit(15);
    const bool o2 = w.bit(23);
    const bool o1 = w.bit(21);
    if (!o2 && !o1)
        return exclusive_single(w, op);
    if (!o2 && w.size() >= 2)
        return exclusive_pair(w, op);
    if (o1)
        return compare_and_swap(w, op);
    // LDAR, STLR, LDLAR, STLLR
    if (w.rt2() != kRegister31 || op.rs != kRegister31)
        return kUnpredictable;
    op.kind = LoadStoreKind::plain;
    op.element_count = 1;
    op.ordered = true;
    op.rs = 0;
    return op;
}

// size 011001 opc 0 imm9 00 Rn Rt: STLUR, LDAPUR. The neighbours are tags, memory copy, 128-bit atomics and LRCPC3.
Decoded ordered_unscaled(Word w) {
    if (w.simd() || w.bit(21) || w.field(11, 10) != 0)
        return kUnsupported;
    const u8 opc = w.field(23, 22);
    if ((opc == 2 && w.size() == 3) || (opc == 3 && w.size() >= 2))
        return kUnallocated;
    LoadStore op;
    op.kind = LoadStoreKind::plain;
    op.direction = opc == 0 ? LoadStoreDirection::store : LoadStoreDirection::load;
    op.sign_extend = opc == 2 ? SignExtend::to64 : opc == 3 ? SignExtend::to32 : SignExtend::no;
    op.element_bytes = power_of_two(w.size());
    op.element_count = 1;
    op.rt = w.rt();
    op.rn = w.rn();
    op.offset = w.signed_field(20, 12);
    op.ordered = true;
    return op;
}

// opc 011 V 00 imm19 Rt
Decoded literal(Word w) {
    const u8 opc = w.size();
    if (opc == 3) {
        if (w.simd())
            return kUnallocated;
        return LoadStore{}; // PRFM
    }
    LoadStore op;
    op.kind = LoadStoreKind::plain;
    op.bank = w.simd() ? RegisterBank::simd : RegisterBank::general;
    op.mode = AddressMode::literal;
    op.offset = w.signed_field(23, 5) * 4;
    op.rt = w.rt();
    op.element_count = 1;
    op.element_bytes = power_of_two(2U + opc);
    if (!w.simd() && opc == 2) {
        op.element_bytes = 4;
        op.sign_extend = SignExtend::to64;
    }
    return op;
}

// opc 101 V 0 mode L imm7 Rt2 Rn Rt; mode 00 no-allocate, 01 post, 10 offset, 11 pre
Decoded pair(Word w) {
    const u8 opc = w.size();
    const u8 mode = w.field(24, 23);
    if (opc == 3)
        return kUnallocated;
    LoadStore op;
    op.kind = LoadStoreKind::plain;
    op.direction = w.direction();
    op.bank = w.simd() ? RegisterBank::simd : RegisterBank::general;
    op.mode = mode == 1 ? AddressMode::post_index : mode == 3 ? AddressMode::pre_index : AddressMode::offset;
    op.element_count = 2;
    op.rt = w.rt();
    op.rt2 = w.rt2();
    op.rn = w.rn();
    if (w.simd()) {
        op.element_bytes = power_of_two(2U + opc);
    } else if (opc == 1) {
        if (mode == 0)
            return kUnallocated;
        if (op.direction == LoadStoreDirection::store)
            return kUnsupported; // STGP
        op.element_bytes = 4;    // LDPSW
        op.sign_extend = SignExtend::to64;
    } else {
        op.element_bytes = opc == 0 ? 4 : 8;
    }
    op.offset = w.signed_field(21, 15) * op.element_bytes;
    if (op.direction == LoadStoreDirection::load && op.rt == op.rt2)
        return kUnpredictable;
    if (overlaps_base(op, op.rt) || overlaps_base(op, op.rt2))
        return kUnpredictable;
    return op;
}

/// size, V and opc of one register: what is moved. PRFM becomes no_access.
Decoded single_register(Word w) {
    const u8 opc = w.field(23, 22);
    LoadStore op;
    op.kind = LoadStoreKind::plain;
    op.rt = w.rt();
    op.rn = w.rn();
    op.element_count = 1;
    op.element_bytes = power_of_two(w.size());
    if (w.simd()) {
        op.bank = RegisterBank::simd;
        op.direction = w.direction();
        if (opc >= 2) {
            if (w.size() != 0)
                return kUnallocated;
            op.element_bytes = 16;
        }
        return op;
    }
    op.direction = opc == 0 ? LoadStoreDirection::store : LoadStoreDirection::load;
    if (opc == 2) {
        if (w.size() == 3)
            return LoadStore{};
        op.sign_extend = SignExtend::to64;
    } else if (opc == 3) {
        if (w.size() >= 2)
            return kUnallocated;
        op.sign_extend = SignExtend::to32;
    }
    return op;
}

// size 111 V 01 opc imm12 Rn Rt
Decoded unsigned_offset(Word w) {
    LoadStore op = SEL4VM_TRY(single_register(w));
    if (op.kind == LoadStoreKind::plain)
        op.offset = static_cast<i64>(bits_of(w.raw, 21, 10)) * op.element_bytes;
    return op;
}

// size 111 V 00 opc 0 imm9 mode Rn Rt; mode 00 unscaled, 01 post, 10 unprivileged, 11 pre
Decoded signed_offset(Word w) {
    const u8 mode = w.field(11, 10);
    LoadStore op = SEL4VM_TRY(single_register(w));
    if (op.kind == LoadStoreKind::no_access)
        return mode == 0 ? Decoded{op} : kUnallocated;
    if (mode == 2 && w.simd())
        return kUnallocated;
    op.mode = mode == 1 ? AddressMode::post_index : mode == 3 ? AddressMode::pre_index : AddressMode::offset;
    op.offset = w.signed_field(20, 12);
    if (overlaps_base(op, op.rt))
        return kUnpredictable;
    return op;
}

// size 111 V 00 opc 1 Rm option S 10 Rn Rt
Decoded register_offset(Word w) {
    const u8 option = w.field(15, 13);
    LoadStore op = SEL4VM_TRY(single_register(w));
    if ((option & 2) == 0)
        return kUnallocated;
    if (op.kind == LoadStoreKind::no_access)
        return op;
    op.extend = static_cast<Extend>(option);
    op.rm = w.rs();
    if (w.bit(12))
        op.shift = static_cast<u8>(std::countr_zero(unsigned{op.element_bytes}));
    return op;
}

// size 111 V 00 A R 1 Rs o3 opc 00 Rn Rt
Decoded atomic(Word w) {
    const u8 opc = w.field(14, 12);
    const bool acquire = w.bit(23);
    const bool release = w.bit(22);
    if (w.simd())
        return kUnsupported; // FP atomics
    LoadStore op;
    op.rt = w.rt();
    op.rn = w.rn();
    op.element_count = 1;
    op.element_bytes = power_of_two(w.size());
    op.ordered = acquire || release;
    if (w.bit(15) && opc == 4 && acquire && !release) { // LDAPR
        if (w.rs() != kRegister31)
            return kUnpredictable;
        op.kind = LoadStoreKind::plain;
        return op;
    }
    op.kind = LoadStoreKind::atomic;
    op.rs = w.rs();
    if (!w.bit(15))
        op.operation = static_cast<AtomicOperation>(opc);
    else if (opc == 0)
        op.operation = AtomicOperation::swap;
    else
        return kUnsupported; // LD64B and friends, read-check-write; the rest is unallocated
    return op;
}

/// How LD1-LD4 and ST1-ST4 of whole registers pack: registers per structure, repeats; none for other opcodes.
struct StructureShape {
    u8 registers;
    u8 repeats;
};
StructureShape structure_shape(u8 opcode) {
    switch (opcode) {
    case 0b0000: return {4, 1};
    case 0b0010: return {1, 4};
    case 0b0100: return {3, 1};
    case 0b0110: return {1, 3};
    case 0b0111: return {1, 1};
    case 0b1000: return {2, 1};
    case 0b1010: return {1, 2};
    default: return {0, 0};
    }
}

/// Post-index of the structure forms: Rm, or the bytes transferred when Rm is 31.
void structure_post_index(Word w, LoadStore &op) {
    if (!w.bit(23))
        return;
    op.mode = AddressMode::post_index;
    if (w.rs() == kRegister31) {
        op.offset = op.total_bytes();
    } else {
        op.extend = Extend::lsl;
        op.rm = w.rs();
    }
}

LoadStore structure_base(Word w) {
    LoadStore op;
    op.direction = w.direction();
    op.bank = RegisterBank::simd;
    op.full_vector = w.bit(30);
    op.rt = w.rt();
    op.rn = w.rn();
    return op;
}

// 0 Q 001100 post L 0 Rm opcode size Rn Rt
Decoded whole_structures(Word w) {
    const StructureShape shape = structure_shape(w.field(15, 12));
    const u8 size = w.field(11, 10);
    if (w.bit(21) || shape.registers == 0 || (!w.bit(23) && w.rs() != 0))
        return kUnallocated;
    if (size == 3 && !w.bit(30) && shape.registers != 1)
        return kUnallocated;
    LoadStore op = structure_base(w);
    op.kind = LoadStoreKind::structure;
    op.element_bytes = power_of_two(size);
    op.structure_registers = shape.registers;
    op.structure_repeats = shape.repeats;
    const unsigned lanes = (op.full_vector ? 16U : 8U) >> size;
    op.element_count = static_cast<u8>(lanes * shape.registers * shape.repeats);
    structure_post_index(w, op);
    return op;
}

// 0 Q 001101 post L R Rm opcode S size Rn Rt
Decoded single_structure(Word w) {
    const u8 opcode = w.field(15, 13);
    const u8 size = w.field(11, 10);
    const u8 q_s_size = static_cast<u8>(w.field(30, 30) << 3 | w.field(12, 12) << 2 | size);
    if (!w.bit(23) && w.rs() != 0)
        return kUnallocated;
    LoadStore op = structure_base(w);
    op.kind = LoadStoreKind::single_structure;
    op.structure_registers = static_cast<u8>(((opcode & 1) << 1 | w.field(21, 21)) + 1);
    op.structure_repeats = 1;
    op.element_count = op.structure_registers;
    unsigned scale = opcode >> 1;
    if (scale == 3) {
        if (op.direction == LoadStoreDirection::store || w.bit(12))
            return kUnallocated;
        scale = size;
        op.replicate = true;
    } else if (scale == 0) {
        op.lane = q_s_size;
    } else if (scale == 1) {
        if (size & 1)
            return kUnallocated;
        op.lane = q_s_size >> 1;
    } else if (size == 0) {
        op.lane = q_s_size >> 2;
    } else {
        if (size != 1 || w.bit(12))
            return kUnallocated;
        op.lane = q_s_size >> 3;
        scale = 3;
    }
    op.element_bytes = power_of_two(scale);
    structure_post_index(w, op);
    return op;
}

// 1101010100 001 op1 CRn CRm op2 Rt
Decoded system_instruction(Word w) {
    LoadStore op;
    switch (sysreg_id_of_instruction(w.raw)) {
    case sysreg::kDcZva:
        op.kind = LoadStoreKind::zero_block;
        op.direction = LoadStoreDirection::store;
        op.rt = w.rt();
        return op;
    case sysreg::kDcIvac:
    case sysreg::kDcCvac:
    case sysreg::kDcCvau:
    case sysreg::kDcCvap:
    case sysreg::kDcCvadp:
    case sysreg::kDcCivac:
    case sysreg::kIcIvau: return op;
    default: return Err{DecodeError::not_load_store};
    }
}

/// 111 in bits 29 to 27: one register, or an atomic.
Decoded one_register_group(Word w) {
    if (w.bit(24))
        return unsigned_offset(w);
    if (!w.bit(21))
        return signed_offset(w);
    switch (w.field(11, 10)) {
    case 0: return atomic(w);
    case 2: return register_offset(w);
    default: return w.size() == 3 && !w.simd() ? kUnsupported : kUnallocated; // LDRAA, LDRAB
    }
}

/// 001 in bits 29 to 27: SIMD structures, exclusives, ordered accesses, compare and swap.
Decoded structures_or_exclusives(Word w) {
    if (!w.simd())
        return w.bit(24) ? kUnsupported
                         : exclusives_and_ordered(w); // bit 24: CPA and 128-bit forms of later extensions
    if (w.bit(31))
        return kUnallocated;
    return w.bit(24) ? single_structure(w) : whole_structures(w);
}

} // namespace

Result<LoadStore, DecodeError> decode_load_store(u32 instruction) {
    const Word w{instruction};
    if ((instruction & 0xfff8'0000) == 0xd508'0000)
        return system_instruction(w);
    if (!w.bit(27) || w.bit(25))
        return Err{DecodeError::not_load_store};
    switch (w.field(29, 28)) {
    case 0: return structures_or_exclusives(w);
    case 1: return w.bit(24) ? ordered_unscaled(w) : literal(w);
    case 2: return pair(w);
    default: return one_register_group(w);
    }
}

} // namespace sel4vm::aarch64
