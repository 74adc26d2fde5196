// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/vcpu.hpp>

#include <sel4_host/double/address_space.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/assert.hpp>

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

} // namespace

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
