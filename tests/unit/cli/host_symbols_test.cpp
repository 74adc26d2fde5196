// SPDX-License-Identifier: BSD-2-Clause
//
// Addresses of a panic as functions: from a small ELF file, from damaged ones, and only where the host reports a panic.
#include <apps/sel4vm/host_symbols.hpp>

#include <sel4vm/boot/bytes.hpp>

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

constexpr u64 kBase = 0x4020'0000;
constexpr usize kText = 64 + 56; // after the header and one segment
constexpr usize kTextBytes = 0x200;

struct Row {
    std::string name;
    u64 offset;
    u64 size;
    u8 kind; // 2: a function
};

/// Header, one loaded segment, symbols, their names, three sections: nothing, symbols, names.
Bytes elf(const std::vector<Row> &rows) {
    std::string names(1, '\0');
    Bytes symbols(24);
    for (const Row &row : rows) {
        Bytes entry(24);
        boot::store_le<u32>(entry, 0, static_cast<u32>(names.size()));
        entry[4] = row.kind;
        boot::store_le<u16>(entry, 6, 1);
        boot::store_le<u64>(entry, 8, kBase + row.offset);
        boot::store_le<u64>(entry, 16, row.size);
        symbols.insert(symbols.end(), entry.begin(), entry.end());
        names += row.name + '\0';
    }
    Bytes file(kText + kTextBytes);
    for (usize i = kText; i < file.size(); ++i)
        file[i] = static_cast<u8>(i);
    const usize symbols_at = file.size();
    file.insert(file.end(), symbols.begin(), symbols.end());
    const usize names_at = file.size();
    file.insert(file.end(), names.begin(), names.end());
    const usize sections = file.size();
    file.resize(sections + 3 * usize{64});
    boot::store_le<u32>(file, 0, 0x464c'457f);
    file[4] = 2;
    file[5] = 1;
    boot::store_le<u16>(file, 18, 183);
    boot::store_le<u64>(file, 32, 64);
    boot::store_le<u64>(file, 40, sections);
    boot::store_le<u16>(file, 56, 1);
    boot::store_le<u16>(file, 58, 64);
    boot::store_le<u16>(file, 60, 3);
    boot::store_le<u32>(file, 64, 1);
    boot::store_le<u64>(file, 64 + 8, kText);
    boot::store_le<u64>(file, 64 + 16, kBase);
    boot::store_le<u64>(file, 64 + 32, kTextBytes);
    const auto section = [&file, sections](usize index, u32 type, u64 at, u64 size, u32 link, u64 entry) {
        const usize start = sections + index * 64;
        boot::store_le<u32>(file, start + 4, type);
        boot::store_le<u64>(file, start + 24, at);
        boot::store_le<u64>(file, start + 32, size);
        boot::store_le<u32>(file, start + 40, link);
        boot::store_le<u64>(file, start + 56, entry);
    };
    section(1, 2, symbols_at, symbols.size(), 2, 24);
    section(2, 3, names_at, names.size(), 0, 0);
    return file;
}

Bytes good_elf() {
    return elf({{"__image_start", 0, 0, 0},
                {"_ZN6sel4vm2Vm5buildEv", 0x80, 0x20, 2},
                {"$x", 0x90, 0, 0},
                {"vectors", 0x100, 0, 2}});
}

TEST(ElfSymbols, NamesTheFunctionAroundAnAddress) {
    const ElfSymbols symbols(good_elf());
    EXPECT_EQ(symbols.name_of(kBase + 0x80), "sel4vm::Vm::build()+0x0");
    EXPECT_EQ(symbols.name_of(kBase + 0x9c), "sel4vm::Vm::build()+0x1c") << "$x is no function";
    EXPECT_EQ(symbols.name_of(kBase + 0xa0), std::nullopt) << "between two functions";
    EXPECT_EQ(symbols.name_of(kBase + 0x150), "vectors+0x50") << "one without a size reaches to the next";
    EXPECT_EQ(symbols.name_of(kBase), std::nullopt);
    EXPECT_EQ(symbols.value_of("__image_start"), kBase);
    EXPECT_EQ(symbols.value_of("nothing"), std::nullopt);
    EXPECT_EQ(symbols.loaded_at(kBase + 0x10).size(), kTextBytes - 0x10);
    EXPECT_TRUE(symbols.loaded_at(kBase + kTextBytes).empty());
    EXPECT_FALSE(symbols.has_lines());
}

TEST(ElfSymbols, DamagedFilesHaveFewerSymbolsAndNothingElse) {
    const Bytes good = good_elf();
    for (usize size = 0; size < good.size(); ++size)
        EXPECT_EQ(ElfSymbols(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))).name_of(kBase),
                  std::nullopt);
    for (usize at = 0; at < good.size(); ++at)
        for (const u8 value : {u8{0}, u8{0x7f}, u8{0xff}}) {
            Bytes bad = good;
            bad[at] = value;
            const ElfSymbols symbols(std::move(bad));
            static_cast<void>(symbols.name_of(kBase + 0x90));
            static_cast<void>(symbols.loaded_at(kBase));
        }
}

