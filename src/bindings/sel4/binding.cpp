// SPDX-License-Identifier: BSD-2-Clause
//
// What the C interface needs from seL4 for one vm_t (sel4vm/capi/binding.hpp): objects of the client's vka, mappings in its
// vspace, its environment through simple. VMs on one endpoint share the Endpoint and the device frames.
#include <bindings/sel4/gic_addresses.hpp>
#include <bindings/sel4/guest_capabilities.hpp>
#include <bindings/sel4/guest_vspace.hpp>
#include <bindings/sel4/shared.hpp>
#include <hosts/sel4/guest_space.hpp>
#include <hosts/sel4/services.hpp>
#include <hosts/sel4/vcpu.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/capi/binding.hpp>

#include <array>
#include <new>
#include <optional>

namespace sel4vm::sel4 {

namespace {

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
        : vm_(vm), shared_(shared), first_badge_(options.first_badge),
          space_({vm.vka, &vm.mem.vmm_vspace, &shared.heap(), &shared.devices()}),
          vspace_(vm, space_, shared.heap(), options.lock) {}
    ~Sel4Binding() = default;
    Sel4Binding(const Sel4Binding &) = delete;
    Sel4Binding &operator=(const Sel4Binding &) = delete;

    [[nodiscard]] Status<HostError> create() {
        if (auto done = space_.create(*vm_.simple); !done)
            return done;
        if (auto done = capabilities_.create(*vm_.vka); !done)
            return done;
        vm_.mem.vm_vspace = vspace_.interface();
        vm_.mem.vm_vspace_root = space_.root();
        vm_.cspace = {capabilities_.object(), capabilities_.root_data()};
        return Ok{};
    }
    [[nodiscard]] Shared &shared() { return shared_; }

    [[nodiscard]] Allocator &allocator() override { return shared_.heap(); }
    [[nodiscard]] Log &log() override { return shared_.log(); }
    [[nodiscard]] Clock &clock() override { return shared_.clock(); }
    [[nodiscard]] Entropy &entropy() override { return shared_.entropy(); }
    [[nodiscard]] GuestSpacePort &space() override { return space_; }
    [[nodiscard]] EventPort &events() override { return shared_.endpoint(); }
    [[nodiscard]] capi::GicSupport gic() override { return gic_support(); }
    // An HVC whose x7 is the number of a system call is that call.
    [[nodiscard]] Conduit firmware_conduit() override { return Conduit::smc; }

    [[nodiscard]] Result<capi::VcpuPorts, HostError> create_vcpu(vm_vcpu_t &vcpu, VmId vm, VcpuId id,
                                                                 int priority) override {
        if (id.value() >= vcpus_.size() || vcpus_[id.value()].vcpu)
            return Err{HostError{HostErrorKind::invalid}};
        Made &made = vcpus_[id.value()];
        vcpu.tcb.priority = priority;
        const auto done = make_vcpu(made, vcpu, vm, id, priority);
        if (!done) {
            unmake(made);
            vcpu.vcpu = vcpu.tcb.tcb = vcpu.tcb.sc = vcpu.tcb.sched_ctrl = {};
            return Err{done.error()};
        }
        made.client = &vcpu;
        made.context.emplace(*made.vcpu);
        return capi::VcpuPorts{made.vcpu.get(), &made.vcpu->list_registers(), &made.vcpu->timer(), &*made.context};
    }
    void destroy_vcpu(vm_vcpu_t &vcpu) override {
        for (Made &made : vcpus_) {
            if (made.client == &vcpu)
                unmake(made);
        }
    }
    [[nodiscard]] Status<HostError> assign_target(vm_vcpu_t &vcpu, int target_cpu) override {
        if (target_cpu < 0 || target_cpu >= CONFIG_MAX_NUM_NODES)
            return Err{HostError{HostErrorKind::invalid}};
        for (Made &made : vcpus_) {
            if (made.client == &vcpu)
                return made.thread.bind_to(*vm_.simple, target_cpu);
        }
        return Err{HostError{HostErrorKind::invalid}};
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
    struct Made {
        const vm_vcpu_t *client = nullptr;
        VcpuThread thread; // outlives its vCPU
        Owned<Vcpu> vcpu;
        std::optional<VcpuContext> context;
    };

    [[nodiscard]] Status<HostError> make_vcpu(Made &made, vm_vcpu_t &client, VmId vm, VcpuId id, int priority) {
        if (auto done = made.thread.allocate(*vm_.vka); !done)
            return done;
        const VcpuSetup setup{vm, id, aarch64::affinity_of_vcpu(id.value()),
                              first_badge_ == 0 ? 0 : first_badge_ + id.value()};
        made.vcpu = Owned<Vcpu>::make(shared_.heap(), shared_.endpoint(), space_, setup);
        if (!made.vcpu)
            return Err{out_of_memory()};
        if (auto done = made.vcpu->create(*vm_.vka, made.thread.tcb()); !done)
            return done;
        const FaultRoute route{shared_.endpoint().cap(), made.vcpu->badge(), seL4_Word{VM_FAULT_EP_SLOT} + id.value()};
        if (auto done = made.thread.configure(*vm_.simple, capabilities_, space_.root().cptr, route, priority); !done)
            return done;
        client.vcpu = {};
        client.vcpu.cptr = made.vcpu->vcpu_cap();
        client.vcpu.type = seL4_ARM_VCPUObject;
        client.vcpu.size_bits = seL4_VCPUBits;
        client.tcb.tcb = made.thread.object();
        client.tcb.sc = made.thread.scheduling_context();
        client.tcb.sched_ctrl = {};
        return Ok{};
    }
    void unmake(Made &made) {
        made.context.reset();
        made.vcpu.reset();
        made.thread.reset();
        made.client = nullptr;
    }

    vm_t &vm_;
    Shared &shared_;
    u64 first_badge_;
    GuestSpace space_;
    GuestVspace vspace_; // frees what it mapped before the space does
    GuestCapabilities capabilities_;
    std::array<Made, CONFIG_MAX_NUM_NODES> vcpus_;
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
        SEL4VM_TRY(Shared::join(vm, peer == nullptr ? nullptr : &static_cast<Sel4Binding *>(peer)->shared(), options));
    void *const block = shared->heap().allocate(sizeof(Sel4Binding), alignof(Sel4Binding));
    if (block == nullptr) {
        Shared::leave(*shared);
        return Err{sel4::out_of_memory()};
    }
    auto *const binding = ::new (block) Sel4Binding(vm, *shared, options);
    if (const auto done = binding->create(); !done) {
        close_binding(vm, *binding);
        return Err{done.error()};
    }
    return static_cast<Binding *>(binding);
}

void close_binding(vm_t &, Binding &binding) {
    auto *const mine = static_cast<Sel4Binding *>(&binding);
    Shared &shared = mine->shared();
    std::destroy_at(mine);
    shared.heap().deallocate(mine, sizeof(Sel4Binding), alignof(Sel4Binding));
    Shared::leave(shared);
}

Log &host_log() {
    static sel4::PrintLog log; // without state
    return log;
}

} // namespace sel4vm::capi
