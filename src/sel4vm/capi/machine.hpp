// SPDX-License-Identifier: BSD-2-Clause
//
// The library's object behind a vm_t: owns the Vm, what is emulated for it, and what the client has registered; turns the
// core's events into the client's callbacks, and their results into answers. The functions of the C interface check their
// arguments and call it.
//
// Threads: as the C interface.
#pragma once

#include <sel4vm/capi/binding.hpp>
#include <sel4vm/capi/client_lock.hpp>
#include <sel4vm/capi/growing_array.hpp>
#include <sel4vm/capi/guest_vcpu.hpp>
#include <sel4vm/capi/irq_table.hpp>
#include <sel4vm/capi/objects.hpp>
#include <sel4vm/capi/ram_regions.hpp>
#include <sel4vm/capi/reservations.hpp>
#include <sel4vm/capi/services.hpp>
#include <sel4vm/capi/vm_group.hpp>

#include <array>
#include <optional>
#include <string_view>

namespace sel4vm::capi {

static_assert(CONFIG_MAX_NUM_NODES <= Vm::kMaxVcpus);

struct MachineConfig {
    vm_t &c;
    Binding &binding;
    VmGroup &group;
    std::string_view name; ///< outlives the machine
    VmId id;
    ClientLock lock;
    MapWhen map_when = MapWhen::now;
};

struct DestroyCallback {
    vm_destroy_callback_fn function = nullptr;
    void *cookie = nullptr;
};
using DestroyCallbacks = GrowingArray<DestroyCallback>;

class Machine : private LifecycleHooks, private MistakeHandler, private HypercallHandler {
public:
    explicit Machine(const MachineConfig &config);
    Machine(const Machine &) = delete;
    Machine &operator=(const Machine &) = delete;

    /// Once, before anything else; false without memory.
    [[nodiscard]] bool init();

    [[nodiscard]] vm_t &c() const { return config_.c; }
    [[nodiscard]] Binding &binding() const { return config_.binding; }
    [[nodiscard]] aarch64::GuestResources &resources() const { return resources_; }
    [[nodiscard]] VmGroup &group() const { return config_.group; }
    [[nodiscard]] const ClientLock &client_lock() const { return config_.lock; }
    [[nodiscard]] MapWhen map_when() const { return config_.map_when; }
    [[nodiscard]] Vm &vm() { return vm_; }
    [[nodiscard]] const Vm &vm() const { return vm_; }
    [[nodiscard]] IrqTable &irqs() { return irqs_; }
    [[nodiscard]] RamRegions &ram() { return ram_; }
    [[nodiscard]] vm_memory_reservation_cookie &reservations() { return *reservations_; }
    [[nodiscard]] GuestVcpu &guest_vcpu(VcpuId id) const { return *config_.c.vcpus[id.value()]->vcpu_arch.fault; }

    /// Logs one line about a wrong call or a failure.
    void complain(const char *what, std::string_view why) const;

    // -- vCPUs
    [[nodiscard]] vm_vcpu_t *create_vcpu(int priority);
    [[nodiscard]] const char *start_vcpu(GuestVcpu &guest);
    void destroy_vcpus();

    // -- memory
    /// nullptr, or why not. `make` gives the block for the range.
    [[nodiscard]] const char *add_ram(GpaRange range);
    [[nodiscard]] const char *adopt_ram(GpaRange range, const Result<RamBlock, HostError> &block,
                                        RegionKind kind = RegionKind::ram);

    // -- interrupts
    [[nodiscard]] const char *install_gic(const vm_vgic_config_t &wanted);
    [[nodiscard]] const std::optional<vm_vgic_config_t> &gic_config() const { return gic_config_; }
    void release_gic_ranges();
    /// nullptr before the start, or without one.
    [[nodiscard]] dev::Gic *gic() { return services_ ? services_->gic() : nullptr; }

