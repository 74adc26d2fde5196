// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/boot.h: making and destroying VMs.
#include <sel4vm/boot.h>

#include <sel4vm/capi/arguments.hpp>

#include <sel4vm/guest_vm_exits.h>

#include <cstring>

namespace sel4vm::capi {

namespace {

constexpr const char *kInit = "vm_init";
constexpr const char *kNoEndpoint = "host_endpoint is no endpoint of this host";

const char *wrong_argument(const vm_t &vm, const char *name) {
    if (vm.vka == nullptr)
        return "vka is NULL";
    if (vm.simple == nullptr)
        return "host_simple is NULL";
    if (vm.io_ops == nullptr)
        return "io_ops is NULL";
    if (vm.host_endpoint == seL4_CapNull)
        return "host_endpoint is 0, which is no capability";
    return name == nullptr ? "name is NULL" : nullptr;
}

const char *describe(HostError error) {
    switch (error.kind) {
    case HostErrorKind::out_of_memory: return "the host has no memory left for the VM";
    case HostErrorKind::not_available: return "the host cannot have such a VM";
    case HostErrorKind::busy: return "the host's objects for it are in use";
    case HostErrorKind::invalid: return kNoEndpoint;
    case HostErrorKind::failed: break;
    }
    return "the host could not make what the VM needs";
}

/// Everything that vm_init() makes, taken back in reverse order unless it was kept.
class Building {
public:
    explicit Building(vm_t &vm) : vm_(vm) {}
    Building(const Building &) = delete;
    Building &operator=(const Building &) = delete;
    ~Building() {
        if (binding_ == nullptr)
            return;
        Allocator &allocator = binding_->resources().allocator();
        destroy(allocator, machine_);
        if (group_ != nullptr && group_->leave())
            destroy(allocator, group_);
        if (vm_.vm_name != nullptr)
            allocator.deallocate(vm_.vm_name, name_bytes_, 1);
        close_binding(vm_, *binding_);
    }

    /// nullptr, or why not.
    [[nodiscard]] const char *build(const char *name, const vm_options_t &options);
    void keep() { binding_ = nullptr; }

private:
    vm_t &vm_;
    Binding *binding_ = nullptr;
    VmGroup *group_ = nullptr;
    vm_machine *machine_ = nullptr;
    usize name_bytes_ = 0;
};

const char *Building::build(const char *name, const vm_options_t &options) {
    Machine *peer = nullptr;
    if (options.peer != nullptr) {
        peer = machine_of(options.peer, kInit);
        if (peer == nullptr)
            return "the peer is no VM";
        if (options.peer->host_endpoint != vm_.host_endpoint)
            return "the peer is on another endpoint";
    }
    BindingOptions wishes;
    wishes.first_badge = options.first_badge;
    if (options.timeout_source != nullptr)
        wishes.timeout_source = *options.timeout_source;
    if (options.lock != nullptr)
        wishes.lock = *options.lock;
    const auto opened = open_binding(vm_, peer != nullptr ? &peer->binding() : nullptr, wishes);
    if (!opened)
        return describe(opened.error());
    binding_ = *opened;
    aarch64::GuestResources &resources = binding_->resources();
    Allocator &allocator = resources.allocator();

    name_bytes_ = std::strlen(name) + 1;
    vm_.vm_name = static_cast<char *>(allocator.allocate(name_bytes_, 1));
    if (vm_.vm_name == nullptr)
        return "out of memory";
    std::memcpy(vm_.vm_name, name, name_bytes_);

    group_ = peer != nullptr ? &peer->group() : create<VmGroup>(allocator, resources.events(), resources.clock());
    if (group_ == nullptr)
        return "out of memory";
    group_->join();
    const auto id = group_->executor().free_id();
    if (!id)
        return "there are too many VMs on the endpoint";
    vm_.vm_id = id->value();
    ClientLock lock;
    if (options.lock != nullptr)
        lock = *options.lock;
    machine_ = create<vm_machine>(allocator,
                                  MachineConfig{vm_,
                                                *binding_,
                                                *group_,
                                                {vm_.vm_name, name_bytes_ - 1},
                                                *id,
                                                lock,
                                                options.defer_memory_map ? MapWhen::at_first_access : MapWhen::now});
    if (machine_ == nullptr || !machine_->init())
        return "out of memory";
    SEL4VM_ASSERT(group_->executor().add(machine_->vm())); // the place was free
    vm_.arch.machine = machine_;
    vm_.arch.vm_smc_handler = vm_serve_smc;
    vm_.mem.reservation_cookie = &machine_->reservations();
    return nullptr;
}

} // namespace

} // namespace sel4vm::capi

using namespace sel4vm;

int vm_init_with_options(vm_t *vm, vka_t *vka, simple_t *host_simple, vspace_t host_vspace, ps_io_ops_t *io_ops,
                         seL4_CPtr host_endpoint, const char *name, const vm_options_t *options) {
    if (vm == nullptr) {
        capi::complain(capi::kInit, "vm is NULL");
        return -1;
    }
    constexpr vm_options_t kNone{};
    const vm_options_t &wishes = options != nullptr ? *options : kNone;
    *vm = {};
    vm->vka = vka;
    vm->simple = host_simple;
    vm->io_ops = io_ops;
    vm->host_endpoint = host_endpoint;
    vm->mem.vmm_vspace = host_vspace;
    vm->run.exit_reason = VM_GUEST_UNKNOWN_EXIT;
    const char *why = capi::wrong_argument(*vm, name);
    if (why == nullptr && wishes.lock != nullptr && (wishes.lock->lock == nullptr || wishes.lock->unlock == nullptr))
        why = "the lock lacks a function";
    if (why == nullptr) {
        capi::ClientLock lock;
        if (wishes.lock != nullptr)
            lock = *wishes.lock;
        const capi::AllocationGuard guard(lock);
        capi::Building building(*vm);
        why = building.build(name, wishes);
        if (why == nullptr)
            building.keep();
    }
    if (why != nullptr) {
        Text<120> line;
        line << why;
        if (why == capi::kNoEndpoint)
            line << ": " << Hex{host_endpoint};
        capi::complain(capi::kInit, line.view());
        *vm = {};
        return -1;
    }
    vm->vm_initialised = true;
    return 0;
}

