// SPDX-License-Identifier: BSD-2-Clause
//
// Sequences of single accesses for loads and stores without a syndrome; see access.hpp.
#include <sel4vm/arch/aarch64/access.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>
#include <utility>

namespace sel4vm::aarch64 {

namespace {

constexpr u8 kRegister31 = 31;
constexpr unsigned kLargestPart = 8;
/// Bits of a virtual address below a possible tag in the top byte.
constexpr unsigned kUntaggedBits = 56;

u64 untagged(u64 address) { return address & low_mask(kUntaggedBits); }
bool same_page(u64 a, u64 b) { return align_down(untagged(a), kPageBytes) == align_down(untagged(b), kPageBytes); }

u64 read_x(RegisterFile &registers, unsigned n) { return n == kRegister31 ? 0 : registers.x(n); }
void write_x(RegisterFile &registers, unsigned n, u64 value) {
    if (n != kRegister31)
        registers.set_x(n, value);
}

u64 extended_offset(Extend extend, u64 rm, unsigned shift) {
    switch (extend) {
    case Extend::uxtw: return (rm & low_mask(32)) << shift;
    case Extend::sxtw: return sign_extend(rm, 32) << shift;
    default: return rm << shift;
    }
}

u64 atomic_result(AtomicOperation operation, u64 old, u64 operand, unsigned width_bits) {
    const auto as_signed = [width_bits](u64 value) { return static_cast<i64>(sign_extend(value, width_bits)); };
    operand &= low_mask(width_bits);
    switch (operation) {
    case AtomicOperation::add: return old + operand;
    case AtomicOperation::clear: return old & ~operand;
    case AtomicOperation::exclusive_or: return old ^ operand;
    case AtomicOperation::set: return old | operand;
    case AtomicOperation::signed_max: return as_signed(old) > as_signed(operand) ? old : operand;
    case AtomicOperation::signed_min: return as_signed(old) < as_signed(operand) ? old : operand;
    case AtomicOperation::unsigned_max: return std::max(old, operand);
    case AtomicOperation::unsigned_min: return std::min(old, operand);
    case AtomicOperation::swap: return operand;
    }
    return old;
}

/// Both halves of a SIMD register, addressed in lanes.
struct Vector {
    u64 half[2] = {};

