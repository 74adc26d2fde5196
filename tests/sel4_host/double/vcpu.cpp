// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/vcpu.hpp>

#include <sel4_host/double/address_space.hpp>
#include <sel4_host/double/kernel.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/assert.hpp>

#include <algorithm>

namespace sel4vm::sel4_double {

namespace {

namespace sysreg = aarch64::sysreg;
using aarch64::ListRegisterState;

void put(fake::GuestCpu &cpu, u32 id, u64 value) { SEL4VM_ASSERT(cpu.set_system_register(id, value)); }

void load(fake::GuestCpu &cpu, const Tcb &thread) {
    for (unsigned n = 0; n < 31; ++n)
        cpu.set_general_register(n, thread.registers[word_of_x(n)]);
    cpu.set_program_counter(thread.registers[Tcb::kPc]);
    put(cpu, sysreg::kSpsrEl2, thread.registers[Tcb::kPstate]);
    put(cpu, sysreg::kSpEl0, thread.registers[Tcb::kSp]);
    put(cpu, sysreg::kTpidrEl0, thread.registers[Tcb::kTpidr]);
    put(cpu, sysreg::kTpidrroEl0, thread.registers[Tcb::kTpidrro]);
}

void store(fake::GuestCpu &cpu, Tcb &thread) {
    for (unsigned n = 0; n < 31; ++n)
        thread.registers[word_of_x(n)] = cpu.general_register(n);
    thread.registers[Tcb::kPc] = cpu.program_counter();
    thread.registers[Tcb::kPstate] = *cpu.system_register(sysreg::kSpsrEl2);
    thread.registers[Tcb::kSp] = *cpu.system_register(sysreg::kSpEl0);
    thread.registers[Tcb::kTpidr] = *cpu.system_register(sysreg::kTpidrEl0);
    thread.registers[Tcb::kTpidrro] = *cpu.system_register(sysreg::kTpidrroEl0);
}

/// In the order of seL4_VCPUReg; 0: the timer's offset, or what no guest executes with here.
constexpr u32 kRegisters[seL4_VCPUReg_Num] = {
    sysreg::kSctlrEl1,
    sysreg::kCpacrEl1,
    sysreg::kTtbr0El1,
    sysreg::kTtbr1El1,
    sysreg::kTcrEl1,
    sysreg::kMairEl1,
    sysreg::kAmairEl1,
    sysreg::kContextidrEl1,
    0,
    sysreg::kAfsr0El1,
    sysreg::kAfsr1El1,
    sysreg::kEsrEl1,
    sysreg::kFarEl1,
    sysreg::kParEl1,
    sysreg::kVbarEl1,
    sysreg::kTpidrEl1,
    sysreg::kMpidrEl1,
    sysreg::kSpEl1,
    sysreg::kElrEl1,
    sysreg::kSpsrEl1,
    sysreg::kCntvCtlEl0,
    sysreg::kCntvCvalEl0,
    0,
    sysreg::kCntkctlEl1,
};

/// The kernel saves these whenever the thread stops.
bool is_saved_with_thread(seL4_VCPUReg which) {
    switch (which) {
    case seL4_VCPUReg_SCTLR:
    case seL4_VCPUReg_CPACR:
    case seL4_VCPUReg_CNTV_CTL:
    case seL4_VCPUReg_CNTV_CVAL:
    case seL4_VCPUReg_CNTVOFF:
    case seL4_VCPUReg_CNTKCTL_EL1: return true;
    default: return false;
    }
}

} // namespace

Vcpu::Vcpu(fake::Clock &clock) : Object(kKind, seL4_VCPUBits), cpu(*this, clock, 0) { save(); }

void Vcpu::finalise() {
    Kernel &kernel = Kernel::current();
    dissociate();
    for (usize node = 0; node < kernel.loaded.size(); ++node) {
        if (kernel.loaded[node] != this)
            continue;
        kernel.loaded[node] = nullptr;
        if (node != kernel.node)
            kernel.violate("a VCPU is deleted whose registers another CPU holds, and will save");
    }
}

void Vcpu::save() {
    for (usize which = 0; which < in_memory_.size(); ++which) {
        if (kRegisters[which] != 0 && !is_saved_with_thread(static_cast<seL4_VCPUReg>(which)))
            in_memory_[which] = *cpu.system_register(kRegisters[which]);
    }
}

void Vcpu::restore_on(u64 node) {
    Kernel &kernel = Kernel::current();
    if (kernel.loaded[node] == this)
        return;
    if (std::find(kernel.loaded.begin(), kernel.loaded.end(), this) != kernel.loaded.end())
        kernel.violate("a VCPU runs on a CPU while another one holds its registers");
    if (kernel.loaded[node] != nullptr)
        kernel.loaded[node]->save();
    kernel.loaded[node] = this;
    for (usize which = 0; which < in_memory_.size(); ++which) {
        if (kRegisters[which] != 0 && !is_saved_with_thread(static_cast<seL4_VCPUReg>(which)))
            put(cpu, kRegisters[which], in_memory_[which]);
    }
}

u64 Vcpu::read(seL4_VCPUReg which) {
    const Kernel &kernel = Kernel::current();
    if (which == seL4_VCPUReg_CNTVOFF)
        return cpu.timer().counter_offset();
    if (kRegisters[which] == 0)
        return 0;
    if (is_saved_with_thread(which) || kernel.loaded[kernel.node] == this)
        return *cpu.system_register(kRegisters[which]);
    return in_memory_[which];
}

void Vcpu::write(seL4_VCPUReg which, u64 value) {
    const Kernel &kernel = Kernel::current();
    if (which == seL4_VCPUReg_CNTVOFF)
        cpu.timer().set_counter_offset(value);
    else if (kRegisters[which] == 0)
        return;
    else if (is_saved_with_thread(which) || kernel.loaded[kernel.node] == this)
        put(cpu, kRegisters[which], value);
    else
        in_memory_[which] = value;
}

void Vcpu::associate(Tcb &with) {
    if (with.vcpu != nullptr)
        with.vcpu->dissociate();
    dissociate();
    with.vcpu = this;
    thread = &with;
}

void Vcpu::dissociate() {
    if (thread == nullptr)
        return;
    Tcb *const was = std::exchange(thread, nullptr);
    was->vcpu = nullptr;
    was->set_pstate(was->registers[Tcb::kPstate]);
}

std::optional<Exit> Vcpu::run(unsigned instructions) {
    restore_on(thread->affinity);
    load(cpu, *thread);
    const auto exit = cpu.run(instructions);
    store(cpu, *thread);
    return exit;
}

std::optional<unsigned> Vcpu::take_ended() {
    fake::ListRegisters &lists = cpu.lists();
    for (unsigned n = 0; n < lists.abilities().count; ++n) {
        aarch64::ListRegister value = lists.at(n);
        if (value.state != ListRegisterState::empty || !value.eoi_maintenance)
            continue;
        value.eoi_maintenance = false;
        SEL4VM_ASSERT(lists.write(n, value));
        return n;
    }
    return std::nullopt;
}

std::optional<fake::GuestMemory::Page> Vcpu::look_up(Gpa at) const {
    VSpace *const space = thread == nullptr ? nullptr : thread->vspace.as<VSpace>();
    return space == nullptr || space->asid == 0 ? std::nullopt : page_of(*space, at);
}

} // namespace sel4vm::sel4_double
