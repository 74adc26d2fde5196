// SPDX-License-Identifier: BSD-2-Clause
//
// Random register accesses of three VMs at one doorbell group, of which each comes and goes and is reset: who is there is known to all, a ring reaches
// those that it names and nobody else, and is forgotten by its receiver only.
#include <fuzzer/FuzzedDataProvider.h>
#include <sel4vm/dev/doorbell/doorbell.hpp>
#include <support/recording_irqs.hpp>

#include <array>
#include <cstdlib>
#include <memory>

using namespace sel4vm;

namespace {

constexpr u32 kIntid = 72;
constexpr u32 kVms = 3;

void require(bool ok) {
    if (!ok)
        std::abort();
}

struct End {
    End(dev::DoorbellGroup &group, u32 side) : doorbell(group, side, IrqLine(chip, kIntid)) {}
    test::RecordingIrqs chip;
    dev::JoinedDoorbell doorbell;
    u32 rung = 0; ///< as it should be
    unsigned edges = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzedDataProvider input(data, size);
    dev::DoorbellGroup group;
    std::array<std::unique_ptr<End>, kVms> ends;
    while (input.remaining_bytes() > 0) {
        const u32 side = input.ConsumeIntegralInRange<u32>(0, kVms - 1);
        std::unique_ptr<End> &end = ends[side];
        if (!end) {
            end = std::make_unique<End>(group, side);
            require(end->doorbell.joined());
            continue;
        }
        dev::Doorbell &bell = end->doorbell.device();
        switch (input.ConsumeIntegralInRange<int>(0, 4)) {
        case 0: end.reset(); break;
        case 1:
            bell.reset();
            end->rung = 0;
            break;
        case 2: {
            const u32 noted = input.ConsumeIntegral<u32>();
            require(bell.write({0x10, Width::b4, VcpuId{0}}, noted).has_value());
            end->rung &= ~noted;
            break;
        }
        case 3: {
            const u32 targets = input.ConsumeIntegral<u32>();
            require(bell.write({0x0c, Width::b4, VcpuId{0}}, targets).has_value());
            for (u32 other = 0; other < kVms; ++other) {
                if (ends[other] && (targets >> other & 1) != 0) {
                    ends[other]->rung |= u32{1} << side;
                    ++ends[other]->edges;
                }
            }
            break;
        }
        default: {
            const u64 offset = input.ConsumeIntegralInRange<u64>(0x14, 0xfff);
            const Width width = static_cast<Width>(1U << input.ConsumeIntegralInRange<unsigned>(0, 3));
            static_cast<void>(bell.read({offset, width, VcpuId{0}}).has_value());
            static_cast<void>(
                bell.write({offset, width, VcpuId{0}}, input.ConsumeIntegral<u32>() & mask_of(width)).has_value());
        }
        }
        u32 present = 0;
        for (u32 other = 0; other < kVms; ++other)
            present |= ends[other] ? u32{1} << other : 0;
        for (u32 other = 0; other < kVms; ++other) {
            if (!ends[other])
                continue;
            dev::Doorbell &seen = ends[other]->doorbell.device();
            require(*seen.read({0x08, Width::b4, VcpuId{0}}) == present);
            require(*seen.read({0x10, Width::b4, VcpuId{0}}) == ends[other]->rung);
            require(ends[other]->chip.changes == 2 * ends[other]->edges && !ends[other]->chip.high(kIntid));
        }
    }
    return 0;
}