    static Vector of(RegisterFile &registers, unsigned n) { return {{registers.v(n, 0), registers.v(n, 1)}}; }
    void store_to(RegisterFile &registers, unsigned n) const {
        registers.set_v(n, 0, half[0]);
        registers.set_v(n, 1, half[1]);
    }
    [[nodiscard]] u64 lane(unsigned index, unsigned lane_bytes) const {
        const unsigned byte = index * lane_bytes;
        return half[byte / 8] >> byte % 8 * 8 & low_mask(lane_bytes * 8);
    }
    void set_lane(unsigned index, unsigned lane_bytes, u64 value) {
        const unsigned byte = index * lane_bytes;
        const u64 mask = low_mask(lane_bytes * 8) << byte % 8 * 8;
        half[byte / 8] = (half[byte / 8] & ~mask) | (value << byte % 8 * 8 & mask);
    }
};

/// Which lane of which register a structure's element in memory belongs to.
struct Place {
    unsigned reg;
    unsigned lane;
};
Place place_of(const LoadStore &op, unsigned index) {
    const unsigned lanes = (op.full_vector ? 16U : 8U) / op.element_bytes;
    const unsigned per_repeat = lanes * op.structure_registers;
    const unsigned in_repeat = index % per_repeat;
    const unsigned reg = op.rt + index / per_repeat + in_repeat % op.structure_registers;
    return {.reg = reg % 32, .lane = in_repeat / op.structure_registers};
}

bool must_be_aligned(LoadStoreKind kind) {
    return kind == LoadStoreKind::exclusive || kind == LoadStoreKind::atomic || kind == LoadStoreKind::compare_and_swap;
}

} // namespace

AccessStep AccessSequence::start(const AccessRequest &request, RegisterFile &registers, AddressTranslator &translator) {
    fault_address_ = request.fault_address.value_or(GuestVirt{}).value();
    fault_gpa_ = request.fault_gpa;
    endianness_ = request.endianness;
    const auto decoded = decode_load_store(request.instruction);
    if (!decoded)
        return refuse();
    op_ = *decoded;
    return begin(request, registers, translator);
}

AccessStep AccessSequence::begin(const AccessRequest &request, RegisterFile &registers, AddressTranslator &translator) {
    if (op_.kind == LoadStoreKind::no_access)
        return AccessStep::done;
    if (op_.kind == LoadStoreKind::exclusive && request.exclusives == ExclusivePolicy::refuse)
        return raise(GuestException::unsupported_access);
    if (op_.bank == RegisterBank::simd && request.simd == SimdRegisters::out_of_reach)
        return refuse();
    offset_ = 0;
    if (op_.kind == LoadStoreKind::zero_block) {
        SEL4VM_ASSERT((request.zva_bytes & (request.zva_bytes - 1)) == 0 && request.zva_bytes >= kLargestPart);
        address_ = align_down(read_x(registers, op_.rt), request.zva_bytes);
        total_bytes_ = request.zva_bytes;
    } else {
        compute_address(registers);
        total_bytes_ = op_.total_bytes();
    }
    if (must_be_aligned(op_.kind) && !is_aligned(address_, total_bytes_))
        return raise(GuestException::alignment);
    if (!request.fault_address && !find_fault_address(translator))
        return refuse();
    // The syndrome and the instruction must tell one story: the guest may have changed the code in between.
    if (untagged(fault_address_ - address_) >= total_bytes_)
        return refuse();

    phase_ = op_.direction == LoadStoreDirection::load ? Phase::read : Phase::write;
    read_operands(registers);
    if (op_.kind == LoadStoreKind::exclusive && phase_ == Phase::write)
        return begin_store_exclusive(translator);
    return issue(translator);
}

// The only byte of the access, if it is one, whose place in its page is that of the fault; the guest's tables must agree.
bool AccessSequence::find_fault_address(AddressTranslator &translator) {
    const u64 ahead = (fault_gpa_.value() - address_) & (kPageBytes - 1);
    fault_address_ = address_ + ahead;
    const MemoryAccess access = op_.direction == LoadStoreDirection::load ? MemoryAccess::read : MemoryAccess::write;
    return translator.translate(GuestVirt{fault_address_}, access) == fault_gpa_;
}

void AccessSequence::compute_address(RegisterFile &registers) {
    if (op_.mode == AddressMode::literal) {
        address_ = registers.pc() + static_cast<u64>(op_.offset);
        return;
    }
    const u64 base = op_.rn == kRegister31 ? registers.sp() : registers.x(op_.rn);
    const u64 moved =
        base + (op_.extend == Extend::none ? static_cast<u64>(op_.offset)
                                           : extended_offset(op_.extend, read_x(registers, op_.rm), op_.shift));
    address_ = op_.mode == AddressMode::post_index ? base : moved;
    new_base_ = moved;
}

void AccessSequence::read_operands(RegisterFile &registers) {
    switch (op_.kind) {
    case LoadStoreKind::atomic: operand_[0] = read_x(registers, op_.rs); return;
    case LoadStoreKind::compare_and_swap:
        for (unsigned i = 0; i < op_.element_count; ++i) {
            operand_[i] = read_x(registers, op_.rs + i);
            desired_[i] = read_x(registers, op_.rt + i);
        }
        return;
    default: break;
    }
    if (phase_ == Phase::read || op_.kind == LoadStoreKind::zero_block)
        return;
    if (op_.kind == LoadStoreKind::structure || op_.kind == LoadStoreKind::single_structure) {
        gather_structure(registers);
        return;
    }
    for (unsigned i = 0; i < op_.element_count; ++i) {
        const unsigned reg = i == 0 ? op_.rt : op_.rt2;
        if (op_.bank == RegisterBank::general) {
            set_element(i, 0, read_x(registers, reg));
        } else {
            set_element(i, 0, registers.v(reg, 0));
            if (op_.element_bytes == 16)
                set_element(i, 1, registers.v(reg, 1));
        }
    }
}

void AccessSequence::gather_structure(RegisterFile &registers) {
    for (unsigned i = 0; i < op_.element_count; ++i) {
        const Place place =
            op_.kind == LoadStoreKind::structure ? place_of(op_, i) : Place{.reg = (op_.rt + i) % 32, .lane = op_.lane};
        set_element(i, 0, Vector::of(registers, place.reg).lane(place.lane, op_.element_bytes));
    }
}

AccessStep AccessSequence::begin_store_exclusive(AddressTranslator &translator) {
    const auto gpa = gpa_of(address_, MemoryAccess::write, translator);
    if (!gpa)
        return refuse();
    exclusive_stored_ = monitor_.armed && monitor_.gpa == *gpa && monitor_.size_bytes == total_bytes_;
    monitor_.armed = false;
    return exclusive_stored_ ? issue(translator) : AccessStep::done;
}

AccessStep AccessSequence::next(u64 data, AddressTranslator &translator) {
    const unsigned part_bytes = bytes_of(exit_.width);
    if (phase_ == Phase::read)
        for (unsigned i = 0; i < part_bytes; ++i)
            bytes_[offset_ + i] = static_cast<u8>(data >> 8 * i);
    offset_ += part_bytes;
    if (offset_ < total_bytes_)
        return issue(translator);
    return phase_ == Phase::read ? read_finished(translator) : AccessStep::done;
}

AccessStep AccessSequence::read_finished(AddressTranslator &translator) {
    const unsigned width_bits = op_.element_bytes * 8U;
    switch (op_.kind) {
    case LoadStoreKind::exclusive: {
        // Aligned, so that its last part lies on the page of the first.
        const u64 first = align_down(exit_.gpa.value(), total_bytes_);
        monitor_ = {.gpa = Gpa{first}, .size_bytes = static_cast<u8>(total_bytes_), .armed = true};
        return AccessStep::done;
    }
    case LoadStoreKind::atomic:
        old_[0] = element(0, 0);
        set_element(0, 0, atomic_result(op_.operation, old_[0], operand_[0], width_bits));
        return write_results(translator);
    case LoadStoreKind::compare_and_swap: {
        bool equal = true;
        for (unsigned i = 0; i < op_.element_count; ++i) {
            old_[i] = element(i, 0);
            equal = equal && old_[i] == (operand_[i] & low_mask(width_bits));
        }
        if (!equal)
            return AccessStep::done;
        for (unsigned i = 0; i < op_.element_count; ++i)
            set_element(i, 0, desired_[i]);
        return write_results(translator);
    }
    default: return AccessStep::done;
    }
}

AccessStep AccessSequence::write_results(AddressTranslator &translator) {
    phase_ = Phase::write;
    offset_ = 0;
    return issue(translator);
}

AccessStep AccessSequence::issue(AddressTranslator &translator) {
    const u64 at = address_ + offset_;
    unsigned part_bytes = kLargestPart;
    if (op_.kind != LoadStoreKind::zero_block) {
        const unsigned whole = std::min<unsigned>(op_.element_bytes, kLargestPart);
        // An access across a page boundary may be of two devices: bytes, as the architecture allows for unaligned ones.
        const bool begins_part = offset_ % whole == 0;
        part_bytes = begins_part && same_page(at, at + whole - 1) ? whole : 1;
    }
    const MemoryAccess access = phase_ == Phase::read ? MemoryAccess::read : MemoryAccess::write;
    const auto gpa = gpa_of(at, access, translator);
    if (!gpa)
        return refuse();
    u64 data = 0;
    if (phase_ == Phase::write && op_.kind != LoadStoreKind::zero_block)
        for (unsigned i = 0; i < part_bytes; ++i)
            data |= u64{bytes_[offset_ + i]} << 8 * i;
    exit_ = {.gpa = *gpa, .data = data, .access = access, .width = static_cast<Width>(part_bytes), .emulatable = true};
    return AccessStep::access;
}

AccessStep AccessSequence::refuse() {
    exit_ = {.gpa = fault_gpa_, .data = 0, .access = MemoryAccess::read, .width = Width::b1, .emulatable = false};
    return AccessStep::refused;
}

AccessStep AccessSequence::raise(GuestException fault) {
    fault_ = fault;
    return AccessStep::fault;
}

std::optional<Gpa> AccessSequence::gpa_of(u64 address, MemoryAccess access, AddressTranslator &translator) const {
    if (same_page(address, fault_address_))
        return Gpa{align_down(fault_gpa_.value(), kPageBytes) | (address & (kPageBytes - 1))};
    return translator.translate(GuestVirt{address}, access);
}

u64 AccessSequence::element(unsigned index, unsigned half) const {
    const unsigned bytes = op_.element_bytes;
    u64 value = 0;
    for (unsigned i = 0; i < std::min(bytes, 8U); ++i) {
        const unsigned significance = half * 8 + i;
        const unsigned place = endianness_ == Endianness::little ? significance : bytes - 1 - significance;
        value |= u64{bytes_[index * bytes + place]} << 8 * i;
    }
    return value;
}

void AccessSequence::set_element(unsigned index, unsigned half, u64 value) {
    const unsigned bytes = op_.element_bytes;
    for (unsigned i = 0; i < std::min(bytes, 8U); ++i) {
        const unsigned significance = half * 8 + i;
        const unsigned place = endianness_ == Endianness::little ? significance : bytes - 1 - significance;
        bytes_[index * bytes + place] = static_cast<u8>(value >> 8 * i);
    }
}

u64 AccessSequence::loaded_value(unsigned index) const {
    const u64 value = element(index, 0);
    switch (op_.sign_extend) {
    case SignExtend::no: return value;
    case SignExtend::to32: return static_cast<u32>(sign_extend(value, op_.element_bytes * 8U));
    case SignExtend::to64: return sign_extend(value, op_.element_bytes * 8U);
    }
    return value;
}

void AccessSequence::commit(RegisterFile &registers) {
    switch (op_.kind) {
    case LoadStoreKind::no_access:
    case LoadStoreKind::zero_block: return;
    case LoadStoreKind::atomic: write_x(registers, op_.rt, old_[0]); break;
    case LoadStoreKind::compare_and_swap:
        for (unsigned i = 0; i < op_.element_count; ++i)
            write_x(registers, op_.rs + i, old_[i]);
        break;
    case LoadStoreKind::exclusive:
        if (op_.direction == LoadStoreDirection::store)
            write_x(registers, op_.rs, exclusive_stored_ ? 0 : 1);
        break;
    default: break;
    }
    if (op_.direction == LoadStoreDirection::load)
        commit_load(registers);
    if (op_.writes_back()) {
        if (op_.rn == kRegister31)
            registers.set_sp(new_base_);
        else
            registers.set_x(op_.rn, new_base_);
    }
}

void AccessSequence::commit_load(RegisterFile &registers) const {
    if (op_.kind == LoadStoreKind::structure)
        return scatter_structure(registers);
    if (op_.kind == LoadStoreKind::single_structure)
        return scatter_single_structure(registers);
    if (op_.kind != LoadStoreKind::plain && op_.kind != LoadStoreKind::exclusive)
        return;
    for (unsigned i = 0; i < op_.element_count; ++i) {
        const unsigned reg = i == 0 ? op_.rt : op_.rt2;
        if (op_.bank == RegisterBank::general)
            write_x(registers, reg, loaded_value(i));
        else
            Vector{{element(i, 0), op_.element_bytes == 16 ? element(i, 1) : 0}}.store_to(registers, reg);
    }
}

void AccessSequence::scatter_structure(RegisterFile &registers) const {
    std::array<Vector, 4> loaded{};
    const unsigned count = unsigned{op_.structure_registers} * op_.structure_repeats;
    for (unsigned i = 0; i < op_.element_count; ++i) {
        const Place place = place_of(op_, i);
        loaded[(place.reg + 32 - op_.rt) % 32].set_lane(place.lane, op_.element_bytes, element(i, 0));
    }
    for (unsigned i = 0; i < count; ++i)
        loaded[i].store_to(registers, (op_.rt + i) % 32);
}

void AccessSequence::scatter_single_structure(RegisterFile &registers) const {
    const unsigned lanes = (op_.full_vector ? 16U : 8U) / op_.element_bytes;
    for (unsigned i = 0; i < op_.structure_registers; ++i) {
        const unsigned reg = (op_.rt + i) % 32;
        Vector vector = op_.replicate ? Vector{} : Vector::of(registers, reg);
        for (unsigned lane = 0; op_.replicate && lane < lanes; ++lane)
            vector.set_lane(lane, op_.element_bytes, element(i, 0));
        if (!op_.replicate)
            vector.set_lane(op_.lane, op_.element_bytes, element(i, 0));
        vector.store_to(registers, reg);
    }
}

} // namespace sel4vm::aarch64
