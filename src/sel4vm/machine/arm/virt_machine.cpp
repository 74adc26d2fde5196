// SPDX-License-Identifier: BSD-2-Clause
//
// Assembly: interrupt controller, memory, devices, services. Images and the boot are in virt_boot.cpp.
#include <sel4vm/machine/arm/virt_machine.hpp>

#include <sel4vm/machine/build_error.hpp>
#include <sel4vm/machine/image_placement.hpp>

namespace sel4vm::machine {

namespace {

dev::GicConfig gic_config(const MachineDescription &description, LockMode locks) {
    dev::GicConfig config;
    config.version = description.gic.version;
    config.vcpu_count = description.vcpu_count;
    config.spi_count = description.gic.spi_count;
    config.locks = locks;
    config.timer_intid = 16u + description.timer.virtual_timer;
    return config;
}

const char *to_string(dev::GicError error) {
    switch (error) {
    case dev::GicError::vcpu_count: return "this version cannot have so many vCPUs";
    case dev::GicError::spi_count: return "too many shared interrupts";
    case dev::GicError::intid_range: return "the host cannot deliver so many interrupts";
    case dev::GicError::list_registers: return "the host has no usable list registers";
    case dev::GicError::abilities: return "the host's vCPUs differ in their interrupt hardware";
    case dev::GicError::out_of_memory: return "the host has no memory left for it";
    }
    return "?";
}

} // namespace

VirtMachine::VirtMachine(const MachineDescription &description, std::span<const std::span<const u8>> blobs,
                         const HostSide &host, Clearing clearing)
    : description_(description), blobs_(blobs), host_(host), clearing_(clearing),
      vm_(VmConfig{description.name, host.id, host.locks, description.on_reset}, host.space, host.allocator, host.log),
      gic_(gic_config(description, host.locks)), timer_(gic_, host.clock, {16u + description.timer.physical, 0}),
      id_registers_(description.gic.version), trng_(host.entropy) {}

Status<BuildError> VirtMachine::build() {
    if (host_.vcpus.size() != description_.vcpu_count)
        return Err{build_error("vcpus", "the host made another number of vCPUs")};
    if (auto made = make_gic(); !made)
        return made;
    if (auto made = make_memory(); !made)
        return made;
    for (const DeviceRecord &record : description_.devices) {
        if (auto made = make_device(record); !made)
            return made;
    }
    if (auto made = make_services(); !made)
        return made;
    if (auto made = place_images(); !made)
        return made;
    fill_board();
    vm_.set_lifecycle_hooks(this);
    return Ok{};
}

Status<BuildError> VirtMachine::make_gic() {
    const bool v2 = description_.gic.version == GicVersion::v2;
    if (!(v2 ? host_.gic_v2 : host_.gic_v3))
        return Err{build_error("gic.version", v2 ? "this host's interrupt hardware cannot run a GICv2 guest: use 3"
                                                 : "this host's interrupt hardware cannot run a GICv3 guest: use 2")};
    if (const auto ready = gic_.init(host_.allocator); !ready)
        return Err{build_error("gic", to_string(ready.error()))};
    for (const VcpuPorts &ports : host_.vcpus) {
        auto vcpu = vm_.add_vcpu(*ports.vcpu);
        if (!vcpu)
            return Err{build_error("vcpus", "too many")};
        if (const auto attached = gic_.attach(**vcpu, *ports.list_registers, *ports.timer); !attached)
            return Err{build_error("gic", to_string(attached.error()))};
    }
    vm_.set_irq_chip(&gic_);

    const auto frame = [&](AddressBlock block, u64 size_bytes, MmioDevice &device,
                           std::string_view key) -> Status<BuildError> {
        const auto range = GpaRange::make(block.base, size_bytes);
        if (!range || !vm_.attach(*range, device))
            return Err{build_error(key, "the range overlaps another one")};
        return Ok{};
    };
    if (auto made =
            frame(description_.gic.distributor, gic_.distributor_bytes(), gic_.distributor(), "gic.distributor");
        !made)
        return made;
    if (!v2) {
        if (!gic_.register_all(vm_.system_registers()))
            return Err{build_error("gic", "its system registers are taken")};
        return frame(description_.gic.redistributors, gic_.redistributor_bytes(), gic_.redistributors(),
                     "gic.redistributors");
    }
    // The second page holds one register, which the hardware looks up in the list registers of one vCPU only.
    const bool own_deactivation = gic_.handles_deactivation();
    const Gpa base = description_.gic.cpu_interface.base;
    const auto range = GpaRange::make(base, own_deactivation ? dev::Gic::kDeactivationOffset : aarch64::gicc::kBytes);
    if (!range || !host_.gic_cpu_interface || !host_.space.map_device(*range, *host_.gic_cpu_interface))
        return Err{build_error("gic.cpu_interface", "the host could not map its virtual CPU interface there")};
    if (!own_deactivation)
        return Ok{};
    return frame({Gpa{base.value() + dev::Gic::kDeactivationOffset}, dev::Gic::kDeactivationBytes},
                 dev::Gic::kDeactivationBytes, gic_.deactivation(), "gic.cpu_interface");
}

// What the board has whatever it is given. The description has no records of it, and where it puts something else, it wins.
void VirtMachine::fill_board() {
    const auto fill = [this](Gpa base, u64 size_bytes, MmioDevice &device) {
        const auto range = GpaRange::make(base, size_bytes);
        if (range && !vm_.memory().overlaps(*range) && !vm_.map().overlaps(*range))
            static_cast<void>(vm_.attach(*range, device));
    };
    for (const Gpa bank : kFlashBanks)
        fill(bank, kFlashBankBytes, erased_flash_);
    fill(kVirtioSlotsBase, dev::VirtioSlots::kRangeBytes, virtio_slots_);
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
        if (const auto added = vm_.add_memory(*range, kind, clearing_); !added)
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
    constexpr u32 kFirstSpi = 32;
    const u32 intid = kFirstSpi + record.spi;
    if (!gic_.has(intid))
        return Err{build_error(key.view(), "the interrupt controller has no such shared interrupt")};
    const IrqLine line{gic_, intid};
    Device *device = devices_.emplace_back();
    if (device == nullptr)
        return Err{build_error(key.view(), "too many devices")};

    MmioDevice *registers = nullptr;
    switch (record.type) {
    case DeviceType::pl011: registers = make_uart(record, line, *device); break;
    case DeviceType::pl031:
        device->rtc = Owned<dev::Pl031>::make(host_.allocator, line, host_.clock, host_.timeouts);
        registers = device->rtc.get();
        break;
    }
    if (registers == nullptr)
        return Err{build_error(key.view(), "the host has no memory left for it")};
    const auto range = GpaRange::make(record.registers.base, record.registers.size_bytes);
    if (!range || !vm_.attach(*range, *registers))
        return Err{build_error(key.view(), "the range overlaps another one")};
    return Ok{};
}

MmioDevice *VirtMachine::make_uart(const DeviceRecord &record, IrqLine line, Device &device) {
    if (record.console != ConsoleRoute::host || host_.console == nullptr) {
        device.uart = Owned<dev::Pl011>::make(host_.allocator, line, discard_);
        return device.uart.get();
    }
    device.watch = Owned<PanicWatch>::make(host_.allocator, vm_, description_.on_panic, *host_.console, host_.clock,
                                           host_.timeouts);
    if (!device.watch)
        return nullptr;
    device.uart = Owned<dev::Pl011>::make(host_.allocator, line, *device.watch);
    if (console_uart_ == nullptr)
        console_uart_ = device.uart.get();
    return device.uart.get();
}

Status<BuildError> VirtMachine::make_services() {
    if (host_.clock.ticks_per_second() == 0)
        return Err{build_error("", "the host has no counter for the machine's timers and clock")};
    for (usize i = 0; i < description_.vcpu_count; ++i) {
        if (!timer_.add_vcpu(host_.timeouts))
            return Err{build_error("vcpus", "too many")};
    }
    SystemRegisterTable &registers = vm_.system_registers();
    HypercallTable &calls = vm_.hypercalls();
    if (!timer_.register_all(registers) || !id_registers_.register_all(registers) ||
        !debug_registers_.register_all(registers) || !ignored_registers_.register_all(registers))
        return Err{build_error("", "the table of system registers is full")};
    if (!psci_.register_all(calls) || !smccc_.register_all(calls) || !trng_.register_all(calls))
        return Err{build_error("", "the table of hypercalls is full")};
    return Ok{};
}

} // namespace sel4vm::machine
