// SPDX-License-Identifier: BSD-2-Clause
//
// Random accesses of every system register id to a VM with all of this layer's handlers. Each is answered with a value or an
// undefined instruction, and none reaches another vCPU's registers.
#include <fuzzer/FuzzedDataProvider.h>
#include <sel4vm/dev/arm/debug_registers.hpp>
#include <sel4vm/dev/arm/generic_timer.hpp>
#include <sel4vm/dev/arm/id_registers.hpp>
#include <sel4vm/dev/arm/ignored_registers.hpp>
#include <support/manual_timeouts.hpp>
#include <support/recording_irqs.hpp>
#include <support/vm_fixture.hpp>

#include <cstdlib>

using namespace sel4vm;

namespace {

void require(bool ok) {
    if (!ok)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzedDataProvider input(data, size);
    test::VmFixture f(2, ResetPolicy::restart, 0);
    test::ManualTimeouts timeouts(f.clock);
    test::RecordingIrqs chip;
    dev::GenericTimer timer(chip, f.clock, f.allocator);
    dev::DebugRegisters debug;
    dev::IgnoredRegisters ignored;
    dev::IdRegisters ids(input.ConsumeBool() ? aarch64::GicVersion::v2 : aarch64::GicVersion::v3);
    require(timer.add_vcpu(timeouts.queue()) && timer.add_vcpu(timeouts.queue()));
    SystemRegisterTable &table = f.vm.system_registers();
    require(timer.register_all(table) && debug.register_all(table) && ignored.register_all(table) &&
            ids.register_all(table));
    require(f.vm.start().has_value());

    while (input.remaining_bytes() > 0) {
        const u16 n = input.ConsumeBool() ? 1 : 0;
        const u16 other = n == 0 ? 1 : 0;
        const auto timer_before = timer.state(VcpuId{other});
        const auto debug_before = debug.state(VcpuId{other});
        const u32 id = input.ConsumeIntegral<u16>();
        const bool write = input.ConsumeBool();
        const Answer answer =
            f.handle(Exit{SystemRegisterExit{id, write, write ? input.ConsumeIntegral<u64>() : 0}}, n);
        require(answer.kind() == AnswerKind::complete || answer == Answer::inject(GuestFault::instruction));
        require(timer.state(VcpuId{other}) == timer_before && debug.state(VcpuId{other}) == debug_before);
        if (input.ConsumeIntegralInRange<int>(0, 7) == 0)
            timeouts.advance(input.ConsumeIntegral<u32>());
    }
    return 0;
}
