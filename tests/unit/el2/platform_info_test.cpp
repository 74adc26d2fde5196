// SPDX-License-Identifier: BSD-2-Clause
#include "machine_tree.hpp"

#include <functional>

namespace sel4vm::el2 {
namespace {

HostPhysRange range(u64 base, u64 size) { return *HostPhysRange::make(HostPhys{base}, size); }

TEST(PlatformInfo, FindsThePrivateInterruptOfPerformanceMonitors) {
    const auto found = [](const char *compatible, std::initializer_list<u32> interrupts, bool disabled = false) {
        Tree tree(GicVersion::v3);
        tree.node("/pmu");
        tree.text("/pmu", "compatible", compatible);
        tree.cells("/pmu", "interrupts", interrupts);
        if (disabled)
            tree.text("/pmu", "status", "disabled");
        PlatformInfo info;
        EXPECT_EQ(read(tree, info), "");
        return info.pmu_intid;
    };
    EXPECT_EQ(found("arm,armv8-pmuv3", {1, 7, 4}), 23U);
    EXPECT_EQ(found("arm,cortex-a53-pmu", {1, 5, 0x104}), 21U);
    EXPECT_EQ(found("arm,cortex-a72-pmu", {0, 16, 4}), 0U) << "a shared one for each CPU";
    EXPECT_EQ(found("arm,armv8-pmuv3", {1, 7, 1}), 0U) << "an edge";
    EXPECT_EQ(found("arm,armv8-pmuv3", {1, 7, 4}, true), 0U);
    EXPECT_EQ(found("other,armv8-pmuv3", {1, 7, 4}), 0U);
    EXPECT_EQ(found("arm,smmu-v3", {1, 7, 4}), 0U);
    Tree tree(GicVersion::v2);
    PlatformInfo info;
    ASSERT_EQ(read(tree, info), "");
    EXPECT_EQ(info.pmu_intid, 0U);
}

TEST(PlatformInfo, FindsAMachineWithGicV2) {
    Tree tree(GicVersion::v2);
    PlatformInfo info;
    ASSERT_EQ(read(tree, info), "");
    EXPECT_EQ(info.model, "test machine");
    ASSERT_EQ(info.ram.size(), 1U);
    EXPECT_EQ(info.ram[0], range(0x4000'0000, kGiB));
    EXPECT_EQ(info.gic.version, GicVersion::v2);
    EXPECT_EQ(info.gic.distributor, range(0x800'0000, 0x1'0000));
    EXPECT_EQ(info.gic.cpu_interface, range(0x801'0000, 0x1'0000));
    EXPECT_EQ(info.gic.hypervisor, range(0x803'0000, 0x1'0000));
    EXPECT_EQ(info.gic.virtual_interface, range(0x804'0000, 0x1'0000));
    EXPECT_EQ(info.gic.maintenance->intid, 25U);
    EXPECT_EQ(info.timer.physical, 30U);
    EXPECT_EQ(info.timer.virt, 27U);
    EXPECT_EQ(info.timer.hypervisor, 26U);
    EXPECT_EQ(info.uart.kind, UartKind::pl011);
    EXPECT_EQ(info.uart.registers, range(0x900'0000, 0x1000));
    EXPECT_EQ(info.uart.irq->intid, 33U);
    EXPECT_EQ(info.rtc, range(0x901'0000, 0x1000));
    EXPECT_EQ(info.psci, PsciConduit::smc);
    ASSERT_EQ(info.cpus.size(), 2U);
    EXPECT_EQ(info.cpus[1], 0x101U);
    EXPECT_EQ(info.bootargs, "one two");
    EXPECT_FALSE(info.initrd);
}

TEST(PlatformInfo, FindsAMachineWithGicV3) {
    Tree tree(GicVersion::v3);
    PlatformInfo info;
    ASSERT_EQ(read(tree, info), "");
    EXPECT_EQ(info.gic.version, GicVersion::v3);
    ASSERT_EQ(info.gic.redistributors.size(), 2U);
    EXPECT_EQ(info.gic.redistributors[1], range(0x40'0000'0000, 0x400'0000));
    EXPECT_FALSE(info.gic.hypervisor);
}

TEST(PlatformInfo, CollectsEveryKindOfReservation) {
    Tree tree(GicVersion::v2);
    tree.reserve(0x4100'0123, 0x10);
    tree.node("/reserved-memory");
    tree.cells("/reserved-memory", "#address-cells", {2});
    tree.cells("/reserved-memory", "#size-cells", {2});
    tree.cells("/reserved-memory", "ranges", {});
    tree.node("/reserved-memory/firmware@42000000");
    tree.cells("/reserved-memory/firmware@42000000", "reg", {0, 0x4200'0000, 0, 0x10'0000});
    tree.cells("/chosen", "linux,initrd-start", {0, 0x4800'0000});
    tree.cells("/chosen", "linux,initrd-end", {0x4800'1001});
    PlatformInfo info;
    ASSERT_EQ(read(tree, info), "");
    ASSERT_EQ(info.reserved.size(), 3U);
    EXPECT_EQ(info.reserved[0], range(0x4800'0000, 0x2000));
    EXPECT_EQ(info.reserved[1], range(0x4100'0000, 0x1000));
    EXPECT_EQ(info.reserved[2], range(0x4200'0000, 0x10'0000));
    EXPECT_EQ(info.initrd, range(0x4800'0000, 0x1001));
}

TEST(PlatformInfo, TranslatesAddressesThroughBuses) {
    Tree tree(GicVersion::v2);
    tree.remove("/pl011@9000000");
    tree.node("/soc");
    tree.cells("/soc", "#address-cells", {1});
    tree.cells("/soc", "#size-cells", {1});
    tree.cells("/soc", "ranges", {0x1000, 0, 0x2000'0000, 0x1000, 0x7e00'0000, 0, 0xfe00'0000, 0x100'0000});
    tree.node("/soc/serial@7e201000");
    tree.text("/soc/serial@7e201000", "compatible", "arm,pl011");
    tree.cells("/soc/serial@7e201000", "reg", {0x7e20'1000, 0x200});
    tree.node("/aliases");
    tree.text("/aliases", "serial0", "/soc/serial@7e201000");
    tree.text("/chosen", "stdout-path", "serial0:115200n8");
    PlatformInfo info;
    ASSERT_EQ(read(tree, info), "");
    EXPECT_EQ(info.uart.registers, range(0xfe20'1000, 0x200));
    EXPECT_FALSE(info.uart.irq) << "it has none";

    tree.cells("/soc", "ranges", {0x1000, 0, 0x2000'0000, 0x1000});
    PlatformInfo unreachable;
    EXPECT_EQ(read(tree, unreachable),
              "device tree node 'serial@7e201000': 'reg' cannot be reached through the buses above");
}

TEST(PlatformInfo, TakesAnNs16550WithItsRegisterSpacing) {
    Tree tree(GicVersion::v2);
    tree.text("/pl011@9000000", "compatible", "snps,dw-apb-uart");
    tree.cells("/pl011@9000000", "reg-shift", {2});
    tree.cells("/pl011@9000000", "reg-io-width", {4});
    PlatformInfo info;
    ASSERT_EQ(read(tree, info), "");
    EXPECT_EQ(info.uart.kind, UartKind::ns16550);
    EXPECT_EQ(info.uart.register_shift, 2);
    EXPECT_EQ(info.uart.register_width, 4);
}

TEST(PlatformInfo, DisabledNodesDoNotExist) {
    Tree tree(GicVersion::v2);
    tree.text("/cpus/cpu@1", "status", "disabled");
    tree.text("/pl031@9010000", "status", "disabled");
    PlatformInfo info;
    ASSERT_EQ(read(tree, info), "");
    EXPECT_EQ(info.cpus.size(), 1U);
    EXPECT_FALSE(info.rtc);
}

TEST(PlatformInfo, AnotherControllersInterruptIsNotTaken) {
    Tree tree(GicVersion::v2);
    tree.cells("/pl011@9000000", "interrupt-parent", {8});
    PlatformInfo info;
    ASSERT_EQ(read(tree, info), "");
    EXPECT_FALSE(info.uart.irq);
}

struct Mistake {
    const char *name;
    std::function<void(Tree &)> make;
    const char *message;
};

class PlatformMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(PlatformMistake, IsASentenceThatNamesTheNode) {
    Tree tree(GicVersion::v2);
    GetParam().make(tree);
    PlatformInfo info;
    EXPECT_EQ(read(tree, info), GetParam().message);
}

constexpr const char *kMemory = "/memory@40000000";
constexpr const char *kGic = "/intc@8000000";

std::vector<Mistake> mistakes() {
    return {Mistake{"no_memory", [](Tree &t) { t.remove(kMemory); }, "the device tree has no memory node"},
            Mistake{"memory_wraps",
                    [](Tree &t) {
                        t.cells(kMemory, "reg", {0xffffffff, 0xfffff000, 0, 0x2000});
                    },
                    "device tree node 'memory@40000000': 'reg' is empty or lies beyond 48 bits of address"},
            Mistake{"memory_beyond",
                    [](Tree &t) {
                        t.cells(kMemory, "reg", {0x10000, 0, 0, 0x2000});
                    },
                    "device tree node 'memory@40000000': 'reg' is empty or lies beyond 48 bits of address"},
            Mistake{"memory_odd",
                    [](Tree &t) {
                        t.cells(kMemory, "reg", {0, 0x40000000, 1});
                    },
                    "device tree node 'memory@40000000': 'reg' has an odd length"},
            Mistake{"memory_twice",
                    [](Tree &t) {
                        t.cells(kMemory, "reg", {0, 0x40000000, 0, 0x2000, 0, 0x40001000, 0, 0x2000});
                    },
                    "device tree node 'memory@40000000': memory overlaps other memory"},
            Mistake{"cells", [](Tree &t) { t.cells("/", "#address-cells", {3}); },
                    "device tree node 'pl011@9000000': the bus has an unsupported number of address or size cells"},
            Mistake{"no_console", [](Tree &t) { t.remove("/pl011@9000000"); },
                    "the device tree names no console: neither /chosen/stdout-path nor a known UART"},
            Mistake{"strange_console", [](Tree &t) { t.text("/chosen", "stdout-path", "/timer"); },
                    "device tree node 'timer': the console is neither a PL011 nor an ns16550"},
            Mistake{"initrd_outside",
                    [](Tree &t) {
                        t.cells("/chosen", "linux,initrd-start", {0x7fff0000});
                        t.cells("/chosen", "linux,initrd-end", {0x80000001});
                    },
                    "device tree node 'chosen': the initrd is not in memory"},
            Mistake{"initrd_half", [](Tree &t) { t.cells("/chosen", "linux,initrd-start", {0x7fff0000}); },
                    "device tree node 'chosen': 'linux,initrd-start' and '-end' are not a range"},
            Mistake{"no_gic", [](Tree &t) { t.remove(kGic); },
                    "the device tree has no GICv2 or GICv3 that this host knows"},
            Mistake{"no_gich",
                    [](Tree &t) {
                        t.cells(kGic, "reg", {0, 0x8000000, 0, 0x1000, 0, 0x8010000, 0, 0x2000});
                    },
                    "device tree node 'intc@8000000': GICH or GICV is missing in 'reg', so no virtualization support"},
            Mistake{"gic_unaligned",
                    [](Tree &t) {
                        t.cells(kGic, "reg", {0, 0x8000100, 0, 0x1000, 0, 0x8010000, 0, 0x2000});
                    },
                    "device tree node 'intc@8000000': a register range is not made of whole pages"},
            Mistake{"no_maintenance", [](Tree &t) { t.remove(kGic, "interrupts"); },
                    "device tree node 'intc@8000000': there is no maintenance interrupt, so no virtualization support"},
            Mistake{"maintenance_spi",
                    [](Tree &t) {
                        t.cells(kGic, "interrupts", {0, 9, 4});
                    },
                    "device tree node 'intc@8000000': there is no maintenance interrupt, so no virtualization support"},
            Mistake{"timer_ppi",
                    [](Tree &t) {
                        t.cells("/timer", "interrupts", {1, 13, 4, 1, 16, 4, 1, 11, 4, 1, 10, 4});
                    },
                    "device tree node 'timer': 'interrupts' lacks the physical, virtual or hypervisor timer's PPI"},
            Mistake{"no_timer", [](Tree &t) { t.remove("/timer"); }, "the device tree has no generic timer"},
            Mistake{"no_cpu",
                    [](Tree &t) {
                        t.remove("/cpus/cpu@0");
                        t.remove("/cpus/cpu@1");
                    },
                    "device tree node 'cpus': there is no usable CPU"},
            Mistake{"cpu_reg", [](Tree &t) { t.cells("/cpus/cpu@1", "reg", {0x80000000}); },
                    "device tree node 'cpu@1': 'reg' is not an MPIDR affinity"},
            Mistake{"version_5", [](Tree &t) { t.bytes()[23] = 5; }, "the device tree is older than version 16"},
            Mistake{"damaged", [](Tree &t) { t.bytes()[64] ^= 0xff; },
                    "the device tree is damaged (libfdt: FDT_ERR_BADSTRUCTURE)"},
            Mistake{"too_long", [](Tree &t) { fdt_set_totalsize(t.data(), 0x20000); },
                    "the device tree claims 131072 bytes, at most 16384 are possible"},
            Mistake{"no_tree", [](Tree &t) { t.bytes()[0] = 0; }, "there is no device tree"}};
}

INSTANTIATE_TEST_SUITE_P(PlatformInfo, PlatformMistake, ::testing::ValuesIn(mistakes()),
                         [](const auto &test) { return std::string(test.param.name); });

} // namespace
} // namespace sel4vm::el2
