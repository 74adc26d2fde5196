// SPDX-License-Identifier: BSD-2-Clause
//
// Random register accesses and passing time against the PL031: its line says what RIS and IMSC say, and an alarm set to a
// second is there when the counter shows it.
#include <fuzzer/FuzzedDataProvider.h>
#include <sel4vm/dev/pl031/pl031.hpp>
#include <support/manual_timeouts.hpp>
#include <support/recording_irqs.hpp>

#include <cstdlib>

using namespace sel4vm;

namespace {

constexpr u32 kIntid = 34;

void require(bool ok) {
    if (!ok)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzedDataProvider input(data, size);
    fake::Clock clock;
    clock.set(input.ConsumeIntegral<u32>());
    clock.set_wall_clock(input.ConsumeIntegral<u64>());
    test::ManualTimeouts timeouts(clock);
    test::RecordingIrqs chip;
    dev::Pl031 rtc(IrqLine(chip, kIntid), clock, timeouts.queue());

    const auto get = [&](u64 offset) { return *rtc.read(Access{offset, Width::b4, VcpuId{0}}); };
    const auto set = [&](u64 offset, u32 value) {
        require(rtc.write(Access{offset, Width::b4, VcpuId{0}}, value).has_value());
    };

    while (input.remaining_bytes() > 0) {
        switch (input.ConsumeIntegralInRange<int>(0, 5)) {
        case 0: timeouts.advance(input.ConsumeIntegral<u32>()); break;
        case 1: timeouts.advance(input.ConsumeIntegralInRange<u64>(0, u64{1} << 50)); break;
        case 2: { // an alarm in the near future comes, and not a second early
            const u32 wait = input.ConsumeIntegralInRange<u32>(1, 100);
            set(0x1c, 1);
            set(0x04, static_cast<u32>(get(0x00)) + wait);
            require(get(0x14) == 0);
            timeouts.advance(u64{wait - 1} * clock.ticks_per_second());
            require(get(0x14) == (get(0x00) == get(0x04) ? 1U : 0U));
            timeouts.advance(clock.ticks_per_second());
            require(get(0x14) == 1);
            break;
        }
        case 3: {
            const u64 offset = input.ConsumeIntegralInRange<u64>(0, 0xfff);
            const Width width = static_cast<Width>(1U << input.ConsumeIntegralInRange<unsigned>(0, 3));
            static_cast<void>(rtc.read(Access{offset, width, VcpuId{0}}).has_value());
            static_cast<void>(
                rtc.write(Access{offset, width, VcpuId{0}}, input.ConsumeIntegral<u64>() & mask_of(width)).has_value());
            break;
        }
        case 4: rtc.restore(rtc.state()); break;
        default: set(input.ConsumeIntegralInRange<u64>(0, 7) * 4, input.ConsumeIntegral<u32>()); break;
        }
        require(chip.high(kIntid) == ((rtc.state().raw & rtc.state().mask) != 0));
    }
    return 0;
}
