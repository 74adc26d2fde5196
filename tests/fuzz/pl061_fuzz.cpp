// SPDX-License-Identifier: BSD-2-Clause
//
// Random register accesses, presses and passing time against the PL061: its line says what RIS and IE say, only pins that are inputs can
// interrupt by level, and a button is let go when its time is over.
#include <fuzzer/FuzzedDataProvider.h>
#include <sel4vm/dev/pl061/pl061.hpp>
#include <support/manual_timeouts.hpp>
#include <support/recording_irqs.hpp>

#include <cstdlib>

using namespace sel4vm;

namespace {

constexpr u32 kIntid = 39;

void require(bool ok) {
    if (!ok)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzedDataProvider input(data, size);
    fake::Clock clock;
    test::ManualTimeouts timeouts(clock);
    test::RecordingIrqs chip;
    dev::Pl061 gpio(IrqLine(chip, kIntid), clock, timeouts.queue());

    const auto get = [&](u64 offset) { return *gpio.read(Access{offset, Width::b4, VcpuId{0}}); };
    while (input.remaining_bytes() > 0) {
        switch (input.ConsumeIntegralInRange<int>(0, 4)) {
        case 0: timeouts.advance(input.ConsumeIntegral<u32>()); break;
        case 1:
            gpio.press();
            timeouts.advance(0);
            require(gpio.state().inputs != 0);
            break;
        case 2: {
            const u64 offset = input.ConsumeIntegralInRange<u64>(0, 0xfff);
            const Width width = static_cast<Width>(1U << input.ConsumeIntegralInRange<unsigned>(0, 3));
            static_cast<void>(gpio.read(Access{offset, width, VcpuId{0}}).has_value());
            static_cast<void>(
                gpio.write(Access{offset, width, VcpuId{0}}, input.ConsumeIntegral<u64>() & mask_of(width))
                    .has_value());
            break;
        }
        case 3: gpio.restore(gpio.state()); break;
        default:
            require(gpio.write(Access{0x400 + input.ConsumeIntegralInRange<u64>(0, 8) * 4, Width::b4, VcpuId{0}},
                               input.ConsumeIntegral<u32>())
                        .has_value());
        }
        const dev::Pl061::State &state = gpio.state();
        require(chip.high(kIntid) == ((get(0x414) & get(0x410)) != 0));
        require(get(0x418) == (get(0x414) & get(0x410)));
        require((get(0x414) & state.levels & state.directions) == 0);
        require((state.inputs != 0) == timeouts.earliest().has_value());
    }
    return 0;
}
