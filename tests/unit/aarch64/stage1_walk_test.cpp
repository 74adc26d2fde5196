// SPDX-License-Identifier: BSD-2-Clause
//
// The software walk of a guest's own tables, against small hand-made ones.
#include <sel4vm/arch/aarch64/stage1_walk.hpp>
#include <sel4vm/base/bits.hpp>

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace sel4vm::aarch64 {
namespace {

constexpr u64 kRoot = 0x4000'0000;
constexpr u64 kTable = 3;
constexpr u64 kPage = 3;
constexpr u64 kBlock = 1;
constexpr u64 kAccessed = u64{1} << 10;
constexpr u64 kEl0 = u64{1} << 6;
constexpr u64 kReadOnly = u64{1} << 7;

class Tables final : public TableReader {
public:
    std::optional<u64> read(Gpa at, unsigned level) override {
        levels.push_back(level);
        const auto found = words.find(at.value());
        return found == words.end() ? std::nullopt : std::optional<u64>(found->second);
    }
    std::map<u64, u64> words;
    std::vector<unsigned> levels; ///< of the entries read
};

class Stage1Walk : public testing::Test {
protected:
    // 4 KiB granules, 39 bits in both halves: three levels, from level 1.
    Stage1Registers registers{.sctlr = 1, .tcr = 25 | u64{25} << 16 | u64{2} << 30, .ttbr0 = kRoot, .ttbr1 = kRoot};
    Tables tables;

    // 0x40201xxx -> 0x5000'3xxx
    void map_page(u64 attributes) {
        tables.words[kRoot + 8 * 1] = (kRoot + 0x1000) | kTable;
        tables.words[kRoot + 0x1000 + 8 * 1] = (kRoot + 0x2000) | kTable;
        tables.words[kRoot + 0x2000 + 8 * 1] = 0x5000'3000 | attributes | kPage;
    }
    Stage1 walk(u64 at, MemoryAccess access = MemoryAccess::read, Privilege privilege = Privilege::el1) {
        return walk_stage1(registers, GuestVirt{at}, access, privilege, tables);
    }
};

TEST_F(Stage1Walk, PassesAddressesThroughWhileTheMmuIsOff) {
    registers.sctlr = 0;
    EXPECT_EQ(walk(0x1234'5678), (Stage1{Stage1Result::translated, Gpa{0x1234'5678}}));
}

TEST_F(Stage1Walk, FollowsThreeLevelsToAPage) {
    map_page(kAccessed);
    EXPECT_EQ(walk(0x4020'1abc), (Stage1{Stage1Result::translated, Gpa{0x5000'3abc}}));
    EXPECT_EQ(tables.levels, (std::vector<unsigned>{1, 2, 3}));
}

TEST_F(Stage1Walk, ReadsTablesInTheEndiannessOfEl1) {
    map_page(kAccessed);
    registers.sctlr |= u64{1} << 25; // EE
    EXPECT_EQ(walk(0x4020'1abc).result, Stage1Result::refused);
    for (auto &[at, word] : tables.words)
        word = __builtin_bswap64(word);
    EXPECT_EQ(walk(0x4020'1abc), (Stage1{Stage1Result::translated, Gpa{0x5000'3abc}}));
    registers.sctlr ^= u64{3} << 24; // E0E says nothing about tables
    EXPECT_EQ(walk(0x4020'1abc).result, Stage1Result::refused);
}

TEST_F(Stage1Walk, TakesBlocksAtLevelTwo) {
    tables.words[kRoot + 8 * 1] = (kRoot + 0x1000) | kTable;
    tables.words[kRoot + 0x1000 + 8 * 2] = 0x8020'0000 | kAccessed | kBlock;
    EXPECT_EQ(walk(0x4041'2345), (Stage1{Stage1Result::translated, Gpa{0x8021'2345}}));
}

TEST_F(Stage1Walk, UsesTheUpperHalfsTableForUpperAddresses) {
    registers.ttbr0 = 0xdead'0000;
    map_page(kAccessed);
    EXPECT_EQ(walk(0xffff'ff80'4020'1008).gpa, Gpa{0x5000'3008});
}

