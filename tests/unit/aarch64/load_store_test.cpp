// SPDX-License-Identifier: BSD-2-Clause
//
// The load and store decoder against encodings of an independent assembler.
#include <sel4vm/arch/aarch64/load_store.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <sstream>
#include <string>

namespace sel4vm::aarch64 {
namespace {

struct DecodedRow {
    const char *text;
    u32 instruction;
    LoadStore expected;
};

const DecodedRow kDecoded[] = {
#include "load_store_cases.inc"
};

struct RefusedRow {
    const char *text;
    u32 instruction;
    DecodeError expected;
};

const RefusedRow kRefused[] = {
#include "load_store_refused.inc"
};

/// The fields that a failure message needs.
std::string describe(const LoadStore &op) {
    std::ostringstream out;
    out << "kind " << int(op.kind) << " direction " << int(op.direction) << " bank " << int(op.bank) << " mode "
        << int(op.mode) << " sign " << int(op.sign_extend) << " operation " << int(op.operation) << " extend "
        << int(op.extend) << " shift " << int(op.shift) << " elements " << int(op.element_count) << "x"
        << int(op.element_bytes) << " rt " << int(op.rt) << " rt2 " << int(op.rt2) << " rn " << int(op.rn) << " rm "
        << int(op.rm) << " rs " << int(op.rs) << " structure " << int(op.structure_registers) << "x"
        << int(op.structure_repeats) << " lane " << int(op.lane) << " replicate " << op.replicate << " full "
        << op.full_vector << " ordered " << op.ordered << " offset " << op.offset;
    return out.str();
}

TEST(LoadStoreDecoder, UnderstandsEveryForm) {
    for (const auto &row : kDecoded) {
        const auto decoded = decode_load_store(row.instruction);
        ASSERT_TRUE(decoded) << row.text;
        EXPECT_TRUE(*decoded == row.expected)
            << row.text << "\n  got      " << describe(*decoded) << "\n  expected " << describe(row.expected);
    }
}

TEST(LoadStoreDecoder, PrefetchesTakeTheOffsetsThatLoadsTake) {
    // PRFM by register and, where the hint begins with 11, RPRFM: both have the middle bit of the option set.
    for (u32 hint = 0; hint < 32; ++hint)
        for (u32 option = 0; option < 8; ++option) {
            const auto decoded = decode_load_store(0xf8a3'0840 | option << 13 | hint);
            ASSERT_EQ(decoded.has_value(), (option & 2) != 0) << hint << ' ' << option;
            if (decoded)
                EXPECT_EQ(decoded->kind, LoadStoreKind::no_access);
            else
                EXPECT_EQ(decoded.error(), DecodeError::unallocated);
        }
}

TEST(LoadStoreDecoder, RefusesWithTheReason) {
    for (const auto &row : kRefused) {
        const auto decoded = decode_load_store(row.instruction);
        ASSERT_FALSE(decoded) << row.text;
        EXPECT_EQ(decoded.error(), row.expected) << row.text;
    }
}

TEST(LoadStoreDecoder, DescriptionsStayWithinTheirBounds) {
    std::mt19937 random(1); // a fixed seed: the same words every run
    unsigned decoded_count = 0;
    for (unsigned i = 0; i < 400'000; ++i) {
        // Half of all words are made to lie in the group of loads and stores.
        u32 instruction = static_cast<u32>(random());
        if (i % 2 == 0)
            instruction = (instruction & ~(1U << 25)) | 1U << 27;
        const auto decoded = decode_load_store(instruction);
        if (!decoded)
            continue;
        ++decoded_count;
        ASSERT_LE(decoded->total_bytes(), 64U) << std::hex << instruction;
        ASSERT_TRUE(decoded->element_bytes == 0 || std::has_single_bit(decoded->element_bytes))
            << std::hex << instruction;
        ASSERT_LE(decoded->element_bytes, 16) << std::hex << instruction;
        ASSERT_LT(decoded->lane * unsigned{decoded->element_bytes}, 16U) << std::hex << instruction;
        ASSERT_LE(decoded->structure_registers * decoded->structure_repeats, 4) << std::hex << instruction;
        ASSERT_LE(decoded->shift, 4) << std::hex << instruction;
    }
    EXPECT_GT(decoded_count, 100'000U);
}

} // namespace
} // namespace sel4vm::aarch64
