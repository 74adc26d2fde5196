// SPDX-License-Identifier: BSD-2-Clause
#include <apps/kvm/options.hpp>

#include <getopt.h>
#include <gtest/gtest.h>

namespace sel4vm::kvm_program {
namespace {

struct Read {
    Options options;
    std::string problem;
};

Read read(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sel4vm-kvm");
    std::vector<char *> pointers;
    for (std::string &argument : arguments)
        pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    optind = 0; // getopt's, from the start
    Read result;
    result.options = read_options(static_cast<int>(arguments.size()), pointers.data(), result.problem);
    return result;
}

TEST(KvmOptions, HaveTheBoardsDefaults) {
    const Read result = read({"--kernel", "Image"});
    EXPECT_EQ(result.problem, "");
    EXPECT_EQ(result.options.kernel, "Image");
    EXPECT_EQ(result.options.cmdline, "console=ttyAMA0");
    EXPECT_EQ(result.options.memory_mib, 256u);
    EXPECT_EQ(result.options.vcpus, 1u);
    EXPECT_FALSE(result.options.gic);
}

TEST(KvmOptions, AreReadInBothSpellings) {
    const Read result =
        read({"--kernel=k", "--initrd", "i", "--dtb", "d", "--cmdline=", "--memory", "64", "--vcpus=4", "--gic", "2"});
    EXPECT_EQ(result.problem, "");
    EXPECT_EQ(result.options.initrd, "i");
    EXPECT_EQ(result.options.dtb, "d");
    EXPECT_EQ(result.options.cmdline, "");
    EXPECT_EQ(result.options.memory_mib, 64u);
    EXPECT_EQ(result.options.vcpus, 4u);
    EXPECT_EQ(result.options.gic, 2u);
}

TEST(KvmOptions, SayWhatIsWrong) {
    EXPECT_EQ(read({}).problem, "there is no --kernel FILE: see --help");
    EXPECT_EQ(read({"--kernel"}).problem, "--kernel needs a value: see --help");
    EXPECT_EQ(read({"--kernel", "k", "--speed"}).problem, "there is no option --speed: see --help");
    EXPECT_EQ(read({"--kernel", "k", "more"}).problem, "'more' is no option: see --help");
    for (const char *value : {"0", "124", "1x", "-1", ""})
        EXPECT_EQ(read({"--kernel", "k", "--vcpus", value}).problem,
                  std::string("--vcpus is '") + value + "', expected 1 to 123");
    EXPECT_EQ(read({"--kernel", "k", "--gic", "4"}).problem, "--gic is '4', expected 2 or 3");
    EXPECT_EQ(read({"--kernel", "k", "--memory", "0"}).problem, "--memory is '0', expected MiB, 1 to 1048576");
}

TEST(KvmOptions, HelpNeedsNoKernel) {
    const Read result = read({"--help"});
    EXPECT_EQ(result.problem, "");
    EXPECT_TRUE(result.options.help);
}

} // namespace
} // namespace sel4vm::kvm_program