int vm_init(vm_t *vm, vka_t *vka, simple_t *host_simple, vspace_t host_vspace, ps_io_ops_t *io_ops,
            seL4_CPtr host_endpoint, const char *name) {
    return vm_init_with_options(vm, vka, host_simple, host_vspace, io_ops, host_endpoint, name, nullptr);
}

int vm_destroy(vm_t *vm) {
    capi::Machine *machine = capi::machine_of(vm, "vm_destroy");
    if (machine == nullptr)
        return -1;
    if (const char *why = machine->group().why_needed(*machine))
        return capi::fail(*machine, "vm_destroy", why);
    const capi::AllocationGuard guard(machine->client_lock());
    capi::Binding &binding = machine->binding();
    capi::VmGroup &group = machine->group();
    Allocator &allocator = binding.resources().allocator();
    machine->destroy_vcpus();
    group.executor().remove(machine->vm());
    { // the list of callbacks is the binding's memory, and goes before the binding does
        capi::DestroyCallbacks callbacks = machine->take_destroy_callbacks();
        capi::destroy(allocator, vm->arch.machine);
        vm->arch.machine = nullptr;
        for (usize i = callbacks.size(); i-- != 0;)
            callbacks[i].function(vm, callbacks[i].cookie);
    }
    if (group.leave())
        capi::destroy(allocator, &group);
    allocator.deallocate(vm->vm_name, std::strlen(vm->vm_name) + 1, 1);
    capi::close_binding(*vm, binding);
    *vm = {};
    return 0;
}

int vm_register_destroy_callback(vm_t *vm, vm_destroy_callback_fn destroy_callback, void *cookie) {
    constexpr const char *kCall = "vm_register_destroy_callback";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return -1;
    if (destroy_callback == nullptr)
        return capi::fail(*machine, kCall, "there is no callback");
    const capi::AllocationGuard guard(machine->client_lock());
    return machine->add_destroy_callback({destroy_callback, cookie}) ? 0 : capi::fail(*machine, kCall, "out of memory");
}

vm_vcpu_t *vm_create_vcpu(vm_t *vm, int priority) {
    constexpr const char *kCall = "vm_create_vcpu";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return nullptr;
    if (vm->num_vcpus >= CONFIG_MAX_NUM_NODES) {
        machine->complain(kCall, "there are as many as there can be");
        return nullptr;
    }
    if (machine->vm().state() != VmState::built) {
        machine->complain(kCall, "the VM was started already");
        return nullptr;
    }
    const capi::AllocationGuard guard(machine->client_lock());
    return machine->create_vcpu(priority);
}

int vm_set_budget(vm_t *vm, unsigned int priority, uint32_t budget_us, uint32_t period_us) {
    constexpr const char *kCall = "vm_set_budget";
    capi::Machine *machine = capi::machine_of(vm, kCall);
    if (machine == nullptr)
        return -1;
    if (vm->num_vcpus != 0)
        return capi::fail(*machine, kCall, "there are vCPUs already");
    if (budget_us == 0 || budget_us > period_us)
        return capi::fail(*machine, kCall, "a budget is not 0 and no longer than its period");
    const auto done = machine->resources().set_budget(priority, budget_us, period_us);
    if (done)
        return 0;
    return capi::fail(*machine, kCall,
                      done.error().kind == HostErrorKind::not_available
                          ? "this host decides by itself what each VM has of a CPU"
                          : "there is no such priority");
}

int vm_assign_vcpu_target(vm_vcpu_t *vcpu, int target_cpu) {
    constexpr const char *kCall = "vm_assign_vcpu_target";
    capi::GuestVcpu *guest = capi::vcpu_of(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    capi::Machine &machine = guest->machine();
    constexpr int kNone = -1;
    if (target_cpu < kNone || target_cpu >= CONFIG_MAX_NUM_NODES)
        return capi::fail(machine, kCall, "there is no such CPU");
    const vm_t &vm = machine.c();
    for (unsigned i = 0; i < vm.num_vcpus; ++i) {
        if (target_cpu != kNone && vm.vcpus[i] != vcpu && vm.vcpus[i]->target_cpu == target_cpu)
            return capi::fail(machine, kCall, "another vCPU of the VM has this CPU");
    }
    if (guest->core().power_state() != PowerState::off)
        return capi::fail(machine, kCall, "the vCPU runs");
    // One that is taken back stays where it was bound until it is bound again.
    const capi::AllocationGuard guard(machine.client_lock());
    if (target_cpu != kNone && !machine.resources().bind_vcpu(guest->core().id(), static_cast<u32>(target_cpu)))
        return capi::fail(machine, kCall, "the host has no such CPU");
    vcpu->target_cpu = target_cpu;
    machine.binding().show_vcpu(guest->core().id(), *vcpu); // what schedules it is the CPU's
    return 0;
}
