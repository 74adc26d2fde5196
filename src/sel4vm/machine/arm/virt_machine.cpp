// SPDX-License-Identifier: BSD-2-Clause
//
// Assembly: the platform, memory, devices. Images and the boot are in virt_boot.cpp.
#include <sel4vm/machine/arm/virt_machine.hpp>

#include <sel4vm/arch/aarch64/architecture.hpp>
#include <sel4vm/machine/build_error.hpp>
#include <sel4vm/machine/image_placement.hpp>

#include <algorithm>

namespace sel4vm::machine {

namespace {

/// Whether the host can lend every vCPU its CPU's performance monitors, and nothing else has their interrupt.
bool lends_pmu(const MachineDescription &description, const HostSide &host) {
    return description.pmu != PmuPolicy::hidden && !description.timer.has(kPmuPpi) &&
           std::all_of(host.vcpus.begin(), host.vcpus.end(),
                       [](const aarch64::VcpuPorts &ports) { return ports.pmu != nullptr; });
}

ArmPlatformConfig platform_config(const MachineDescription &description, const HostSide &host) {
    dev::GicConfig gic;
    gic.version = description.gic.version;
    gic.vcpu_count = description.vcpu_count;
    gic.spi_count = description.gic.spi_count;
    gic.locks = host.locks;
    gic.lpis = description.gic.msi.kind == MsiKind::its;
    gic.message_spis = description.gic.msi.kind == MsiKind::mbi;
    gic.timer_intid = 16u + description.timer.virtual_timer;
    gic.first_redistributors = gic.vcpu_count - description.gic.redistributors_left(gic.vcpu_count);
    return {.gic = gic,
            .physical_timer_intid = 16u + description.timer.physical,
            .pmu = lends_pmu(description, host),
            .host = host.parts};
}

/// The key of the description that an error is about.
const char *key_of(PlatformError error) {
    switch (error) {
    case PlatformError::vcpu_count: return "vcpus";
    case PlatformError::spi_count:
    case PlatformError::intid_range: return "gic.spi_count";
    case PlatformError::distributor_range: return "gic.distributor";
    case PlatformError::redistributors_range: return "gic.redistributors";
    case PlatformError::more_redistributors_range: return "gic.more_redistributors";
    case PlatformError::deactivation_range: return "gic.cpu_interface";
    case PlatformError::lpis: return "gic.msi";
    case PlatformError::list_registers:
    case PlatformError::abilities:
    case PlatformError::out_of_memory: return "gic";
    case PlatformError::register_table:
    case PlatformError::call_table: break;
    }
    return "";
}

// A device has two works at most: its own and its disk's. And fw_cfg has one.
static_assert(2 * kMaxDevices + 1 <= VcpuWork::kMax);

BuildError platform_error(PlatformError error) { return build_error(key_of(error), to_string(error)); }

} // namespace

VirtMachine::VirtMachine(const MachineDescription &description, std::span<const std::span<const u8>> blobs,
                         const HostSide &host, Clearing clearing)
    : description_(description), blobs_(blobs), host_(host), clearing_(clearing),
      vm_(VmConfig{description.name, host.id, host.locks, description.on_reset, host.started_vcpus,
                   &aarch64::architecture()},
          host.space, host.allocator, host.log),
      work_(vm_, host.clock, host.timeouts), platform_(platform_config(description, host), host.clock, host.entropy) {}

VirtMachine::~VirtMachine() { take_disks_back(); }

Status<BuildError> VirtMachine::build() {
    if (host_.vcpus.size() != description_.vcpu_count)
        return Err{build_error("vcpus", "the host made another number of vCPUs")};
    if (auto made = make_platform(); !made)
        return made;
    if (auto made = make_memory(); !made)
        return made;
    SEL4VM_TRY(make_flash());
    SEL4VM_TRY(make_fw_cfg());
    SEL4VM_TRY(make_pci());
    for (const DeviceRecord &record : description_.devices) {
        if (auto made = make_device(record); !made)
            return made;
    }
    if (auto made = make_shared(); !made)
        return made;
    if (auto made = make_passthrough(); !made)
        return made;
    if (auto made = place_images(); !made)
        return made;
    fill_board();
    if (auto made = make_pv_time(); !made)
        return made;
    vm_.set_device_work(&work_);
    vm_.set_lifecycle_hooks(this);
    return Ok{};
}

bool VirtMachine::has_pmu() const { return host_.parts.pmu || lends_pmu(description_, host_); }

Status<BuildError> VirtMachine::check_pmu() const {
    if (description_.pmu == PmuPolicy::required && !has_pmu())
        return Err{build_error("pmu", "this host has no performance monitors that a guest could have: use false")};
    return Ok{};
}

Status<BuildError> VirtMachine::make_platform() {
    const GicRecord &gic = description_.gic;
    const bool v2 = gic.version == GicVersion::v2;
    if (!(v2 ? host_.gic_v2 : host_.gic_v3))
        return Err{build_error("gic.version", v2 ? "this host's interrupt hardware cannot run a GICv2 guest: use 3"
                                                 : "this host's interrupt hardware cannot run a GICv3 guest: use 2")};
    if (host_.clock.ticks_per_second() == 0)
        return Err{build_error("", "the host has no counter for the machine's timers and clock")};
    SEL4VM_TRY(check_pmu());
    if (const auto ready = platform_.init(host_.allocator); !ready)
        return Err{platform_error(ready.error())};
    for (const aarch64::VcpuPorts &ports : host_.vcpus) {
        if (ports.timer == nullptr && description_.counter != CounterPolicy::host)
            return Err{build_error("counter", "this host decides about its guests' counter: use \"host\"")};
        auto vcpu = vm_.add_vcpu(*ports.vcpu);
        if (!vcpu)
            return Err{build_error("vcpus", vcpu.error() == VcpuError::out_of_memory
                                                ? "the host has not enough memory left for them"
                                                : "too many")};
        if (const auto added = platform_.add_vcpu(**vcpu, ports.list_registers, ports.timer, host_.timeouts, ports.pmu);
            !added)
            return Err{platform_error(added.error())};
    }
    return connect_platform();
}

Status<BuildError> VirtMachine::connect_platform() {
    std::optional<GicRanges> ranges;
    if (platform_.gic() != nullptr) {
        const GicRecord &gic = description_.gic;
        const bool v2 = gic.version == GicVersion::v2;
        ranges = gic_ranges(
            {.version = gic.version,
             .distributor = gic.distributor.base,
             .other = (v2 ? gic.cpu_interface : gic.redistributors).base,
             .more_redistributors = gic.more_redistributors.base,
             .first_redistributors = description_.vcpu_count - gic.redistributors_left(description_.vcpu_count)},
            description_.vcpu_count, platform_.dir_page());
        if (!ranges)
            return Err{build_error("gic", "a range wraps")};
        if (v2 && (!host_.gic_cpu_interface || !host_.space.map_device(ranges->other, *host_.gic_cpu_interface)))
            return Err{build_error("gic.cpu_interface", "the host could not map its virtual CPU interface there")};
    }
    if (const auto connected = platform_.connect(vm_, vm_.hypercalls(), ranges); !connected)
        return Err{platform_error(connected.error())};
    return description_.gic.msi.kind == MsiKind::none ? Status<BuildError>{Ok{}} : make_msi();
}

// What the board has whatever it is given. The description has no records of it, and where it puts something else, it wins.
void VirtMachine::fill_board() {
    for (const Gpa bank : kFlashBanks) {
        const auto range = GpaRange::make(bank, kFlashBankBytes);
        if (is_free(*range))
            static_cast<void>(vm_.attach(*range, erased_flash_));
    }
    fill_virtio_slots();
}

bool VirtMachine::is_free(GpaRange range) { return !vm_.memory().overlaps(range) && !vm_.map().overlaps(range); }

// Those without a device, each run of them as one range.
void VirtMachine::fill_virtio_slots() {
    constexpr u64 kBytes = dev::VirtioSlots::kSlotBytes;
    const auto slots = [](u64 first, u64 count) {
        return *GpaRange::make(Gpa{kVirtioSlotsBase.value() + first * kBytes}, count * kBytes);
    };
    for (u64 first = 0; first < dev::VirtioSlots::kSlots;) {
        u64 count = 0;
        while (first + count < dev::VirtioSlots::kSlots && is_free(slots(first + count, 1)))
            ++count;
        if (count != 0)
            static_cast<void>(vm_.attach(slots(first, count), virtio_slots_));
        first += count + 1;
    }
}

Status<BuildError> VirtMachine::make_memory() {
    const u64 before = host_.clock.now_ticks();
    for (usize i = 0; i < description_.memory.size(); ++i) {
        const MemoryRegion &region = description_.memory[i];
        Text<32> key;
        key << "memory[" << u64{i} << "]";
        const auto range = GpaRange::make(region.base, region.size_bytes);
        if (!range)
            return Err{build_error(key.view(), "the size is impossible")};
        const RegionKind kind = region.kind == RamKind::demand ? RegionKind::demand_ram : RegionKind::ram;
        if (region.one_to_one && (i >= host_.one_to_one.size() || host_.one_to_one[i].size_bytes != range->size()))
            return Err{build_error(key.view(), "this host gives no memory at its own address")};
        const auto added = region.one_to_one ? vm_.memory().adopt(*range, host_.one_to_one[i])
                                             : vm_.add_memory(*range, kind, clearing_);
        if (!added)
            return Err{build_error(key.view(), to_string(added.error()))};
        costs_.memory_bytes += region.size_bytes;
    }
    costs_.memory_ticks = host_.clock.now_ticks() - before;
    for (usize i = 0; i < description_.images.size(); ++i) {
        const ImageRecord &image = description_.images[i];
        if (image.kind != ImageKind::rom && image.kind != ImageKind::firmware)
            continue;
        if (auto made = make_rom(image, i); !made)
            return made;
    }
    return Ok{};
}

Status<BuildError> VirtMachine::make_rom(const ImageRecord &image, usize index) {
    Text<32> key;
    if (image.kind == ImageKind::firmware)
        key << "firmware";
    else
        key << "images[" << u64{index} << "]";
    const auto range = fixed_range(image);
    if (!range)
        return Err{build_error(key.view(), "the size is impossible")};
    const auto added = vm_.add_memory(*range, image.writable ? RegionKind::ram : RegionKind::rom);
    if (!added)
        return Err{build_error(key.view(), to_string(added.error()))};
    return Ok{};
}

Status<BuildError> VirtMachine::make_device(const DeviceRecord &record) {
    Text<80> key;
    key << "devices." << record.name;
    IrqLine line;
    if (!record.slot) {
        const u32 intid = aarch64::kFirstSpi + record.spi;
        IrqRouter &irqs = *platform_.irqs();
        if (!irqs.has(intid))
            return Err{build_error(key.view(), "the interrupt controller has no such shared interrupt")};
        line = IrqLine{irqs, intid};
    }
    Device *device = devices_.emplace_back();
    if (device == nullptr)
        return Err{build_error(key.view(), "too many devices")};
    ByteSink *const output = make_output(record, *device);
    if (output == nullptr)
        return Err{build_error(key.view(), "the host has no memory left for it")};
    dev::DeviceSite site{.allocator = host_.allocator,
                         .line = line,
                         .clock = host_.clock,
                         .timeouts = host_.timeouts,
                         .output = *output,
                         .dma = dma_,
                         .work = work_,
                         .entropy = host_.entropy,
                         .locks = host_.locks,
                         .name = record.name};
    SEL4VM_TRY(give_disk(record, *device, site, key.view()));
    SEL4VM_TRY(give_network(record, *device, site, key.view()));
    if (record.slot)
        return make_function(record, *device, site, key.view());
    if (record.kind->make == nullptr)
        return Err{build_error(key.view(), "there is no model of it")};
    device->device = record.kind->make(site);
    return place_device(record, *device, key.view());
}

Status<BuildError> VirtMachine::place_device(const DeviceRecord &record, Device &device, std::string_view key) {
    if (!device.device)
        return Err{build_error(key, "the host has no memory left for it")};
    if (power_button_ == nullptr)
        power_button_ = device.device.power_button();
    const auto range = GpaRange::make(record.registers.base, record.registers.size_bytes);
    if (!range || !vm_.attach(*range, device.device.registers()))
        return Err{build_error(key, "the range overlaps another one")};
    if (SerialPort *const port = device.device.serial();
        port != nullptr && device.watch && console_port_.get() == nullptr)
        console_port_.connect(*port, host_.locks == LockMode::spin ? vm_.map().search(range->base()) : nullptr);
    return Ok{};
}

ByteSink *VirtMachine::make_output(const DeviceRecord &record, Device &device) {
    if (record.kind->role != dev::DeviceRole::serial || record.console != ConsoleRoute::host ||
        host_.console == nullptr)
        return &discard_;
    device.watch = Owned<PanicWatch>::make(host_.allocator, vm_, description_.on_panic, *host_.console, host_.clock,
                                           host_.timeouts);
    return device.watch.get();
}

} // namespace sel4vm::machine
