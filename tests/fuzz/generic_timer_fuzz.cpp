// SPDX-License-Identifier: BSD-2-Clause
//
// Random register accesses and passing time against the emulated physical timers of two vCPUs. After every step each line says
// what the architecture's condition says, and nothing that should fire lacks a timeout.
#include <fuzzer/FuzzedDataProvider.h>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/dev/arm/generic_timer.hpp>
#include <support/manual_timeouts.hpp>
#include <support/recording_irqs.hpp>
#include <support/vm_fixture.hpp>

#include <cstdlib>

using namespace sel4vm;

namespace {

namespace sysreg = aarch64::sysreg;
constexpr u32 kPpi = 30;

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
    require(timer.add_vcpu(timeouts.queue()) && timer.add_vcpu(timeouts.queue()));
    f.clock.set(input.ConsumeIntegral<u64>());
    timer.set_counter_offset(input.ConsumeIntegral<u64>());

    constexpr u32 kIds[] = {sysreg::kCntpTvalEl0, sysreg::kCntpCtlEl0,  sysreg::kCntpCvalEl0,
                            sysreg::kCntpctEl0,   sysreg::kCntpctssEl0, sysreg::kCntvctEl0};
    while (input.remaining_bytes() > 0) {
        const u16 n = input.ConsumeBool() ? 1 : 0;
        const u32 id = input.PickValueInArray(kIds);
        switch (input.ConsumeIntegralInRange<int>(0, 4)) {
        case 0: static_cast<void>(timer.read(f.vcpu(n), id).has_value()); break;
        case 1: static_cast<void>(timer.write(f.vcpu(n), id, input.ConsumeIntegral<u64>()).has_value()); break;
        case 2:
            static_cast<void>(timer.write(f.vcpu(n), id, input.ConsumeIntegralInRange<u64>(0, 7)).has_value());
            break;
        case 3: {
            const u64 ticks = input.ConsumeIntegral<u64>();
            // The host's clock does not wrap.
            if (ticks <= ~u64{0} - f.clock.now_ticks())
                timeouts.advance(ticks);
            break;
        }
        default: timer.restore(VcpuId{n}, timer.state(VcpuId{n})); break;
        }
        for (const u16 v : {u16{0}, u16{1}}) {
            const auto state = timer.state(VcpuId{v});
            const u64 now = f.clock.now_ticks() - timer.counter_offset();
            const bool on = state.control == 1;
            const bool met = now >= state.compare_value;
            // The guest's counter may wrap while the host's clock does not: a line once raised then stays until the guest acts.
            if (on && met)
                require(chip.high(v, kPpi));
            if (!on)
                require(!chip.high(v, kPpi));
            if (on && !met && !chip.high(v, kPpi) && state.compare_value - now <= ~u64{0} - f.clock.now_ticks())
                require(timeouts.earliest() &&
                        *timeouts.earliest() <= f.clock.now_ticks() + (state.compare_value - now));
        }
    }
    return 0;
}
