// SPDX-License-Identifier: BSD-2-Clause
//
// A virtio device over MMIO and the driver's side of it: registers, and a split queue in guest memory, whose every word a test can also write by
// itself. What a driver must not do is not refused here: that is what the tests are for.
#pragma once

#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>
#include <hosts/fake/services.hpp>
#include <sel4vm/dev/virtio/virtio_mmio.hpp>
#include <sel4vm/vm/guest_dma.hpp>
#include <support/manual_work.hpp>
#include <support/recording_irqs.hpp>

#include <array>
#include <cstring>
#include <vector>

namespace sel4vm::test {

namespace virtio {
inline constexpr u64 kRam = 0x4000'0000;
inline constexpr u64 kRamBytes = 64 * kKiB;
inline constexpr u64 kMoreRam = kRam + kRamBytes; ///< another region, right behind it
inline constexpr u64 kRom = 0x1000'0000;
// Where the driver has its queue, and a table for indirect descriptors.
inline constexpr u64 kDescriptors = kRam;
inline constexpr u64 kDriver = kRam + 0x2000;
inline constexpr u64 kDevice = kRam + 0x3000;
inline constexpr u64 kTable = kRam + 0x5000;
inline constexpr u64 kData = kRam + 0x8000;
inline constexpr u32 kIntid = 48;

inline constexpr u16 kNext = 1;
inline constexpr u16 kWrite = 2;
inline constexpr u16 kIndirect = 4;

inline constexpr u64 device_features = 0x10, device_features_sel = 0x14, driver_features = 0x20,
                     driver_features_sel = 0x24, queue_sel = 0x30, queue_size_max = 0x34, queue_size = 0x38,
                     queue_ready = 0x44, queue_notify = 0x50, interrupt_status = 0x60, interrupt_ack = 0x64,
                     status = 0x70, queue_desc = 0x80, queue_driver = 0x90, queue_device = 0xa0, queue_reset = 0xc0,
                     config_generation = 0xfc, config = 0x100;

/// A part of a chain.
struct Part {
    u64 at;
    u32 bytes;
    u16 flags = 0; ///< kWrite, or what must not be
};
struct Used {
    u32 head;
    u32 written;
    friend bool operator==(const Used &, const Used &) = default;
};
} // namespace virtio

/// Guest memory of two regions side by side and a ROM, and what a device's machine has.
struct VirtioMachine {
    VirtioMachine() {
        static_cast<void>(memory.add(*GpaRange::make(Gpa{virtio::kRam}, virtio::kRamBytes), RegionKind::ram));
        static_cast<void>(memory.add(*GpaRange::make(Gpa{virtio::kMoreRam}, virtio::kRamBytes), RegionKind::ram));
        static_cast<void>(memory.add(*GpaRange::make(Gpa{virtio::kRom}, kPageBytes), RegionKind::rom));
    }
    [[nodiscard]] dev::VirtioSite site() { return {dma, work, LockMode::none}; }
    template <class T>
    void poke(u64 at, T value) {
        std::array<u8, sizeof(T)> bytes;
        std::memcpy(bytes.data(), &value, sizeof(T));
        static_cast<void>(memory.write(Gpa{at}, bytes));
    }
    template <class T>
    [[nodiscard]] T peek(u64 at) {
        return *memory.fetch<T>(Gpa{at});
    }

    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    GuestMemory memory{space, allocator, LockMode::none};
    GuestDma dma{memory};
    ManualWork work;
    RecordingIrqs chip;
    IrqLine line{chip, virtio::kIntid};
};

class VirtioDriver {
public:
    VirtioDriver(VirtioMachine &machine, dev::VirtioMmio &device) : machine_(machine), device_(device) {}

