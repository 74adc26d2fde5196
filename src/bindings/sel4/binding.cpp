// SPDX-License-Identifier: BSD-2-Clause
//
// What the C interface needs from seL4 for one vm_t (sel4vm/capi/binding.hpp): objects of the client's vka, mappings in its
// vspace, its environment through simple. VMs on one endpoint share the EndpointPort and the device frames.
#include <bindings/sel4/guest_vspace.hpp>
#include <bindings/sel4/shared.hpp>
#include <hosts/sel4/guest_resources.hpp>

#include <sel4vm/capi/binding.hpp>

#include <sel4vm/guest_vm.h>

#include <array>
#include <optional>

namespace sel4vm::sel4 {

namespace {

static_assert(VM_CSPACE_SIZE_BITS == guest_cspace_bits(CONFIG_MAX_NUM_NODES) && VM_FAULT_EP_SLOT == kFaultEndpointSlot);

/// The client's page provider, asked for frame after frame.
class ClientFrames final : public FrameCaps {
public:
    ClientFrames(Gpa base, const capi::FrameSource &source) : base_(base), source_(source) {}
    [[nodiscard]] Result<Frame, HostError> next(u64 offset) override {
        const vm_frame_t frame = source_.next(base_.value() + offset, source_.cookie);
        if (frame.cptr == seL4_CapNull)
            return Err{out_of_memory()};
        if (frame.vaddr != base_.value() + offset)
            return Err{HostError{HostErrorKind::invalid}};
        return Frame{frame.cptr, static_cast<unsigned>(frame.size_bits)};
    }

private:
    Gpa base_;
    capi::FrameSource source_;
};

static_assert(std::tuple_size_v<capi::UserContextArray> == kRegisterWords);

class VcpuContext final : public capi::ContextPort {
public:
    explicit VcpuContext(Vcpu &vcpu) : vcpu_(vcpu) {}
    [[nodiscard]] const capi::UserContextArray &context() override { return vcpu_.context(); }
    [[nodiscard]] bool set_context_word(usize index, u64 value) override {
        vcpu_.set_context_word(static_cast<unsigned>(index), value);
        return true;
    }
    void set_context(const seL4_UserContext &context, usize count) override {
        vcpu_.set_context(context, static_cast<unsigned>(count));
    }

private:
    Vcpu &vcpu_;
};

class Sel4Binding final : public capi::Binding {
public:
    Sel4Binding(vm_t &vm, Shared &shared, const capi::BindingOptions &options)
        : vm_(vm), shared_(shared), space_({vm.vka, &vm.mem.vmm_vspace, &shared.heap(), &shared.devices()}),
          vspace_(vm, space_, shared.heap(), options.lock),
          resources_({*vm.vka, *vm.simple, shared.heap(), shared.log(), shared.clock(), shared.entropy(),
                      shared.endpoint(), space_, CONFIG_MAX_NUM_NODES, options.first_badge}) {}
    ~Sel4Binding() = default;
    Sel4Binding(const Sel4Binding &) = delete;
    Sel4Binding &operator=(const Sel4Binding &) = delete;

    [[nodiscard]] Status<HostError> create() {
        if (auto done = space_.create(*vm_.simple); !done)
            return done;
        if (auto done = resources_.create(); !done)
            return done;
        const GuestCapabilities &capabilities = resources_.capabilities();
        vm_.mem.vm_vspace = vspace_.interface();
        vm_.mem.vm_vspace_root = space_.root();
        vm_.cspace = {capabilities.object(), capabilities.root_data()};
        return Ok{};
    }
    [[nodiscard]] Shared &shared() { return shared_; }

    [[nodiscard]] aarch64::GuestResources &resources() override { return resources_; }
    void show_vcpu(VcpuId id, vm_vcpu_t &vcpu) override {
        vcpu.vcpu = {};
        vcpu.vcpu.cptr = resources_.vcpu(id).vcpu_cap();
        vcpu.vcpu.type = seL4_ARM_VCPUObject;
        vcpu.vcpu.size_bits = seL4_VCPUBits;
        vcpu.tcb.tcb = resources_.thread(id).object();
        vcpu.tcb.sc = resources_.thread(id).scheduling_context();
        vcpu.tcb.sched_ctrl = {};
        vcpu.tcb.sched_ctrl.cptr = resources_.thread(id).scheduling_control();
    }
    [[nodiscard]] capi::ContextPort *context(VcpuId id) override {
        return &contexts_[id.value()].emplace(resources_.vcpu(id));
    }

    [[nodiscard]] Result<RamBlock, HostError> adopt_ram(Gpa at, u64 size_bytes,
                                                        const capi::FrameSource &frames) override {
        ClientFrames source(at, frames);
        return space_.adopt_ram(size_bytes, source);
    }
    [[nodiscard]] Result<RamBlock, HostError> allocate_ram_at(HostPhys phys, u64 size_bytes, Clearing) override {
        return space_.allocate_ram_at(phys, size_bytes);
    }
    [[nodiscard]] Status<HostError> map_frame(Gpa at, const vm_frame_t &frame) override {
        return space_.map_frame(at, frame.cptr, static_cast<unsigned>(frame.size_bits), frame.rights);
    }
    void unmap_frames(GpaRange at) override { space_.unmap(at); }
    [[nodiscard]] Result<HostPhys, HostError> translate(Gpa at, u64 size_bytes) override {
        return space_.translate(at, size_bytes);
    }

    // Of the IOMMUs that the kernel drives, those of AArch64 have no I/O space objects.
    [[nodiscard]] Status<HostError> add_iospace(vspace_t &, seL4_CPtr) override {
        return Err{HostError{HostErrorKind::not_available}};
    }

private:
    vm_t &vm_;
    Shared &shared_;
    GuestSpace space_;
    GuestVspace vspace_; // frees what it mapped before the space does
    GuestResources resources_;
    std::array<std::optional<VcpuContext>, CONFIG_MAX_NUM_NODES> contexts_; // by number
};

} // namespace

} // namespace sel4vm::sel4

namespace sel4vm::capi {

using sel4::Sel4Binding;
using sel4::Shared;

Result<Binding *, HostError> open_binding(vm_t &vm, Binding *peer, const BindingOptions &options) {
    if (vm.vka == nullptr || vm.simple == nullptr || vm.host_endpoint == 0)
        return Err{HostError{HostErrorKind::invalid}};
    Shared *const shared =
        SEL4VM_TRY(Shared::join(*vm.vka, *vm.simple, vm.host_endpoint,
                                peer == nullptr ? nullptr : &static_cast<Sel4Binding *>(peer)->shared()));
    Owned<Sel4Binding> binding;
    Status<HostError> done = options.timeout_source ? shared->set_timeout_source(*options.timeout_source) : Ok{};
    if (done) {
        binding = Owned<Sel4Binding>::make(shared->heap(), vm, *shared, options);
        done = binding ? binding->create() : Status<HostError>{Err{sel4::out_of_memory()}};
    }
    if (!done) {
        binding.reset();
        Shared::leave(*shared);
        return Err{done.error()};
    }
    return static_cast<Binding *>(binding.release());
}

void close_binding(vm_t &, Binding &binding) {
    auto *const mine = static_cast<Sel4Binding *>(&binding);
    Shared &shared = mine->shared();
    static_cast<void>(Owned<Sel4Binding>::take(shared.heap(), mine));
    Shared::leave(shared);
}

Log &host_log() {
    static sel4::PrintLog log; // without state
    return log;
}

} // namespace sel4vm::capi
