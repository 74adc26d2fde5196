// SPDX-License-Identifier: BSD-2-Clause
//
// One VM with the map of QEMU's `virt` board, assembled from its description: the place where addresses and interrupt
// numbers meet devices. It owns the Vm and every device, loads the images at each start, and knows no host by name:
// whatever a host gives is in HostSide.
//
// Threads: build() and the destructor while nothing runs; everything else as vm/vm.hpp says.
#pragma once

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/ports/passed_device.hpp>
#include <sel4vm/arch/aarch64/ports/vcpu_ports.hpp>
#include <sel4vm/base/allocator.hpp>
#include <sel4vm/base/owned_array.hpp>
#include <sel4vm/boot/layout.hpp>
#include <sel4vm/dev/arm/gic/gicv2m.hpp>
#include <sel4vm/dev/arm/gic/its.hpp>
#include <sel4vm/dev/cfi_flash/cfi_flash.hpp>
#include <sel4vm/dev/device_kind.hpp>
#include <sel4vm/dev/erased_flash.hpp>
#include <sel4vm/dev/fw_cfg/fw_cfg.hpp>
#include <sel4vm/dev/pci/pci_host.hpp>
#include <sel4vm/dev/virtio_slots.hpp>
#include <sel4vm/machine/arm/forwarded_registers.hpp>
#include <sel4vm/machine/arm/platform.hpp>
#include <sel4vm/machine/build_error.hpp>
#include <sel4vm/machine/description.hpp>
#include <sel4vm/machine/disk_source.hpp>
#include <sel4vm/machine/networks.hpp>
#include <sel4vm/machine/panic_watch.hpp>
#include <sel4vm/machine/shared_memories.hpp>
#include <sel4vm/vm/guest_dma.hpp>
#include <sel4vm/vm/guest_rom.hpp>
#include <sel4vm/vm/serial_port.hpp>
#include <sel4vm/vm/timeout.hpp>
#include <sel4vm/vm/vcpu_work.hpp>
#include <sel4vm/vm/vm.hpp>

#include <optional>
#include <span>

namespace sel4vm::machine {

/// Devices of the machine that a host gives to one VM.
struct PassedParts {
    std::span<const aarch64::PassedDevice> devices; ///< as MachineDescription::passthrough names them
    std::span<const u8> host_tree;                  ///< the device tree that they are in
    aarch64::PassedRegisterPort *registers = nullptr;
    aarch64::PhysicalIrqPort *irqs = nullptr;
};

/// What a host gives to one VM. Everything outlives the machine.
struct HostSide {
    VmId id;
    GuestSpacePort &space;
    std::span<const aarch64::VcpuPorts> vcpus; ///< one for each vCPU of the description, in their order
    Allocator &allocator;
    Log &log;
    Clock &clock;
    Entropy &entropy;
    TimeoutQueue &timeouts;
    ByteSink *console = nullptr; ///< nullptr: output is dropped
    LockMode locks = LockMode::none;
    bool gic_v2 = true; ///< which guest GICs the hardware can virtualize
    bool gic_v3 = true;
    /// GICv2: the page pair of the hardware's virtual CPU interface (GICV), mapped through to the guest.
    std::optional<HostPhys> gic_cpu_interface = std::nullopt;
    /// What the guest's device tree says. Calls by the other are served, too, as far as the host hands them over.
    aarch64::Conduit firmware_conduit = aarch64::Conduit::hvc;
    ArmHostParts parts{};
    /// Where the VMs of this program meet that share memory; nullptr: none can.
    SharedMemories *shared = nullptr;
    /// Disks of the machine below; nullptr: there are none.
    DiskSource *disks = nullptr;
    /// The networks that VMs of this program are at; nullptr: there are none.
    Networks *networks = nullptr;
    PassedParts passed{};
    /// Memory that is one to one, by the number of its region; the others have none. It is freed with the VM.
    std::span<const RamBlock> one_to_one{};
    /// Who decides when vCPUs but the first run: PSCI in the VMM, or a host's own.
    StartedVcpus started_vcpus = StartedVcpus::boot;
};

class VirtMachine final : private LifecycleHooks {
public:
    /// What building costs, in ticks of HostSide::clock.
    struct SetupCosts {
        u64 memory_ticks = 0;
        u64 memory_bytes = 0;
        u64 images_bytes = 0; ///< copied at each start
    };

    /// `description` was validated; it, its strings and `blobs` outlive the machine.
    VirtMachine(const MachineDescription &description, std::span<const std::span<const u8>> blobs, const HostSide &host,
                Clearing clearing = Clearing::cleared);
    VirtMachine(const VirtMachine &) = delete;
    VirtMachine &operator=(const VirtMachine &) = delete;
    ~VirtMachine();

