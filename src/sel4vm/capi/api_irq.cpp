// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/guest_irq_controller.h and sel4vm/arch/vgic.h
#include <sel4vm/guest_irq_controller.h>

#include <sel4vm/capi/arguments.hpp>

#include <sel4vm/arch/vgic.h>

using namespace sel4vm;

namespace {

bool is_intid(int irq) { return irq >= 0 && irq < static_cast<int>(capi::IrqTable::kLimit); }

/// `call` is what the client called.
int install_vgic(vm_t *vm, const vm_vgic_config_t *config, const char *call) {
    capi::Machine *machine = capi::machine_of(vm, call);
    if (machine == nullptr)
        return -1;
    return capi::result_of(*machine, call, config == nullptr ? "config is NULL" : machine->install_gic(*config));
}

} // namespace

int vm_inject_irq(vm_vcpu_t *vcpu, int irq) {
    constexpr const char *kCall = "vm_inject_irq";
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    capi::Machine &machine = guest->machine();
    const VcpuId id = guest->core().id();
    if (!is_intid(irq) || !machine.irqs().has(id, static_cast<u32>(irq)))
        return capi::fail(machine, kCall, "the interrupt is not registered");
    dev::Gic *gic = machine.gic();
    if (gic != nullptr && !gic->has(static_cast<u32>(irq)))
        return capi::fail(machine, kCall,
                          "the interrupt controller has no such interrupt"); // registered before there was one
    if (gic == nullptr)
        return capi::fail(machine, kCall, "the VM was not started, or has no interrupt controller");
    // A guest that has it disabled is no mistake of the caller's: no message.
    if (!gic->inject_quickly(id, static_cast<u32>(irq)))
        return -1;
    return 0;
}

int vm_set_irq_level(vm_vcpu_t *vcpu, int irq, int irq_level) {
    constexpr const char *kCall = "vm_set_irq_level";
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    capi::Machine &machine = guest->machine();
    dev::Gic *gic = machine.gic();
    if (gic == nullptr)
        return capi::fail(machine, kCall,
                          machine.gic_config() ? "the VM was not started" : "there is no interrupt controller");
    if (irq < static_cast<int>(capi::IrqTable::kFirstPpi) || !is_intid(irq) || !gic->has(static_cast<u32>(irq)))
        return capi::fail(machine, kCall, "the interrupt has no wire");
    const u32 intid = static_cast<u32>(irq);
    const Level level = level_of(irq_level != 0);
    if (intid < capi::IrqTable::kFirstShared)
        gic->set_private_level(guest->core().id(), intid, level);
    else
        gic->set_level(intid, level);
    return 0;
}

int vm_register_irq(vm_vcpu_t *vcpu, int irq, irq_ack_fn_t ack_fn, void *cookie) {
    constexpr const char *kCall = "vm_register_irq";
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    capi::Machine &machine = guest->machine();
    const auto &config = machine.gic_config();
    if (!is_intid(irq) || (config && static_cast<u32>(irq) >= capi::IrqTable::kFirstShared + config->spi_count))
        return capi::fail(machine, kCall, "the interrupt controller has no such interrupt");
    switch (machine.irqs().add(guest->core().id(), static_cast<u32>(irq), ack_fn, cookie)) {
    case capi::IrqTable::Added::done:
    case capi::IrqTable::Added::kept: return 0;
    case capi::IrqTable::Added::already:
        return capi::fail(machine, kCall, "the client has registered it for this vCPU already");
    case capi::IrqTable::Added::out_of_memory: break;
    }
    return capi::fail(machine, kCall, "out of memory");
}

int vm_create_default_irq_controller(vm_t *vm) {
    constexpr vm_vgic_config_t kDefault{};
    return install_vgic(vm, &kDefault, "vm_create_default_irq_controller");
}

int vm_install_vgic(vm_t *vm) {
    constexpr vm_vgic_config_t kDefault{};
    return install_vgic(vm, &kDefault, "vm_install_vgic");
}

int vm_install_vgic_with(vm_t *vm, const vm_vgic_config_t *config) {
    return install_vgic(vm, config, "vm_install_vgic_with");
}

int vm_get_vgic(vm_t *vm, vm_vgic_config_t *config) {
    capi::Machine *machine = capi::machine_of(vm, "vm_get_vgic");
    if (machine == nullptr)
        return -1;
    if (config == nullptr || !machine->gic_config())
        return capi::fail(*machine, "vm_get_vgic",
                          config == nullptr ? "config is NULL" : "there is no interrupt controller");
    *config = *machine->gic_config();
    return 0;
}
