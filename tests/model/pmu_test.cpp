// SPDX-License-Identifier: BSD-2-Clause
//
// Trapped accesses go to the port of the vCPU that made them, what that does not know is undefined, and the wire is that vCPU's.
#include <gtest/gtest.h>
#include <hosts/fake/heap_allocator.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/dev/arm/pmu.hpp>
#include <support/recording_irqs.hpp>
#include <support/vm_fixture.hpp>

#include <map>

namespace sel4vm::dev {
namespace {

namespace sysreg = aarch64::sysreg;

struct FakePmu final : aarch64::PmuPort {
    void connect(aarch64::PmuSink &its_sink) override { sink = &its_sink; }
    std::optional<u64> read_pmu(u32 id) override {
        const auto found = values.find(id);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    }
    bool write_pmu(u32 id, u64 value) override {
        if (!values.contains(id))
            return false;
        values[id] = value;
        return true;
    }
    std::map<u32, u64> values{{sysreg::kPmcrEl0, 5}, {sysreg::kPmintensetEl1, 6}, {sysreg::pmevtyper_el0(30), 7}};
    aarch64::PmuSink *sink = nullptr;
};

struct PmuTest : testing::Test {
    PmuTest() {
        for (FakePmu &port : ports)
            EXPECT_TRUE(pmu.add_vcpu(port));
        EXPECT_TRUE(pmu.register_all(f.vm.system_registers()));
        EXPECT_TRUE(f.vm.start());
    }
    Answer get(u32 id, u16 vcpu = 0) { return f.handle(Exit{SystemRegisterExit{id, false, 0}}, vcpu); }
    Answer set(u32 id, u64 value, u16 vcpu = 0) { return f.handle(Exit{SystemRegisterExit{id, true, value}}, vcpu); }
    test::VmFixture f{2};
    fake::HeapAllocator allocator;
    test::RecordingIrqs irqs;
    std::array<FakePmu, 2> ports;
    Pmu pmu{irqs, allocator};
};
const Answer kUndefined = Answer::inject(GuestFault::instruction);

TEST_F(PmuTest, RegistersAreTheVcpusOwn) {
    EXPECT_EQ(set(sysreg::kPmcrEl0, 77, 1), Answer::complete());
    EXPECT_EQ(get(sysreg::kPmcrEl0, 1), Answer::complete(77));
    EXPECT_EQ(get(sysreg::kPmcrEl0, 0), Answer::complete(5));
    EXPECT_EQ(get(sysreg::kPmintensetEl1), Answer::complete(6));
    EXPECT_EQ(get(sysreg::pmevtyper_el0(30)), Answer::complete(7));
}

TEST_F(PmuTest, WhatThePortDoesNotKnowIsUndefined) {
    EXPECT_EQ(get(sysreg::kPmccntrEl0), kUndefined);
    EXPECT_EQ(set(sysreg::kPmccfiltrEl0, 1), kUndefined);
    EXPECT_EQ(get(aarch64::sysreg_id(3, 0, 9, 14, 7)), kUndefined);
    EXPECT_EQ(get(aarch64::sysreg_id(3, 3, 9, 15, 7)), kUndefined);
}

TEST_F(PmuTest, TheWireIsAPrivateOneThatAResetLowers) {
    ports[1].sink->pmu_interrupt(aarch64::Wire::high);
    EXPECT_TRUE(irqs.high(1, 23));
    EXPECT_FALSE(irqs.high(0, 23));
    ports[0].sink->pmu_interrupt(aarch64::Wire::high);
    ports[1].sink->pmu_interrupt(aarch64::Wire::low);
    EXPECT_FALSE(irqs.high(1, 23));
    pmu.reset_vcpu(f.vcpu(0));
    EXPECT_FALSE(irqs.high(0, 23));
}

} // namespace
} // namespace sel4vm::dev
