// SPDX-License-Identifier: BSD-2-Clause
//
// Building, starting and running. What the core asks for is answered in machine_events.cpp.
#include <sel4vm/capi/machine.hpp>

#include <sel4vm/arch/aarch64/architecture.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>

#include <sel4vm/guest_vm_exits.h>

namespace sel4vm::capi {

Machine::Machine(const MachineConfig &config)
    : config_(config), resources_(config.binding.resources()),
      vm_(VmConfig{.name = config.name, .id = config.id, .architecture = &aarch64::architecture()}, resources_.space(),
          resources_.allocator(), resources_.log()),
      irqs_(resources_.allocator(), config.c), ram_(resources_.allocator(), config.c.mem),
      destroy_callbacks_(resources_.allocator()) {
    vm_.set_lifecycle_hooks(this);
    vm_.set_mistake_handler(this);
}

bool Machine::init() {
    reservations_ = create<vm_memory_reservation_cookie>(resources().allocator(), *this, resources().allocator());
    return reservations_ != nullptr && vm_.hypercalls().add(0, ~u32{0}, *this).has_value();
}

Machine::~Machine() {
    destroy(resources().allocator(), reservations_);
    if (gic_config_ && gic_config_->version == 2) {
        if (const auto ranges = gic_ranges(*gic_config_, resources().gic(), CONFIG_MAX_NUM_NODES))
            resources().space().unmap(ranges->other);
    }
}

void Machine::complain(const char *what, std::string_view why) const {
    Text<240> line;
    line << what << ": " << why;
    resources().log().line(LogLevel::error, vm_.name(), line.view());
}

// ---------------------------------------------------------------- vCPUs

vm_vcpu_t *Machine::create_vcpu(int priority) {
    vm_t &c = config_.c;
    Allocator &allocator = resources().allocator();
    auto *vcpu = create<vm_vcpu_t>(allocator);
    auto *guest = vcpu == nullptr ? nullptr : create<fault>(allocator, *vcpu, *this);
    if (guest == nullptr) {
        destroy(allocator, vcpu);
        complain("vm_create_vcpu", "out of memory");
        return nullptr;
    }
    const VcpuId id{static_cast<u16>(c.num_vcpus)};
    vcpu->vm = &c;
    vcpu->vcpu_id = id.value();
    vcpu->target_cpu = -1;
    vcpu->tcb.priority = priority;
    vcpu->vcpu_arch.fault = guest;
    const auto ports = resources().create_vcpu(vm_.id(), id, priority);
    if (!ports) {
        destroy(allocator, guest);
        destroy(allocator, vcpu);
        complain("vm_create_vcpu", "the host could not make it");
        return nullptr;
    }
    const auto core = vm_.add_vcpu(*ports->vcpu);
    if (!core) { // the caller has checked state and count
        resources().destroy_vcpu(id);
        destroy(allocator, guest);
        destroy(allocator, vcpu);
        complain("vm_create_vcpu", "out of memory");
        return nullptr;
    }
    binding().show_vcpu(id, *vcpu);
    guest->connect(*ports, binding().context(id), **core);
    c.vcpus[c.num_vcpus++] = vcpu;
    return vcpu;
}

void Machine::destroy_vcpus() {
    vm_t &c = config_.c;
    while (c.num_vcpus > 0) {
        vm_vcpu_t *vcpu = c.vcpus[--c.num_vcpus];
        resources().destroy_vcpu(VcpuId{static_cast<u16>(c.num_vcpus)});
        destroy(resources().allocator(), static_cast<fault *>(vcpu->vcpu_arch.fault));
        destroy(resources().allocator(), vcpu);
        c.vcpus[c.num_vcpus] = nullptr;
    }
}

const char *Machine::build_services() {
    if (setup_ == Setup::done)
        return nullptr;
    if (setup_ == Setup::failed)
        return "an earlier start failed";
    AllocationGuard guard(client_lock());
    services_ = Owned<Services>::make(resources().allocator(), resources(), vm_.vcpu_count(), gic_config_);
    if (!services_)
        return "out of memory"; // nothing has changed: it may be tried again
    setup_ = Setup::failed;
    if (const char *why = services_->connect(*this, group().executor().timeouts()))
        return why;
    if (dev::Gic *gic = services_->gic())
        irqs_.connect(*gic);
    setup_ = Setup::done;
    return nullptr;
}

const char *Machine::start_boot_vcpu(GuestVcpu &guest) {
    // Also of a VM that was stopped before it ever ran.
    if (const char *why = build_services())
        return why;
    if (vm_.state() == VmState::built) {
        guest.use_start_registers();
        if (!vm_.start()) {
            guest.forget_start();
            return "it could not be started";
        }
        start_requested_vcpus();
        return nullptr;
    }
    guest.use_start_registers();
    client_restarts_ = true;
    const bool asked = vm_.reset().has_value();
    if (asked)
        static_cast<void>(vm_.settle()); // a stopped VM has nothing to wait for
    client_restarts_ = false;
    if (!asked || vm_.state() != VmState::running) {
        guest.forget_start();
        return "it could not be started again";
    }
    stop_reported_ = false;
    leave_ = false;
    fault_outcome_.reset();
    start_requested_vcpus();
    return nullptr;
}

/// Those that the client asked for before the boot vCPU ran.
void Machine::start_requested_vcpus() {
    for (unsigned i = 1; i < c().num_vcpus; ++i) {
        GuestVcpu &other = guest_vcpu(VcpuId{static_cast<u16>(i)});
        if (!other.start_requested())
            continue;
        other.forget_start_request();
        static_cast<void>(start_vcpu(other)); // it is off, and the VM runs
    }
}

/// Of the vCPU whose firmware call the client is serving, which is how a guest starts another vCPU.
std::optional<Vm::Inherited> Machine::callers_endianness() {
    for (unsigned i = 0; i < c().num_vcpus; ++i) {
        if (GuestVcpu &caller = guest_vcpu(VcpuId{static_cast<u16>(i)}); caller.is_served())
            return Vm::Inherited{caller.core(), aarch64::sysreg::kSctlrEl1, aarch64::SctlrEl1::kEndianness};
    }
    return std::nullopt;
}

const char *Machine::start_vcpu(GuestVcpu &guest) {
    const VmState state = vm_.state();
    if (guest.core().id().value() == BOOT_VCPU) {
        if (resetting_)
            return "the VM is being reset, and starts it by itself";
        if (state == VmState::built || state == VmState::stopped)
            return start_boot_vcpu(guest);
    } else if (resetting_ || state == VmState::built || state == VmState::stopped) {
        if (guest.start_requested())
            return "it was started already";
        guest.request_start();
        return nullptr;
    }
    guest.use_start_registers();
    if (vm_.power_on(guest.core(), {guest.start_entry(), guest.start_argument()}, callers_endianness()) ==
        Vm::PowerOn::done)
        return nullptr;
    guest.forget_start();
    return "it is running already, or the VM is not";
}

// ---------------------------------------------------------------- memory

const char *Machine::add_ram(GpaRange range) {
    if (!ram_.prepare())
        return "out of memory";
    const RegionKind kind = map_when() == MapWhen::at_first_access ? RegionKind::demand_ram : RegionKind::ram;
    if (const auto added = vm_.add_memory(range, kind); !added)
        return to_string(added.error());
    SEL4VM_ASSERT(ram_.add(range)); // prepared above
    return nullptr;
}

const char *Machine::adopt_ram(GpaRange range, const Result<RamBlock, HostError> &block, RegionKind kind) {
    if (!block)
        return "the host could not make the memory of these frames";
    const char *why = nullptr;
    if (!ram_.prepare())
        why = "out of memory";
    else if (vm_.map().overlaps(range))
        why = to_string(RegionError::overlap);
    else if (const auto adopted = vm_.memory().adopt(range, *block, kind); !adopted)
        why = to_string(adopted.error());
    if (why != nullptr) {
        resources().space().free_ram(*block);
        return why;
    }
    SEL4VM_ASSERT(ram_.add(range)); // prepared above
    return nullptr;
}

// ---------------------------------------------------------------- interrupt controller

const char *Machine::install_gic(const vm_vgic_config_t &wanted) {
    if (gic_config_)
        return "there is one already";
    if (vm_.state() != VmState::built)
        return "the VM was started already";
    const aarch64::GicSupport support = resources().gic();
    const auto config = complete_gic_config(wanted, support);
    if (!config)
        return config.error();
    // Redistributors for as many vCPUs as there may come to be.
    const auto ranges = gic_ranges(*config, support, CONFIG_MAX_NUM_NODES);
    if (!ranges)
        return ranges.error();
    if (!vm_.reserve(ranges->distributor, placeholder_))
        return "the distributor's range is taken";
    if (!vm_.reserve(ranges->other, placeholder_)) {
        static_cast<void>(vm_.detach(ranges->distributor.base()));
        return config->version == 2 ? "the CPU interface's range is taken" : "the redistributors' range is taken";
    }
    if (ranges->deactivation && !vm_.reserve(*ranges->deactivation, placeholder_)) {
        static_cast<void>(vm_.detach(ranges->distributor.base()));
        static_cast<void>(vm_.detach(ranges->other.base()));
        return "the range of the CPU interface's second page is taken";
    }
    if (config->version == 2) {
        AllocationGuard guard(client_lock());
        if (!resources().space().map_device(ranges->other, *support.cpu_interface)) {
            static_cast<void>(vm_.detach(ranges->distributor.base()));
            static_cast<void>(vm_.detach(ranges->other.base()));
            if (ranges->deactivation)
                static_cast<void>(vm_.detach(ranges->deactivation->base()));
            return "the host could not map its virtual CPU interface";
        }
    }
    gic_config_ = *config;
    return nullptr;
}

void Machine::release_gic_ranges() {
    static_cast<void>(vm_.detach(Gpa{gic_config_->distributor}));
    if (gic_config_->version == 3)
        static_cast<void>(vm_.detach(Gpa{gic_config_->redistributor}));
    else if (resources().gic().own_deactivation)
        static_cast<void>(vm_.detach(Gpa{gic_config_->cpu_interface + dev::Gic::kDeactivationOffset}));
}

} // namespace sel4vm::capi
