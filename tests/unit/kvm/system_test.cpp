// SPDX-License-Identifier: BSD-2-Clause
//
// What a machine without what is needed is told, and KVM's names of registers and lines.
#include <hosts/kvm/arm64_abi.hpp>
#include <hosts/kvm/system.hpp>

#include <gtest/gtest.h>
#include <set>

namespace sel4vm::kvm {
namespace {

constexpr int kVersion = KVM_API_VERSION;

TEST(KvmSystem, NothingIsSaidWhereNothingIsWrong) { EXPECT_EQ(explain({"aarch64", 0, kVersion, {}}), ""); }

TEST(KvmSystem, EachCauseIsOneSentenceWithItsRemedy) {
    const std::string machine = explain({"x86_64", 0, 0, {}});
    EXPECT_NE(machine.find("x86_64"), std::string::npos);
    EXPECT_NE(machine.find("./dev run"), std::string::npos);
    const std::string absent = explain({"aarch64", ENOENT, 0, {}});
    EXPECT_NE(absent.find("no /dev/kvm"), std::string::npos);
    EXPECT_NE(absent.find("nested virtualization"), std::string::npos);
    const std::string forbidden = explain({"aarch64", EACCES, 0, {}});
    EXPECT_NE(forbidden.find("permission"), std::string::npos);
    EXPECT_NE(forbidden.find("adduser USER kvm"), std::string::npos);
    const std::string other = explain({"aarch64", EMFILE, 0, {}});
    EXPECT_NE(other.find("Too many open files"), std::string::npos);
    const std::string old = explain({"aarch64", 0, 11, {}});
    EXPECT_NE(old.find("version 11"), std::string::npos);
    const std::string lacking = explain({"aarch64", 0, kVersion, "something"});
    EXPECT_NE(lacking.find("lacks something"), std::string::npos);
    EXPECT_NE(lacking.find("Linux 5.5"), std::string::npos);
    for (const std::string &sentence : {machine, absent, forbidden, other, old, lacking})
        EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
    EXPECT_EQ((std::set{machine, absent, forbidden, other, old, lacking}).size(), 6u);
}

TEST(KvmSystem, AMachineOfAnotherArchitectureIsToldBeforeAnythingIsOpened) {
#ifndef __aarch64__
    System system;
    EXPECT_NE(system.open().find("takes an AArch64 machine"), std::string::npos);
    EXPECT_FALSE(system.kvm());
#endif
}

TEST(KvmRegisters, HaveTheKernelsNames) {
    namespace sysreg = aarch64::sysreg;
    // Values of arch/arm64/include/uapi/asm/kvm.h; the build for AArch64 compares all of them.
    EXPECT_EQ(abi::general_register(0), 0x6030'0000'0010'0000u);
    EXPECT_EQ(abi::general_register(30), 0x6030'0000'0010'003cu);
    EXPECT_EQ(abi::kPc, 0x6030'0000'0010'0040u);
    EXPECT_EQ(abi::kPstate, 0x6030'0000'0010'0042u);
    EXPECT_EQ(abi::system_register(sysreg::kSctlrEl1), 0x6030'0000'0013'c080u);
    EXPECT_EQ(abi::system_register(sysreg::kSpEl0), abi::kSpEl0);
    EXPECT_EQ(abi::system_register(sysreg::kSpsrEl2), abi::kPstate);
    EXPECT_EQ(abi::system_register(sysreg::kEsrEl2), std::nullopt);
    EXPECT_EQ(abi::system_register(sysreg::kFarEl2), std::nullopt);
    EXPECT_EQ(abi::system_register(sysreg::kCntvctEl0), 0x6030'0000'0013'df1au);
    EXPECT_EQ(abi::system_register(sysreg::kCntvCvalEl0), 0x6030'0000'0013'df02u);
}

TEST(KvmLines, SayTheKindTheVcpuAndTheNumber) {
    EXPECT_EQ(abi::shared_line(33), 0x0100'0021u);
    EXPECT_EQ(abi::private_line(0, 27), 0x0200'001bu);
    EXPECT_EQ(abi::private_line(31, 27), 0x021f'001bu);
    EXPECT_EQ(abi::private_line(257, 16), 0x1201'0010u);
}

} // namespace
} // namespace sel4vm::kvm