    /// Makes everything; once, before vm().start(). After an error the object can only be destroyed.
    [[nodiscard]] Status<BuildError> build();

    [[nodiscard]] Vm &vm() { return vm_; }
    /// Of the serial device whose bytes go to the host's console: the first with that route, or nullptr.
    [[nodiscard]] SerialPort *console_port() { return console_port_.get(); }
    /// Of the first device that has one, or nullptr.
    [[nodiscard]] PowerButton *power_button() { return power_button_; }
    /// Where devices write their messages, once it is built; without a target when the description has no such interrupts.
    [[nodiscard]] const MsiDoorbell &msi() const { return msi_; }
    [[nodiscard]] const SetupCosts &costs() const { return costs_; }
    /// visit(name, counters) for each network device, of what its port has counted.
    template <class Visit>
    void for_each_network(Visit visit) const {
        for (usize i = 0; i < devices_.size(); ++i)
            if (const dev::FrameSwitch::Port *const port = devices_[i].network.port())
                visit(description_.devices[i].name, port->counters());
    }

private:
    struct Device {
        Owned<PanicWatch> watch;         ///< of a serial device whose bytes go to the host's console
        OwnedArray<u8> disk;             ///< of a disk that may be written
        std::string_view machine_disk{}; ///< that it was given
        Networks::Member network;
        dev::OwnedDevice device;
        dev::OwnedFunction function; ///< instead of it, on PCI
    };
    /// A serial device seen from outside: the bus's lock for it is taken first, where several executors enter it.
    class LockedPort final : public SerialPort {
    public:
        void connect(SerialPort &port, const MapSlot *slot) {
            port_ = &port;
            slot_ = slot;
        }
        [[nodiscard]] SerialPort *get() { return port_ == nullptr ? nullptr : slot_ == nullptr ? port_ : this; }
        [[nodiscard]] usize receive(std::span<const u8> bytes) override {
            slot_->enter();
            const usize taken = port_->receive(bytes);
            slot_->leave();
            return taken;
        }
        void set_listener(ReceiveListener *listener) override { port_->set_listener(listener); }

    private:
        SerialPort *port_ = nullptr;
        const MapSlot *slot_ = nullptr; ///< nullptr: one executor
    };
    struct Discard final : ByteSink {
        void put(std::span<const u8>) override {}
    };
    struct Flash {
        Flash(GuestMemory &memory, GpaRange range, dev::CfiFlash::Writes writes)
            : array(memory, range), chip(array, writes) {}
        GuestRom array;
        dev::CfiFlash chip;
    };
    struct Pci {
        explicit Pci(const dev::PciHost::Site &site) : host(site) {}
        dev::PciHost host;
        // Where no function has a BAR they are empty; so are the ports always.
        dev::PciHost::Window ports{host, kPciPorts.base};
        dev::PciHost::Window memory32{host, kPciMemory32.base};
        dev::PciHost::Window memory64{host, kPciMemory64.base};
    };
    /// Bytes that are copied into guest memory at each start.
    struct Load {
        Gpa at{};
        std::span<const u8> bytes{};
    };
    /// How far a boot has come.
    struct Boot {
        bool ram_is_clear = false;
        GuestMemory::Cleared cleared;
        usize load = 0;   ///< index
        usize loaded = 0; ///< bytes of it
    };
    static constexpr usize kMaxForwarded = 16;
    static constexpr usize kMaxLoads = boot::kMaxSegments + kMaxImages + 2;

