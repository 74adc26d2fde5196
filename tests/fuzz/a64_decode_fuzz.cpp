// SPDX-License-Identifier: BSD-2-Clause
//
// Any instruction words on any registers: the decoder describes only what it can stand for, and the emulation ends after a
// bounded number of well-formed accesses inside the pages that it was given.
#include <sel4vm/arch/aarch64/access.hpp>
#include <sel4vm/base/bits.hpp>

#include <bit>
#include <cstdlib>
#include <cstring>

using namespace sel4vm;
using namespace sel4vm::aarch64;

namespace {

constexpr u64 kFaultPage = 0x0900'0000;
constexpr u64 kOtherPage = 0x0b00'0000;

void require(bool holds) {
    if (!holds)
        std::abort();
}

/// Takes values from the input; zeros after its end.
class Input {
public:
    Input(const u8 *data, usize size) : data_(data), left_(size) {}
    template <class T>
    T take() {
        T value{};
        const usize bytes = left_ < sizeof value ? left_ : sizeof value;
        std::memcpy(&value, data_, bytes);
        data_ += bytes;
        left_ -= bytes;
        return value;
    }
    [[nodiscard]] bool empty() const { return left_ == 0; }

private:
    const u8 *data_;
    usize left_;
};

class FuzzRegisters final : public RegisterFile {
public:
    u64 general[31] = {};
    u64 vector[32][2] = {};
    u64 x(unsigned n) override {
        require(n < 31);
        return general[n];
    }
    void set_x(unsigned n, u64 value) override {
        require(n < 31);
        general[n] = value;
    }
    u64 sp() override { return general[0]; }
    void set_sp(u64 value) override { general[0] = value; }
    u64 pc() override { return general[1]; }
    u64 v(unsigned n, unsigned half) override {
        require(n < 32 && half < 2);
        return vector[n][half];
    }
    void set_v(unsigned n, unsigned half, u64 value) override {
        require(n < 32 && half < 2);
        vector[n][half] = value;
    }
};

class FuzzTranslator final : public AddressTranslator {
public:
    bool mapped = false;
    std::optional<Gpa> translate(GuestVirt at, MemoryAccess) override {
        if (!mapped)
            return std::nullopt;
        return Gpa{kOtherPage | (at.value() & (kPageBytes - 1))};
    }
};

void check_description(const LoadStore &op) {
    require(op.total_bytes() <= 64);
    require(op.element_bytes == 0 || (std::has_single_bit(op.element_bytes) && op.element_bytes <= 16));
    require(op.rt < 32 && op.rt2 < 32 && op.rn < 32 && op.rm < 32 && op.rs < 32);
    require(op.lane * unsigned{op.element_bytes} < 16 && op.shift <= 4);
}

void check_exit(const MemoryExit &exit) {
    require(exit.emulatable);
    require(std::has_single_bit(bytes_of(exit.width)) && bytes_of(exit.width) <= 8);
    require(exit.access != MemoryAccess::fetch);
    require((exit.data & ~mask_of(exit.width)) == 0);
    const u64 page = align_down(exit.gpa.value(), kPageBytes);
    require(page == kFaultPage || page == kOtherPage);
    require(exit.gpa.value() - page + bytes_of(exit.width) <= kPageBytes);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    Input input{data, size};
    FuzzRegisters registers;
    FuzzTranslator translator;
    AccessSequence sequence;
    while (!input.empty()) {
        AccessRequest request;
        request.instruction = input.take<u32>();
        const u8 flags = input.take<u8>();
        translator.mapped = (flags & 1) != 0;
        request.endianness = (flags & 2) != 0 ? Endianness::big : Endianness::little;
        request.exclusives = (flags & 4) != 0 ? ExclusivePolicy::emulate : ExclusivePolicy::refuse;
        request.zva_bytes = 8U << (flags >> 3 & 7);
        if ((flags & 0x40) != 0)
            sequence.clear_monitor();

        u64 base = input.take<u16>();
        const auto decoded = decode_load_store(request.instruction);
        if (decoded) {
            check_description(*decoded);
            // Without this, hardly any input's registers would point to the address of the fault.
            const u64 offset = decoded->extend == Extend::none ? static_cast<u64>(decoded->offset) : 0;
            registers.general[decoded->rn % 31] = base - (decoded->mode == AddressMode::post_index ? 0 : offset);
            if (decoded->kind == LoadStoreKind::zero_block)
                registers.general[decoded->rt % 31] = base;
            if (decoded->mode == AddressMode::literal)
                registers.general[1] = base - offset;
            if (decoded->extend != Extend::none && decoded->rm < 31 && decoded->rm != decoded->rn)
                registers.general[decoded->rm] = 0;
        }
        base += input.take<u8>() % 64; // the byte that faulted need not be the first
        request.fault_address = GuestVirt{base};
        request.fault_gpa = Gpa{kFaultPage | (base & (kPageBytes - 1))};

        unsigned parts = 0;
        AccessStep step = sequence.start(request, registers, translator);
        while (step == AccessStep::access) {
            check_exit(sequence.exit());
            require(++parts <= 256);
            step = sequence.next(input.take<u64>(), translator);
        }
        if (step == AccessStep::done) {
            require(decoded.has_value());
            sequence.commit(registers);
        } else if (step == AccessStep::refused) {
            require(!sequence.exit().emulatable);
        } else {
            require(sequence.fault() == GuestException::alignment ||
                    sequence.fault() == GuestException::unsupported_access);
        }
    }
    return 0;
}