TEST_F(Stage1Walk, RefusesAddressesBetweenTheHalves) {
    map_page(kAccessed);
    EXPECT_EQ(walk(0x0001'0000'4020'1000).result, Stage1Result::refused);
}

TEST_F(Stage1Walk, HonoursPermissions) {
    map_page(kAccessed | kReadOnly);
    EXPECT_EQ(walk(0x4020'1000, MemoryAccess::write).result, Stage1Result::refused);
    EXPECT_EQ(walk(0x4020'1000, MemoryAccess::read, Privilege::el0).result, Stage1Result::refused);
    map_page(kAccessed | kEl0);
    EXPECT_EQ(walk(0x4020'1000, MemoryAccess::write, Privilege::el0).result, Stage1Result::translated);
    map_page(kEl0); // no access flag
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::refused);
}

TEST_F(Stage1Walk, HonoursLimitsOfTablesOnTheWay) {
    map_page(kAccessed | kEl0);
    tables.words[kRoot + 8 * 1] |= u64{1} << 62;
    EXPECT_EQ(walk(0x4020'1000, MemoryAccess::write).result, Stage1Result::refused);
    EXPECT_EQ(walk(0x4020'1000, MemoryAccess::read).result, Stage1Result::translated);
}

TEST_F(Stage1Walk, NamesTheEntryThatCannotBeRead) {
    tables.words[kRoot + 8 * 1] = u64{0x9000'0000} | kTable;
    EXPECT_EQ(walk(0x4020'1000), (Stage1{Stage1Result::table_fault, Gpa{0x9000'0008}}));
}

TEST_F(Stage1Walk, RefusesReservedAndDisabledConfigurations) {
    map_page(kAccessed);
    registers.tcr = (registers.tcr & ~u64{0x3f}) | 63;
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::refused);
    registers.tcr = 25 | u64{1} << 7;
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::refused);
    registers.tcr = 25 | u64{3} << 14;
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::refused);
}

TEST_F(Stage1Walk, RefusesTableSizesBeyondTheLimits) {
    // The tables would be found in each case.
    for (u64 at = kRoot; at < kRoot + 8 * 128; at += 8)
        tables.words[at] = (kRoot + 0x10000) | kTable;
    tables.words[kRoot + 0x10000] = u64{0x8000'0000} | kAccessed | kBlock; // 64 KiB granule: 512 MiB
    for (const unsigned t0sz : {0u, 12u, 15u, 16u, 21u}) {
        registers.tcr = t0sz | u64{1} << 14;
        EXPECT_EQ(walk(0x1234).result, t0sz < 16 ? Stage1Result::refused : Stage1Result::translated) << t0sz;
    }
    tables.words[kRoot] = (kRoot + 0x1000) | kTable;
    tables.words[kRoot + 0x1000] = u64{0x8000'0000} | kAccessed | kPage;
    for (const unsigned t0sz : {38u, 39u, 40u, 41u, 42u}) { // levels 2 and 3
        registers.tcr = t0sz;
        EXPECT_EQ(walk(0x123).result, t0sz > 39 ? Stage1Result::refused : Stage1Result::translated) << t0sz;
    }
}

TEST_F(Stage1Walk, BeginsAtTheLevelThatTheSizeAsksFor) {
    struct Row {
        unsigned granule_bits;
        u64 tg0;
        unsigned first_of_level[4]; ///< the smallest T0SZ whose walk begins there; 0: none does
    };
    // Arm ARM, "The AArch64 translation stages": initial lookup level.
    const Row rows[] = {{12, 0, {16, 25, 34, 0}}, {14, 2, {16, 17, 28, 39}}, {16, 1, {0, 16, 22, 35}}};
    for (const Row &row : rows)
        for (unsigned t0sz = 16; t0sz <= 39; ++t0sz) {
            unsigned level = 0;
            for (unsigned n = 0; n < 4; ++n)
                if (row.first_of_level[n] != 0 && t0sz >= row.first_of_level[n])
                    level = n;
            const unsigned shift = row.granule_bits + (3 - level) * (row.granule_bits - 3);
            registers.tcr = t0sz | row.tg0 << 14;
            tables.levels.clear();
            const u64 last = low_mask(64 - t0sz);
            EXPECT_EQ(walk(last), (Stage1{Stage1Result::table_fault, Gpa{kRoot + 8 * (last >> shift)}})) << t0sz;
            EXPECT_EQ(tables.levels, std::vector<unsigned>{level}) << row.granule_bits << ' ' << t0sz;
        }
}

TEST_F(Stage1Walk, RefusesEveryReservedPageSizeOfEitherHalf) {
    map_page(kAccessed);
    registers.tcr |= u64{3} << 14;
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::refused);
    EXPECT_EQ(walk(0xffff'ff80'4020'1000).result, Stage1Result::translated);
    registers.tcr = 25 | u64{25} << 16; // TG1 0
    EXPECT_EQ(walk(0xffff'ff80'4020'1000).result, Stage1Result::refused);
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::translated);
}

TEST_F(Stage1Walk, RefusesAHalfThatIsDisabled) {
    map_page(kAccessed);
    const u64 both = registers.tcr;
    registers.tcr = both | u64{1} << 7; // EPD0
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::refused);
    EXPECT_EQ(walk(0xffff'ff80'4020'1000).result, Stage1Result::translated);
    registers.tcr = both | u64{1} << 23; // EPD1
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::translated);
    EXPECT_EQ(walk(0xffff'ff80'4020'1000).result, Stage1Result::refused);
}

TEST_F(Stage1Walk, TakesBlocksAtLevelOneOfSmallPages) {
    tables.words[kRoot + 8 * 3] = u64{0x8'4000'0000} | kAccessed | kBlock; // 1 GiB
    EXPECT_EQ(walk(0xc765'4321), (Stage1{Stage1Result::translated, Gpa{0x8'4765'4321}}));
}

TEST_F(Stage1Walk, RefusesABlockAtLevelZero) {
    registers.tcr = 16; // four levels
    tables.words[kRoot] = kAccessed | kBlock;
    EXPECT_EQ(walk(0x1234).result, Stage1Result::refused);
    tables.words[kRoot] = (kRoot + 0x1000) | kTable;
    tables.words[kRoot + 0x1000] = u64{0x4000'0000} | kAccessed | kBlock;
    EXPECT_EQ(walk(0x1234).gpa, Gpa{0x4000'1234});
}

TEST_F(Stage1Walk, ReadsTablesOfSixteenKibibytes) {
    registers.tcr = 25 | u64{2} << 14; // TG0: 16 KiB, levels 1 to 3
    const u64 at = u64{5} << 36 | u64{6} << 25 | u64{7} << 14 | 0x2abc;
    tables.words[kRoot + 8 * 5] = (kRoot + 0x4000) | kTable;
    tables.words[kRoot + 0x4000 + 8 * 6] = (kRoot + 0x8000) | kTable;
    tables.words[kRoot + 0x8000 + 8 * 7] = 0x5000'4000 | kAccessed | kPage;
    EXPECT_EQ(walk(at), (Stage1{Stage1Result::translated, Gpa{0x5000'6abc}}));
    tables.words[kRoot + 0x4000 + 8 * 6] = 0x6000'0000 | kAccessed | kBlock; // 32 MiB
    EXPECT_EQ(walk(at), (Stage1{Stage1Result::translated, Gpa{0x6000'0000 | (at & 0x1ff'ffff)}}));
    tables.words[kRoot + 8 * 5] = kAccessed | kBlock;
    EXPECT_EQ(walk(at).result, Stage1Result::refused) << "no block at level 1";
}

TEST_F(Stage1Walk, ReadsTablesOfSixtyFourKibibytes) {
    registers.tcr = 25 | u64{1} << 14; // TG0: 64 KiB, levels 2 and 3
    const u64 at = u64{5} << 29 | u64{7} << 16 | 0xabcd;
    tables.words[kRoot + 8 * 5] = (kRoot + 0x1'0000) | kTable;
    tables.words[kRoot + 0x1'0000 + 8 * 7] = 0x5001'0000 | kAccessed | kPage;
    EXPECT_EQ(walk(at), (Stage1{Stage1Result::translated, Gpa{0x5001'abcd}}));
    tables.words[kRoot + 8 * 5] = u64{0x2'0000'0000} | kAccessed | kBlock; // 512 MiB
    EXPECT_EQ(walk(at), (Stage1{Stage1Result::translated, Gpa{0x2'0000'0000 | (at & 0x1fff'ffff)}}));
    registers.tcr = 16 | u64{1} << 14; // 48 bits: from level 1, which has no blocks
    tables.words[kRoot] = kAccessed | kBlock;
    EXPECT_EQ(walk(at).result, Stage1Result::refused);
}

TEST_F(Stage1Walk, TheUpperHalfNumbersItsPageSizesDifferently) {
    const u64 upper = 0xffff'ff80'0000'0000;
    tables.words[kRoot + 8 * 5] = (kRoot + 0x4000) | kTable;
    tables.words[kRoot + 0x4000 + 8 * 6] = (kRoot + 0x8000) | kTable;
    tables.words[kRoot + 0x8000 + 8 * 7] = 0x5000'4000 | kAccessed | kPage;
    registers.tcr = u64{25} << 16 | u64{1} << 30 | u64{1} << 7; // TG1: 16 KiB
    EXPECT_EQ(walk(upper | u64{5} << 36 | u64{6} << 25 | u64{7} << 14 | 8).gpa, Gpa{0x5000'4008});
    tables.words[kRoot + 8 * 5] = (kRoot + 0x1'0000) | kTable;
    tables.words[kRoot + 0x1'0000 + 8 * 7] = 0x5001'0000 | kAccessed | kPage;
    registers.tcr = u64{25} << 16 | u64{3} << 30 | u64{1} << 7; // TG1: 64 KiB
    EXPECT_EQ(walk(upper | u64{5} << 29 | u64{7} << 16 | 8).gpa, Gpa{0x5001'0008});
    registers.tcr = u64{25} << 16 | u64{1} << 7; // reserved
    EXPECT_EQ(walk(upper).result, Stage1Result::refused);
}

TEST_F(Stage1Walk, IgnoresTheTopByteWhereItIsTold) {
    map_page(kAccessed);
    EXPECT_EQ(walk(0x5a00'0000'4020'1abc).result, Stage1Result::refused);
    registers.tcr |= u64{1} << 37;
    EXPECT_EQ(walk(0x5a00'0000'4020'1abc).gpa, Gpa{0x5000'3abc});
    EXPECT_EQ(walk(0x5a40'0000'4020'1abc).result, Stage1Result::refused);
    EXPECT_EQ(walk(0x5aff'ff80'4020'1abc).result, Stage1Result::refused) << "the other half has a bit of its own";
    registers.tcr |= u64{1} << 38;
    EXPECT_EQ(walk(0x5aff'ff80'4020'1abc).gpa, Gpa{0x5000'3abc});
}

TEST_F(Stage1Walk, AnEntryOfTheLastLevelMustBeAPage) {
    map_page(kAccessed);
    tables.words[kRoot + 0x2000 + 8 * 1] = 0x5000'3000 | kAccessed | kBlock;
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::refused);
    tables.words[kRoot + 0x1000 + 8 * 1] = 0;
    EXPECT_EQ(walk(0x4020'1000).result, Stage1Result::refused);
}

TEST_F(Stage1Walk, AFetchNeedsTheAccessFlagAlone) {
    map_page(kAccessed);
    EXPECT_EQ(walk(0x4020'1000, MemoryAccess::fetch, Privilege::el0).result, Stage1Result::translated);
    map_page(0);
    EXPECT_EQ(walk(0x4020'1000, MemoryAccess::fetch, Privilege::el0).result, Stage1Result::refused);
}

} // namespace
} // namespace sel4vm::aarch64
