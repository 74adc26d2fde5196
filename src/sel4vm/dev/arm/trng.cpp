// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/trng.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/dev/arm/firmware_call.hpp>

#include <array>

namespace sel4vm::dev {

namespace trng = aarch64::trng;

namespace {
/// Names this implementation: 6b0f3c1d-52a8-4e97-9d24-c10a7be8f365, made at random, as four words.
constexpr std::array<u32, 4> kUuid{0x1d3c'0f6b, 0x974e'a852, 0x0ac1'249d, 0x65f3'e87b};
static_assert(kUuid[0] != 0xffff'ffff, "would read as an error");
} // namespace

Status<RegisterError> Trng::register_all(HypercallTable &table) {
    std::array<u8, 8> probe{};
    if (!entropy_.fill(probe))
        return Ok{};
    SEL4VM_TRY(table.add(trng::kVersion, trng::kRnd32, *this));
    return table.add(trng::kRnd64, trng::kRnd64, *this);
}

Answer Trng::call(Vcpu &vcpu, const HypercallExit &exit) {
    if (aarch64::immediate_of(exit) != 0)
        return Answer::none();
    const FirmwareCall call(vcpu, exit.function);
    switch (call.function()) {
    case trng::kVersion: return call.finish(trng::kVersion1_0);
    case trng::kFeatures: return features(call);
    case trng::kGetUuid: return uuid(call);
    case trng::kRnd32: return random(call, 32);
    case trng::kRnd64: return random(call, 64);
    default: return Answer::none();
    }
}

Answer Trng::features(const FirmwareCall &call) const {
    switch (call.argument32(1)) {
    case trng::kVersion:
    case trng::kFeatures:
    case trng::kGetUuid:
    case trng::kRnd32:
    case trng::kRnd64: return call.finish(trng::kSuccess);
    default: return call.finish(trng::kNotSupported);
    }
}

Answer Trng::uuid(const FirmwareCall &call) const {
    for (unsigned n = 1; n < kUuid.size(); ++n)
        call.set_result(n, kUuid[n]);
    return call.finish(kUuid[0]);
}

/// Up to three words of `word_bits`, the lowest bits in x3. On an error x1 to x3 are zero.
Answer Trng::random(const FirmwareCall &call, unsigned word_bits) {
    constexpr unsigned kWords = 3;
    const u64 bits = call.argument(1);
    for (unsigned n = 1; n <= kWords; ++n)
        call.set_result(n, 0);
    if (bits == 0 || bits > u64{kWords} * word_bits)
        return call.finish(trng::kInvalidParameters);

    std::array<u8, kWords * sizeof(u64)> bytes{};
    if (!entropy_.fill(std::span(bytes).first(static_cast<usize>((bits + 7) / 8))))
        return call.finish(trng::kNoEntropy);
    u64 left = bits;
    for (unsigned word = 0; word < kWords && left > 0; ++word) {
        u64 value = 0;
        for (unsigned n = word_bits / 8; n > 0; --n)
            value = value << 8 | bytes[word * (word_bits / 8) + n - 1];
        const unsigned take = left < word_bits ? static_cast<unsigned>(left) : word_bits;
        call.set_result(kWords - word, value & low_mask(take));
        left -= take;
    }
    return call.finish(trng::kSuccess);
}

} // namespace sel4vm::dev
