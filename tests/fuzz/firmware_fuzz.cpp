// SPDX-License-Identifier: BSD-2-Clause
//
// Random firmware calls of several vCPUs, through executor and Vm, with PSCI turning vCPUs and the whole VM off and on. Every
// call is answered, and the guest can only stop, reset or suspend itself.
#include <fuzzer/FuzzedDataProvider.h>
#include <sel4vm/dev/arm/psci.hpp>
#include <sel4vm/dev/arm/pv_time.hpp>
#include <sel4vm/dev/arm/smccc.hpp>
#include <sel4vm/dev/arm/trng.hpp>
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
    constexpr u16 kVcpus = 3;
    test::VmFixture f(kVcpus, input.ConsumeBool() ? ResetPolicy::restart : ResetPolicy::stop);
    fake::Entropy entropy;
    entropy.available = input.ConsumeBool();
    static_cast<void>(input.ConsumeBool()); // kept, so that what fuzzers have found means the same
    dev::Psci psci;
    dev::PvTime pv_time;
    pv_time.set_place(Gpa{0x90a'0000});
    dev::Smccc smccc(pv_time);
    dev::Trng trng(entropy);
    require(psci.register_all(f.vm.hypercalls()).has_value());
    require(pv_time.register_all(f.vm.hypercalls()).has_value());
    require(smccc.register_all(f.vm.hypercalls()).has_value());
    require(trng.register_all(f.vm.hypercalls()).has_value());
    require(f.vm.start().has_value());

    while (input.remaining_bytes() > 0 && f.vm.state() != VmState::stopped) {
        const u16 n = input.ConsumeIntegralInRange<u16>(0, kVcpus - 1);
        fake::Vcpu &port = f.ports[n];
        if (input.ConsumeIntegralInRange<int>(0, 15) == 0)
            entropy.available = !entropy.available;
        if (port.state() == fake::Vcpu::State::blocked)
            port.kick();
        if (port.state() != fake::Vcpu::State::runnable)
            continue;
        constexpr u32 kBases[] = {0x8400'0000, 0xc400'0000, 0x8000'0000, 0x8400'0050, 0xc400'0050, 0x8000'8000};
        const u64 function = input.ConsumeIntegralInRange<int>(0, 9) == 0
                                 ? input.ConsumeIntegral<u64>()
                                 : input.PickValueInArray(kBases) + input.ConsumeIntegralInRange<u64>(0, 0x15);
        port.set_general_register(0, function);
        for (unsigned x = 1; x <= 3; ++x) {
            const u64 small = input.ConsumeIntegralInRange<u64>(0, 0x1ff);
            const u64 value = input.ConsumeBool()   ? small
                              : input.ConsumeBool() ? 0x4000'0000 + small * 4
                                                    : input.ConsumeIntegral<u64>();
            port.set_general_register(x, value);
        }
        f.script(Exit{aarch64::hypercall(function, static_cast<u16>(input.ConsumeIntegralInRange<int>(0, 20) == 0),
                                         aarch64::Conduit::smc)},
                 n);
        const usize answered = f.events.answers().size();
        for (int step = 0; step < 16 && f.events.answers().size() <= answered; ++step) {
            if (!f.executor.step())
                break;
        }
    }
    return 0;
}