    // -- running
    [[nodiscard]] int run();
    [[nodiscard]] bool pause();
    [[nodiscard]] bool resume();
    void set_policy(vm_fault_policy_t policy) { policy_ = policy; }
    [[nodiscard]] vm_fault_policy_t policy() const { return policy_; }
    [[nodiscard]] bool add_destroy_callback(const DestroyCallback &callback) {
        return destroy_callbacks_.push_back(callback);
    }
    /// For vm_destroy(), which calls them when the machine is gone.
    [[nodiscard]] DestroyCallbacks take_destroy_callbacks() { return std::move(destroy_callbacks_); }
    void set_reset_callback(vm_reset_callback_fn function, void *cookie) { reset_callback_ = {function, cookie}; }

    // -- from vCPUs and the endpoint
    /// vm_run() is to return -1 with this reason.
    void set_fault_outcome(int exit_reason) {
        fault_outcome_ = exit_reason;
        leave_ = true;
    }
    void notification(u64 badge, u64 message);
    /// Inside its reset callback.
    [[nodiscard]] bool is_resetting() const { return resetting_; }
    /// What the library serves of a hypercall by itself.
    [[nodiscard]] Answer library_call(Vcpu &vcpu, const HypercallExit &exit) { return services_->call(vcpu, exit); }

protected:
    ~Machine();

private:
    struct ResetCallback {
        vm_reset_callback_fn function = nullptr;
        void *cookie = nullptr;
    };
    /// Holds a place in the address map; an access there is nobody's.
    struct Placeholder final : ReservationHandler {
        [[nodiscard]] Answer fault(Vcpu &, const MemoryExit &) override { return Answer::none(); }
    };
    enum class Setup : u8 { open, done, failed };

    [[nodiscard]] const char *build_services();
    [[nodiscard]] const char *start_boot_vcpu(GuestVcpu &guest);
    void start_requested_vcpus();
    [[nodiscard]] std::optional<Vm::Inherited> callers_endianness();
    [[nodiscard]] int finish_run(int exit_reason, int result);
    [[nodiscard]] int report_stop();

    // LifecycleHooks
    [[nodiscard]] BootStep prepare_boot(Vm &vm, BootCall call) override;
    void paused(Vm &) override {}
    void resuming(Vm &) override {}
    void restarted(Vm &) override { start_requested_vcpus(); }
    void stopped(Vm &vm, StopReason reason) override;
    void entering(Vcpu &vcpu) override { guest_vcpu(vcpu.id()).entering(); }
    void turned_off(Vcpu &vcpu) override { guest_vcpu(vcpu.id()).c().vcpu_online = false; }
    // MistakeHandler
    [[nodiscard]] Answer decide(Vcpu &vcpu, Mistake mistake, const Exit &exit) override;
    // HypercallHandler: every call
    [[nodiscard]] Answer call(Vcpu &vcpu, const HypercallExit &exit) override;

    MachineConfig config_;
    aarch64::GuestResources &resources_;
    Vm vm_;
    IrqTable irqs_;
    RamRegions ram_;
    vm_memory_reservation_cookie *reservations_ = nullptr;
    Placeholder placeholder_;
    std::optional<vm_vgic_config_t> gic_config_;
    Owned<Services> services_;
    Setup setup_ = Setup::open;
    vm_fault_policy_t policy_ = VM_FAULT_POLICY_INJECT;
    ResetCallback reset_callback_;
    DestroyCallbacks destroy_callbacks_;
    std::optional<int> fault_outcome_;
    bool leave_ = false; ///< there is something to say: a fault outcome, or the VM has stopped
    bool stop_reported_ = false;
    bool resetting_ = false;       ///< the client's reset callback runs
    bool client_restarts_ = false; ///< vcpu_start() of a stopped VM, not a reset by the guest
};

} // namespace sel4vm::capi

/// The type that struct vm_arch points to.
struct vm_machine final : sel4vm::capi::Machine {
    using Machine::Machine;
};
