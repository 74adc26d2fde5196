// SPDX-License-Identifier: BSD-2-Clause
//
// An interrupt controller that remembers the wires and kicks the vCPU of a private interrupt that rises, as a real one would.
#pragma once

#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/irq_delivery.hpp>
#include <sel4vm/vm/vm.hpp>

#include <map>
#include <utility>

namespace sel4vm::test {

class RecordingIrqs final : public IrqRouter, public IrqDelivery {
public:
    bool has(u32) const override { return true; }
    bool inject(VcpuId, u32) override { return false; }
    bool set_eoi_listener(u32, EoiListener *) override { return false; }
    void set_level(u32 intid, Level level) override {
        ++changes;
        shared_[intid] = level;
    }
    void set_private_level(VcpuId vcpu, u32 intid, Level level) override {
        ++changes;
        private_[{vcpu.value(), intid}] = level;
        if (vm != nullptr && level == Level::high)
            vm->vcpu(vcpu).port().kick();
    }
    void sync(Vcpu &) override {}
    void service(Vcpu &, u32) override {}
    bool has_deliverable(Vcpu &vcpu) override {
        for (const auto &[key, level] : private_) {
            if (key.first == vcpu.id().value() && level == Level::high)
                return true;
        }
        return false;
    }
    void reset() override { ++resets; }
    void turned_on(Vcpu &) override {}
    void turned_off(Vcpu &) override {}
    bool has_wake_up(Vcpu &vcpu) override { return closed_interface_wakes || has_deliverable(vcpu); }
    void lost_power(Vcpu &) override { ++power_losses; }

    /// Whether the wire of a shared interrupt, or of a private one, is high.
    [[nodiscard]] bool high(u32 intid) const {
        const auto found = shared_.find(intid);
        return found != shared_.end() && found->second == Level::high;
    }
    [[nodiscard]] bool high(u16 vcpu, u32 intid) const {
        const auto found = private_.find({vcpu, intid});
        return found != private_.end() && found->second == Level::high;
    }

    unsigned changes = 0;
    unsigned resets = 0;
    unsigned power_losses = 0;
    bool closed_interface_wakes = false; ///< something waits that no CPU interface lets through
    Vm *vm = nullptr;                    ///< set: rising private wires kick

private:
    std::map<u32, Level> shared_;
    std::map<std::pair<u16, u32>, Level> private_;
};

} // namespace sel4vm::test
