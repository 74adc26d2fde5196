// SPDX-License-Identifier: BSD-2-Clause
//
// vm_run(), and what happens inside it: the core's questions and events.
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/capi/machine.hpp>

#include <sel4vm/guest_vm_exits.h>

namespace sel4vm::capi {

void VmGroup::notification(u64 badge, u64 message) {
    if (runner_ != nullptr)
        runner_->notification(badge, message);
}

const char *VmGroup::why_needed(const Machine &machine) const {
    if (callbacks_ != 0)
        return "called from a callback that gives memory";
    if (runner_ == &machine)
        return "its vm_run() is active";
    if (runner_ != nullptr && (executor_.is_serving(machine.vm()) || machine.is_resetting()))
        return "called from a callback of its own";
    return nullptr;
}

// ---------------------------------------------------------------- vm_run()

int Machine::finish_run(int exit_reason, int result) {
    c().run.exit_reason = exit_reason;
    return result;
}

int Machine::report_stop() {
    stop_reported_ = true;
    switch (vm_.stop_reason()) {
    case StopReason::powered_off: return finish_run(VM_GUEST_SHUTDOWN_EXIT, 0);
    case StopReason::reset: return finish_run(VM_GUEST_RESET_EXIT, 0);
    case StopReason::client: return finish_run(VM_GUEST_STOPPED_EXIT, 0);
    default: return finish_run(VM_GUEST_ERROR_EXIT, -1);
    }
}

int Machine::run() {
    if (group().is_in_callback()) {
        complain("vm_run", "called from a callback");
        return -1;
    }
    if (stop_reported_)
        return -1;
    if (!fault_outcome_) {
        // What the last return was about goes on.
        for (unsigned i = 0; i < c().num_vcpus; ++i)
            guest_vcpu(VcpuId{static_cast<u16>(i)}).continue_after_return();
    }
    Executor &executor = group().executor();
    group().set_runner(this);
    // A stop that was asked for while no vCPU ran has nothing to wait for.
    static_cast<void>(vm_.settle());
    leave_ = fault_outcome_.has_value() || vm_.state() == VmState::stopped;
    static_cast<void>(executor.run_until(leave_));
    executor.flush();
    group().set_runner(nullptr);
    if (fault_outcome_) {
        const int reason = *fault_outcome_;
        fault_outcome_.reset();
        return finish_run(reason, -1);
    }
    if (vm_.state() == VmState::stopped)
        return report_stop();
    complain("vm_run", "nothing can ever happen again: every vCPU is off, held or waits for what cannot come");
    return finish_run(VM_GUEST_ERROR_EXIT, -1);
}

bool Machine::pause() {
    if (resetting_ || !vm_.pause())
        return false;
    static_cast<void>(vm_.settle()); // nothing may be running, between two calls of vm_run()
    return true;
}

bool Machine::resume() {
    if (resetting_)
        return false;
    static_cast<void>(vm_.settle());
    return vm_.resume().has_value();
}

// ---------------------------------------------------------------- the core's questions

void Machine::notification(u64 badge, u64 message) {
    const vm_run_t &run = c().run;
    if (run.notification_callback == nullptr) {
        Text<120> why;
        why << "an event with badge " << Hex{badge} << " came, and no callback is registered";
        resources().log().line(LogLevel::error, vm_.name(), why.view());
        set_fault_outcome(VM_GUEST_ERROR_EXIT);
        return;
    }
    seL4_MessageInfo_t tag{};
    tag.words[0] = message;
    if (run.notification_callback(&c(), badge, tag, run.notification_callback_cookie) != 0)
        set_fault_outcome(VM_GUEST_ERROR_EXIT);
}

BootStep Machine::prepare_boot(Vm &, BootCall) {
    GuestVcpu &boot = guest_vcpu(VcpuId{BOOT_VCPU});
    if (vm_.state() == VmState::resetting && !client_restarts_) {
        for (unsigned i = 0; i < c().num_vcpus; ++i) {
            c().vcpus[i]->vcpu_online = false;
            guest_vcpu(VcpuId{static_cast<u16>(i)}).forget_start_request();
        }
        resetting_ = true;
        const bool ready =
            reset_callback_.function != nullptr && reset_callback_.function(&c(), reset_callback_.cookie) == 0;
        resetting_ = false;
        if (!ready) {
            vm_.stop(StopReason::reset);
            return BootStep::failed();
        }
        boot.use_start_registers();
    }
    return BootStep::ready({boot.start_entry(), boot.start_argument()});
}

void Machine::stopped(Vm &, StopReason reason) {
    leave_ = true;
    for (unsigned i = 0; i < c().num_vcpus; ++i) {
        c().vcpus[i]->vcpu_online = false;
        guest_vcpu(VcpuId{static_cast<u16>(i)}).forget_start_request();
    }
    if (reason == StopReason::powered_off || reason == StopReason::reset || reason == StopReason::client)
        return;
    Text<300> line;
    line << "stopped: " << to_string(reason);
    if (!vm_.stop_detail().empty())
        line << ": " << vm_.stop_detail();
    resources().log().line(LogLevel::error, vm_.name(), line.view());
}

Answer Machine::decide(Vcpu &vcpu, Mistake mistake, const Exit &exit) {
    GuestVcpu &guest = guest_vcpu(vcpu.id());
    return mistake == Mistake::unmapped_access ? guest.unowned_fault(exit.memory) : guest.vcpu_fault(mistake, exit);
}

Answer Machine::call(Vcpu &vcpu, const HypercallExit &exit) {
    const smc_handler_callback_fn handler = c().arch.vm_smc_handler;
    if (aarch64::conduit_of(exit) == aarch64::Conduit::smc && handler != nullptr && handler != vm_serve_smc)
        return guest_vcpu(vcpu.id()).client_smc(exit, handler);
    return library_call(vcpu, exit);
}

} // namespace sel4vm::capi