    u32 get(u64 offset) { return static_cast<u32>(*device_.read(Access{offset, Width::b4, VcpuId{0}})); }
    void set(u64 offset, u64 value) { static_cast<void>(device_.write(Access{offset, Width::b4, VcpuId{0}}, value)); }
    void set_wide(u64 offset, u64 value) {
        set(offset, value & 0xffff'ffff);
        set(offset + 4, value >> 32);
    }
    u64 offered() {
        set(virtio::device_features_sel, 1);
        const u64 high = get(virtio::device_features);
        set(virtio::device_features_sel, 0);
        return high << 32 | get(virtio::device_features);
    }
    void take_features(u64 features) {
        set(virtio::driver_features_sel, 0);
        set(virtio::driver_features, features & 0xffff'ffff);
        set(virtio::driver_features_sel, 1);
        set(virtio::driver_features, features >> 32);
    }
    /// Up to FEATURES_OK; false when the device does not agree.
    bool negotiate(u64 features) {
        set(virtio::status, 0);
        set(virtio::status, 1);
        set(virtio::status, 3);
        take_features(features | dev::virtio_feature::kVersion1);
        set(virtio::status, 11);
        return (get(virtio::status) & 8) != 0;
    }
    void place_queue(u16 size) {
        set(virtio::queue_sel, 0);
        set(virtio::queue_size, size);
        set_wide(virtio::queue_desc, virtio::kDescriptors);
        set_wide(virtio::queue_driver, virtio::kDriver);
        set_wide(virtio::queue_device, virtio::kDevice);
        size_ = size;
        available_ = seen_ = free_ = 0;
        machine_.poke(virtio::kDriver, u32{0});
        machine_.poke(virtio::kDevice, u32{0});
    }
    void begin(u64 features = 0, u16 size = 16) {
        static_cast<void>(negotiate(features));
        place_queue(size);
        set(virtio::queue_ready, 1);
        set(virtio::status, 15);
    }
    void put(u64 table, u64 index, u64 at, u32 bytes, u16 flags, u16 next) {
        const u64 place = table + 16 * index;
        machine_.poke(place, at);
        machine_.poke(place + 8, bytes);
        machine_.poke(place + 12, flags);
        machine_.poke(place + 14, next);
    }
    /// Descriptors one behind the other from a free one on; the first of them.
    u16 chain(const std::vector<virtio::Part> &parts) {
        const u16 head = free_;
        for (usize i = 0; i < parts.size(); ++i) {
            const u16 here = free_;
            free_ = static_cast<u16>((free_ + 1) % size_);
            const bool last = i + 1 == parts.size();
            put(virtio::kDescriptors, here, parts[i].at, parts[i].bytes,
                static_cast<u16>(parts[i].flags | (last ? 0 : virtio::kNext)), free_);
        }
        return head;
    }
    u16 indirect_chain(const std::vector<virtio::Part> &parts) {
        for (usize i = 0; i < parts.size(); ++i)
            put(virtio::kTable, i, parts[i].at, parts[i].bytes,
                static_cast<u16>(parts[i].flags | (i + 1 == parts.size() ? 0 : virtio::kNext)),
                static_cast<u16>(i + 1));
        const u16 head = free_;
        free_ = static_cast<u16>((free_ + 1) % size_);
        put(virtio::kDescriptors, head, virtio::kTable, static_cast<u32>(parts.size() * 16), virtio::kIndirect, 0);
        return head;
    }
    void make_available(u16 head) {
        machine_.poke(virtio::kDriver + 4 + 2 * (available_ % size_), head);
        ++available_;
        machine_.poke(virtio::kDriver + 2, available_);
    }
    void notify() { set(virtio::queue_notify, 0); }
    /// Makes it available, tells, and lets the device work.
    void run(u16 head) {
        make_available(head);
        notify();
        machine_.work.run();
    }
    /// What has come back since the last call.
    std::vector<virtio::Used> used() {
        std::vector<virtio::Used> all;
        const u16 index = machine_.peek<u16>(virtio::kDevice + 2);
        for (; seen_ != index; ++seen_) {
            const u64 at = virtio::kDevice + 4 + 8 * (seen_ % size_);
            all.push_back({machine_.peek<u32>(at), machine_.peek<u32>(at + 4)});
        }
        return all;
    }
    [[nodiscard]] bool needs_reset() { return (get(virtio::status) & 64) != 0; }
    /// The line; and acknowledges what is there.
    [[nodiscard]] bool interrupted() {
        const bool high = machine_.chip.high(virtio::kIntid);
        set(virtio::interrupt_ack, get(virtio::interrupt_status));
        return high;
    }
    void hear_of(u16 used_index) { machine_.poke(virtio::kDriver + 4 + 2 * u64{size_}, used_index); }
    [[nodiscard]] u16 told_index() { return machine_.peek<u16>(virtio::kDevice + 4 + 8 * u64{size_}); }
    [[nodiscard]] u16 available() const { return available_; }

private:
    VirtioMachine &machine_;
    dev::VirtioMmio &device_;
    u16 size_ = 16;
    u16 free_ = 0;
    u16 available_ = 0;
    u16 seen_ = 0;
};

} // namespace sel4vm::test