class HostReport : public testing::Test {
protected:
    HostReport() {
        std::string name = "/tmp/sel4vm-symbols-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        const Bytes file = good_elf();
        write("host.elf", file);
        Bytes image(file.begin() + kText, file.begin() + kText + kTextBytes);
        image[16] = 0x55; // the header says how much follows
        image.resize(image.size() + 100, 1);
        write("image", image);
    }
    ~HostReport() override { std::filesystem::remove_all(folder_); }
    HostReport(const HostReport &) = delete;
    HostReport &operator=(const HostReport &) = delete;

    void write(const char *name, const Bytes &bytes) const {
        std::ofstream(folder_ / name, std::ios::binary)
            .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    [[nodiscard]] HostSymbols symbols() const { return {folder_ / "image", folder_ / "host.elf"}; }

    const std::string called_ = "  called from 0x80000084 (image+0x84)";
    std::filesystem::path folder_;
};

TEST_F(HostReport, SaysWhoCalled) {
    HostSymbols report = symbols();
    EXPECT_EQ(report.explained("panic: oops"), "panic: oops");
    EXPECT_EQ(report.explained(called_), called_ + " sel4vm::Vm::build()+0x4");
    EXPECT_EQ(report.explained("  elr 0x80000104 (image+0x104)"), "  elr 0x80000104 (image+0x104) vectors+0x4");
    for (const char *other : {"  called from 0x84", "  called from 0x84 (image+)", "  called from 0x84 (image+0x84",
                              "  called from 0x84 (image+0xffffffffffffffff)", "  called from 0x84 (image+0x84z)", ""})
        EXPECT_EQ(report.explained(other), other);
}

TEST_F(HostReport, NothingThatAGuestMayHaveSaidIsTakenForAnAddress) {
    HostSymbols report = symbols();
    EXPECT_EQ(report.explained(called_), called_) << "before a panic there is no report";
    static_cast<void>(report.explained("panic: oops"));
    for (const char *line : {"error: guest: stopped: guest crash: kernel panic:   called from 0x84 (image+0x84)",
                             "info: guest: (image+0x84)", " called from 0x84 (image+0x84)"})
        EXPECT_EQ(report.explained(line), line);
}

TEST_F(HostReport, SymbolsOfAnotherBuildAreNotUsed) {
    Bytes other = good_elf();
    other[kText + 0x180] ^= 1;
    write("host.elf", other);
    HostSymbols report = symbols();
    static_cast<void>(report.explained("panic: oops"));
    EXPECT_EQ(report.explained(called_), called_);
    std::filesystem::remove(folder_ / "host.elf");
    HostSymbols none = symbols();
    static_cast<void>(none.explained("panic: oops"));
    EXPECT_EQ(none.explained(called_), called_);
}

} // namespace
} // namespace sel4vm::cli
