// SPDX-License-Identifier: BSD-2-Clause
//
// A driver that does anything at all to virtio devices over MMIO, and a disk that answers as it likes: registers, every word of rings, descriptors and
// buffers, notifications, restored states; ends of requests in any order and with any status, or never. Nothing may fail, the line says what
// InterruptStatus says, a device that needs a reset serves nothing, and no more chains come back than were made available.
#include <fuzzer/FuzzedDataProvider.h>
#include <hosts/fake/block_device.hpp>
#include <sel4vm/dev/memory_disk/memory_disk.hpp>
#include <sel4vm/dev/virtio/virtio_blk.hpp>
#include <sel4vm/dev/virtio/virtio_rng.hpp>
#include <support/virtio_driver.hpp>

#include <cstdlib>

using namespace sel4vm;
using namespace sel4vm::test;

namespace {

void require(bool ok) {
    if (!ok)
        std::abort();
}

/// Addresses that mean something, and any.
u64 some_address(FuzzedDataProvider &input) {
    constexpr u64 kPlaces[] = {virtio::kDescriptors, virtio::kDriver,  virtio::kDevice, virtio::kTable,
                               virtio::kData,        virtio::kMoreRam, virtio::kRom,    0x2000'0000};
    switch (input.ConsumeIntegralInRange<int>(0, 3)) {
    case 0: return input.ConsumeIntegral<u64>();
    case 1: return input.PickValueInArray(kPlaces) - input.ConsumeIntegralInRange<u64>(0, 64);
    default: return input.PickValueInArray(kPlaces) + input.ConsumeIntegralInRange<u64>(0, 64);
    }
}
u32 some_length(FuzzedDataProvider &input) {
    constexpr u32 kLengths[] = {0, 1, 16, 511, 512, 513, 4096, 0x1'0000, 0xffff'ffff};
    return input.ConsumeBool() ? input.PickValueInArray(kLengths) : input.ConsumeIntegral<u32>();
}

class Device {
public:
    Device(VirtioMachine &machine, dev::VirtioMmio &device)
        : machine_(machine), device_(device), driver_(machine, device) {}

    void act(FuzzedDataProvider &input) {
        switch (input.ConsumeIntegralInRange<int>(0, 11)) {
        case 0:
            driver_.begin(input.ConsumeBool() ? device_.function().offered_features() : input.ConsumeIntegral<u64>(),
                          static_cast<u16>(1U << input.ConsumeIntegralInRange<unsigned>(0, 7)));
            break;
        case 1: {
            const u64 offset = input.ConsumeIntegralInRange<u64>(0, 0x1ff);
            const Width width = static_cast<Width>(1U << input.ConsumeIntegralInRange<unsigned>(0, 3));
            static_cast<void>(device_.read(Access{offset, width, VcpuId{0}}).has_value());
            static_cast<void>(
                device_.write(Access{offset, width, VcpuId{0}}, input.ConsumeIntegral<u64>() & mask_of(width))
                    .has_value());
            break;
        }
        case 2:
            driver_.put(input.ConsumeBool() ? virtio::kDescriptors : virtio::kTable,
                        input.ConsumeIntegralInRange<u64>(0, 15), some_address(input), some_length(input),
                        static_cast<u16>(input.ConsumeIntegralInRange<unsigned>(0, 9)),
                        static_cast<u16>(input.ConsumeIntegralInRange<unsigned>(0, 17)));
            break;
        case 3: // a request of a disk, or nearly
            machine_.poke(virtio::kData, u32{input.ConsumeIntegralInRange<u8>(0, 14)});
            machine_.poke(virtio::kData + 8, input.ConsumeBool() ? u64{input.ConsumeIntegralInRange<u8>(0, 20)}
                                                                 : input.ConsumeIntegral<u64>());
            driver_.make_available(
                driver_.chain({{virtio::kData, 16},
                               {some_address(input), some_length(input), virtio::kWrite},
                               {virtio::kData + 0x100, input.ConsumeIntegralInRange<u8>(0, 2), virtio::kWrite}}));
            break;
        case 4: driver_.make_available(static_cast<u16>(input.ConsumeIntegralInRange<unsigned>(0, 20))); break;
        case 5: machine_.poke(virtio::kDriver + 2, input.ConsumeIntegral<u16>()); break;
        case 6: machine_.poke(some_address(input), input.ConsumeIntegral<u64>()); break;
        case 7: driver_.set(virtio::queue_notify, input.ConsumeIntegralInRange<u32>(0, 2)); break;
        case 8: driver_.notify(); break;
        case 9: device_.reset(); break;
        case 10: {
            dev::VirtioFunction::State state = device_.function().state();
            state.driver_features ^= u64{1} << input.ConsumeIntegralInRange<unsigned>(0, 63);
            state.status = input.ConsumeIntegral<u8>();
            dev::VirtioQueue::State &queue = state.queues[input.ConsumeIntegralInRange<usize>(0, 1)];
            queue.size = input.ConsumeIntegral<u16>();
            queue.next_avail = input.ConsumeIntegral<u16>();
            queue.descriptors = some_address(input);
            queue.ready = input.ConsumeBool();
            device_.function().restore(state);
            break;
        }
        default: machine_.work.step(input.ConsumeIntegralInRange<u64>(1, 0x4000)); break;
        }
    }

    void check() {
        const dev::VirtioFunction::State state = device_.function().state();
        for (const dev::VirtioQueue::State &queue : state.queues) {
            require(!queue.ready || static_cast<u16>(queue.next_avail - queue.next_used) <= queue.size);
            require(!queue.ready || queue.size <= dev::kMaxVirtioQueueSize);
        }
        if ((state.status & dev::virtio_status::kDriverOk) != 0)
            require((state.status & (dev::virtio_status::kFeaturesOk | dev::virtio_status::kNeedsReset)) != 0);
    }

private:
    VirtioMachine &machine_;
    dev::VirtioMmio &device_;
    VirtioDriver driver_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzedDataProvider input(data, size);
    VirtioMachine machine;
    fake::Entropy entropy;
    const int kind = input.ConsumeIntegralInRange<int>(0, 2);
    std::vector<u8> contents(16 * kSectorBytes);
    dev::MemoryDisk memory(std::span<u8>(contents), machine.work);
    fake::BlockDevice fake(16, 3);
    BlockDevice &disk = kind == 1 ? static_cast<BlockDevice &>(memory) : fake;
    dev::VirtioOnMmio<dev::VirtioRng> rng(machine.line, machine.site(), entropy);
    dev::VirtioOnMmio<dev::VirtioBlk> blk(machine.line, machine.site(), disk, "disk");
    blk.model().attach(blk.function());
    dev::VirtioMmio &device = kind == 0 ? static_cast<dev::VirtioMmio &>(rng) : blk;

    Device under_test(machine, device);
    while (input.remaining_bytes() > 0) {
        if (kind == 2 && !fake.open().empty() && input.ConsumeBool()) {
            BlockRequest &one = *fake.open()[input.ConsumeIntegralInRange<usize>(0, fake.open().size() - 1)];
            fake.end(one, static_cast<BlockStatus>(input.ConsumeIntegralInRange<int>(0, 4)));
        } else if (kind != 0 && input.ConsumeIntegralInRange<int>(0, 15) == 0) {
            dev::VirtioBlk::State state = blk.model().state();
            if (input.ConsumeBool())
                state.count = input.ConsumeIntegralInRange<u32>(0, 20);
            if (input.ConsumeBool())
                for (u16 &head : state.heads)
                    head = input.ConsumeIntegralInRange<u16>(0, 20);
            blk.model().forget(0);
            blk.model().restore(state);
        } else {
            under_test.act(input);
        }
        entropy.available = input.ConsumeIntegralInRange<int>(0, 7) != 0;
        require(machine.chip.high(virtio::kIntid) == (*device.read(Access{0x60, Width::b4, VcpuId{0}}) != 0));
        require(fake.open().size() <= dev::VirtioBlk::kMaxRequests);
        under_test.check();
    }
    return 0;
}