    // build(), in this order
    [[nodiscard]] Status<BuildError> check_pmu() const;
    [[nodiscard]] bool has_pmu() const;
    [[nodiscard]] Status<BuildError> make_platform();
    [[nodiscard]] Status<BuildError> connect_platform();
    [[nodiscard]] Status<BuildError> make_msi();
    [[nodiscard]] Status<BuildError> make_its();
    [[nodiscard]] Status<BuildError> make_memory();
    [[nodiscard]] Status<BuildError> make_rom(const ImageRecord &image, usize index);
    [[nodiscard]] Status<BuildError> make_flash(); // virt_flash.cpp
    // virt_fw_cfg.cpp
    [[nodiscard]] Status<BuildError> make_fw_cfg();
    [[nodiscard]] bool tell_kernel();
    [[nodiscard]] Status<BuildError> make_device(const DeviceRecord &record);
    [[nodiscard]] Status<BuildError> place_device(const DeviceRecord &record, Device &device, std::string_view key);
    // virt_pci.cpp
    [[nodiscard]] Status<BuildError> make_pci();
    [[nodiscard]] Status<BuildError> make_function(const DeviceRecord &record, Device &device,
                                                   const dev::DeviceSite &site, std::string_view key);
    [[nodiscard]] Status<BuildError> make_shared();
    [[nodiscard]] Status<BuildError> make_shared(const SharedRecord &record);
    // virt_passthrough.cpp
    [[nodiscard]] Status<BuildError> make_passthrough();
    [[nodiscard]] Status<BuildError> pass_registers(const aarch64::PassedDevice &device, std::string_view key);
    [[nodiscard]] Status<BuildError> pass_irqs(const aarch64::PassedDevice &device, std::string_view key);
    [[nodiscard]] bool is_passed_irq(u32 intid) const;
    // virt_disks.cpp
    [[nodiscard]] Status<BuildError> give_disk(const DeviceRecord &record, Device &device, dev::DeviceSite &site,
                                               std::string_view key);
    [[nodiscard]] Status<BuildError> give_image(const DeviceRecord &record, Device &device, dev::DeviceSite &site,
                                                std::string_view key);
    [[nodiscard]] Status<BuildError> give_machine_disk(const DeviceRecord &record, Device &device,
                                                       dev::DeviceSite &site, std::string_view key);
    void take_disks_back();
    [[nodiscard]] Status<BuildError> give_network(const DeviceRecord &record, Device &device, dev::DeviceSite &site,
                                                  std::string_view key); // virt_network.cpp
    /// Where the bytes of a serial device go; nullptr: there is no memory.
    [[nodiscard]] ByteSink *make_output(const DeviceRecord &record, Device &device);
    void fill_board();
    void fill_virtio_slots();
    [[nodiscard]] bool is_free(GpaRange range);
    [[nodiscard]] Status<BuildError> make_pv_time();
    void start_pv_time();
    [[nodiscard]] Status<BuildError> place_images();
    [[nodiscard]] Status<BuildError> place_device_tree(const boot::Layout &layout, const boot::LayoutRequest &request);
    [[nodiscard]] Status<BuildError> add_load(Gpa at, std::span<const u8> bytes, std::string_view key);

    // LifecycleHooks
    [[nodiscard]] BootStep prepare_boot(Vm &vm, BootCall call) override;
    void paused(Vm &vm) override;
    void resuming(Vm &vm) override;
    void stopped(Vm &vm, StopReason reason) override;
    void set_counter_offset(u64 ticks);
    void refresh_seeds();
    /// What the guest printed before it started anew, or stopped, has no consequences any more.
    void forget_panics();
    [[nodiscard]] BootStep load_images(GuestMemory &memory);

    const MachineDescription &description_;
    std::span<const std::span<const u8>> blobs_;
    HostSide host_;
    Clearing clearing_;
    FixedVector<SharedMemories::Member, kMaxShared> shared_members_; ///< before the VM, which has them mapped
    Vm vm_;
    GuestDma dma_{vm_.memory()};
    VcpuWork work_; ///< before the devices, which work until they are gone
    ArmPlatform platform_;
    std::optional<dev::Gicv2m> v2m_;
    Owned<dev::Its> its_;
    MsiDoorbell msi_;
    Owned<Pci> pci_; ///< before its functions
    Owned<Flash> flash_;
    Owned<dev::FwCfg> fw_cfg_;
    OwnedArray<u8> cmdline_; ///< for fw_cfg, with a zero at its end
    dev::VirtioSlots virtio_slots_;
    dev::ErasedFlash erased_flash_;
    Discard discard_;
    FixedVector<Device, kMaxDevices> devices_;
    FixedVector<Owned<dev::JoinedDoorbell>, kMaxShared> doorbells_;
    FixedVector<ForwardedRegisters, kMaxForwarded> forwarded_;
    FixedVector<u32, kMaxPassthrough * aarch64::PassedDevice::kMost> passed_irqs_; ///< INTIDs
    LockedPort console_port_;
    PowerButton *power_button_ = nullptr;
    volatile u8 *pv_time_ = nullptr; ///< the page with stolen times, which the guest may read

    FixedVector<Load, kMaxLoads> loads_;
    OwnedArray<u8> device_tree_;
    FixedVector<std::span<u8>, 2> seeds_; ///< properties inside device_tree_ that are fresh at each start
    VcpuStart entry_;
    Boot boot_;
    bool started_ = false;
    u64 counter_offset_ = 0;
    u64 paused_at_ = 0;
    SetupCosts costs_;
};

} // namespace sel4vm::machine
