// SPDX-License-Identifier: BSD-2-Clause
//
// Random accesses, descriptors and turns against fw_cfg: what it writes to guest memory lies in a descriptor or in the target of one, items stay as
// they are, and each DMA comes to an end.
#include <fuzzer/FuzzedDataProvider.h>
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>
#include <sel4vm/dev/fw_cfg/fw_cfg.hpp>
#include <sel4vm/dev/fw_cfg/fw_cfg_keys.hpp>
#include <sel4vm/vm/guest_dma.hpp>
#include <support/manual_work.hpp>

#include <cstdlib>

using namespace sel4vm;

namespace {

void require(bool ok) {
    if (!ok)
        std::abort();
}

constexpr u64 kRam = 0x4000'0000;
constexpr u64 kBytes = 0x4000;

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzedDataProvider input(data, size);
    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    GuestMemory memory(space, allocator, LockMode::none);
    require(memory.add(*GpaRange::make(Gpa{kRam}, kBytes), RegionKind::ram).has_value());
    GuestDma dma(memory);
    test::ManualWork work;
    std::array<u8, 3000> item;
    item.fill(0x5a);
    const auto before = item;
    dev::FwCfg device(dma, work, LockMode::none);
    require(device.connect() && device.add(dev::fw_cfg_key::kKernelData, item) && device.add_file("f", item));

    while (input.remaining_bytes() > 0) {
        const Width width = static_cast<Width>(1U << input.ConsumeIntegralInRange<unsigned>(0, 3));
        const Access access{input.ConsumeIntegralInRange<u64>(0, dev::FwCfg::kRangeBytes - bytes_of(width)), width,
                            VcpuId{0}};
        const u64 place = kRam + input.ConsumeIntegralInRange<u64>(0, kBytes + 16);
        switch (input.ConsumeIntegralInRange<int>(0, 5)) {
        case 0: static_cast<void>(device.read(access).has_value()); break;
        case 1: require(device.write(access, input.ConsumeIntegral<u64>() & mask_of(width)).has_value()); break;
        case 2: require(device.write(Access{0x10, Width::b8, VcpuId{0}}, __builtin_bswap64(place)).has_value()); break;
        case 3: {
            const u32 control = input.ConsumeIntegral<u32>() & 0x403f'001f;
            static_cast<void>(memory.put(Gpa{place}, __builtin_bswap32(control)).has_value());
            static_cast<void>(
                memory.put(Gpa{place + 4}, __builtin_bswap32(input.ConsumeIntegralInRange<u32>(0, 0x8000)))
                    .has_value());
            static_cast<void>(
                memory.put(Gpa{place + 8}, __builtin_bswap64(kRam + input.ConsumeIntegral<u16>())).has_value());
            break;
        }
        case 4: static_cast<void>(work.step(input.ConsumeIntegralInRange<u64>(1, 0x1'0000))); break;
        default: device.reset();
        }
        require(device.state().busy == work.any_wanted());
    }
    for (int i = 0; i < 1'000'000 && work.any_wanted(); ++i)
        static_cast<void>(work.step());
    require(!device.state().busy);
    require(item == before);
    return 0;
}
