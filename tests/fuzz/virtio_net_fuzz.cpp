// SPDX-License-Identifier: BSD-2-Clause
//
// Two drivers of network devices at one switch that do anything at all: registers, every word of rings, descriptors and buffers, frames, commands, notifications,
// restored states. Nothing may fail, what one does never breaks the other's device, no more chains come back than were made available, and each frame
// that was sent is counted once.
#include <fuzzer/FuzzedDataProvider.h>
#include <sel4vm/dev/frame_switch/frame_switch.hpp>
#include <support/net_station.hpp>

#include <cstdlib>

using namespace sel4vm;
using namespace sel4vm::test;

namespace {

void require(bool ok) {
    if (!ok)
        std::abort();
}

u64 some_address(FuzzedDataProvider &input) {
    constexpr u64 kPlaces[] = {virtio::kRam,
                               virtio::kRam + 0x1000,
                               virtio::kRam + 0x2000,
                               net::kBuffers,
                               net::kCommand,
                               virtio::kMoreRam,
                               virtio::kMoreRam + virtio::kRamBytes,
                               virtio::kRom,
                               0x2000'0000};
    if (input.ConsumeIntegralInRange<int>(0, 5) == 0)
        return input.ConsumeIntegral<u64>();
    return input.PickValueInArray(kPlaces) + input.ConsumeIntegralInRange<u64>(0, 0x900) - 0x40;
}

u32 some_length(FuzzedDataProvider &input) {
    constexpr u32 kLengths[] = {0, 1, 6, 11, 12, 14, 26, 64, 256, 1530, 2048, 0x1'0000, 0xffff'ffff};
    return input.ConsumeBool() ? input.PickValueInArray(kLengths) : input.ConsumeIntegral<u32>();
}

MacAddress some_mac(FuzzedDataProvider &input) {
    switch (input.ConsumeIntegralInRange<int>(0, 3)) {
    case 0: return net::kBroadcast;
    case 1: return mac_from(input.ConsumeIntegral<u64>() & 0xffff'ffff'ffff);
    default: return net::mac(input.ConsumeIntegralInRange<u8>(0, 4));
    }
}

void act(FuzzedDataProvider &input, NetStation &station) {
    const u32 queue = input.ConsumeIntegralInRange<u32>(0, 3);
    switch (input.ConsumeIntegralInRange<int>(0, 12)) {
    case 0:
        station.begin(input.ConsumeBool() ? station.device.function().offered_features() : input.ConsumeIntegral<u64>(),
                      input.ConsumeIntegralInRange<u64>(0, net::kBufferBytes));
        break;
    case 1: {
        const u64 offset = input.ConsumeIntegralInRange<u64>(0, 0x1ff);
        const Width width = static_cast<Width>(1U << input.ConsumeIntegralInRange<unsigned>(0, 3));
        static_cast<void>(station.device.read(Access{offset, width, VcpuId{0}}).has_value());
        static_cast<void>(
            station.device.write(Access{offset, width, VcpuId{0}}, input.ConsumeIntegral<u64>() & mask_of(width))
                .has_value());
        break;
    }
    case 2:
        station.put(queue % 3, input.ConsumeIntegralInRange<u16>(0, 15), some_address(input), some_length(input),
                    static_cast<u16>(input.ConsumeIntegralInRange<unsigned>(0, 7)),
                    static_cast<u16>(input.ConsumeIntegralInRange<unsigned>(0, 17)));
        break;
    case 3: station.offer(queue % 3, static_cast<u16>(input.ConsumeIntegralInRange<unsigned>(0, 20))); break;
    case 4: station.machine.poke(some_address(input), input.ConsumeIntegral<u64>()); break;
    case 5: station.notify(queue); break;
    case 6: station.device.reset(); break;
    case 7: {
        dev::virtio_net::Header header{};
        header.flags = input.ConsumeIntegralInRange<u8>(0, 3);
        header.gso_type = input.ConsumeIntegralInRange<int>(0, 7) == 0 ? input.ConsumeIntegral<u8>() : u8{0};
        header.checksum_from = input.ConsumeIntegralInRange<u16>(0, 100);
        header.checksum_at = input.ConsumeIntegralInRange<u16>(0, 100);
        station.queue_frame(net::frame(some_mac(input), some_mac(input), input.ConsumeIntegralInRange<usize>(0, 1600)),
                            header);
        break;
    }
    case 8:
        static_cast<void>(station.command(input.ConsumeIntegralInRange<u8>(0, 2),
                                          input.ConsumeIntegralInRange<u8>(0, 2),
                                          input.ConsumeBytes<u8>(input.ConsumeIntegralInRange<usize>(0, 40))));
        break;
    case 9: {
        dev::VirtioFunction::State state = station.device.function().state();
        state.driver_features ^= u64{1} << input.ConsumeIntegralInRange<unsigned>(0, 63);
        state.status = input.ConsumeIntegral<u8>();
        dev::VirtioQueue::State &changed = state.queues[queue];
        changed.size = input.ConsumeIntegral<u16>();
        changed.next_avail = input.ConsumeIntegral<u16>();
        changed.descriptors = some_address(input);
        changed.ready = input.ConsumeBool();
        station.device.function().restore(state);
        break;
    }
    case 10: station.timeouts.advance(input.ConsumeIntegralInRange<u64>(0, 10'000'000)); break;
    default: station.machine.work.step(input.ConsumeIntegralInRange<u64>(1, 0x4000)); break;
    }
}

void check(NetStation &station) {
    const dev::VirtioFunction::State state = station.device.function().state();
    for (const dev::VirtioQueue::State &queue : state.queues) {
        require(!queue.ready || static_cast<u16>(queue.next_avail - queue.next_used) <= queue.size);
        require(!queue.ready || queue.size <= dev::kMaxVirtioQueueSize);
    }
    require(station.machine.chip.high(virtio::kIntid) == (station.get(virtio::interrupt_status) != 0));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzedDataProvider input(data, size);
    fake::Clock clock;
    dev::FrameSwitch lan(clock);
    const bool filters = input.ConsumeBool();
    dev::FrameSwitch::Port &first = *lan.join({.mac = net::mac(1), .mac_filter = filters});
    dev::FrameSwitch::Port &second = *lan.join({net::mac(2)});
    NetStation a(first, net::mac(1), clock,
                 {.limit_bytes_per_second = input.ConsumeBool() ? u64{5000} : 0, .fixed_mac = filters});
    NetStation b(second, net::mac(2), clock);
    while (input.remaining_bytes() > 0) {
        NetStation &who = input.ConsumeBool() ? a : b;
        NetStation &other = &who == &a ? b : a;
        other.machine.work.run(); // what it has been told by others is done
        const u8 before = static_cast<u8>(other.get(virtio::status));
        act(input, who);
        require(other.get(virtio::status) == before); // before its own turn
        check(a);
        check(b);
        for (const auto &[mine, others] : {std::pair(&first, &second), std::pair(&second, &first)}) {
            const auto &counters = mine->counters();
            require(counters.sent.value() >= counters.refused.value() + counters.undelivered.value());
            require(others->counters().received.value() + others->counters().no_room.value() <= counters.sent.value());
        }
    }
    return 0;
}
