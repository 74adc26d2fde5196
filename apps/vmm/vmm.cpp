// SPDX-License-Identifier: BSD-2-Clause
#include <apps/vmm/vmm.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/machine/arm/virt_devices.hpp>
#include <sel4vm/machine/cpu_budgets.hpp>
#include <sel4vm/machine/packed_system.hpp>
#include <sel4vm/vm/statistics.hpp>

#include <algorithm>
#include <bit>

namespace sel4vm::vmm {

namespace {

constexpr u64 kConsoleBadge = 1;

bool is_reached_by_others(const machine::MachineDescription &vm) {
    return !vm.shared.empty() || machine::has_network(vm);
}

} // namespace

Vmm::Vmm(el2::Host &host)
    : host_(host), mode_(host.has_bootarg("console=marked") ? el2::LineMode::marked : el2::LineMode::plain),
      log_(host.console(), mode_), line_(host.console(), mode_, host.input_flow()), cpus_(host, log_, system_, names_),
      shared_(host.heap(), &host.shared_ram()), networks_(host.heap(), host.clock()), passthrough_(host, log_, system_),
      disks_(host, log_, system_) {}

int Vmm::run() {
    const Status status = run_system();
    log_.exit_status(static_cast<u8>(status));
    const bool said = mode_ == el2::LineMode::marked && system_.exit_method == machine::ExitMethod::psci;
    return said ? 0 : static_cast<int>(status);
}

Status Vmm::run_system() {
    if (!read_bundle() || !passthrough_.reserve_memory() || !open_cpus())
        return Status::cannot_start;
    if (passthrough_.is_wanted() && !cpus_.share_interrupts(passthrough_.interrupts())) {
        log_.line(LogLevel::error, "host", "not enough memory for the interrupts of VMs' devices");
        return Status::cannot_start;
    }
    consoles_ = Owned<machine::ConsoleSwitch>::make(host_.heap(), line_, line_, system_.console,
                                                    cpus_.are_several() ? LockMode::spin : LockMode::none);
    if (!consoles_) {
        log_.line(LogLevel::error, "host", "not enough memory for the console");
        return Status::cannot_start;
    }
    if (cpus_.are_several())
        consoles_->set_announcer(&cpus_.processor(cpus_.boot()), kConsoleBadge);
    log_.set_switch(consoles_.get());
    menu_.open(*consoles_, cpus_.processor(cpus_.boot()), kConsoleBadge, host_.clock());

    if (!disks_.open())
        return Status::cannot_start;
    for (usize i = 0; i < system_.vms.size(); ++i) {
        if (!build(i))
            return Status::cannot_start;
    }
    for (Guest &guest : guests_) {
        Vm &vm = guest.machine->vm();
        if (!vm.start()) {
            log_.line(LogLevel::error, vm.name(), "its images could not be loaded");
            return Status::cannot_start;
        }
    }
    host_.console().listen(host_.interrupts(), cpus_.processor(cpus_.boot()), kConsoleBadge);
    cpus_.run();
    return status_.load();
}

bool Vmm::open_cpus() {
    const auto placed = machine::place_vcpus(system_, cpus_.count());
    if (placed) {
        placement_ = *placed;
        if (const auto excess = machine::find_excess(system_, placement_)) {
            Text<200> text;
            text << excess->key.view() << ": expected " << excess->expected.view();
            log_.line(LogLevel::error, "host", text.view());
            return false;
        }
        return cpus_.open(placement_.used, *this);
    }
    Text<120> text;
    text << "cpus: there is no CPU " << placed.error().cpu << ": the machine has " << cpus_.count();
    log_.line(LogLevel::error, system_.vms[placed.error().vm].name, text.view());
    return false;
}

bool Vmm::read_bundle() {
    if (host_.bundle().empty()) {
        log_.line(LogLevel::error, "host", "there is no bundle: build one with `sel4vm build`, or load it as initrd");
        return false;
    }
    const auto bundle = machine::open_system(host_.bundle(), machine::virt_devices(), system_, log_);
    log_.set_level(system_.log_level);
    if (system_.exit_method == machine::ExitMethod::semihosting)
        host_.set_exit_method(el2::ExitMethod::semihosting);
    if (!bundle)
        return false;

    blobs_ = OwnedArray<std::span<const u8>>::make(host_.heap(), bundle->blob_count() + usize{1});
    if (!blobs_) {
        log_.line(LogLevel::error, "host", "not enough memory for the list of images");
        return false;
    }
    for (u32 i = 0; i < bundle->blob_count(); ++i)
        blobs_[i] = *bundle->blob(i);
    return true;
}

bool Vmm::out_of_memory(const machine::MachineDescription &description) {
    log_.line(LogLevel::error, description.name, "the host has not enough memory left");
    return false;
}

bool Vmm::make_vcpus(Guest &guest, usize index) {
    const machine::MachineDescription &description = system_.vms[index];
    el2::Heap &heap = host_.heap();
    guest.vcpus = OwnedArray<Owned<el2::Vcpu>>::make(heap, description.vcpu_count);
    guest.ports = OwnedArray<aarch64::VcpuPorts>::make(heap, description.vcpu_count);
    guest.shares = OwnedArray<el2::VmShare>::make(heap, cpus_.count());
    if (!guest.vcpus || !guest.ports || !guest.shares)
        return out_of_memory(description);
    for (u32 cpu = 0; cpu < cpus_.count(); ++cpu)
        set_priority(guest.shares[cpu], index, cpu);
    for (u16 i = 0; i < description.vcpu_count; ++i) {
        const el2::VcpuSetup setup{VmId{static_cast<u16>(index)}, VcpuId{i}, aarch64::affinity_of_vcpu(i), 0};
        const u8 cpu = placement_.cpu_of[index][i];
        guest.vcpus[i] = Owned<el2::Vcpu>::make(heap, cpus_.processor(cpu), *guest.space, guest.shares[cpu], setup);
        if (!guest.vcpus[i])
            return out_of_memory(description);
        el2::Vcpu &vcpu = *guest.vcpus[i];
        guest.ports[i] = {&vcpu, &vcpu.list_registers(), &vcpu.timer(), vcpu.pmu()};
    }
    return true;
}

// Each CPU has the part of the VM's budget that its vCPUs there are of all.
void Vmm::set_priority(el2::VmShare &share, usize index, u32 cpu) {
    const machine::MachineDescription &description = system_.vms[index];
    const u64 here = machine::vcpus_on(system_, placement_, index, cpu);
    if (description.budget.budget_us == 0 || here == 0)
        return;
    share.set_priority(description.priority,
                       el2::CpuBudget::of_microseconds(description.budget.budget_us, description.budget.period_us,
                                                       host_.clock(), here, description.vcpu_count));
}

// Several executors enter a VM unless all of it is on the boot CPU, and no VM elsewhere may ring it or send to it.
LockMode Vmm::locks_of(usize index) const {
    const auto &cpu_of = placement_.cpu_of[index];
    const machine::MachineDescription &vm = system_.vms[index];
    const bool elsewhere =
        std::any_of(cpu_of.begin(), cpu_of.begin() + vm.vcpu_count, [this](u8 cpu) { return cpu != cpus_.boot(); });
    return elsewhere || (cpus_.are_several() && is_reached_by_others(vm)) ? LockMode::spin : LockMode::none;
}

bool Vmm::add_to_executors(Vm &vm, usize index) {
    u64 cpus = u64{1} << cpus_.boot();
    // Nobody gives it up, because all its vCPUs wait, as long as a VM elsewhere may wake one.
    if (is_reached_by_others(system_.vms[index]))
        cpus |= placement_.used;
    for (u16 i = 0; i < vm.vcpu_count(); ++i)
        cpus |= u64{1} << placement_.cpu_of[index][i];
    for (u64 rest = cpus; rest != 0; rest &= rest - 1) {
        if (!cpus_.executor(static_cast<u32>(std::countr_zero(rest))).add(vm))
            return false;
    }
    return true;
}

bool Vmm::build(usize index) {
    const machine::MachineDescription &description = system_.vms[index];
    Guest &guest = *guests_.emplace_back(); // as many as the description can hold
    auto space = host_.make_guest_space();
    if (!space)
        return out_of_memory(description);
    guest.space = *std::move(space);
    if (!make_vcpus(guest, index) || !passthrough_.find(index, guest.vcpus.view(), guest.given))
        return false;

    const el2::GicVersionsSupported gic = cpus_.processor(cpus_.boot()).gic_versions();
    machine::HostSide side{
        .id = VmId{static_cast<u16>(index)},
        .space = *guest.space,
        .vcpus = guest.ports.view(),
        .allocator = host_.heap(),
        .log = log_,
        .clock = host_.clock(),
        .entropy = host_.entropy(),
        .timeouts = cpus_.executor(placement_.cpu_of[index][0]).timeouts(),
        .console = consoles_->add(description.name),
        .locks = locks_of(index),
        .gic_v2 = gic.v2,
        .gic_v3 = gic.v3,
        .shared = &shared_,
        .disks = &disks_,
        .networks = &networks_,
    };
    if (const auto &gicv = host_.platform().gic.virtual_interface)
        side.gic_cpu_interface = gicv->base();
    side.passed = passthrough_.parts(guest.given);
    side.one_to_one = passthrough_.memory_of(index);
    const Clearing clearing = system_.bench.skip_clearing ? Clearing::skip : Clearing::cleared;
    guest.machine = Owned<machine::VirtMachine>::make(host_.heap(), description, blobs_.view(), side, clearing);
    if (!guest.machine)
        return out_of_memory(description);
    if (const auto built = guest.machine->build(); !built) {
        Text<300> text;
        const machine::BuildError error = built.error();
        if (!error.key.view().empty())
            text << error.key.view() << ": ";
        text << error.message.view();
        log_.line(LogLevel::error, description.name, text.view());
        return false;
    }
    if (SerialPort *port = guest.machine->console_port())
        consoles_->connect(index, *port);
    if (PowerButton *button = guest.machine->power_button())
        consoles_->connect(index, *button);
    names_.add(guest.machine->vm());
    menu_.add(guest.machine->vm());
    if (!add_to_executors(guest.machine->vm(), index)) {
        log_.line(LogLevel::error, description.name, "its vCPUs are spread over too many CPUs");
        return false;
    }
    if (system_.bench.report_setup)
        report_setup(description, *guest.machine);
    return true;
}

void Vmm::report_setup(const machine::MachineDescription &description, const machine::VirtMachine &machine) {
    Text<160> text;
    text << "bench: ram_setup " << machine.costs().memory_ticks << " ticks for " << machine.costs().memory_bytes
         << " bytes";
    log_.line(LogLevel::info, description.name, text.view());
    // Of the host and of the VMs up to this one, their RAM included.
    text.clear();
    text << "bench: memory " << host_.pages().used_bytes() - host_.heap().idle_bytes() << " bytes";
    log_.line(LogLevel::info, description.name, text.view());
}

void Vmm::report_networks(const Vm &vm) {
    guests_[vm.id().value()].machine->for_each_network([&](std::string_view name, const auto &counters) {
        Text<300> text;
        text << "bench: " << name << " frames: sent=" << counters.sent.value()
             << " refused=" << counters.refused.value() << " undelivered=" << counters.undelivered.value()
             << " malformed=" << counters.malformed.value() << " received=" << counters.received.value()
             << " no_room=" << counters.no_room.value();
        log_.line(LogLevel::info, vm.name(), text.view());
    });
}

void Vmm::report_exits(Vm &vm) {
    report_networks(vm);
    for (u16 i = 0; i < vm.vcpu_count(); ++i) {
        Text<300> text;
        text << "bench: vCPU " << i << " exits:";
        const VcpuStatistics all = statistics_of(vm.vcpu(VcpuId{i}), host_.clock());
        for (usize kind = 0; kind < kExitKinds; ++kind)
            text << ' ' << to_string(static_cast<ExitKind>(kind)) << '=' << all.exits[kind];
        text << " interrupts=" << all.interrupts.value_or(0) << " kicks=" << all.kicks;
        log_.line(LogLevel::info, vm.name(), text.view());
    }
}

void Vmm::notification(u64 badge, u64) {
    if ((badge & kConsoleBadge) == 0)
        return; // a CPU was only woken, and perhaps not the boot CPU
    for (u32 changed = changed_.exchange(0); changed != 0; changed &= changed - 1) {
        const auto index = static_cast<usize>(std::countr_zero(changed));
        if (guests_[index].machine->vm().state() == VmState::stopped)
            consoles_->disconnect(index);
        else
            consoles_->reconnect(index);
    }
    consoles_->pump();
    menu_.carry_out();
}

void Vmm::vm_stopped(Vm &vm) {
    // Or as somebody at the console wanted.
    const bool by_itself = vm.stop_reason() == StopReason::powered_off || vm.stop_reason() == StopReason::reset ||
                           vm.stop_reason() == StopReason::client;
    Text<300> text;
    text << "stopped: " << to_string(vm.stop_reason());
    if (!vm.stop_detail().empty())
        text << ": " << vm.stop_detail();
    log_.line(by_itself ? LogLevel::debug : LogLevel::error, vm.name(), text.view());
    if (!by_itself)
        status_ = Status::vm_error;
    if (!by_itself)
        cpus_.print_traces(log_, vm.name());
    if (system_.bench.report_exits)
        report_exits(vm);
    cpus_.report_accesses(log_, vm);
    console_changes(vm);
}

void Vmm::console_changes(Vm &vm) {
    changed_.fetch_or(u32{1} << vm.id().value());
    cpus_.signal(kConsoleBadge);
}

} // namespace sel4vm::vmm
