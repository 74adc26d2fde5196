// SPDX-License-Identifier: BSD-2-Clause
//
// examples/c-minimal as a root task on the double, its files where the C library finds them, with a guest of a few instructions in the
// place of Linux: it prints, touches memory where nothing is, reboots once and turns itself off.
#include <sel4_host/double/host.hpp>

#include <suite/a64.h>
#include <support/kernel_files.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

extern "C" int c_minimal_main(void);

namespace sel4vm::sel4_double {
namespace {

/// The current folder of a test, and its end.
class Folder {
public:
    Folder() {
        char name[] = "/tmp/c-minimal-XXXXXX";
        EXPECT_NE(mkdtemp(name), nullptr);
        path_ = name;
        std::filesystem::current_path(path_);
    }
    ~Folder() {
        std::filesystem::current_path(before_);
        std::filesystem::remove_all(path_);
    }
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;

    void write(const char *name, std::span<const u8> bytes) {
        std::ofstream file(path_ / name, std::ios::binary);
        for (const u8 byte : bytes)
            file.put(static_cast<char>(byte));
    }

private:
    std::filesystem::path before_ = std::filesystem::current_path();
    std::filesystem::path path_;
};

constexpr u32 kUart = 0x0900'0000, kFlag = 0x4400'0000;

TEST(Sel4CMinimal, BootsItsGuestPrintsRebootsAndEnds) {
    const u32 code[] = {
        A64_LOAD(1U, kUart),
        A64_LOAD(2U, kFlag),
        A64_LDR_X(7U, 2U, 0U),
        A64_CBNZ(7U, 15), // the second boot
        A64_LOAD(3U, 0x301U),
        A64_STR_W(3U, 1U, 0x30U / 4), // CR: on
        A64_LOAD(4U, 0x68U),
        A64_STR_W(4U, 1U, 0U), // h
        A64_LOAD(6U, 0x1000U),
        A64_STR_W(4U, 6U, 0U), // nothing is there
        A64_STR_X(1U, 2U, 0U),
        A64_CALL(0x8400'0009U), // SYSTEM_RESET
        A64_B(0),
        A64_LOAD(4U, 0x21U), // !
        A64_STR_W(4U, 1U, 0U),
        A64_CALL(0x8400'0008U), // SYSTEM_OFF
        A64_B(0),
    };
    constexpr usize kHeader = 64;
    test::Bytes image = test::arm64_image(0x80000, 0x10000, 0, kHeader + sizeof code);
    boot::store_le<u32>(image, 0, A64_B(kHeader / 4));
    for (usize i = 0; i < std::size(code); ++i)
        boot::store_le<u32>(image, kHeader + 4 * i, code[i]);
    Folder folder;
    folder.write("kernel", image);
    folder.write("initrd", test::Bytes{'0', '7'});
    shared() = {};
    EXPECT_EQ(c_minimal_main(), 0);
    EXPECT_EQ(shared().console_output, "h!");
    EXPECT_EQ(shared().violation, "");
    EXPECT_EQ(shared().left, 0U);
}

TEST(Sel4CMinimal, SaysThatItCannotStartWithoutImages) {
    Folder folder;
    shared() = {};
    EXPECT_EQ(c_minimal_main(), 1);
    EXPECT_EQ(shared().violation, "");
    EXPECT_EQ(shared().left, 0U);
}

} // namespace
} // namespace sel4vm::sel4_double
